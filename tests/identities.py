"""Merging registrations of the town's people, as two operators do."""

from typing import Final

import orjson
from httpx import Response

from tests.town import Town, Voice
from tests.unit.consent.words import Json

REASON: Final = "本人が窓口で二つの登録を申し出た"


async def sent(voice: Voice, path: str, tree: Json | None = None) -> Response:
    """A request with a JSON body beside the FHIR addresses."""
    body = orjson.dumps(tree or {})
    return await voice.call("POST", path, content=body, headers={"Content-Type": "application/json"})


async def proposed(survivor: Voice, duplicate: Voice) -> Response:
    """Ask for a merge."""
    tree = {"survivor": survivor.reference, "duplicate": duplicate.reference, "reason": REASON}
    return await sent(survivor.town.operator, "/identity/merges", tree)


async def agreed(town: Town, answer: Response) -> Json:
    """Agree to a merge that was asked for; what the second operator is answered."""
    assert answer.status_code == 201, answer.text
    answer = await sent(town.second_operator, f"/identity/merges/{answer.json()['id']}/confirm")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def merged(survivor: Voice, duplicate: Voice) -> Json:
    """Let one registration take another one's place; what the second operator is answered."""
    return await agreed(survivor.town, await proposed(survivor, duplicate))


async def separated(town: Town, merge: Json) -> None:
    """Undo a merge."""
    answer = await sent(town.operator, f"/identity/merges/{merge['id']}/undo")
    assert answer.status_code == 200, answer.text
    assert answer.json()["undone"]
