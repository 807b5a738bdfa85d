"""Sharing as the town's people do it, over HTTP: what was shown, codes, requests, redemptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import orjson
from httpx import Response

from tests.town import Town, Voice
from tests.unit.consent.words import Json

CARD: Final = "https://city.example/card"
REASON: Final = "血圧の経過を診察の前に確かめるため（架空）"


async def sent(voice: Voice, path: str, tree: Json | None = None, method: str = "POST") -> Response:
    """A request below `/sharing`, with a JSON body if it has one."""
    content = None if tree is None else orjson.dumps(tree)
    headers = {"Content-Type": "application/json"}
    return await voice.call(method, f"/sharing/{path}", content=content, headers=headers)


async def done(voice: Voice, path: str, tree: Json | None = None, method: str = "POST") -> Any:
    """What a request that succeeds is answered."""
    answer = await sent(voice, path, tree, method)
    assert answer.is_success, answer.text
    return answer.json()


async def told(voice: Voice, path: str) -> Any:
    """What an address tells."""
    return await done(voice, path, method="GET")


@contextmanager
def later(town: Town, ahead: timedelta) -> Iterator[None]:
    """Let the clock be ahead while the block runs; whoever is there signs in again."""
    before, town.sessions = town.sessions, {}
    with town.later(ahead):
        yield
    town.sessions = before


async def shown(town: Town, preset: str = "visit", language: str = "ja") -> Json:
    """What somebody says afterwards of the wording that they are shown now."""
    wording = (await told(town.stranger, "presets"))["presets"][preset][language]
    return {"preset": preset, "language": language, "version": wording["version"], "hash": wording["hash"]}


async def code_of(patient: Voice, kind: str = "share", **members: Any) -> Json:
    """A code that a person is given to show."""
    offered = {**await shown(patient.town), **members} if kind == "share" else members
    code: Json = await done(patient, "codes", {"kind": kind, **offered})
    return code


def identified(value: str) -> list[Json]:
    """A card with this number."""
    return [{"system": CARD, "value": value}]


def asking(**members: Any) -> Json:
    """What somebody asks for, by a card unless said otherwise."""
    return {"purpose": "TREAT", "categories": ["vital-signs"], "reason": REASON, **members}


async def ask(voice: Voice, **members: Any) -> str:
    """Put a request; its id."""
    answer = await sent(voice, "requests", asking(**members))
    assert answer.status_code == 202, answer.text
    request: str = answer.json()["id"]
    return request
