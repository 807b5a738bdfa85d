"""Many who look and write at once, through two processes of the service, while what they look at is withdrawn.

http://hl7.org/fhir/R4/http.html

A look is one request of a physician; what it says about each person whose record it was for is kept with the instants
of its beginning and its answer. The persons share and withdraw in ways of their own.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import httpx
import orjson

from tests import resources as made
from tests.attacks.revoking import Change, Look, Span
from tests.cast import Cast
from tests.town import BASE_URL, FHIR_JSON, Town, Voice, link
from tests.unit.consent.words import Json, deny, permit
from tests.unit.house.source import ROOT

PROCESSES: Final = 2
READERS: Final = 8
CALM: Final = 12
"""So many looks at a person's record are answered between two changes, so that most prove something."""

BURST: Final = 3
"""So many requests are under way the moment a change is answered."""

END_SECONDS: Final = 30

# A connection is left before the service closes it for idleness.
_LIMITS: Final = httpx.Limits(keepalive_expiry=1)


@contextmanager
def services(town: Town, count: int) -> Iterator[list[str]]:
    """So many processes that serve the town's installation, each at an address of its own."""
    bound = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(count)]
    surroundings = {
        **os.environ,
        "PASSPORT_DATABASE_URL": town.database.service_url,
        "PASSPORT_PUBLIC_URL": BASE_URL,
    }
    command = [sys.executable, "-m", "passport.serving", "--state", str(town.runtime.settings.state)]
    running = [
        subprocess.Popen(
            [*command, "--socket", str(one.fileno())], cwd=ROOT, env=surroundings, pass_fds=[one.fileno()]
        )
        for one in bound
    ]
    try:
        yield [f"http://127.0.0.1:{one.getsockname()[1]}" for one in bound]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(END_SECONDS)
        for one in bound:
            one.close()


@dataclass
class Person:
    """A resident whose weights are shared and withdrawn; `change` does the one that is next."""

    voice: Voice
    token: str
    weights: list[str]
    share: Json
    withdraws: str
    changes: list[Change] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    consent: str = ""
    denial: str = ""
    calm: int = 0
    calmed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        return self.voice.reference.partition("/")[2]

    @property
    def shared(self) -> bool:
        return bool(self.changes) and self.changes[-1].shared

    def keep(self, look: Look) -> None:
        self.looks.append(look)
        if self.changes and look.span.began > self.changes[-1].span.answered:
            self.calm += 1
            if self.calm >= CALM:
                self.calmed.set()


@dataclass
class Storm:
    """The people, the physicians' tokens, connections to each process, and what was done how often."""

    people: Sequence[Person]
    physicians: Sequence[str]
    clients: Sequence[httpx.AsyncClient]
    chance: Random
    pages: deque[tuple[Person, str]] = field(default_factory=deque)
    done: Counter[str] = field(default_factory=Counter)

    async def send(
        self, token: str, method: str, path: str, tree: Any = None, **headers: str
    ) -> tuple[Span, httpx.Response]:
        """One request to whichever process, and when it was under way."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Authorization": f"Bearer {token}"}
        if tree is not None:
            named["Content-Type"] = FHIR_JSON
        client = self.chance.choice(self.clients)
        began = time.monotonic_ns()
        content = None if tree is None else orjson.dumps(tree)
        answer = await client.request(method, path, content=content, headers=named)
        span = Span(began, time.monotonic_ns())
        assert answer.status_code < 500, (path, answer.status_code, answer.text)
        return span, answer

    async def look(self, person: Person) -> None:
        """Look at somebody's record in one of the ways."""
        way = self.chance.choice(_DRAWN)
        span, seen = await _WAYS[way](self, self.chance.choice(self.physicians), person)
        # Each entry of a batch is an operation of its own.
        self.done[way] += len(seen) if way == "batch" else 1
        for whom, shown in seen:
            whom.keep(Look(span, shown, way))

    async def change(self, person: Person) -> None:
        """Share what is withdrawn, or withdraw what is shared; looks are begun as soon as that is answered."""
        shared = not person.shared
        span = await _CHANGES[person.withdraws](self, person, shared)
        person.calm = 0
        person.calmed.clear()
        person.changes.append(Change(span, shared))
        self.done["withdraw" if not shared else "share"] += 1
        await asyncio.gather(*(self.look(person) for _ in range(BURST)))

    @property
    def operations(self) -> int:
        return self.done.total()


async def rage(storm: Storm, operations: int) -> None:
    """Let everybody go on until so many operations were done."""

    async def changing(person: Person) -> None:
        while storm.operations < operations:
            await storm.change(person)
            await person.calmed.wait()

    async def looking() -> None:
        while storm.operations < operations or not all(person.calmed.is_set() for person in storm.people):
            await storm.look(storm.chance.choice(storm.people))

    async with asyncio.TaskGroup() as group:
        for person in storm.people:
            group.create_task(changing(person))
        for _ in range(READERS):
            group.create_task(looking())


@asynccontextmanager
async def brewing(town: Town, cast: Cast, addresses: Sequence[str], seed: str) -> AsyncIterator[Storm]:
    """A storm about four residents, each of whom withdraws in another way."""
    people = []
    for way in _CHANGES:
        voice = await town.resident(f"見本 {way}")
        weights = [
            await voice.create(made.weight(voice.reference, time=f"2026-10-0{day}")) for day in (1, 2, 3)
        ]
        root = permit(cast.hospital, actions=["access", "collect", "correct"])
        token = await town.token(voice.reference, "PATRQT")
        people.append(Person(voice, token, weights, voice.consent(root), way))
    physicians = [await town.token(role, "TREAT") for role in (cast.role_a, cast.role_b)]
    async with AsyncExitStack() as open_:
        clients = [
            await open_.enter_async_context(httpx.AsyncClient(base_url=address, timeout=60, limits=_LIMITS))
            for address in addresses
        ]
        yield Storm(people, physicians, clients, Random(seed))


Seen = tuple[Span, list[tuple[Person, bool]]]
_Way = Callable[[Storm, str, Person], Awaitable[Seen]]


def _one(person: Person, span: Span, answer: httpx.Response, *, shown: int = 200, hidden: int = 404) -> Seen:
    assert answer.status_code in (shown, hidden), (answer.status_code, answer.text)
    return span, [(person, answer.status_code == shown)]


def _entries(answer: httpx.Response) -> list[Json]:
    assert answer.status_code == 200, (answer.status_code, answer.text)
    found: list[Json] = answer.json().get("entry", [])
    return found


async def _read(storm: Storm, token: str, person: Person) -> Seen:
    return _one(person, *await storm.send(token, "GET", f"/fhir/{storm.chance.choice(person.weights)}"))


async def _read_unless_known(storm: Storm, token: str, person: Person) -> Seen:
    asked = await storm.send(token, "GET", f"/fhir/{person.weights[1]}", If_None_Match='W/"1"')
    return _one(person, *asked, shown=304)


async def _history(storm: Storm, token: str, person: Person) -> Seen:
    version = storm.chance.choice(("", "/1"))
    return _one(person, *await storm.send(token, "GET", f"/fhir/{person.weights[1]}/_history{version}"))


async def _everything(storm: Storm, token: str, person: Person) -> Seen:
    return _one(person, *await storm.send(token, "GET", f"/fhir/{person.voice.reference}/$everything"))


async def _search(storm: Storm, token: str, person: Person) -> Seen:
    query = storm.chance.choice(
        ("", "&_total=accurate", "&_summary=count", "&_sort=-date", "&status=final", "&_include=*")
    )
    path = f"/fhir/Observation?patient={person.id}&code={made.BODY_WEIGHT[1]}{query}"
    span, answer = await storm.send(token, "GET", path)
    entries = _entries(answer)
    total = answer.json().get("total", len(entries))
    # What is counted and what is shown come from one snapshot.
    assert "_summary" in query or bool(total) is bool(entries)
    return span, [(person, total > 0)]


async def _search_by_body(storm: Storm, token: str, person: Person) -> Seen:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-www-form-urlencoded"}
    client, began = storm.chance.choice(storm.clients), time.monotonic_ns()
    answer = await client.post(
        "/fhir/Observation/_search", content=f"subject={person.voice.reference}", headers=headers
    )
    return Span(began, time.monotonic_ns()), [(person, bool(_entries(answer)))]


async def _search_all(storm: Storm, token: str, person: Person) -> Seen:
    """Of everybody at once: all of it is one snapshot."""
    span, answer = await storm.send(token, "GET", "/fhir/Patient?_count=100")
    found = {entry["resource"]["id"] for entry in _entries(answer)}
    return span, [(each, each.id in found) for each in storm.people]


async def _search_by_others(storm: Storm, token: str, person: Person) -> Seen:
    path = f"/fhir/Patient?_id={person.id}&_has:Observation:patient:code={made.BODY_WEIGHT[1]}"
    span, answer = await storm.send(token, "GET", path)
    return span, [(person, bool(_entries(answer)))]


async def _last(storm: Storm, token: str, person: Person) -> Seen:
    path = f"/fhir/Observation/$lastn?patient={person.id}&code={made.BODY_WEIGHT[1]}"
    span, answer = await storm.send(token, "GET", path)
    return span, [(person, bool(_entries(answer)))]


async def _first_page(storm: Storm, token: str, person: Person) -> Seen:
    query = storm.chance.choice(("", "&_sort=-date", "&status=final"))
    span, answer = await storm.send(token, "GET", f"/fhir/Observation?patient={person.id}&_count=1{query}")
    found = _entries(answer)
    further = link(answer.json(), "next")
    if further is not None:
        storm.pages.append((person, f"{token} {further.removeprefix(BASE_URL)}"))
    return span, [(person, bool(found))]


async def _next_page(storm: Storm, token: str, person: Person) -> Seen:
    """The page after one that was shown a while ago."""
    if not storm.pages:
        return await _first_page(storm, token, person)
    place = storm.chance.randrange(len(storm.pages))
    whose, asked = storm.pages[place]
    del storm.pages[place]
    caller, _, path = asked.partition(" ")
    span, answer = await storm.send(caller, "GET", path)
    return span, [(whose, bool(_entries(answer)))]


async def _batch(storm: Storm, token: str, person: Person) -> Seen:
    """Reads of everybody's records in one request; each entry is answered within it."""
    asked = [
        (each, {"request": {"method": "GET", "url": url}})
        for each in storm.people
        for url in (each.weights[2], f"Observation?patient={each.id}")
    ]
    tree = {"resourceType": "Bundle", "type": "batch", "entry": [entry for _, entry in asked]}
    span, answer = await storm.send(token, "POST", "/fhir", tree)
    told = _entries(answer)
    seen = []
    for (whose, entry), got in zip(asked, told, strict=True):
        if "?" in entry["request"]["url"]:
            seen.append((whose, bool(got["resource"].get("entry"))))
        else:
            seen.append((whose, got["response"]["status"].startswith("200")))
    return span, seen


async def _create(storm: Storm, token: str, person: Person) -> Seen:
    tree = made.weight(person.voice.reference, time="2026-10-05")
    return _one(person, *await storm.send(token, "POST", "/fhir/Observation", tree), shown=201, hidden=403)


async def _update(storm: Storm, token: str, person: Person) -> Seen:
    name = person.weights[0]
    tree = {**made.weight(person.voice.reference, time="2026-10-01"), "id": name.partition("/")[2]}
    span, answer = await storm.send(token, "PUT", f"/fhir/{name}", tree)
    # 403 to whom it is withdrawn from while they write.
    assert answer.status_code in (200, 403, 405), (answer.status_code, answer.text)
    return span, [(person, answer.status_code == 200)]


_WAYS: Final[Mapping[str, _Way]] = {
    "read": _read,
    "conditional read": _read_unless_known,
    "history": _history,
    "search": _search,
    "search by body": _search_by_body,
    "search of everybody": _search_all,
    "search by what refers to it": _search_by_others,
    "last": _last,
    "everything": _everything,
    "first page": _first_page,
    "page in flight": _next_page,
    "batch": _batch,
    "create": _create,
    "update": _update,
}
_DRAWN: Final = (*["read"] * 6, *["search"] * 4, *["page in flight"] * 3, "first page", *_WAYS)


async def _put(storm: Storm, person: Person, name: str, tree: Json) -> Span:
    named = {**tree, "id": name.partition("/")[2]}
    span, answer = await storm.send(person.token, "PUT", f"/fhir/{name}", named)
    assert answer.status_code == 200, answer.text
    return span


async def _post(storm: Storm, person: Person, tree: Json) -> tuple[Span, str]:
    span, answer = await storm.send(person.token, "POST", "/fhir/Consent", tree)
    assert answer.status_code == 201, answer.text
    return span, f"Consent/{answer.json()['id']}"


async def _by_status(storm: Storm, person: Person, shared: bool) -> Span:
    """One consent, which is withdrawn and given again."""
    if not person.consent:
        span, person.consent = await _post(storm, person, person.share)
        return span
    return await _put(
        storm, person, person.consent, {**person.share, "status": "active" if shared else "inactive"}
    )


async def _by_deletion(storm: Storm, person: Person, shared: bool) -> Span:
    """A consent that is deleted, and then another one."""
    if shared:
        span, person.consent = await _post(storm, person, person.share)
        return span
    span, answer = await storm.send(person.token, "DELETE", f"/fhir/{person.consent}")
    assert answer.status_code == 204, answer.text
    return span


async def _by_denial(storm: Storm, person: Person, shared: bool) -> Span:
    """A consent that stays, and a denial beside it that comes and goes."""
    if not person.consent:
        span, person.consent = await _post(storm, person, person.share)
        return span
    if shared:
        return await _put(storm, person, person.denial, person.voice.consent(deny(), status="inactive"))
    span, person.denial = await _post(storm, person, person.voice.consent(deny()))
    return span


async def _by_narrowing(storm: Storm, person: Person, shared: bool) -> Span:
    """A consent whose new version is for a type that nobody looks at."""
    if not person.consent:
        span, person.consent = await _post(storm, person, person.share)
        return span
    narrow = {**person.share["provision"], "class": permit(types=["Coverage"])["class"]}
    root = person.share["provision"] if shared else narrow
    return await _put(storm, person, person.consent, {**person.share, "provision": root})


_CHANGES: Final[Mapping[str, Callable[[Storm, Person, bool], Awaitable[Span]]]] = {
    "撤回": _by_status,
    "削除": _by_deletion,
    "拒否": _by_denial,
    "縮小": _by_narrowing,
}
