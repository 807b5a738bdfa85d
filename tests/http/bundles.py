"""Bundles of requests in few words."""

from collections.abc import Mapping
from typing import Any

import orjson
from httpx import Response

from tests.town import Voice
from tests.unit.consent.words import Json


def asked(
    method: str, url: str, tree: Json | None = None, full_url: str | None = None, **request: str
) -> Json:
    """An entry."""
    entry: Json = {"request": {"method": method, "url": url, **request}}
    if tree is not None:
        entry["resource"] = tree
    return entry if full_url is None else {"fullUrl": full_url, **entry}


def created(tree: Json, full_url: str | None = None, **request: str) -> Json:
    return asked("POST", tree["resourceType"], tree, full_url, **request)


async def send(voice: Voice, kind: str, *entries: Any, headers: Mapping[str, str] | None = None) -> Response:
    content = orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)})
    return await voice.call("POST", "/fhir", content=content, headers=headers)


async def done(voice: Voice, kind: str, *entries: Any) -> list[Json]:
    """The entries of the answer to a Bundle that is carried out."""
    answer = await send(voice, kind, *entries)
    assert answer.status_code == 200, answer.text
    bundle: Json = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", f"{kind}-response")
    listed: list[Json] = bundle.get("entry", [])
    assert len(listed) == len(entries)
    return listed


def statuses(entries: list[Json]) -> list[int]:
    return [int(entry["response"]["status"].split(" ")[0]) for entry in entries]


def reference(entry: Json) -> str:
    """`Type/id` of what an entry wrote."""
    return (
        str(entry["response"]["location"])
        .partition("/_history")[0]
        .removeprefix("http://passport.test/fhir/")
    )
