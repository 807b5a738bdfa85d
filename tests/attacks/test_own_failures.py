"""Who fails too often is slowed down, by their own failures alone: nobody locks anybody else out, or learns of them.

https://owasp.org/www-project-application-security-verification-standard/
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from httpx import ASGITransport, AsyncClient, Response

from passport.identity.attempts import FAILURES_MAX, WINDOW
from passport.identity.passkeys import recovery
from tests.authenticator import encoded
from tests.databases import Database
from tests.http.apps import Browser, handed
from tests.http.identity_town import BASE_URL, City
from tests.http.passkeys import Person, challenge
from tests.town import Town, served

pytestmark = pytest.mark.anyio

WRONG = "00000-00000-00000-00000"

Trying = Callable[["Place", bool], Awaitable[Response]]


@dataclass
class Place:
    """A network address, with the browser of somebody who is signed in there, and what they could try rightly."""

    town: City
    address: str
    code: dict[str, str]
    person: Person

    @property
    def stranger(self) -> Browser:
        return Browser(self.town)


async def by_code(place: Place, right: bool) -> Response:
    sent = {"login": place.code["login"], "code": place.code["code"] if right else WRONG}
    return await place.stranger.post("/auth/login", sent)


async def by_code_for_a_token(place: Place, right: bool) -> Response:
    sent = {"login": place.code["login"], "code": place.code["code"] if right else WRONG, "purpose": "PATRQT"}
    return await place.town.http.post("/auth/sign-in", json=sent)


async def by_an_unknown_login(place: Place, right: bool) -> Response:
    if right:
        return await by_code(place, right)
    return await place.stranger.post("/auth/login", {"login": f"nobody-{uuid4().hex}", "code": WRONG})


async def by_passkey(place: Place, right: bool) -> Response:
    made = place.person.device.get(await challenge(place.stranger))
    if not right:
        made["response"]["signature"] = encoded(bytes(70))
    return await place.stranger.post("/auth/passkeys/sign-in", {"credential": made})


async def by_recovery(place: Place, right: bool) -> Response:
    code = WRONG
    if right:
        subject = (await place.person.browser.get("/auth/login", Accept="application/json")).json()["subject"]
        runtime = place.town.runtime
        async with runtime.pool.connection() as connection, connection.transaction():
            printed = await recovery.print_code(
                runtime, connection, subject, place.code["login"], 0, now=place.town.clock()
            )
            code = printed.code
    return await place.stranger.post("/auth/recovery", {"code": code})


WAYS: dict[str, Trying] = {
    "a code": by_code,
    "a code for a token": by_code_for_a_token,
    "an unknown login": by_an_unknown_login,
    "a passkey": by_passkey,
    "a code to come back by": by_recovery,
}
UNGUESSED = "a passkey"
"""A right signature signs in whatever failed before it: nobody guesses one."""


@pytest.fixture(scope="module")
async def running(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as town:
        yield town


@pytest.fixture(scope="module")
async def places(running: Town) -> AsyncIterator[tuple[Place, Place]]:
    """Two addresses, at each of which one and the same resident is signed in."""
    town = City(running.runtime, running.http, running.database, running.clock)
    resident = await town.resident()
    code = await handed(town, resident, "PATRQT")
    town.vouch_for(resident)
    first = Person(Browser(town))
    await first.browser.sign_in(code)
    assert (await first.registers()).status_code == 201
    async with AsyncExitStack() as stack:
        found = []
        for address in ("192.0.2.1", "192.0.2.2"):
            transport = ASGITransport(running.app, client=(address, 4711))
            http = await stack.enter_async_context(AsyncClient(transport=transport, base_url=BASE_URL))
            there = City(running.runtime, http, running.database, running.clock)
            person = Person(Browser(there), first.device)
            await person.browser.sign_in(code)
            found.append(Place(there, address, code, person))
        yield found[0], found[1]


@pytest.fixture(autouse=True)
def quiet(running: Town) -> None:
    """Nobody failed before."""
    City(running.runtime, running.http, running.database, running.clock).rows(
        "WITH gone AS (DELETE FROM sign_in_failure RETURNING caller) SELECT count(*) FROM gone"
    )


def told(answer: Response) -> tuple[int, bytes, str | None]:
    return answer.status_code, answer.content, answer.headers.get("retry-after")


@pytest.mark.parametrize("way", WAYS)
async def test_failures_of_one_address_change_no_answer_to_another(
    places: tuple[Place, Place], running: Town, way: str
) -> None:
    attacker, owner = places
    attempt = WAYS[way]
    before = told(await attempt(owner, False))
    assert before[0] in {401, 404}
    assert (await attempt(owner, True)).status_code == 200
    for _ in range(FAILURES_MAX):
        assert told(await attempt(attacker, False)) == before
    slowed = await attempt(attacker, False)
    assert slowed.status_code == 429
    right = await attempt(attacker, True)
    assert right.status_code == 200 if way == UNGUESSED else told(right) == told(slowed)
    assert told(await attempt(owner, False)) == before
    assert (await attempt(owner, True)).status_code == 200
    with running.later(WINDOW + timedelta(seconds=20)):
        assert (await attempt(attacker, True)).status_code == 200


async def test_who_fails_by_one_way_is_slowed_down_in_all_of_them(places: tuple[Place, Place]) -> None:
    attacker, owner = places
    for _ in range(FAILURES_MAX):
        await by_passkey(attacker, False)
    for way, attempt in WAYS.items():
        assert (await attempt(attacker, False)).status_code == 429
        assert (await attempt(attacker, True)).status_code == (200 if way == UNGUESSED else 429)
        assert (await attempt(owner, True)).status_code == 200


async def test_success_is_never_counted(places: tuple[Place, Place]) -> None:
    _, owner = places
    for _ in range(FAILURES_MAX + 1):
        assert (await by_passkey(owner, True)).status_code == 200


async def test_what_was_refused_unread_is_no_failure(places: tuple[Place, Place]) -> None:
    _, owner = places
    for _ in range(FAILURES_MAX + 1):
        answer = await owner.stranger.post("/auth/passkeys/sign-in", {"credential": {}})
        assert answer.status_code == 400
        foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
        assert (await owner.stranger.post("/auth/recovery", {"code": WRONG}, **foreign)).status_code == 403
    assert (await by_code(owner, True)).status_code == 200
