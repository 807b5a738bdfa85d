"""Every two entries of a transaction, in either order: it is carried out or refused whole, and never fails.

http://hl7.org/fhir/R4/http.html#transaction
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import orjson
import pytest

from tests.http.bundles import asked, send
from tests.resources import identifiers, weight
from tests.town import Town, Voice
from tests.unit.consent.words import Json

pytestmark = pytest.mark.anyio

SYSTEM: Final = "http://example.test/scales"
URN: Final = "urn:uuid:00000000-0000-4000-8000-00000000000"
PATCH: Final = {
    "resourceType": "Binary",
    "contentType": "application/json-patch+json",
    "data": b64encode(orjson.dumps([{"op": "replace", "path": "/status", "value": "amended"}])).decode(),
}
Entry = Callable[[Json, str, str], Json]
ENTRIES: Final[dict[str, Entry]] = {
    "POST": lambda tree, id_, where: asked("POST", "Observation", tree),
    "POST if none": lambda tree, id_, where: asked("POST", "Observation", tree, ifNoneExist=where),
    "POST that refers": lambda tree, id_, where: asked(
        "POST", "Observation", {**tree, "derivedFrom": [{"reference": f"Observation?{where}"}]}
    ),
    "POST that refers inside": lambda tree, id_, where: asked(
        "POST", "Observation", {**tree, "derivedFrom": [{"reference": f"{URN}0"}]}
    ),
    "PUT": lambda tree, id_, where: asked("PUT", f"Observation/{id_}", {**tree, "id": id_}),
    "PUT where": lambda tree, id_, where: asked("PUT", f"Observation?{where}", tree),
    "PATCH": lambda tree, id_, where: asked("PATCH", f"Observation/{id_}", PATCH),
    "PATCH where": lambda tree, id_, where: asked("PATCH", f"Observation?{where}", PATCH),
    "DELETE": lambda tree, id_, where: asked("DELETE", f"Observation/{id_}"),
    "DELETE where": lambda tree, id_, where: asked("DELETE", f"Observation?{where}"),
    "GET": lambda tree, id_, where: asked("GET", f"Observation/{id_}"),
    "GET where": lambda tree, id_, where: asked("GET", f"Observation?{where}"),
}


def together(names: tuple[str, str], tree: Json, id_: str, where: str) -> list[Json]:
    """The entries of these names, those with a resource under a fullUrl of their own."""
    entries = [ENTRIES[name](tree, id_, where) for name in names]
    return [
        {"fullUrl": f"{URN}{at}", **entry} if "resource" in entry else entry
        for at, entry in enumerate(entries)
    ]


async def versions(voice: Voice) -> list[tuple[str, str]]:
    """The id and version of everything that was ever written."""
    found = (await voice.get("Observation/_history?_count=1000")).json()
    return sorted((entry["fullUrl"], entry["response"]["etag"]) for entry in found.get("entry", ()))


@pytest.mark.parametrize("there", [True, False])
async def test_two_entries_are_carried_out_together_or_leave_nothing(town: Town, there: bool) -> None:
    done = refused = 0
    for first in ENTRIES:
        # So few versions each that one page of a history shows all.
        voice = await town.resident()
        for second in ENTRIES:
            named = f"{first}+{second}+{there}".replace(" ", "-")
            where = f"identifier={SYSTEM}|{quote(named)}"
            tree = weight(voice.reference, identifier=identifiers((SYSTEM, named)))
            id_ = (await voice.create(tree)).partition("/")[2] if there else "nobody"
            before = await versions(voice)
            answer = await send(voice, "transaction", *together((first, second), tree, id_, where))
            assert answer.status_code < 500, (named, answer.text)
            if answer.status_code == 200:
                done += 1
                assert len(answer.json()["entry"]) == 2, named
            else:
                refused += 1
                assert answer.json()["issue"][0]["diagnostics"], named
                assert await versions(voice) == before, named
    assert min(done, refused) > len(ENTRIES)
