"""What asking, and codes at a counter, could tell: who is here, who was asked, and which code there is.

http://hl7.org/fhir/R4/consent.html
"""

import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson
import pytest

from passport.sharing.codes import LIFE
from tests import resources as made
from tests.attacks.test_equal_work_leak import WARMING, measured
from tests.attacks.twins import masked
from tests.attacks.work import Work, work_of
from tests.cast import Cast
from tests.sharing import CARD, ask, asking, code_of, done, identified, sent, told
from tests.town import Town, Voice, answered
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

NUMBER: Final = "LEAK-1"
UNKNOWN_CODE: Final = "ZZZZ-ZZZZ"


@pytest.fixture(scope="module")
async def asked(town: Town) -> Voice:
    """Somebody who is here, under a number that others know."""
    return await town.resident("見本 在子", identifier=identified(NUMBER))


def by_number(number: str) -> Json:
    return asking(identifier=f"{CARD}|{number}", until="2099-12-31")


async def both_ways(asked: Voice, way: str) -> tuple[Json, Json]:
    """What names somebody who is here, and what names nobody."""
    if way == "identifier":
        return by_number(NUMBER), by_number("LEAK-0")
    code = await code_of(asked, "request")
    return asking(user_code=code["user_code"]), asking(user_code=UNKNOWN_CODE)


@pytest.mark.parametrize("way", ["identifier", "code"])
async def test_asking_somebody_who_is_not_here_is_answered_like_asking_somebody_who_is(
    asked: Voice, cast: Cast, way: str
) -> None:
    answers = [await sent(cast.b, "requests", tree) for tree in await both_ways(asked, way)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert masked(answers[0]) == masked(answers[1])
    assert [len(answer.content) for answer in answers] == [len(answers[0].content)] * 2
    ids = [answer.json()["id"] for answer in answers]
    seen = [await sent(cast.b, f"requests/{id_}", method="GET") for id_ in ids]
    assert masked(seen[0]) == masked(seen[1])
    for address in ("Consent/{}", "Consent?_id={}", "Consent/{}/_history", "Consent?_id={}&_summary=count"):
        read = [await cast.b.get(address.format(id_)) for id_ in ids]
        assert re.sub(ids[0], "*", read[0].text) == re.sub(ids[1], "*", read[1].text)


@pytest.mark.parametrize("way", ["identifier", "code"])
async def test_asking_somebody_who_is_not_here_costs_what_asking_somebody_who_is_costs(
    asked: Voice, cast: Cast, tmp_path: Path, way: str
) -> None:
    known, nobody = [
        await measured(cast.a_at_k, ("POST", "/sharing/requests", tree), tmp_path / "trace")
        for tree in await both_ways(asked, way)
    ]
    assert (known.answer.status_code, nobody.answer.status_code) == (202, 202)
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography


@pytest.mark.parametrize("way", ["sharing", "fhir"])
async def test_taking_a_request_back_shows_and_costs_the_same_whoever_was_asked(
    town: Town, asked: Voice, cast: Cast, tmp_path: Path, way: str
) -> None:
    async def put(number: str, patient: str) -> str:
        if way == "sharing":
            return await ask(cast.a_at_k, **by_number(number))
        tree = consent_json(permit(cast.role_a_at_k), patient, status="proposed")
        return (await cast.a_at_k.create(tree)).partition("/")[2]

    async def measured_once(number: str, patient: str) -> Work:
        # A request is taken back once: others prepare the connections for it.
        addresses = [f"/sharing/requests/{await put(number, patient)}/withdraw" for _ in range(WARMING + 1)]
        for address in addresses[1:]:
            await cast.a_at_k.call("POST", address)
        return await work_of(town, lambda: cast.a_at_k.call("POST", addresses[0]), tmp_path / "trace")

    known = await measured_once(NUMBER, asked.reference)
    nobody = await measured_once("LEAK-0", f"Patient/{uuid4()}")
    assert known.answer.json()["state"] == "taken-back"
    assert masked(known.answer) == masked(nobody.answer)
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography


async def test_what_was_taken_back_looks_alike_whoever_was_asked(asked: Voice, cast: Cast) -> None:
    ids = []
    for tree in (by_number(NUMBER), by_number("LEAK-0")):
        ids.append(await ask(cast.b, **tree))
        answer = await sent(cast.b, f"requests/{ids[-1]}/withdraw")
        assert answer.json()["state"] == "taken-back"
    for address in ("/sharing/requests/{}", "Consent/{}", "Consent?_id={}", "Consent/{}/_history"):
        read = [await cast.b.get(address.format(id_)) for id_ in ids]
        assert masked(read[0]) == masked(read[1])


async def test_a_request_by_fhir_stands_alike_whoever_was_asked(asked: Voice, cast: Cast) -> None:
    seen = []
    for patient in (asked.reference, f"Patient/{uuid4()}"):
        reference = await cast.a.create(consent_json(permit(cast.role_a), patient, status="proposed"))
        listed = await told(cast.a, "requests")
        assert listed[0]["id"] == reference.partition("/")[2]
        seen.append(masked(await sent(cast.a, f"requests/{listed[0]['id']}", method="GET")))
    assert seen[0] == seen[1]


async def test_how_a_request_stands_costs_the_same_whoever_was_asked(
    asked: Voice, cast: Cast, tmp_path: Path
) -> None:
    known, nobody = [
        await measured(
            cast.a, ("GET", f"/sharing/requests/{await ask(cast.a, **tree)}", None), tmp_path / "trace"
        )
        for tree in (by_number(NUMBER), by_number("LEAK-0"))
    ]
    assert masked(known.answer) == masked(nobody.answer)
    assert known.statements == nobody.statements
    assert known.cryptography == nobody.cryptography


async def test_requests_to_one_person_by_two_ways_cannot_be_told_from_requests_to_two(
    asked: Voice, cast: Cast
) -> None:
    code = await code_of(asked, "request")
    await ask(cast.e, user_code=code["user_code"])
    await ask(cast.e, identifier=f"{CARD}|{NUMBER}")
    listed = await told(cast.e, "requests")
    assert len(listed) == 2
    assert all(one.keys() == {"id", "state", "asked"} for one in listed)
    assert asked.reference not in str(listed)


async def test_an_unanswered_request_shows_in_nothing_that_its_requester_may_ask(
    town: Town, asked: Voice, cast: Cast
) -> None:
    service = town.as_(await town.operator.create(made.organization("架空調剤")))
    addresses = (
        "Consent", f"Consent?patient={asked.reference}", "Consent/_history", f"Patient?identifier={CARD}|{NUMBER}",
        asked.reference, "AuditEvent", "$meta",
    )  # fmt: skip
    before = [masked(await service.get(address)) for address in addresses]
    await ask(service, identifier=f"{CARD}|{NUMBER}")
    assert [masked(await service.get(address)) for address in addresses] == before


async def test_a_code_is_refused_alike_whether_it_is_unknown_over_taken_back_or_used_by_others(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    used, back = await code_of(hanako), await code_of(taro)
    await done(cast.a, "redemptions", {"user_code": used["user_code"]})
    await sent(taro, f"codes/{back['id']}", method="DELETE")
    texts = ["0000-0000-0000", used["user_code"], back["user_code"], "", "not a code"]
    answers = [await sent(cast.a_at_k, "redemptions", {"user_code": text or "-"}) for text in texts]
    over = await code_of(taro)
    with town.later(LIFE + timedelta(seconds=1)):
        answers.append(await sent(cast.a_at_k, "redemptions", {"user_code": over["user_code"]}))
    assert len({(status, body) for status, _, body in map(answered, answers)}) == 1
    assert answers[0].status_code == 404
    assert not any(voice.reference in answer.text for answer in answers for voice in (hanako, taro))


async def test_a_code_that_others_used_costs_what_an_unknown_one_costs(
    town: Town, hanako: Voice, cast: Cast, tmp_path: Path
) -> None:
    used = await code_of(hanako)
    await done(cast.a, "redemptions", {"user_code": used["user_code"]})
    # Measuring asks more often than somebody may be wrong within a minute.
    with town.later(timedelta(minutes=2)):
        taken = await measured(
            cast.a_at_k, ("POST", "/sharing/redemptions", {"user_code": used["user_code"]}), tmp_path / "t"
        )
    with town.later(timedelta(minutes=4)):
        unknown = await measured(
            cast.a_at_k, ("POST", "/sharing/redemptions", {"user_code": "0000-0000-0000"}), tmp_path / "t"
        )
    assert masked(taken.answer) == masked(unknown.answer)
    assert taken.statements == unknown.statements
    assert taken.cryptography == unknown.cryptography


async def test_a_code_stands_neither_in_the_database_nor_in_a_log_nor_in_an_address(
    town: Town, hanako: Voice, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    codes = [(await code_of(hanako))["user_code"], (await code_of(hanako, "request"))["user_code"]]
    await done(cast.a, "redemptions", {"user_code": codes[0]})
    await ask(cast.a, user_code=codes[1])
    await sent(cast.a_at_k, "redemptions", {"user_code": codes[0]})
    names = town.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    kept = "".join(str(town.rows(f"SELECT kept::text FROM {name} AS kept")) for (name,) in names)
    assert hanako.reference.partition("/")[2] in kept
    for code in codes:
        for text in (code, code.replace("-", ""), orjson.dumps(code).hex(), code.encode().hex()):
            assert text not in kept
            assert text not in caplog.text


async def test_what_a_code_shares_is_sealed_until_it_is_redeemed(town: Town, hanako: Voice) -> None:
    await code_of(hanako, categories=["Condition"], codes=["http://hl7.org/fhir/sid/icd-10|F32"])
    (row,) = town.rows(
        "SELECT terms FROM sharing_code JOIN patient USING (patient_key) WHERE patient_id = %s",
        hanako.reference.partition("/")[2],
    )
    assert b"F32" not in bytes(row[0])
    assert b"Condition" not in bytes(row[0])


async def test_a_requester_who_may_read_consents_sees_the_request_as_its_person_does(
    hanako: Voice, cast: Cast
) -> None:
    """What hides it is who wrote it, and nothing that a consent could not lift."""
    code = await code_of(hanako, "request")
    request = await ask(cast.a, user_code=code["user_code"])
    assert not await cast.a.sees(f"Consent/{request}")
    await hanako.grant(permit(cast.role_a, types=["Consent"]))
    assert await cast.a.sees(f"Consent/{request}")
