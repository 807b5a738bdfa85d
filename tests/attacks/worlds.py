"""The same passport twice: once with records that a caller may not see, once as if they had never been written.

Clock, ids and keys are the same in both, so that an answer of one may be held against the other byte by byte.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
from httpx import Response

from consent.systems import CONFIDENTIALITY
from passport.sql import Kept
from tests import resources as made
from tests.attacks.asking import HANDBOOK, MODEL
from tests.attacks.rewinding import kept, restored
from tests.attacks.scene import NEVER, Asked, Scene
from tests.attacks.story import HIDDEN, consents, policy, story
from tests.cast import Cast, cast_of
from tests.databases import Database, Server
from tests.http.handbooks import handbook
from tests.identities import merged
from tests.sharing import identified
from tests.town import APPROVER, Clock, Town, Voice, served
from tests.unit.consent.words import Json
from tests.unit.passport.devices.signing import DevicePen, es256

BEGINNING: Final = datetime(2026, 11, 1, tzinfo=UTC)


NARROW: Final = (
    f"user/Observation.cruds?status=final user/Patient.rs?_security={CONFIDENTIALITY}|N user/Provenance.rs"
)
"""Scopes with search arguments, beside one without."""

FIRST_STEP: Final = 1_000
"""When the callers come."""

_DRAWN: Final = re.compile(
    rb'(?<="access_token":")[^"]+|(?<="user_code":")[^"]+|(?<="qr":")(?:[^"\\]|\\.)+'
    rb'|(?<="login":")family-[0-9a-z-]+|(?<="code":")[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}'
)


@dataclass(frozen=True)
class Pens:
    """The keys of two devices."""

    hanakos: DevicePen
    ghosts: DevicePen


def told_by(answer: Response) -> tuple[int, dict[str, str], bytes]:
    """All that a caller can tell of an answer; a token and a code are random and say nothing, nor does its picture."""
    varying = {"date"} | ({"content-length"} if b'"qr":' in answer.content else set())
    headers = {name: value for name, value in answer.headers.items() if name not in varying}
    return answer.status_code, headers, _DRAWN.sub(b"*", answer.content)


class Steps(Clock):
    """A clock that stands still within a step of a story."""

    def __init__(self) -> None:
        super().__init__()
        self.step = 0

    def __call__(self) -> datetime:
        return BEGINNING + timedelta(seconds=10 * self.step)


@dataclass
class Names:
    """Ids by the part of the story in which they are given: what is left out of one part shifts no other."""

    part: str = "directory"
    given: Counter[str] = field(default_factory=Counter)
    as_uuids: bool = False

    def __call__(self) -> str:
        self.given[self.part] += 1
        number = self.given[self.part]
        if not self.as_uuids:
            return f"{self.part}-{number:04d}"
        return str(UUID(bytes=self.part.encode()[:12].ljust(12, b"-") + number.to_bytes(4, "big"), version=4))


@dataclass(frozen=True)
class World:
    """One of the two; `hides` says whether the hidden records were written."""

    town: Town
    cast: Cast
    names: Names
    clock: Steps
    hides: bool
    hanako: Voice
    taro: Voice
    jiro: Voice
    proxy: Voice
    double: Voice
    hidden: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    voices: dict[str, Voice] = field(default_factory=dict)

    async def tell(self, part: str, step: int, voice: Voice, method: str, target: Any) -> None:
        """A step of what happened before the caller came."""
        self.names.part, self.clock.step = part, step
        if method == "create":
            written = await voice.create(target)
            if part in HIDDEN:
                self.hidden.append(written)
        elif method == "remove":
            await voice.remove(target)
        else:
            reference, tree = target
            await voice.replace(reference, tree)

    def scene(self, pen: DevicePen) -> Scene:
        """What a caller may name, where the hidden records were written."""
        return Scene(
            shown=(*(f"Observation/shown-{at:04d}" for at in range(1, 8)), "Observation/secret-0001"),
            hidden=tuple(self.hidden),
            people=tuple(one.reference for one in (self.hanako, self.taro, self.jiro, self.double)),
            ghost=self.ghosts[0],
            consents=tuple(f"Consent/consents-{at:04d}" for at in (1, 4, 10)),
            directory=(self.cast.dr_a, self.cast.role_a, self.cast.hospital),
            devices=(*self.devices, "never"),
            imports=(*self.imports, NEVER),
            pen=pen,
        )

    async def ask(self, voice: Voice, asked: Asked) -> Response:
        """Send a request, by somebody who is signed in or with its own proof."""
        caller = self.town.stranger if asked.signed else voice
        return await caller.call(asked.method, asked.path, content=asked.content, headers=asked.headers)

    async def sign_in(self) -> None:
        """Open a session for every caller, and one patient's records for the emergency."""
        cast, as_ = self.cast, self.town.as_
        asked = {"patient": self.hanako.reference, "reason": "架空の救急"}
        opened = await _sent(as_(cast.role_e), "POST", "/auth/break-glass", asked)
        self.voices.update(
            a=cast.a,
            b=cast.b,
            research=as_(cast.role_a, "HRESCH"),
            narrow=as_(cast.role_a, scope=NARROW),
            pharmacy=as_(cast.pharmacy),
            proxy=self.proxy,
            emergency=replace(as_(cast.role_e, "BTG"), bearer=opened.json()["access_token"]),
            jiro=self.jiro,
            hanako=self.hanako,
        )
        for voice in self.voices.values():
            await voice.get("metadata")


@dataclass(frozen=True)
class Pair:
    """Both worlds; `pen` signs for the device that both know."""

    full: World
    bare: World
    pen: DevicePen

    async def keep(self) -> None:
        """Sign everybody in, and keep what is written: every sequence begins with it."""
        for told in (self.full, self.bare):
            told.clock.step = FIRST_STEP - 1
            await told.sign_in()
            kept(told.town.database.superuser_url)

    def again(self) -> Scene:
        """Undo what sequences wrote; what a caller may name afterwards."""
        for told in (self.full, self.bare):
            restored(told.town.database.superuser_url)
            told.names.given.clear()
        return self.full.scene(self.pen)

    async def told(self, who: str, asked: Asked, step: int) -> tuple[Response, Response]:
        """The answers of both worlds to the same request."""
        answers = []
        for told in (self.full, self.bare):
            told.names.part, told.names.as_uuids = f"s{step:05d}", True
            told.clock.step = FIRST_STEP + step
            answers.append(await told.ask(told.voices[who], asked))
        return answers[0], answers[1]


@asynccontextmanager
async def world(
    database: Database, state: Path, *, hides: bool, pens: Pens | None = None, **parts: Any
) -> AsyncIterator[World]:
    """A served passport in which the story was told; `pens` are the devices' keys, the same in both worlds."""
    names, clock = Names(), Steps()
    async with served(database, state, clock=clock, new_id=names, **parts) as town:
        cast = await cast_of(town)
        names.part = "people"
        hanako, taro, jiro = [
            await town.resident(f"見本 {name}", identifier=identified(name))
            for name in ("花子", "太郎", "次郎")
        ]
        proxy = town.as_(await hanako.create(made.related_person(hanako.reference)))
        double = await town.resident("見本 花子")
        told = World(town, cast, names, clock, hides, hanako, taro, jiro, proxy, double)
        names.part = "consents"
        for voice, tree in consents(told):
            await voice.create(tree)
        names.part = "policy"
        await town.policy(policy(told))
        for step, (part, voice, method, target) in enumerate(story(told), start=10):
            if hides or part not in HIDDEN:
                await told.tell(part, step, voice, method, target)
        clock.step = FIRST_STEP - 2
        await _beside(told, pens or Pens(es256(), es256()))
        names.part, clock.step = "sequence", FIRST_STEP
        yield told


@asynccontextmanager
async def both(server: Server, state: Path) -> AsyncIterator[Pair]:
    """With what is hidden, and without; under the same keys."""
    async with AsyncExitStack() as running:
        pens, statements = Pens(es256(), es256()), Kept()
        told = []
        for hides in (True, False):
            database = running.enter_context(server.database())
            begun = world(database, state, hides=hides, pens=pens, statements=statements)
            told.append(await running.enter_async_context(begun))
        full, bare = told
        pair = Pair(full, bare, pens.hanakos)
        await pair.keep()
        yield pair


async def _beside(told: World, pens: Pens) -> None:
    """Devices, files and somebody of whom the other world never heard."""
    told.names.as_uuids = True
    model = {"manufacturer": "星見計器（架空）", "display": MODEL, "readings": ["blood-pressure"]}
    told.names.part = "device"
    await _sent(told.town.as_(APPROVER), "PUT", f"/devices/models/{MODEL}", model)
    device = await _enrolled(told, told.hanako, pens.hanakos)
    told.devices.append(device)
    told.names.part = "merge"
    await merged(told.hanako, told.double)
    told.names.part = "handed"
    pharmacy = told.town.as_(told.cast.pharmacy)
    told.imports.append(await _handed_over(pharmacy, told.hanako, handbook("20260402")))
    if told.hides:
        await _ghost(told, pens.ghosts)
    told.names.as_uuids = False


async def _ghost(told: World, pen: DevicePen) -> None:
    told.names.part = "import"
    told.imports.append(await _handed_over(told.hanako, told.hanako, HANDBOOK))
    told.names.part = "ghost"
    ghost = await told.town.resident("見本 無子", identifier=identified("無子"))
    told.hidden.append(await ghost.create(made.weight(ghost.reference)))
    told.imports.append(await _handed_over(ghost, ghost, HANDBOOK))
    told.devices.append(await _enrolled(told, ghost, pen))
    told.ghosts.append(ghost.reference)


async def _enrolled(told: World, voice: Voice, pen: DevicePen) -> str:
    order = {"patient": voice.reference, "model": MODEL, "serial": "HB-000117", "jwk": pen.jwk}
    device: str = (
        (await _sent(voice, "POST", "/devices/enrolments", order)).json()["device"].partition("/")[2]
    )
    await _sent(voice, "POST", f"/devices/{device}/approve", None)
    return device


async def _handed_over(voice: Voice, whose: Voice, data: bytes) -> str:
    path = f"/imports?patient={whose.reference}&format=jahis"
    headers = {"Content-Type": "application/octet-stream"}
    answer = await voice.call("POST", path, content=data, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"].removeprefix("/imports/")


async def _sent(voice: Voice, method: str, path: str, tree: Json | None) -> Response:
    content = None if tree is None else orjson.dumps(tree)
    answer = await voice.call(method, path, content=content, headers={"Content-Type": "application/json"})
    assert answer.is_success, answer.text
    return answer
