"""What clients may leave behind is limited by their own requests: nobody uses up what is another one's.

https://www.rfc-editor.org/rfc/rfc9126#section-2.3
https://www.rfc-editor.org/rfc/rfc8628#section-5.1
"""

from asyncio import gather
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import ASGITransport, AsyncClient, Response

from passport.identity.authorization import devices, pushed
from passport.identity.pace.limits import Limit, within
from tests.databases import Database
from tests.http.apps import App, app
from tests.http.identity_town import BASE_URL, City
from tests.town import Town, served
from tests.unit.passport.identity.assertions import es384

pytestmark = pytest.mark.anyio

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = ["authorization_code", "refresh_token", DEVICE]
FEW = 3

Asking = Callable[[App], Awaitable[Response]]


async def push(one: App) -> Response:
    return await one.town.http.post("/auth/par", data={**one.request(), **one.proof()})


async def begin(one: App) -> Response:
    asked = {**one.proof(), "scope": "patient/Observation.rs"}
    return await one.town.http.post("/auth/device", data=asked)


WAYS: dict[str, tuple[Asking, Any, int]] = {
    "/auth/par": (push, pushed, 201),
    "/auth/device": (begin, devices, 200),
}


@pytest.fixture(scope="module")
async def running(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with served(module_database, tmp_path_factory.mktemp("installation")) as town:
        yield town


@pytest.fixture(scope="module")
def city(running: Town) -> City:
    return City(running.runtime, running.http, running.database, running.clock)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Asking, int]:
    """How something is asked for, with a limit that is soon reached, and how it is answered."""
    asking, module, status = WAYS[request.param]
    monkeypatch.setattr(module, "_LIMIT", Limit(uuid4().hex, FEW, timedelta(minutes=1)))
    return asking, status


def at(running: Town, one: App, address: str) -> App:
    """The same client at another network address."""
    transport = ASGITransport(running.app, client=(address, 4711))
    http = AsyncClient(transport=transport, base_url=BASE_URL)
    town = City(running.runtime, http, running.database, running.clock)
    return App(town, one.client_id, one.signer, one.audience)


async def statuses(asking: Asking, one: App, times: int = FEW) -> set[int]:
    return {(await asking(one)).status_code for _ in range(times)}


def is_slowed(answer: Response) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_client_with_a_key_is_counted_by_itself_wherever_it_is(
    running: Town, city: City, way: tuple[Asking, int]
) -> None:
    asking, done = way
    first, other = [await app(city, await city.organization(), es384(), grant_types=GRANTS) for _ in range(2)]
    assert await statuses(asking, first) == {done}
    is_slowed(await asking(first))
    is_slowed(await asking(at(running, first, "192.0.2.9")))
    assert (await asking(other)).status_code == done
    with running.later(timedelta(seconds=80)):
        assert (await asking(first)).status_code == done


async def test_whoever_proves_nothing_uses_up_what_is_their_addresss_alone(
    running: Town, city: City, way: tuple[Asking, int]
) -> None:
    asking, done = way
    maker = await city.organization()
    known, phone = (
        await app(city, maker, es384(), grant_types=GRANTS),
        await app(city, maker, grant_types=GRANTS),
    )
    attacker = "192.0.2.66"
    forged = at(running, App(city, known.client_id, es384()), attacker)
    assert await statuses(asking, forged) == {401}
    is_slowed(await asking(forged))
    is_slowed(await asking(at(running, phone, attacker)))
    assert (await asking(at(running, known, attacker))).status_code == done
    for one in (known, phone):
        assert (await asking(at(running, one, "192.0.2.67"))).status_code == done


async def test_an_app_without_a_key_is_used_up_for_nobody_elsewhere(
    running: Town, city: City, way: tuple[Asking, int]
) -> None:
    asking, done = way
    phone = await app(city, await city.organization(), grant_types=GRANTS)
    assert await statuses(asking, at(running, phone, "192.0.2.70")) == {done}
    is_slowed(await asking(at(running, phone, "192.0.2.70")))
    assert (await asking(at(running, phone, "192.0.2.71"))).status_code == done


async def test_fifty_requests_at_one_instant_are_counted_one_by_one(
    city: City, way: tuple[Asking, int]
) -> None:
    asking, done = way
    one = await app(city, await city.organization(), es384(), grant_types=GRANTS)
    answers = await gather(*(asking(one) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [done] * FEW + [429] * (50 - FEW)


async def test_a_refusal_for_asking_too_often_is_audited_and_leaves_nothing(
    running: Town, city: City, way: tuple[Asking, int]
) -> None:
    asking, _ = way
    one = await app(city, await city.organization(), es384(), grant_types=GRANTS)
    await statuses(asking, one)
    kept = (
        "SELECT (SELECT count(*) FROM pushed_request) + (SELECT count(*) FROM device_authorization) AS kept"
    )
    began, before = city.clock(), city.rows(kept)
    is_slowed(await asking(one))
    assert city.rows(kept) == before
    (row,) = city.audited("authorize", began)
    assert (row["outcome"], row["detail"]) == ("refused", "temporarily_unavailable")


async def test_what_was_counted_is_forgotten_when_it_counts_no_more(running: Town, city: City) -> None:
    limit, now = Limit(uuid4().hex, FEW, timedelta(minutes=1)), running.clock()
    counts = "SELECT count(*) AS n, coalesce(max(asked), 0) AS most FROM asked_lately"
    async with running.runtime.pool.connection() as connection:
        for address in range(5):
            for _ in range(2 * FEW):
                await within(running.runtime, connection, limit, f"192.0.2.{address}", now=now)
        assert city.rows(counts)[0]["most"] <= FEW + 2
        later = now + timedelta(days=2)
        assert await within(running.runtime, connection, limit, "192.0.2.1", now=later)
    assert city.rows(counts) == [{"n": 1, "most": 1}]


async def test_a_window_slides_and_what_was_refused_is_not_counted(running: Town) -> None:
    limit, begin = Limit(uuid4().hex, FEW, timedelta(minutes=1)), running.clock()
    taken = []
    async with running.runtime.pool.connection() as connection:
        for second in range(0, 150, 5):
            now = begin + timedelta(seconds=second)
            if await within(running.runtime, connection, limit, "one", now=now):
                taken.append(second)
    assert taken[:FEW] == [0, 5, 10]
    # A part of the window, ten seconds, is counted as one instant.
    for second in taken:
        assert sum(second - 50 < other <= second for other in taken) <= FEW
    assert 50 <= taken[FEW] <= 60
