"""Claiming a device: it shows a code, its person enters it, and approves the device as any other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
import pytest
from httpx import Response
from psycopg.sql import SQL, Identifier

from passport.devices.claims import ASKS_MAX, CLAIMS_MAX, UNPROVEN_MAX
from passport.identity.attempts import FAILURES_MAX
from passport.runtime import utc_now
from tests.databases import Database
from tests.http.device_town import BASE_URL, CUFF, JOSE, Cuff, Town, pressure, served
from tests.unit.passport.devices.signing import DevicePen, eddsa, es256

pytestmark = pytest.mark.anyio

CLAIMS = "/devices/claims"
NEVER = str(UUID(int=7))


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with served(module_database, tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture
async def aoi(town: Town) -> str:
    return await town.resident("星野 葵（架空）")


async def sent(town: Town, path: str, message: bytes) -> Response:
    return await town.call(None, "POST", path, content=message, headers=JOSE)


def claim(pen: DevicePen, **changes: Any) -> bytes:
    said = {"model": CUFF, "serial": "HB-000119", "jwk": pen.jwk, **changes}
    audience = said.pop("aud", f"{BASE_URL}{CLAIMS}")
    return pen.stated(audience, said.pop("made", utc_now()), **said)


@pytest.fixture(scope="module")
def turns() -> Iterator[datetime]:
    """An instant for each claim, so far apart that none is one too many."""
    return (utc_now() + timedelta(seconds=90 * turn) for turn in count(1))


@dataclass
class Vendor:
    """Whoever opens claims: one every now and then."""

    town: Town
    turns: Iterator[datetime]

    async def sends(self, message: Callable[[datetime], bytes]) -> Response:
        moment = next(self.turns)
        with self.town.with_runtime(clock=lambda: moment):
            return await sent(self.town, CLAIMS, message(moment))

    async def claims(self, pen: DevicePen) -> dict[str, str]:
        answer = await self.sends(lambda moment: claim(pen, made=moment))
        assert answer.status_code == 201, answer.text
        told: dict[str, str] = answer.json()
        return told


@pytest.fixture
def vendor(town: Town, turns: Iterator[datetime]) -> Vendor:
    return Vendor(town, turns)


async def state(town: Town, pen: DevicePen, claim_id: str) -> Response:
    return await sent(
        town, f"{CLAIMS}/state", pen.stated(f"{BASE_URL}{CLAIMS}/state", utc_now(), claim=claim_id)
    )


async def entered(town: Town, who: str, code: str, **more: str) -> Response:
    return await town.call(who, "POST", f"{CLAIMS}/redeem", json={"code": code, **more})


@pytest.mark.parametrize("pen", [es256(), eddsa()], ids=["P-256", "Ed25519"])
async def test_a_claimed_device_is_enrolled_by_its_code_and_waits_for_approval(
    town: Town, vendor: Vendor, aoi: str, pen: DevicePen
) -> None:
    told = await vendor.claims(pen)
    assert told["qr"] == f"{BASE_URL}/home/devices#{told['code']}"
    assert (await state(town, pen, told["claim"])).json() == {"status": "waiting"}
    answer = await entered(town, aoi, told["code"].lower().replace("-", " "))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["status"], made["model"], made["serial"]) == ("pending", CUFF, "HB-000119")
    assert (await state(town, pen, told["claim"])).json() == {
        "status": "redeemed",
        "device": made["device"],
        "kid": made["kid"],
    }
    cuff = Cuff(made["device"], pen.enrolled(made["kid"]))
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403
    assert (await town.decide(aoi, cuff, "approve")).json()["status"] == "active"
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 200
    (notice,) = (await town.call(aoi, "GET", "/notifications")).json()
    assert (notice["kind"], notice["about"]) == ("device-enrolment-pending", {"device": made["device"]})


async def test_a_code_is_good_once_however_many_enter_it_at_once(
    town: Town, vendor: Vendor, aoi: str
) -> None:
    sora = await town.resident("青空 空（架空）")
    told = await vendor.claims(es256())
    answers = await asyncio.gather(*(entered(town, who, told["code"]) for who in (aoi, sora) * 4))
    assert sorted(answer.status_code for answer in answers) == [201, *[404] * 7]
    listed = [(await town.call(who, "GET", "/devices")).json() for who in (aoi, sora)]
    assert sorted(map(len, listed)) == [0, 1]


async def test_a_code_is_over_after_ten_minutes_and_looks_like_an_unknown_one(
    town: Town, vendor: Vendor, aoi: str
) -> None:
    told = await vendor.claims(es256())
    over = datetime.fromisoformat(told["expires"]) + timedelta(milliseconds=1)
    with town.with_runtime(clock=lambda: over):
        late = await entered(town, aoi, told["code"])
    unknown = await entered(town, aoi, "0000-0000")
    assert (late.status_code, late.content) == (unknown.status_code, unknown.content)
    assert unknown.status_code == 404
    assert (await town.call(aoi, "GET", "/devices")).json() == []


async def test_a_claim_is_signed_by_the_key_that_it_brings_for_this_address_and_now(vendor: Vendor) -> None:
    pen, other = es256(), es256()
    late = timedelta(minutes=6)
    messages: dict[int, tuple[Callable[[datetime], bytes], ...]] = {
        401: (
            lambda now: other.stated(f"{BASE_URL}{CLAIMS}", now, model=CUFF, serial="1", jwk=pen.jwk),
            lambda now: claim(pen.enrolled("another name"), made=now),
            lambda now: claim(pen, jwk=pen.private_jwk, made=now),
            lambda now: pen.sign(b"{}"),
            lambda now: b"nothing",
        ),
        400: (
            lambda now: claim(pen, aud="https://elsewhere.example/devices/claims", made=now),
            lambda now: claim(pen, made=now - late),
            lambda now: claim(pen, made=now + late),
            lambda now: claim(pen, further="member", made=now),
        ),
        422: (lambda now: claim(pen, model="unknown-1", made=now),),
    }
    for status, listed in messages.items():
        for message in listed:
            answer = await vendor.sends(message)
            assert answer.status_code == status, answer.text
            told = answer.json()["issue"][0]["diagnostics"]
            assert told.startswith("got no claim that the key in it signed") is (status == 401)


async def test_what_became_of_a_claim_is_told_to_its_device_alone(town: Town, vendor: Vendor) -> None:
    pen, other = es256(), es256()
    told = await vendor.claims(pen)
    refused = [
        await state(town, other, told["claim"]),
        await state(town, other.enrolled(pen.key.thumbprint()), told["claim"]),
        await state(town, pen, NEVER),
    ]
    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.content for answer in refused}) == 1


async def test_whoever_enters_wrong_codes_is_slowed_down_and_nobody_else(
    town: Town, vendor: Vendor, aoi: str
) -> None:
    sora = await town.resident("青空 空（架空）")
    told = await vendor.claims(es256())
    wrong = [await entered(town, aoi, "1111-1111") for _ in range(FAILURES_MAX)]
    assert {answer.status_code for answer in wrong} == {404}
    assert (await entered(town, aoi, told["code"])).status_code == 429
    assert (await entered(town, sora, told["code"])).status_code == 201


async def test_whoever_opens_too_many_claims_is_slowed_down(town: Town, turns: Iterator[datetime]) -> None:
    moment = next(turns)
    with town.with_runtime(clock=lambda: moment):
        answers = [await sent(town, CLAIMS, claim(es256(), made=moment)) for _ in range(CLAIMS_MAX + 1)]
    assert [answer.status_code for answer in answers] == [*[201] * CLAIMS_MAX, 429]


async def test_whoever_asks_about_claims_of_others_slows_nobody_down(
    town: Town, vendor: Vendor, turns: Iterator[datetime]
) -> None:
    pen, other, path = es256(), es256(), f"{CLAIMS}/state"
    told = await vendor.claims(pen)
    moment = next(turns)

    async def asks(by: DevicePen) -> int:
        about = by.stated(f"{BASE_URL}{path}", moment, claim=told["claim"])
        return (await sent(town, path, about)).status_code

    with town.with_runtime(clock=lambda: moment):
        refused = [await asks(other) for _ in range(UNPROVEN_MAX + 1)]
        assert refused == [*[401] * UNPROVEN_MAX, 429]
        # The device itself goes on from the same address, and so does whoever opens claims there.
        assert [await asks(pen) for _ in range(ASKS_MAX + 1)] == [*[200] * ASKS_MAX, 429]
        assert (await sent(town, CLAIMS, claim(es256(), made=moment))).status_code == 201


async def test_a_code_is_entered_for_nobody_who_did_not_let_the_caller(
    town: Town, vendor: Vendor, aoi: str
) -> None:
    sora = await town.resident("青空 空（架空）")
    doctor = await town.create("operator", {"resourceType": "Practitioner", "name": [{"text": "架空 医師"}]})
    told = await vendor.claims(es256())
    for who, more in ((sora, {"patient": aoi}), (doctor, {"patient": aoi}), (doctor, {}), ("operator", {})):
        assert (await entered(town, who, told["code"], **more)).status_code == 403
    # A refusal has not used the code up.
    assert (await entered(town, aoi, told["code"])).status_code == 201
    assert (await town.call(aoi, "GET", "/devices")).json()[0]["status"] == "pending"


async def test_no_table_holds_a_code(town: Town, vendor: Vendor, aoi: str, module_database: Database) -> None:
    told = await vendor.claims(es256())
    await entered(town, aoi, told["code"])
    with psycopg.connect(module_database.superuser_url) as connection:
        for table in ("device_claim", "audit_event", "notification"):
            held = str(connection.execute(SQL("SELECT * FROM {}").format(Identifier(table))).fetchall())
            assert told["code"] not in held
            assert told["code"].replace("-", "") not in held
