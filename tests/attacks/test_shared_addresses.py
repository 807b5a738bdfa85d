"""Many share one network address, as in a hospital: none of them keeps another one out by failing there.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from httpx import ASGITransport, AsyncClient, Response

from passport.identity.attempts import FAILURES_MAX
from passport.identity.login import known
from tests.databases import Database
from tests.http.apps import Browser, app, handed
from tests.http.identity_town import BASE_URL, City
from tests.town import Town, served

pytestmark = pytest.mark.anyio

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
WRONG = "00000-00000-00000-00000"
NAME = "passport-plain-http-known"

Code = dict[str, str]


@pytest.fixture(scope="module")
async def running(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as town:
        yield town


@pytest.fixture(scope="module")
async def city(running: Town) -> City:
    return City(running.runtime, running.http, running.database, running.clock)


@pytest.fixture
async def ward(running: Town) -> AsyncIterator[City]:
    """An address at which nobody failed before."""
    async with AsyncExitStack() as stack:
        transport = ASGITransport(running.app, client=(f"192.0.2.{uuid4().int % 250}", 4711))
        http = await stack.enter_async_context(AsyncClient(transport=transport, base_url=BASE_URL))
        town = City(running.runtime, http, running.database, running.clock)
        town.rows("WITH gone AS (DELETE FROM sign_in_failure RETURNING caller) SELECT count(*) FROM gone")
        yield town


@pytest.fixture
async def code(city: City) -> Code:
    return await handed(city, await city.resident(), "PATRQT")


async def tried(browser: Browser, code: Code, *, right: bool) -> Response:
    return await browser.post(
        "/auth/login", {"login": code["login"], "code": code["code"] if right else WRONG}
    )


async def known_browser(town: City, code: Code) -> Browser:
    """A browser at which the owner of a code signed in once, and has signed out since."""
    browser = Browser(town)
    assert (await tried(browser, code, right=True)).status_code == 200
    assert browser.known.startswith(f"{NAME}=")
    return Browser(town, known=browser.known)


async def fill(town: City) -> None:
    """Fail so often at an address that strangers are slowed down there."""
    for _ in range(FAILURES_MAX):
        await town.http.post("/auth/sign-in", json={"login": "nobody", "code": WRONG, "purpose": "PATRQT"})
    assert (await tried(Browser(town), {"login": "nobody", "code": WRONG}, right=True)).status_code == 429


async def test_whoever_signed_in_there_before_is_kept_out_by_nobody(ward: City, code: Code) -> None:
    browser = await known_browser(ward, code)
    await fill(ward)
    assert (await tried(Browser(ward), code, right=True)).status_code == 429
    assert (await tried(browser, code, right=False)).status_code == 401
    assert (await tried(browser, code, right=True)).status_code == 200


async def test_a_known_browser_is_slowed_down_by_its_own_failures_alone(ward: City, code: Code) -> None:
    browser, other = [await known_browser(ward, code) for _ in range(2)]
    for _ in range(FAILURES_MAX):
        assert (await tried(browser, code, right=False)).status_code == 401
    slowed = await tried(browser, code, right=True)
    assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "60")
    for one in (other, Browser(ward)):
        assert (await tried(one, code, right=True)).status_code == 200


async def test_a_known_browser_tries_no_other_login_with_a_counter_of_its_own(
    ward: City, city: City, code: Code
) -> None:
    browser, victim = await known_browser(ward, code), await handed(city, await city.resident(), "PATRQT")
    for _ in range(FAILURES_MAX):
        assert (await tried(browser, victim, right=False)).status_code == 401
    assert (await tried(browser, victim, right=False)).status_code == 429
    assert (await tried(Browser(ward), victim, right=True)).status_code == 429
    assert (await tried(browser, code, right=True)).status_code == 200


async def test_whoever_signs_in_ever_anew_gets_no_ever_new_counters(
    ward: City, running: Town, code: Code
) -> None:
    found = {(await known_browser(ward, code)).known for _ in range(known.BROWSERS_MAX)}
    assert len(found) == known.BROWSERS_MAX
    browser = Browser(ward)
    assert (await tried(browser, code, right=True)).status_code == 200
    assert browser.known == ""
    with running.later(known.WINDOW + timedelta(hours=5)):
        await known_browser(ward, code)


async def test_what_was_failed_gives_no_cookie(ward: City, code: Code) -> None:
    browser = Browser(ward)
    assert (await tried(browser, code, right=False)).status_code == 401
    assert (browser.cookie, browser.known) == ("", "")


async def test_only_a_cookie_that_was_given_and_is_not_over_counts(
    ward: City, running: Town, code: Code
) -> None:
    text = (await known_browser(ward, code)).known.partition("=")[2]
    runtime, now = running.runtime, running.clock()
    assert known.caller_of(runtime, text, code["login"], now=now) is not None
    forged = [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(len(text))]
    for changed in (*forged, text[:-1], text + "A", "", ".", "é" * len(text), "=" * len(text)):
        assert known.caller_of(runtime, changed, code["login"], now=now) is None, changed
        assert known.caller_of(runtime, changed, None, now=now) is None, changed
    assert known.caller_of(runtime, text, f"{code['login']}x", now=now) is None
    assert known.caller_of(runtime, text, code["login"], now=now + known.LASTS) is None
    elsewhere = replace(runtime, ring=replace(runtime.ring, index_secret=bytes(32)))
    assert known.caller_of(elsewhere, text, code["login"], now=now) is None


async def test_a_cookie_tells_neither_who_signed_in_nor_that_two_of_them_are_one(
    ward: City, city: City, running: Town, code: Code
) -> None:
    first, second = [(await known_browser(ward, code)).known.partition("=")[2] for _ in range(2)]
    # The instant of its end is the one thing that two of them may have in common.
    parts = [[one[:21], one[32:53], one[54:]] for one in (first, second)]
    assert all(mine != theirs for mine, theirs in zip(*parts, strict=True))
    shared, other = Browser(ward), await handed(city, await city.resident(), "PATRQT")
    for one in (code, other):
        assert (await tried(shared, one, right=True)).status_code == 200
        shared.cookie = ""
    names = [
        known.caller_of(running.runtime, shared.known.partition("=")[2], one["login"], now=running.clock())
        for one in (code, other)
    ]
    assert None not in names
    assert len(set(names)) == 2


async def test_a_browser_is_known_for_few_logins(ward: City, running: Town) -> None:
    cookie, made = "", []
    async with running.runtime.pool.connection() as connection:
        for at in range(known.KEPT_MAX + 1):
            now, login = running.clock(), f"{uuid4().hex}-{at}"
            given = await known.remembered(running.runtime, connection, cookie, login, now=now)
            assert given is not None
            cookie = given
            made.append(login)
    found = [known.caller_of(running.runtime, cookie, login, now=running.clock()) for login in made]
    assert found[0] is None
    assert None not in found[1:]
    assert len(cookie) < 1_000


async def test_the_cookie_is_for_this_host_and_for_no_script(ward: City, code: Code) -> None:
    answer = await tried(Browser(ward), code, right=True)
    (given,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(NAME)]
    attributes = {part.strip().lower() for part in given.split(";")[1:]}
    assert attributes == {"httponly", "path=/", "samesite=lax", f"max-age={90 * 86_400}"}


async def test_neighbours_by_ipv6_are_one_caller_and_others_none(running: Town, city: City) -> None:
    def at(address: str) -> City:
        transport = ASGITransport(running.app, client=(address, 4711))
        http = AsyncClient(transport=transport, base_url=BASE_URL)
        return City(running.runtime, http, running.database, running.clock)

    for last in range(FAILURES_MAX):
        await tried(Browser(at(f"2001:db8:1:2::{last:x}")), {"login": "nobody", "code": WRONG}, right=True)
    code = await handed(city, await city.resident(), "PATRQT")
    assert (await tried(Browser(at("2001:db8:1:2:ffff::1")), code, right=True)).status_code == 429
    assert (await tried(Browser(at("2001:db8:1:3::1")), code, right=True)).status_code == 200


async def test_whoever_guesses_codes_of_devices_slows_nobody_else_down(ward: City, city: City) -> None:
    cuff = await app(city, await city.organization(), redirect_uris=[], grant_types=[DEVICE])
    begun = await ward.http.post("/auth/device", data={**cuff.proof(), "scope": "patient/Observation.cu"})
    user_code = begun.json()["user_code"]
    guesser, owner = [Browser(ward) for _ in range(2)]
    for one in (guesser, owner):
        assert (
            await tried(one, await handed(city, await city.resident(), "PATRQT"), right=True)
        ).status_code == 200

    async def entered(one: Browser, text: str) -> int:
        sent = {"user_code": text, "csrf": await one.csrf()}
        return (await one.post("/auth/device/asked", sent)).status_code

    assert [await entered(guesser, "BBBB-BBBB") for _ in range(FAILURES_MAX)] == [404] * FAILURES_MAX
    assert await entered(guesser, user_code) == 429
    assert await entered(owner, "BBBB-BBBB") == 404
    await fill(ward)
    assert await entered(owner, user_code) == 200
