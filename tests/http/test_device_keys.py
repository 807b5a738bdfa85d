"""Certificates of the passport's device CA, renewal with another key, and gateways that sign for others."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import Receive, Scope, Send

from passport.certifying import CertifyingKey
from passport.devices.authority import certified, read_request
from passport.devices.certificates import CERTIFICATES_MAX
from passport.protocol import PEER
from passport.runtime import utc_now
from tests.databases import Database
from tests.http.device_town import BASE_URL, CUFF, JOSE, Cuff, Town, order, pressure, served
from tests.unit.passport.devices.signing import DevicePen, eddsa, es256

pytestmark = pytest.mark.anyio

PHONE, PROXY = "hoshi-phone-1", "10.0.0.7"


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as running:
        phone = {"manufacturer": "星見計器（架空）", "display": "星見手帳", "readings": [], "gateway": True}
        answer = await running.call("approver", "PUT", f"/devices/models/{PHONE}", json=phone)
        assert answer.json() == {"model": PHONE, "active": True, **phone}
        yield running


@pytest.fixture
async def aoi(town: Town) -> str:
    return await town.resident("星野 葵（架空）")


@asynccontextmanager
async def proxied(town: Town, peer: str = PROXY) -> AsyncIterator[AsyncClient]:
    """Callers whose handshake a proxy saw that is trusted if it is `PROXY`."""

    async def from_peer(scope: Scope, receive: Receive, send: Send) -> None:
        await town.app({**scope, PEER: peer}, receive, send)

    settings = replace(town.runtime.settings, trusted_proxies=PROXY)
    with town.with_runtime(settings=settings):
        async with AsyncClient(transport=ASGITransport(from_peer), base_url=BASE_URL) as http:
            yield http


async def asked(town: Town, cuff: Cuff, request: bytes, kind: str = "application/pkcs10") -> Response:
    headers = {"Content-Type": kind}
    return await town.call(None, "POST", f"{cuff.path}/certificate", content=request, headers=headers)


async def renewed(town: Town, cuff: Cuff, signs: DevicePen, wanted: DevicePen, **changes: Any) -> Response:
    said = {"csr": b64encode(wanted.request()).decode(), **changes}
    audience = said.pop("aud", f"{BASE_URL}{cuff.path}/certificate")
    statement = signs.stated(audience, said.pop("made", utc_now()), **said)
    return await asked(town, cuff, statement, JOSE["Content-Type"])


def certificate_in(answer: Response) -> x509.Certificate:
    assert answer.status_code == 201, answer.text
    return x509.load_pem_x509_certificate(answer.json()["certificate"].encode())


def header(certificate: x509.Certificate) -> dict[str, str]:
    shown = b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return {**JOSE, "Client-Cert": f":{shown}:"}


@pytest.mark.parametrize("make", [es256, eddsa])
async def test_a_device_gets_a_certificate_of_the_published_authority(
    town: Town, aoi: str, make: Any
) -> None:
    cuff = await town.approved(aoi, pen=make())
    published = await town.call(None, "GET", "/.well-known/device-ca.pem")
    authority = x509.load_pem_x509_certificate(published.content)
    answer = await asked(town, cuff, cuff.pen.request(aoi))
    found = certificate_in(answer)
    found.verify_directly_issued_by(authority)
    assert answer.json()["issuer"] == published.text
    assert answer.json()["kid"] == cuff.pen.kid
    (name,) = found.subject
    assert (name.oid, name.value) == (NameOID.COMMON_NAME, cuff.reference)
    assert aoi.encode() not in found.public_bytes(Encoding.DER)
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert found.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=7)
    again = certificate_in(await asked(town, cuff, cuff.pen.request("sent once more")))
    assert again == found


async def test_only_an_active_device_with_its_own_key_is_certified(town: Town, aoi: str) -> None:
    cuff = await town.enrolled(aoi)
    assert (await asked(town, cuff, cuff.pen.request())).status_code == 403
    await town.decide(aoi, cuff, "approve")
    absent = Cuff("Device/00000000-0000-0000-0000-000000000000", cuff.pen)
    strangers = [
        await asked(town, cuff, es256().request()),
        await asked(town, absent, cuff.pen.request()),
        await renewed(town, cuff, es256(), es256()),
        await renewed(town, cuff, es256().enrolled(cuff.pen.kid), es256()),
        await renewed(town, absent, cuff.pen, es256()),
    ]
    assert {answer.status_code for answer in strangers} == {401}
    assert len({answer.content for answer in strangers}) == 1
    for unfit in (b"", b"nothing", cuff.pen.request()[:-1] + b"\0"):
        assert (await asked(town, cuff, unfit)).status_code == 400
    elsewhere = f"{BASE_URL}/devices/other/certificate"
    for changes in ({"aud": elsewhere}, {"made": utc_now() - timedelta(minutes=6)}, {"csr": "?"}):
        assert (await renewed(town, cuff, cuff.pen, es256(), **changes)).status_code == 400
    await town.decide(aoi, cuff, "revoke")
    assert (await asked(town, cuff, cuff.pen.request())).status_code == 403


async def test_a_device_renews_itself_with_another_key(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    answer = await renewed(town, cuff, cuff.pen, new := eddsa())
    assert (
        certificate_in(answer).subject == certificate_in(await asked(town, cuff, cuff.pen.request())).subject
    )
    # The answer may have been lost: until the new key is used the old one is as good.
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 200
    going_on = Cuff(cuff.reference, new.enrolled(answer.json()["kid"]), cuff.counter)
    assert (await town.send(going_on, going_on.batch(pressure(1)))).status_code == 200
    going_on.counter += 1
    assert (await town.send(cuff, cuff.pen.batch(going_on.counter, pressure(2)))).status_code == 401
    assert (await asked(town, cuff, cuff.pen.request())).status_code == 401
    (listed,) = (await town.call(aoi, "GET", "/devices")).json()
    assert listed["kid"] == going_on.pen.kid
    assert len(await town.observations(aoi)) == 2


async def test_a_device_that_asks_all_the_time_is_slowed_down(town: Town, aoi: str) -> None:
    cuff = await town.approved(aoi)
    answers = [await renewed(town, cuff, cuff.pen, cuff.pen) for _ in range(CERTIFICATES_MAX + 1)]
    assert [answer.status_code for answer in answers] == [*[201] * CERTIFICATES_MAX, 429]
    certificates = {certificate_in(answer).serial_number for answer in answers[:-1]}
    assert len(certificates) == CERTIFICATES_MAX


async def test_a_certificate_that_a_trusted_proxy_tells_of_has_to_be_the_senders(
    town: Town, aoi: str
) -> None:
    cuff, other = await town.approved(aoi), await town.approved(aoi)
    mine, others = [certificate_in(await asked(town, one, one.pen.request())) for one in (cuff, other)]
    foreign = certified(
        CertifyingKey.generate(utc_now()),
        read_request(cuff.pen.request()),
        cuff.reference,
        serial=b"1",
        now=utc_now(),
    )
    path = f"{cuff.path}/readings"
    async with proxied(town) as http, proxied(town, "10.0.0.8") as direct:
        for refused in (others, foreign):
            answer = await http.post(path, content=cuff.batch(pressure()), headers=header(refused))
            assert answer.status_code == 401
            assert "got a message that no enrolled device signed" in answer.text
        forged = es256().enrolled(cuff.pen.kid).batch(1, pressure())
        # The certificate alone is not enough.
        assert (await http.post(path, content=forged, headers=header(mine))).status_code == 401
        taken = await http.post(path, content=cuff.batch(pressure()), headers=header(mine))
        assert taken.status_code == 200, taken.text
        # A header that anybody may have written is not read.
        unheard = await direct.post(path, content=cuff.batch(pressure(1)), headers=header(foreign))
        assert unheard.status_code == 200
        over = mine.not_valid_after_utc + timedelta(seconds=1)
        with town.with_runtime(clock=lambda: over, settings=town.app.state.runtime.settings):
            late = await http.post(path, content=cuff.batch(pressure(2)), headers=header(mine))
        assert late.status_code == 401
        await town.decide(aoi, cuff, "revoke")
        revoked = await http.post(path, content=cuff.batch(pressure(3)), headers=header(mine))
        assert revoked.status_code == 403
    assert len(await town.observations(aoi)) == 2


# Gateways


async def behind(town: Town, aoi: str, phone: Cuff, **changes: Any) -> Response:
    wanted = {"patient": aoi, "model": CUFF, "serial": "HB-000120", "gateway": phone.reference, **changes}
    return await town.call(aoi, "POST", "/devices/enrolments", json=wanted)


async def cuff_behind(town: Town, aoi: str, phone: Cuff, **changes: Any) -> Cuff:
    answer = await behind(town, aoi, phone, **changes)
    assert answer.status_code == 201, answer.text
    cuff = Cuff(answer.json()["device"], phone.pen.enrolled(answer.json()["kid"]))
    assert (await town.decide(aoi, cuff, "approve")).status_code == 200
    return cuff


async def test_a_gateway_signs_for_a_cuff_that_has_no_key_and_is_named_beside_it(
    town: Town, aoi: str
) -> None:
    phone = await town.approved(aoi, model=PHONE)
    cuff = await cuff_behind(town, aoi, phone)
    answer = await town.send(cuff, cuff.batch(pressure()))
    assert answer.status_code == 200, answer.text
    (observation,) = await town.observations(aoi)
    assert observation["device"] == {"reference": cuff.reference}
    target = {"patient": aoi, "target": f"Observation/{observation['id']}"}
    found = (await town.call(aoi, "GET", "/fhir/Provenance", params=target)).json()
    (origin,) = (entry["resource"] for entry in found["entry"])
    agents = {one["type"]["coding"][0]["code"]: one["who"]["reference"] for one in origin["agent"]}
    assert agents == {"author": cuff.reference, "assembler": phone.reference}
    listed = {one["device"]: one for one in (await town.call(aoi, "GET", "/devices")).json()}
    assert listed[cuff.reference]["gateway"] == {"device": phone.reference, "status": "active"}
    assert "gateway" not in listed[phone.reference]
    record = (await town.call(aoi, "GET", f"/fhir/{cuff.reference}")).json()
    assert record["parent"] == {"reference": phone.reference}
    events = await town.call(
        aoi, "GET", "/fhir/AuditEvent", params={"patient": aoi, "agent": cuff.reference, "outcome": "success"}
    )
    who = [agent["who"] for agent in events.json()["entry"][0]["resource"]["agent"]]
    assert {"reference": phone.reference} in who


async def test_the_gateway_takes_no_readings_as_its_own_and_the_cuff_none_as_the_gateways(
    town: Town, aoi: str
) -> None:
    phone = await town.approved(aoi, model=PHONE)
    cuff = await cuff_behind(town, aoi, phone)
    assert (await town.send(phone, cuff.batch(pressure()))).status_code == 401
    assert (await town.send(cuff, phone.batch(pressure()))).status_code == 401
    (told,) = (await town.send(phone, phone.batch(pressure()))).json()["results"]
    assert (told["status"], told["reason"]) == ("quarantined", "kind-not-of-model")
    assert (await asked(town, cuff, phone.pen.request())).status_code == 403


@pytest.mark.parametrize("verb", ["suspend", "revoke"])
async def test_stopping_the_gateway_stops_what_it_signs_and_stopping_the_cuff_stops_it_alone(
    town: Town, aoi: str, verb: str
) -> None:
    phone = await town.approved(aoi, model=PHONE)
    one, other = [await cuff_behind(town, aoi, phone, serial=each) for each in ("HB-1", "HB-2")]
    await town.decide(aoi, one, verb)
    assert (await town.send(one, one.batch(pressure()))).status_code == 403
    assert (await town.send(other, other.batch(pressure()))).status_code == 200
    await town.decide(aoi, phone, verb)
    refused = await town.send(other, other.batch(pressure(1)))
    assert refused.status_code == 403
    assert "gateway" in refused.text


async def test_denying_the_gateway_by_a_consent_denies_what_it_signs(town: Town, aoi: str) -> None:
    phone = await town.approved(aoi, model=PHONE)
    cuff = await cuff_behind(town, aoi, phone)
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "AUT"}
    actor = {"role": {"coding": [role]}, "reference": {"reference": phone.reference}}
    approval = (await town.call(aoi, "GET", "/devices")).json()[0]["consent"]
    consent = (await town.call(aoi, "GET", f"/fhir/{approval}")).json()
    provision = {"type": "deny", "actor": [actor], "action": consent["provision"]["action"]}
    await town.create(aoi, {**consent, "provision": provision})
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 403


async def test_a_gateway_is_one_of_the_same_person_that_may_be_one(town: Town, aoi: str) -> None:
    sora = await town.resident("青空 空（架空）")
    phone, theirs = await town.approved(aoi, model=PHONE), await town.approved(sora, model=PHONE)
    cuff, plain = await cuff_behind(town, aoi, phone), await town.approved(aoi)
    absent = Cuff("Device/00000000-0000-0000-0000-000000000000", es256())
    refused = [await behind(town, aoi, one) for one in (theirs, plain, cuff, absent)]
    await town.decide(aoi, phone, "revoke")
    refused.append(await behind(town, aoi, phone))
    assert {answer.status_code for answer in refused} == {422}
    assert len({answer.content for answer in refused}) == 1
    both = {**order(aoi, es256()), "gateway": plain.reference}
    for unfit in (both, {name: value for name, value in both.items() if name not in {"jwk", "gateway"}}):
        answer = await town.call(aoi, "POST", "/devices/enrolments", json=unfit)
        assert answer.status_code == 400


async def test_a_gateway_goes_on_with_another_key_for_all_that_it_signs_for(town: Town, aoi: str) -> None:
    phone = await town.approved(aoi, model=PHONE)
    cuff = await cuff_behind(town, aoi, phone)
    new = es256()
    assert (await renewed(town, phone, phone.pen, new)).status_code == 201
    assert (await town.send(cuff, cuff.batch(pressure()))).status_code == 200
    kid = read_request(new.request()).key.kid(cuff.reference)
    going_on = Cuff(cuff.reference, new.enrolled(kid), cuff.counter)
    assert (await town.send(going_on, going_on.batch(pressure(1)))).status_code == 200
    assert (await town.send(cuff, cuff.pen.batch(9, pressure(2)))).status_code == 401


async def test_the_certificate_beside_a_cuffs_readings_is_its_gateways(town: Town, aoi: str) -> None:
    phone = await town.approved(aoi, model=PHONE)
    cuff = await cuff_behind(town, aoi, phone)
    shown = header(certificate_in(await asked(town, phone, phone.pen.request())))
    async with proxied(town) as http:
        answer = await http.post(f"{cuff.path}/readings", content=cuff.batch(pressure()), headers=shown)
    assert answer.status_code == 200, answer.text
