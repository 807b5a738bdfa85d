"""Forged device messages: every one gets the same answer, stores nothing, and is on the person's record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson
import psycopg
import pytest
from httpx import ASGITransport, AsyncClient, Response

from passport.demo.consents import consent, permit
from tests import resources as made
from tests.databases import Database
from tests.http.device_town import BASE_URL, JOSE, Cuff, Town, pressure, served, statements
from tests.unit.passport.devices.signing import DevicePen, eddsa, encoded, es256

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as running:
        yield running


@pytest.fixture
async def aoi(town: Town) -> str:
    return await town.resident("星野 葵（架空）")


ADDRESSES: Final = (f"192.0.2.{host}" for host in count(1))


@asynccontextmanager
async def elsewhere(town: Town) -> AsyncIterator[Town]:
    """The town, called from a network address that nobody called it from before."""
    transport = ASGITransport(app=town.app, client=(next(ADDRESSES), 1))
    async with AsyncClient(transport=transport, base_url=BASE_URL) as http:
        yield replace(town, http=http)


def nobodys() -> str:
    """A device that is not here."""
    return f"Device/{uuid4()}"


def masked(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    moving = {"date", "x-request-id"}
    headers = {name: value for name, value in answer.headers.items() if name not in moving}
    return answer.status_code, answer.content, headers


def forgeries(cuff: Cuff, other: DevicePen) -> dict[str, bytes]:
    """Messages that somebody without the device's key can make, by what is wrong with them."""
    payload = orjson.dumps({"counter": 900, "readings": [pressure()]})
    genuine = cuff.pen.sign(payload)
    header, body, signature = genuine.split(b".")
    changed = encoded(payload.replace(b"128", b"118"))
    unsigned = encoded(orjson.dumps({"alg": "none", "kid": cuff.pen.kid}))
    return {
        "another key under its own kid": other.sign(payload),
        "another key under the device's kid": other.sign(payload, kid=cuff.pen.kid),
        "another key that brings itself along": other.sign(payload, kid=cuff.pen.kid, jwk=other.jwk),
        "a key to be fetched": other.sign(payload, kid=cuff.pen.kid, jku="https://example.org/keys"),
        "the right key under another kid": cuff.pen.sign(payload, kid=other.kid),
        "the right key with a critical extension": cuff.pen.sign(payload, crit=["b64"], b64=False),
        "another payload": b".".join((header, changed, signature)),
        "no signature": b".".join((unsigned, body, b"")),
        "no algorithm": b".".join((unsigned, body, signature)),
        "half a message": genuine[: len(genuine) // 2],
        "no message": b"",
        "bytes": bytes(range(256)),
    }


async def test_every_forgery_gets_one_answer_and_stores_nothing(town: Town, aoi: str) -> None:
    for pen, other in ((es256(), es256()), (eddsa(), eddsa()), (es256(), eddsa())):
        cuff = await town.approved(aoi, pen=pen)
        absent = Cuff(nobodys(), pen)
        expected = masked(await town.send(absent, pen.batch(1, pressure())))
        assert expected[0] == 401
        for what, message in forgeries(cuff, other).items():
            async with elsewhere(town) as far:
                assert masked(await far.send(cuff, message)) == expected, what
                assert masked(await far.send(absent, message)) == expected, what
    assert await town.observations(aoi) == []


async def test_a_forgery_costs_what_an_unknown_device_costs(town: Town, aoi: str, tmp_path: Path) -> None:
    cuff = await town.approved(aoi)
    absent = Cuff(nobodys(), cuff.pen)
    for what, message in forgeries(cuff, eddsa()).items():
        async with elsewhere(town) as far:
            for path in ("readings", "certificate"):
                asked, known = await statements(far, cuff, message, tmp_path / "trace", path)
                _, unknown = await statements(far, absent, message, tmp_path / "trace", path)
                assert asked.status_code == 401, what
                assert known == unknown > 0, what


def noted(database: Database, patient: str, cuff: Cuff) -> list[Any]:
    """What the person's log has of messages to the device's addresses that were refused."""
    with psycopg.connect(database.superuser_url) as connection:
        return connection.execute(
            "SELECT kind, subject, client, detail, record_keys FROM audit_event JOIN patient USING (patient_key) "
            "WHERE patient_id = %s AND outcome = 'refused' AND query LIKE %s",
            (patient.partition("/")[2], f"POST devices/{cuff.reference.partition('/')[2]}/%"),
        ).fetchall()


async def test_a_forgery_is_on_the_record_of_the_person_whose_device_it_claims_to_be_and_is_nobodys(
    town: Town, aoi: str, module_database: Database
) -> None:
    cuff = await town.approved(aoi)
    async with elsewhere(town) as far:
        await far.send(cuff, es256().batch(1, pressure()))
    assert noted(module_database, aoi, cuff) == [("", None, None, "security", [])]
    accesses = (await town.call(aoi, "GET", "/audit/accesses", params={"patient": aoi})).json()
    assert [one["who"] for one in accesses if one["outcome"] == "refused"] == [None]


@pytest.mark.parametrize("path", ["readings", "certificate"])
async def test_nobody_fills_the_log_of_a_person_whose_device_they_know(
    town: Town, aoi: str, module_database: Database, path: str
) -> None:
    cuff, stranger = await town.approved(aoi), nobodys().replace("Device/", "/devices/")
    async with elsewhere(town) as far:
        for asked in (f"{cuff.path}/{path}", f"{stranger}/{path}"):
            answers = [await far.call(None, "POST", asked, content=b"x", headers=JOSE) for _ in range(5)]
            assert [answer.status_code for answer in answers] == [401] * 5
        for asked in (f"{cuff.path}/{path}", f"{stranger}/{path}"):
            answer = await far.call(None, "POST", asked, content=b"x", headers=JOSE)
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
        # What the device signed is taken, whatever failed at its address.
        assert (await far.send(cuff, cuff.batch(pressure()))).status_code == 200
    async with elsewhere(town) as farther:
        answer = await farther.call(None, "POST", f"{cuff.path}/{path}", content=b"x", headers=JOSE)
        assert answer.status_code == 401
    assert len(noted(module_database, aoi, cuff)) == 1


async def test_a_request_for_a_certificate_that_nobody_can_read_is_on_nobodys_record(
    town: Town, aoi: str, module_database: Database
) -> None:
    cuff = await town.approved(aoi)
    headers = {"Content-Type": "application/pkcs10"}
    answer = await town.call(None, "POST", f"{cuff.path}/certificate", content=b"x", headers=headers)
    assert answer.status_code == 400
    with psycopg.connect(module_database.superuser_url) as connection:
        rows = connection.execute("SELECT FROM audit_event WHERE subject = %s", (cuff.reference,)).fetchall()
    assert rows == []


async def test_a_message_of_one_device_is_nothing_at_the_address_of_another(town: Town, aoi: str) -> None:
    sora = await town.resident("青空 空（架空）")
    mine, theirs = await town.approved(aoi), await town.approved(sora)
    assert (await town.send(theirs, mine.batch(pressure()))).status_code == 401
    assert await town.observations(sora) == []


async def test_a_message_says_nothing_for_a_device_enrolled_with_the_same_public_key(
    town: Town, aoi: str
) -> None:
    sora = await town.resident("青空 空（架空）")
    for pen in (es256(), eddsa()):
        genuine = await town.approved(aoi, pen=pen)
        message = genuine.batch(pressure())
        assert (await town.send(genuine, message)).status_code == 200
        borrowed = await town.approved(sora, pen=pen)
        assert borrowed.pen.kid != genuine.pen.kid
        assert (await town.send(borrowed, message)).status_code == 401
    assert await town.observations(sora) == []


async def test_a_token_does_not_stand_in_for_a_signature(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    for who in (aoi, "operator", cuff.reference):
        answer = await town.call(
            who, "POST", f"{cuff.path}/readings", content=es256().batch(1, pressure()), headers=JOSE
        )
        assert answer.status_code == 401


async def test_a_device_writes_for_nobody_but_its_person(town: Town, aoi: str) -> None:
    sora = await town.resident("青空 空（架空）")
    cuff = await town.approved(aoi)
    answer = await town.send(cuff, cuff.batch({**pressure(), "subject": {"reference": sora}}))
    (told,) = answer.json()["results"]
    assert (told["status"], told["reason"]) == ("quarantined", "undecodable")
    assert sora not in told["text"]
    assert await town.observations(sora) == []


@pytest.mark.parametrize("id_", ["..", "%00", "a" * 300, "Device%2Fx", "' OR 1=1 --", "%E2%80%AE"])
async def test_a_hostile_address_is_an_unknown_device(town: Town, id_: str) -> None:
    async with elsewhere(town) as far:
        answer = await far.call(
            None, "POST", f"/devices/{id_}/readings", content=es256().batch(1, pressure()), headers=JOSE
        )
    # A NUL is refused in every address, before anybody looks for what it names.
    assert answer.status_code in ({400} if id_ == "%00" else {401, 404})


async def test_a_device_reads_nothing(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    (result,) = (await town.send(cuff, cuff.batch(pressure()))).json()["results"]
    found: list[Any] = [
        await town.call(cuff.reference, "GET", f"/fhir/{reference}")
        for reference in (result["reference"], aoi, "Observation/unknown")
    ]
    assert [answer.status_code for answer in found] == [404, 404, 404]
    assert len({answer.content for answer in found}) == 1


@pytest.fixture
async def doctor(town: Town, aoi: str) -> str:
    """A physician who reads, collects and corrects all that is measured of aoi, and says where it is from."""
    who = await town.create("operator", made.practitioner("架空 医師"))
    for actions in (("access",), ("collect", "correct")):
        provision = permit([who], "TREAT", actions=actions, classes=("Observation", "Provenance"))
        await town.create(aoi, consent(provision, aoi))
    return who


def in_its_name(target: str, device: str, doctor: str) -> dict[str, dict[str, Any]]:
    """Provenances of a record in a device's name, by where they name it."""
    who, agent = made.reference(device), {"who": made.reference(doctor)}
    told = made.provenance(target, agent=doctor)
    kind = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
    signature = {"type": [kind], "when": "2026-10-01T09:00:00+09:00", "who": who}
    entity = {"role": "source", "what": {"display": "cuff"}, "agent": [{"who": who}]}
    inside = {**told, "id": "p", "agent": [{"who": who}]}
    return {
        "Provenance.agent[0].who": made.provenance(target, agent=device),
        "Provenance.agent[1].who": {**told, "agent": [agent, {"who": who}]},
        "Provenance.agent[0].onBehalfOf": {**told, "agent": [{**agent, "onBehalfOf": who}]},
        "Provenance.entity[0].agent[0].who": {**told, "entity": [entity]},
        "Provenance.signature[0].who": {**told, "signature": [signature]},
        "Provenance": {
            **told,
            "contained": [inside],
            "extension": [{"url": "http://example.org/inside", "valueReference": {"reference": "#p"}}],
        },
    }


async def test_nobody_else_says_in_a_devices_name_where_a_record_is_from(
    town: Town, aoi: str, doctor: str
) -> None:
    cuff = await town.approved(aoi)
    forged = await town.create(doctor, made.pressure(aoi, device=made.reference(cuff.reference)))
    address = f"{town.runtime.settings.fhir_url}/{cuff.reference}"
    respelt = address.replace("passport.test/", "PASSPORT.test:443//./")
    for name in (cuff.reference, address, respelt, f"{cuff.reference}/_history/1"):
        for place, tree in in_its_name(forged, name, doctor).items():
            answer = await town.call(doctor, "POST", "/fhir/Provenance", json=tree)
            assert answer.status_code == 422, (place, answer.text)
            assert answer.json()["issue"][0]["expression"] == [place]
    # A device that is not here is refused alike: the refusal tells nothing of whose devices there are.
    unknown = await town.call(
        doctor, "POST", "/fhir/Provenance", json=made.provenance(forged, agent="Device/unknown")
    )
    known = await town.call(
        doctor, "POST", "/fhir/Provenance", json=made.provenance(forged, agent=cuff.reference)
    )
    assert masked(unknown) == masked(known)
    assert (await town.call(aoi, "GET", f"/fhir/Provenance?target={forged}")).json().get("entry", []) == []
    await town.create(doctor, made.provenance(forged, agent=doctor))


async def test_a_device_with_a_token_says_nothing_without_its_signature(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    (result,) = (await town.send(cuff, cuff.batch(pressure()))).json()["results"]
    tree = made.provenance(result["reference"], agent=cuff.reference)
    answer = await town.call(cuff.reference, "POST", "/fhir/Provenance", json=tree)
    assert answer.status_code in (403, 422), answer.text
    assert len(await origins(town, aoi, result["reference"])) == 1


async def test_a_device_files_nothing_as_measured_by_another(town: Town, aoi: str) -> None:
    cuff, other = await town.approved(aoi), await town.approved(aoi)
    named = {
        other.reference: 422,
        "Device/unknown": 422,
        f"{other.reference}/_history/1": 422,
        cuff.reference: 201,
        f"{town.runtime.settings.fhir_url}/{cuff.reference}": 201,
    }
    for name, status in named.items():
        tree = made.pressure(aoi, device=made.reference(name))
        answer = await town.call(cuff.reference, "POST", "/fhir/Observation", json=tree)
        assert answer.status_code == status, (name, answer.text)
        if status == 422:
            assert answer.json()["issue"][0]["expression"] == ["Observation.device"]
    by_serial = made.pressure(aoi, device={"type": "Device", "identifier": {"value": "HB-2"}})
    answer = await town.call(cuff.reference, "POST", "/fhir/Observation", json=by_serial)
    assert answer.status_code == 422, answer.text


async def origins(town: Town, aoi: str, record: str) -> list[dict[str, Any]]:
    found = (await town.call(aoi, "GET", "/fhir/Provenance", params={"target": record})).json()
    return [entry["resource"] for entry in found.get("entry", [])]


async def test_what_a_device_signed_is_one_version_and_no_other_takes_its_origin_along(
    town: Town, aoi: str, doctor: str
) -> None:
    cuff = await town.approved(aoi)
    (result,) = (await town.send(cuff, cuff.batch(pressure()))).json()["results"]
    signed = result["reference"]
    (origin,) = await origins(town, aoi, signed)
    assert origin["target"] == [{"reference": f"{signed}/_history/1"}]
    measured = (await town.call(doctor, "GET", f"/fhir/{signed}")).json()
    measured["component"][0]["valueQuantity"]["value"] = 118
    answer = await town.call(doctor, "PUT", f"/fhir/{signed}", json=measured)
    assert answer.json()["meta"]["versionId"] == "2", answer.text
    assert await origins(town, aoi, signed) == [origin]
    # Nor is what the device said moved to another version, or another record.
    path = f"/fhir/Provenance/{origin['id']}"
    for target in (f"{signed}/_history/2", signed):
        moved = {**origin, "target": [made.reference(target)]}
        assert (await town.call(doctor, "PUT", path, json=moved)).status_code == 422
        patch = [{"op": "replace", "path": "/target/0/reference", "value": target}]
        headers = {"Content-Type": "application/json-patch+json"}
        answer = await town.call(doctor, "PATCH", path, json=patch, headers=headers)
        assert answer.status_code == 422, answer.text
    assert await origins(town, aoi, signed) == [origin]
    included = await town.call(
        doctor, "GET", f"/fhir/Observation?_id={signed.partition('/')[2]}&_revinclude=Provenance:target"
    )
    assert [entry["resource"]["resourceType"] for entry in included.json()["entry"]] == [
        "Observation",
        "Provenance",
    ]
