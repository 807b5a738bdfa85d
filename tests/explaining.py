"""Asking what consents do, as a person asks it."""

from typing import Any

import orjson
from httpx import Response

from tests.town import Voice
from tests.unit.consent.words import Json

JSON = {"Content-Type": "application/json"}


async def sent(voice: Voice, path: str, tree: Any) -> Response:
    """A JSON body to an address."""
    return await voice.call("POST", path, content=orjson.dumps(tree), headers=JSON)


def edit(voice: Voice, *roots: Json, **more: Any) -> Json:
    """Drafts with these root provisions, about the voice's own passport."""
    return {"patient": voice.reference, "drafts": [voice.consent(root) for root in roots], **more}


async def previewed(voice: Voice, actor: str, *roots: Json, purpose: str = "TREAT", **more: Any) -> Json:
    """What somebody would see if these were saved."""
    answer = await sent(
        voice, "/sharing/preview", edit(voice, *roots, actor=actor, purpose=purpose, count=200, **more)
    )
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def changed(voice: Voice, *roots: Json, **more: Any) -> Json:
    """What saving these would change for whom."""
    answer = await sent(voice, "/sharing/changes", edit(voice, *roots, **more))
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def explained(voice: Voice, **asked: str) -> Json:
    """Who sees a record and why, or why an access was refused."""
    answer = await voice.get("/sharing/explain", *asked.items())
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def shown(told: Json) -> list[str]:
    """The references of a preview's records."""
    return [one["reference"] for one in told["records"]]


def warned(told: Json) -> list[tuple[str, str, str]]:
    """Consent, path and reason of each warning."""
    return [(one["consent"], one["path"], one["why"]) for one in told["warnings"]]


async def everything(voice: Voice, patient: str) -> list[str]:
    """All that somebody really sees of a person, page by page, in its order."""
    found: list[str] = []
    answer = await voice.get(f"{patient}/$everything", ("_count", "100"))
    if answer.status_code == 404:
        return found
    while True:
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        entries = [one for one in bundle.get("entry", ()) if one["search"]["mode"] == "match"]
        found += [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries]
        further = [one["url"] for one in bundle["link"] if one["relation"] == "next"]
        if not further:
            return found
        answer = await voice.get(further[0].removeprefix("http://passport.test"))
