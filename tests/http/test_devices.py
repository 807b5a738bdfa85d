"""Devices over HTTP, against the served application on a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from fhirmap.vitals import VITAL_SIGNS
from passport.demo.consents import consent, permit
from tests.databases import Database
from tests.http.device_town import CUFF, JOSE, MODELS, Cuff, Town, order, pressure, served, statements
from tests.town import outcome
from tests.unit.passport.devices.signing import eddsa, es256

pytestmark = pytest.mark.anyio

UNKNOWN_TYPE = f"got an unknown `type`, expected one of {', '.join(VITAL_SIGNS)}"


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as running:
        yield running


@pytest.fixture
async def aoi(town: Town) -> str:
    return await town.resident("星野 葵（架空）")


@pytest.fixture
async def doctor(town: Town) -> str:
    return await town.create("operator", {"resourceType": "Practitioner", "name": [{"text": "架空 医師"}]})


def results(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, str]] = answer.json()["results"]
    return found


def one(database: Database, query: str, *values: object) -> Any:
    with psycopg.connect(database.superuser_url) as connection:
        row = connection.execute(query, values).fetchone()
        return row[0] if row and len(row) == 1 else row


async def test_every_signed_in_caller_reads_the_registry_of_models(town: Town, aoi: str, doctor: str) -> None:
    for who in (aoi, doctor, "operator", "auditor"):
        answer = await town.call(who, "GET", "/devices/models")
        assert {model["model"]: model["readings"] for model in answer.json()} == {
            name: sorted(readings) for name, readings in MODELS.items()
        }
    assert (await town.call(None, "GET", "/devices/models")).status_code == 401


async def test_only_a_device_approver_writes_a_model(town: Town, aoi: str, doctor: str) -> None:
    body = {"manufacturer": "x", "display": "x", "readings": ["blood-pressure"]}
    for who in (aoi, doctor, "operator", "auditor", "clerk"):
        assert (await town.call(who, "PUT", "/devices/models/own-1", json=body)).status_code == 403
    assert (await town.call(None, "PUT", "/devices/models/own-1", json=body)).status_code == 401


async def test_a_resident_enrols_a_device_and_it_waits_for_approval(town: Town, aoi: str) -> None:
    cuff = await town.enrolled(aoi)
    record = (await town.call(aoi, "GET", f"/fhir/{cuff.reference}")).json()
    assert record["patient"] == {"reference": aoi}
    assert record["serialNumber"] == "HB-000117"
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    assert (listed["device"], listed["status"], listed["consent"]) == (cuff.reference, "pending", None)
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403
    assert await town.observations(aoi) == []


async def test_the_resident_is_told_of_a_device_that_waits(town: Town, aoi: str) -> None:
    cuff = await town.enrolled(aoi)
    (notice,) = (await town.call(aoi, "GET", "/notifications")).json()
    assert (notice["kind"], notice["about"]) == ("device-enrolment-pending", {"device": cuff.reference})


async def test_the_same_device_enrolled_again_is_answered_as_the_first_time_and_has_no_twin(
    town: Town, aoi: str
) -> None:
    pen = es256()
    body = order(aoi, pen)
    first = await town.call(aoi, "POST", "/devices/enrolments", json=body)
    again = await town.call(aoi, "POST", "/devices/enrolments", json=body)
    assert (again.status_code, again.json()) == (201, first.json())
    another = await town.call(aoi, "POST", "/devices/enrolments", json={**body, "serial": "HB-000999"})
    assert another.json()["device"] != first.json()["device"]
    path = first.json()["device"].replace("Device/", "/devices/")
    assert (await town.call(aoi, "POST", f"{path}/revoke")).status_code == 200
    anew = await town.call(aoi, "POST", "/devices/enrolments", json=body)
    assert (anew.status_code, anew.json()["status"]) == (201, "pending")
    assert anew.json()["device"] not in {first.json()["device"], another.json()["device"]}


async def enrolling(town: Town, who: str, body: dict[str, Any], times: int = 1) -> list[dict[str, str]]:
    """What so many identical enrolments at the same instant are answered."""
    await town.token(who)
    asked = (town.call(who, "POST", "/devices/enrolments", json=body) for _ in range(times))
    answers = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {201}
    return [answer.json() for answer in answers]


async def relative_who_enrols(town: Town, patient: str) -> tuple[str, str]:
    """Who may enrol devices for a person, and the consent that says so."""
    tree = {"resourceType": "RelatedPerson", "active": True, "patient": {"reference": patient}}
    relative = await town.create(patient, tree)
    allowed = permit([relative], "FAMRQT", actions=("collect",), classes=("Device",))
    return relative, await town.create(patient, consent(allowed, patient))


@pytest.mark.parametrize("by", ["resident", "relative"])
async def test_of_identical_enrolments_at_once_one_makes_a_device(town: Town, aoi: str, by: str) -> None:
    who = aoi if by == "resident" else (await relative_who_enrols(town, aoi))[0]
    answers = await enrolling(town, who, order(aoi, es256()), times=8)
    assert answers == [answers[0]] * 8
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    assert listed["device"] == answers[0]["device"]
    assert len((await town.call(aoi, "GET", "/notifications")).json()) == 1


async def test_a_cuff_behind_a_gateway_has_no_twin_either(town: Town, aoi: str) -> None:
    hub = {"manufacturer": "星見計器（架空）", "display": "中継器", "readings": [], "gateway": True}
    assert (await town.call("approver", "PUT", "/devices/models/twin-hub", json=hub)).is_success
    gateway = await town.enrolled(aoi, model="twin-hub")
    body = {"patient": aoi, "model": CUFF, "serial": "HB-2", "gateway": gateway.reference}
    answers = await enrolling(town, aoi, body, times=3)
    assert answers == [answers[0]] * 3


async def test_who_enrols_for_another_is_told_again_of_what_they_enrolled_and_of_nothing_else(
    town: Town, aoi: str
) -> None:
    relative, allowed = await relative_who_enrols(town, aoi)
    theirs, own = order(aoi, es256()), order(aoi, es256())
    (first,) = await enrolling(town, relative, theirs)
    assert await enrolling(town, relative, theirs) == [first]
    # The person is told of whatever there is; the relative not of what the person enrolled.
    assert await enrolling(town, aoi, theirs) == [first]
    (mine,) = await enrolling(town, aoi, own)
    (another,) = await enrolling(town, relative, own)
    assert another["device"] != mine["device"]
    assert (await town.call(aoi, "DELETE", f"/fhir/{allowed}")).is_success
    assert (await town.call(relative, "POST", "/devices/enrolments", json=theirs)).status_code == 403


async def test_an_enrolment_with_a_private_key_is_refused_and_not_repeated(town: Town, aoi: str) -> None:
    pen = es256()
    answer = await town.call(
        aoi, "POST", "/devices/enrolments", json={**order(aoi, pen), "jwk": pen.private_jwk}
    )
    assert answer.status_code == 400
    assert pen.private_jwk["d"] not in answer.text


async def test_a_model_that_is_unknown_or_withdrawn_cannot_be_enrolled(town: Town, aoi: str) -> None:
    await town.call(
        "approver",
        "PUT",
        "/devices/models/old-1",
        json={"manufacturer": "x", "display": "x", "readings": ["body-weight"], "active": False},
    )
    for model in ("old-1", "unknown-1"):
        answer = await town.call(aoi, "POST", "/devices/enrolments", json=order(aoi, es256(), model))
        assert answer.status_code == 422
        assert "GET /devices/models" in answer.text
    await town.call("approver", "PUT", "/devices/models/old-1", json={"manufacturer": "x"})


async def test_nobody_else_enrols_and_nobody_learns_who_has_a_passport(
    town: Town, aoi: str, doctor: str
) -> None:
    sora = await town.resident("青空 空（架空）")
    for who in (sora, doctor, "operator", "auditor"):
        answers = [
            await town.call(who, "POST", "/devices/enrolments", json=order(patient, es256()))
            for patient in (aoi, "Patient/nobody")
        ]
        assert [answer.status_code for answer in answers] == [403, 403]
        assert answers[0].content == answers[1].content
    assert (await town.call(aoi, "GET", "/devices")).json() == []


@pytest.mark.parametrize("pen", [es256(), eddsa()], ids=["ES256", "EdDSA"])
async def test_an_approved_device_stores_readings_with_their_origin(town: Town, aoi: str, pen: Any) -> None:
    cuff = await town.approved(aoi, pen=pen)
    (result,) = results(await town.send(cuff, cuff.batch(pressure())))
    assert result["status"] == "stored"
    (observation,) = await town.observations(aoi)
    assert f"Observation/{observation['id']}" == result["reference"]
    assert observation["device"] == {"reference": cuff.reference}
    assert [part["valueQuantity"]["value"] for part in observation["component"]] == [128, 82]
    origins = (await town.call(aoi, "GET", "/fhir/Provenance", params={"patient": aoi})).json()["entry"]
    assert [target["reference"] for entry in origins for target in entry["resource"]["target"]] == [
        f"{result['reference']}/_history/1"
    ]


async def test_what_a_device_brings_is_labelled(town: Town, aoi: str, module_database: Database) -> None:
    cuff = await town.approved(aoi)
    results(await town.send(cuff, cuff.batch(pressure())))
    (observation,) = await town.observations(aoi)
    assert [label["code"] for label in observation["meta"]["security"]] == ["N"]
    unlabelled = "SELECT count(*) FROM resource WHERE patient_key <> 0 AND confidentiality IS NULL"
    assert one(module_database, unlabelled) == 0


async def test_an_approval_is_a_consent_that_the_resident_can_read(town: Town, aoi: str) -> None:
    cuff = await town.enrolled(aoi)
    answer = (await town.decide(aoi, cuff, "approve")).json()
    assert answer["status"] == "active"
    consent = (await town.call(aoi, "GET", f"/fhir/{answer['consent']}")).json()
    assert consent["status"] == "active"
    assert consent["provision"]["actor"][0]["reference"] == {"reference": cuff.reference}
    assert consent["provision"]["action"][0]["coding"][0]["code"] == "collect"


async def test_suspending_resuming_and_revoking_take_effect_at_once(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    told = []
    for minute, verb in enumerate(("suspend", "resume", "revoke")):
        answer = await town.decide(aoi, cuff, verb)
        assert answer.status_code == 200, answer.text
        sent = await town.send(cuff, cuff.batch(pressure(minute)))
        told.append((answer.json()["status"], sent.status_code))
    assert told == [("suspended", 403), ("active", 200), ("revoked", 403)]
    assert len(await town.observations(aoi)) == 1
    # Nobody sees anything by a cuff: to stop it stops no sharing.
    told = (await town.call(aoi, "GET", "/notifications")).json()
    assert [one["kind"] for one in told] == ["device-enrolment-pending"]
    for verb in ("approve", "suspend", "resume", "revoke"):
        assert (await town.decide(aoi, cuff, verb)).status_code == 409


@pytest.mark.parametrize("verb", ["suspend", "resume"])
async def test_a_pending_device_is_neither_suspended_nor_resumed(town: Town, aoi: str, verb: str) -> None:
    cuff = await town.enrolled(aoi)
    assert (await town.decide(aoi, cuff, verb)).status_code == 409
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    assert (listed["status"], listed["consent"]) == ("pending", None)


async def test_a_pending_device_can_be_revoked(town: Town, aoi: str) -> None:
    cuff = await town.enrolled(aoi)
    answer = (await town.decide(aoi, cuff, "revoke")).json()
    assert answer["status"] == "revoked"
    assert (await town.call(aoi, "GET", f"/fhir/{answer['consent']}")).json()["status"] == "rejected"
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403


async def test_a_device_is_approved_once(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    assert (await town.decide(aoi, cuff, "approve")).status_code == 409
    assert (await town.decide(aoi, cuff, "resume")).status_code == 409


async def test_withdrawing_the_consent_itself_stops_the_device(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    consent = (await town.call(aoi, "GET", f"/fhir/{listed['consent']}")).json()
    answer = await town.call(aoi, "PUT", f"/fhir/{listed['consent']}", json={**consent, "status": "inactive"})
    assert answer.status_code == 200, answer.text
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403
    assert [each["status"] for each in (await town.call(aoi, "GET", "/devices")).json()] == ["suspended"]
    assert (await town.decide(aoi, cuff, "resume")).json()["status"] == "active"
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 200


async def test_what_the_resident_wrote_into_the_consent_survives_a_suspension(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    consent = (await town.call(aoi, "GET", f"/fhir/{listed['consent']}")).json()
    consent["provision"]["period"] = {"end": "2020-01-01"}
    await town.call(aoi, "PUT", f"/fhir/{listed['consent']}", json=consent)
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403
    await town.decide(aoi, cuff, "suspend")
    await town.decide(aoi, cuff, "resume")
    again = (await town.call(aoi, "GET", f"/fhir/{listed['consent']}")).json()
    assert again["provision"]["period"] == {"end": "2020-01-01"}
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403


async def test_a_deny_of_the_resident_stops_the_device_as_well(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    approval = (await town.call(aoi, "GET", f"/fhir/{listed['consent']}")).json()
    kept = {name: approval[name] for name in ("resourceType", "status", "scope", "category", "patient")}
    await town.create(aoi, {**kept, "policyRule": approval["policyRule"], "provision": {"type": "deny"}})
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403


async def test_for_everybody_else_a_device_is_not_there(town: Town, aoi: str, doctor: str) -> None:
    cuff = await town.enrolled(aoi)
    unknown = Cuff("Device/nobody", cuff.pen)
    sora = await town.resident("青空 空（架空）")
    for who in (sora, doctor, "operator", "auditor"):
        for verb in ("approve", "revoke"):
            denied, absent = await town.decide(who, cuff, verb), await town.decide(who, unknown, verb)
            assert denied.status_code == absent.status_code == 404
            assert denied.content == absent.content
    assert (await town.call(None, "POST", f"{cuff.path}/approve")).status_code == 401


async def test_the_same_message_is_answered_the_same_and_stored_once(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    payload = orjson.dumps({"counter": 5, "readings": [pressure(), pressure(1, systolic=400)]})
    first = await town.send(cuff, message := cuff.pen.sign(payload))
    again = await town.send(cuff, message)
    signed_afresh = await town.send(cuff, cuff.pen.sign(payload))
    assert first.content == again.content == signed_afresh.content
    assert [result["status"] for result in results(first)] == ["stored", "quarantined"]
    assert len(await town.observations(aoi)) == 1
    assert len((await town.call(aoi, "GET", "/devices/quarantine")).json()) == 1


async def test_a_counter_is_not_used_for_other_bytes(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    await town.send(cuff, cuff.pen.batch(7, pressure()))
    assert (await town.send(cuff, cuff.pen.batch(7, pressure(1)))).status_code == 409
    assert len(await town.observations(aoi)) == 1


async def test_a_lower_counter_that_was_not_used_is_taken(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    for counter, minute in ((9, 0), (3, 1)):
        assert (await town.send(cuff, cuff.pen.batch(counter, pressure(minute)))).status_code == 200
    assert len(await town.observations(aoi)) == 2


async def test_copies_that_arrive_together_are_stored_once(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    message = cuff.batch(*(pressure(minute, pulse=70) for minute in range(10)))
    answers = await asyncio.gather(*(town.send(cuff, message) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(await town.observations(aoi)) == 10
    assert len(await town.observations(aoi, "8867-4")) == 10


async def test_the_same_reading_under_other_counters_is_stored_once(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    (first,) = results(await town.send(cuff, cuff.batch(pressure())))
    again = results(await town.send(cuff, cuff.batch(pressure(), pressure(1), pressure(1))))
    assert again[0] == first
    assert again[1] == again[2] != first
    assert len(await town.observations(aoi)) == 2
    answers = await asyncio.gather(*(town.send(cuff, cuff.batch(pressure(2))) for _ in range(4)))
    assert len({answer.content for answer in answers}) == 1
    assert len(await town.observations(aoi)) == 3


async def test_a_pulse_that_comes_later_joins_a_known_blood_pressure(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    first = results(await town.send(cuff, cuff.batch(pressure())))
    assert results(await town.send(cuff, cuff.batch(pressure(pulse=71)))) == first
    assert (len(await town.observations(aoi)), len(await town.observations(aoi, "8867-4"))) == (1, 1)


async def test_a_device_enrolled_anew_with_its_key_adds_nothing_by_an_old_message(
    town: Town, aoi: str
) -> None:
    cuff = await town.approved(aoi)
    message = cuff.batch(pressure())
    assert (await town.send(cuff, message)).status_code == 200
    await town.decide(aoi, cuff, "revoke")
    anew = await town.approved(aoi, pen=cuff.pen)
    assert (await town.send(anew, message)).status_code == 401
    assert len(await town.observations(aoi)) == 1
    assert (await town.send(anew, anew.batch(pressure(1)))).status_code == 200


async def test_what_cannot_be_believed_is_quarantined_with_its_reason(
    town: Town, aoi: str, doctor: str
) -> None:
    cuff = await town.approved(aoi)
    strange: list[dict[str, Any]] = [
        pressure(systolic=400),
        pressure(systolic=90, diastolic=95),
        {"gatt": "2A35", "hex": "00", "time": "2026-10-01T07:00:00+09:00"},
        {"type": "body-weight", "time": "2026-10-01T07:00:00+09:00", "value": 61.5},
        {"mood": "fine"},
    ]
    told = results(await town.send(cuff, cuff.batch(*strange)))
    assert told == [
        {"status": "quarantined", "reason": "systolic-out-of-range"},
        {"status": "quarantined", "reason": "systolic-not-above-diastolic"},
        {"status": "quarantined", "reason": "undecodable", "text": "2A35: got 1 bytes, expected 7"},
        {"status": "quarantined", "reason": "kind-not-of-model"},
        {"status": "quarantined", "reason": "undecodable", "text": UNKNOWN_TYPE},
    ]
    assert await town.observations(aoi) == []
    kept = (await town.call(aoi, "GET", "/devices/quarantine")).json()
    assert {each["device"] for each in kept} == {cuff.reference}
    assert {orjson.dumps(each["reading"]) for each in kept} == {orjson.dumps(each) for each in strange}
    told_first = {(each["reason"], each.get("text")) for each in told}
    assert {(each["reason"], each.get("text")) for each in kept} == told_first
    pages, address = [], "/devices/quarantine?_count=2"
    while address:
        page = await town.call(aoi, "GET", address.removeprefix(town.runtime.settings.base_url))
        pages.append(page.json())
        address = page.links.get("next", {}).get("url", "")
    assert [len(each) for each in pages] == [2, 2, 1]
    assert [one for each in pages for one in each] == kept
    for who in (doctor, "operator", "auditor"):
        for path in ("/devices", "/devices/quarantine"):
            (issue,) = outcome(await town.call(who, "GET", path), 403, "forbidden")["issue"]
            assert "Consent" not in issue["diagnostics"]
    sora = await town.resident("青空 空（架空）")
    assert (await town.call(sora, "GET", "/devices/quarantine")).json() == []
    notices = (await town.call(aoi, "GET", "/notifications")).json()
    assert [notice["kind"] for notice in notices].count("reading-quarantined") == 1


async def test_an_unreadable_reading_is_told_by_its_member_and_never_by_its_value(
    town: Town, aoi: str
) -> None:
    cuff = await town.approved(aoi)
    at = {"type": "blood-pressure", "time": "2026-10-01T07:00:00+09:00"}
    told = results(
        await town.send(
            cuff,
            cuff.batch(
                {**at, "systolic": 131},
                {**at, "systolic": "7131", "diastolic": 82},
                {**pressure(), "time": "7131"},
            ),
        )
    )
    assert [each["reason"] for each in told] == ["undecodable"] * 3
    for each, member in zip(told, ("diastolic", "systolic", "time"), strict=True):
        assert f"`{member}`" in each["text"]
        assert "7131" not in each["text"]


async def test_quarantined_readings_lie_sealed(town: Town, aoi: str, module_database: Database) -> None:
    cuff = await town.approved(aoi)
    await town.send(cuff, cuff.batch(pressure(systolic=417)))
    content = one(
        module_database,
        "SELECT content FROM quarantine JOIN patient USING (patient_key) WHERE patient_id = %s",
        aoi.partition("/")[2],
    )
    assert b"417" not in content
    assert b"systolic" not in content


async def test_nothing_but_doubts_needs_the_approval_as_well(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    consent = (await town.call(aoi, "GET", f"/fhir/{listed['consent']}")).json()
    consent["provision"]["period"] = {"end": "2020-01-01"}
    await town.call(aoi, "PUT", f"/fhir/{listed['consent']}", json=consent)
    assert (await town.send(cuff, cuff.batch(pressure(systolic=400)))).status_code == 403
    assert (await town.call(aoi, "GET", "/devices/quarantine")).json() == []


async def test_a_long_quarantine_is_read_page_by_page(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    await town.send(cuff, cuff.batch(*({"strange": number} for number in range(230))))
    path, seen = "/devices/quarantine", []
    while path:
        answer = await town.call(aoi, "GET", path)
        seen += [each["reading"]["strange"] for each in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert sorted(seen) == list(range(230))
    assert (await town.call(aoi, "GET", "/devices/quarantine?before=soon")).status_code == 400


async def test_every_vital_sign_of_a_hub_becomes_an_observation(town: Town, aoi: str) -> None:
    hub = await town.approved(aoi, model="hoshi-hub-1", pen=eddsa())
    time = "2026-10-01T07:00:00+09:00"
    told = results(
        await town.send(
            hub,
            hub.batch(
                {"type": "body-weight", "time": time, "value": 61.5},
                {"type": "body-temperature", "time": time, "value": 36.4},
                {"type": "oxygen-saturation", "time": time, "value": 97},
                {"gatt": "2A9D", "hex": "00be2d", "time": "2026-10-01T07:05:00+09:00"},
                {"gatt": "2A37", "hex": "0048", "time": time},
            ),
        )
    )
    assert {result["status"] for result in told} == {"stored"}
    found = [len(await town.observations(aoi, code)) for code in ("29463-7", "8310-5", "59408-5", "8867-4")]
    assert found == [2, 1, 1, 1]


async def test_the_largest_batch_is_stored_in_one_message(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    readings = [
        pressure() | {"time": f"2026-{day // 28 + 1:02d}-{day % 28 + 1:02d}T{hour:02d}:00:00+09:00"}
        for day in range(250)
        for hour in (6, 7, 20, 21)
    ]
    told = results(await town.send(cuff, cuff.batch(*readings)))
    assert len({result["reference"] for result in told}) == 1000


async def test_any_number_of_readings_costs_the_same_statements(town: Town, aoi: str, tmp_path: Path) -> None:
    cuff = await town.approved(aoi)
    await town.send(cuff, cuff.batch(pressure(pulse=70), {"mood": "fine"}))
    costs = []
    for size in (1, 20, 200):
        day = f"2026-10-{size // 10 + 2:02d}"
        readings = [
            pressure(pulse=60 + at) | {"time": f"{day}T{at // 60:02d}:{at % 60:02d}:00Z"}
            for at in range(size)
        ]
        doubts = [{"mood": f"{size} {at}"} for at in range(size)]
        message = cuff.batch(*readings, *doubts)
        answer, cost = await statements(town, cuff, message, tmp_path / str(size))
        assert {result["status"] for result in results(answer)} == {"stored", "quarantined"}
        costs.append(cost)
    assert costs[0] == costs[1] == costs[2] > 0


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b'{"counter":0,"readings":[{}]}',
        b'{"counter":1,"readings":[]}',
        orjson.dumps({"counter": 1, "readings": [{}] * 1001}),
    ],
)
async def test_a_signed_payload_that_is_no_batch_is_refused(town: Town, aoi: str, payload: bytes) -> None:
    cuff = await town.approved(aoi)
    assert (await town.send(cuff, cuff.pen.sign(payload))).status_code == 400
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 200


async def test_a_message_is_sent_as_what_it_is_and_within_its_size(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    path = f"{cuff.path}/readings"
    plain = {"Content-Type": "application/json"}
    assert (await town.call(None, "POST", path, content=cuff.batch(pressure()), headers=plain)).json()[
        "issue"
    ][0]["diagnostics"] == "got Content-Type `application/json`, expected `application/jose`"
    assert (await town.call(None, "POST", path, content=b"A" * 600_000, headers=JOSE)).status_code == 413


async def test_the_audit_names_the_device_and_the_consent_that_it_relied_on(
    town: Town, aoi: str, module_database: Database
) -> None:
    cuff = await town.approved(aoi)
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    await town.send(cuff, cuff.batch(pressure()))
    kind, purpose, grants = one(
        module_database,
        "SELECT kind, purpose, grants FROM audit_event WHERE subject = %s AND outcome = 'success' LIMIT 1",
        cuff.reference,
    )
    assert (kind, purpose) == ("device", "PATRQT")
    assert [grant.partition("/_history/")[0] for grant in grants] == [listed["consent"]]


async def test_the_answer_is_never_kept_on_its_way(town: Town, aoi: str) -> None:
    answer = await town.call(aoi, "GET", "/devices")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_proxy_decides_about_devices_only_if_consents_may_be_written(town: Town, aoi: str) -> None:
    proxy = await town.create(
        aoi, {"resourceType": "RelatedPerson", "active": True, "patient": {"reference": aoi}}
    )
    cuff = await town.enrolled(aoi)
    assert (await town.decide(proxy, cuff, "approve")).status_code == 404
    await town.create(aoi, _power_of_attorney(aoi, proxy))
    answer = await town.decide(proxy, cuff, "approve")
    assert answer.status_code == 200, answer.text
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 200
    other = await town.call(proxy, "POST", "/devices/enrolments", json=order(aoi, es256(), CUFF))
    assert other.status_code == 201, other.text
    assert (await town.decide(proxy, cuff, "suspend")).json()["status"] == "suspended"


def _power_of_attorney(patient: str, proxy: str) -> dict[str, Any]:
    terminology = "http://terminology.hl7.org/CodeSystem"
    roles = [{"system": f"{terminology}/v3-ParticipationType", "code": code} for code in ("AUT", "IRCP")]
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": f"{terminology}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": patient},
        "policyRule": {"coding": [{"system": f"{terminology}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {
            "type": "permit",
            "actor": [{"role": {"coding": [role]}, "reference": {"reference": proxy}} for role in roles],
            "action": [
                {"coding": [{"system": f"{terminology}/consentaction", "code": code}]}
                for code in ("access", "collect", "correct")
            ],
            "purpose": [{"system": f"{terminology}/v3-ActReason", "code": "FAMRQT"}],
            "class": [
                {"system": "http://hl7.org/fhir/resource-types", "code": code}
                for code in ("Consent", "Device")
            ],
        },
    }


async def test_who_was_registered_twice_has_the_devices_of_both_until_it_is_undone(
    town: Town, aoi: str
) -> None:
    twin = await town.resident("星野 葵（架空）")
    theirs, mine = await town.approved(aoi), await town.approved(twin)
    await town.send(theirs, theirs.batch({"type": "unknown"}))
    await town.send(mine, mine.batch({"type": "unknown"}))
    merge = await town.merged(aoi, twin)

    async def listed(path: str) -> list[str]:
        return [one["device"] for one in (await town.call(twin, "GET", path)).json()]

    for path in ("/devices", "/devices/quarantine"):
        assert await listed(path) == [mine.reference, theirs.reference]
    for verb, status in (("suspend", "suspended"), ("resume", "active")):
        answer = await town.decide(twin, theirs, verb)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    answer = await town.call(twin, "POST", "/devices/enrolments", json=order(aoi, es256()))
    added = Cuff(answer.json()["device"], es256())
    assert (await town.decide(twin, added, "approve")).status_code == 200
    lost = await town.approved(aoi)
    assert (await town.decide(twin, lost, "revoke")).status_code == 200
    assert (await town.send(lost, lost.batch(pressure()))).status_code == 403
    assert (await town.call("operator", "POST", f"{merge}/undo")).status_code == 200
    for path in ("/devices", "/devices/quarantine"):
        assert await listed(path) == [mine.reference]
    assert (await town.decide(twin, theirs, "suspend")).status_code == 404
    assert (await town.send(theirs, theirs.batch(pressure()))).status_code == 200


async def test_a_device_is_deleted_after_it_was_revoked_and_not_before(town: Town, aoi: str) -> None:
    sora = await town.resident("青空 空（架空）")
    pending, active = await town.enrolled(aoi), await town.approved(aoi)
    for cuff in (pending, active):
        path = f"/fhir/{cuff.reference}"
        assert (await town.call(sora, "DELETE", path)).status_code == 404
        answer = await town.call(aoi, "DELETE", path)
        assert answer.status_code == 409, answer.text
        assert "/revoke" in answer.text
        assert (await town.decide(aoi, cuff, "revoke")).status_code == 200
        assert (await town.call(aoi, "DELETE", path)).status_code == 204
        assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403
    other = await town.create(aoi, {"resourceType": "Device", "patient": {"reference": aoi}})
    assert (await town.call(aoi, "DELETE", f"/fhir/{other}")).status_code == 204
