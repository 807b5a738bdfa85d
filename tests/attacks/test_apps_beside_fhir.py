"""An app gets what its scopes say at every address, and what is done in person it does not do at all.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from passport.demo.consents import consent, permit
from passport.needs import Kept, Scoped
from passport.routes.needed import NEEDED
from passport.sufficient import OWN_SESSION
from tests.attacks.scene import NEVER
from tests.http.apps import JSON, App, Browser, answer_of, app, handed, signed_in
from tests.http.handbooks import handbook
from tests.http.identity_town import City
from tests.unit.passport.devices.signing import es256

pytestmark = pytest.mark.anyio

DEVICES = "patient/Device.cruds"
CONSENTS = "patient/Consent.cruds"
_NAMED = ("*", "Consent", "RelatedPerson")


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def phone(town: City, maker: str) -> App:
    scopes = [f"{context}/{name}.cruds" for context in ("patient", "user") for name in _NAMED]
    beside = ["openid", "launch/patient"]
    return await app(
        town, maker, purposes=["PATRQT", "FAMRQT", "TREAT", "HOPERAT"], scopes=[*scopes, *beside]
    )


@pytest.fixture(scope="module")
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture(scope="module")
async def role(town: City, maker: str) -> str:
    return await town.role(await town.practitioner(), maker)


@dataclass(frozen=True)
class Through:
    """Somebody who acts through an app."""

    town: City
    token: str

    async def call(self, method: str, path: str, **request: Any) -> Response:
        return await self.town.call(self.token, method, path, **request)


async def through(phone: App, who: str, scope: str, purpose: str = "PATRQT") -> Through:
    town = phone.town
    browser = await signed_in(town, who, purpose)
    code = await phone.code(browser, query=phone.query(scope=scope), purpose=purpose)
    return Through(town, (await phone.redeem(code)).json()["access_token"])


async def through_office(phone: App, kind: str, scope: str) -> Through:
    """A person of the city who allowed an app."""
    town, browser = phone.town, Browser(phone.town)
    code = await handed(town, kind, "HOPERAT")
    assert (await browser.sign_in(code)).status_code == 200
    allowed = await phone.code(browser, query=phone.query(scope=scope), purpose="HOPERAT")
    return Through(town, (await phone.redeem(allowed)).json()["access_token"])


def lacks(answer: Response) -> bool:
    """Whether it was refused for want of a scope, or of a session of one's own."""
    challenge = answer.headers.get("WWW-Authenticate", "")
    return answer.status_code == 403 and 'error="insufficient_scope"' in challenge


# Offices


async def test_an_app_of_an_operator_does_nothing_of_the_office(town: City, phone: App, aoi: str) -> None:
    known = await handed(town, aoi, "PATRQT")
    for scope in ("openid", "user/*.cruds user/Consent.cud user/RelatedPerson.cud"):
        asked = await through_office(phone, "operator", scope)
        login = f"u-{uuid4().hex[:12]}"
        code = {"login": login, "subject": aoi, "purposes": ["PATRQT"]}
        assert lacks(await asked.call("POST", "/auth/sign-in-codes", json=code))
        assert lacks(await asked.call("DELETE", f"/auth/sign-in-codes/{known['login']}"))
        assert lacks(await asked.call("PUT", f"/auth/clients/{phone.client_id}", json={"active": False}))
        for path in ("/auth/clients", "/auth/providers", "/identity/duplicates", "/identity/merges"):
            assert lacks(await asked.call("GET", path)), path
        assert town.rows("SELECT FROM sign_in_code WHERE login = %s", login) == []
    (told,) = town.rows(
        "SELECT outcome, scopes FROM audit_event WHERE action = 'code-withdraw' ORDER BY recorded DESC LIMIT 1"
    )
    assert (told["outcome"], told["scopes"]) == ("refused", [OWN_SESSION])


async def test_apps_of_the_other_offices_do_nothing_of_theirs(town: City, phone: App) -> None:
    clerk = await through_office(phone, "clerk", "user/*.rs")
    assert lacks(await clerk.call("GET", "/desk/matters"))
    approver = await through_office(phone, "approver", "user/*.rs")
    model = {"manufacturer": "星見計器（架空）", "display": "x", "readings": ["blood-pressure"]}
    assert lacks(await approver.call("PUT", "/devices/models/app-made", json=model))
    auditor = await through_office(phone, "auditor", "openid")
    for path in ("/audit/accesses", "/audit/cases", "/emergencies/reviews"):
        assert lacks(await auditor.call("GET", path)), path
    reading = await through_office(phone, "auditor", "user/AuditEvent.rs")
    assert (await reading.call("GET", "/audit/accesses")).status_code == 200
    case = {"reason": "苦情の確認", "agent": "operator", "from": "2026-01-01", "to": "2026-02-01"}
    assert lacks(await reading.call("POST", "/audit/cases", json=case))


async def test_a_narrowed_session_of_ones_own_is_bound_by_the_same_table(town: City, aoi: str) -> None:
    token = await town.token("operator", "HOPERAT", scope="user/Organization.r")
    assert lacks(await town.call(token, "GET", "/auth/clients"))
    own = await town.token(aoi, "PATRQT", scope="patient/*.cruds")
    invited = {"name": "星野 湊（架空）", "relationship": "spouse", "decides": False}
    assert lacks(await town.call(own, "POST", "/family/proxies", json=invited))


async def test_without_a_scope_an_app_is_answered_nowhere(
    town: City, phone: App, aoi: str, role: str
) -> None:
    asked = [
        await through(phone, aoi, "openid"),
        await through(phone, role, "openid", "TREAT"),
        await through_office(phone, "operator", "openid"),
    ]
    for (method, template), needs in NEEDED.items():
        if needs in {Kept.TOKENLESS, Kept.ITSELF}:
            continue
        path = re.sub(r"{[a-z_]+}", NEVER, template).replace(f"/{NEVER}/{NEVER}", f"/{NEVER}/approve")
        for each in asked:
            answer = await each.call(method, path, json={})
            # Some read the body first; nothing is there for who lacks the scope where that is said.
            expected = {400, 403, 404} if isinstance(needs, Scoped) and needs.hidden else {400, 403, 415, 422}
            assert answer.status_code in expected, (method, template, answer.status_code)


# What is done in person


async def test_no_app_invites_anybody_whatever_it_was_allowed(town: City, phone: App, aoi: str) -> None:
    invited = {"name": "星野 湊（架空）", "relationship": "spouse", "decides": True}
    every = "patient/*.cruds patient/Consent.cruds patient/RelatedPerson.cruds"
    for scope in ("patient/*.cruds", "patient/RelatedPerson.c patient/Consent.c"):
        asked = await through(phone, aoi, scope)
        assert lacks(await asked.call("POST", "/family/proxies", json=invited)), scope
    asked = await through(phone, aoi, every)
    assert lacks(await asked.call("POST", "/family/proxies", json=invited))
    assert town.rows("SELECT FROM sign_in_code WHERE login LIKE 'family-%%'") == []
    answer = await town.call(aoi, "POST", "/family/proxies", json=invited, purpose="PATRQT")
    assert answer.status_code == 201, answer.text
    proxy = answer.json()["proxy"].partition("/")[2]
    assert lacks(await asked.call("POST", f"/family/proxies/{proxy}/end"))


async def test_an_app_that_does_not_read_every_type_breaks_no_glass(
    town: City, phone: App, aoi: str, role: str
) -> None:
    wanted = {"patient": aoi, "reason": "意識不明で搬送"}
    for scope in ("openid", "user/Observation.rs", "user/Consent.cud user/Patient.rs"):
        asked = await through(phone, role, scope, "TREAT")
        assert lacks(await asked.call("POST", "/auth/break-glass", json=wanted)), scope
    reading = await through(phone, role, "user/*.rs", "TREAT")
    refused = await reading.call("POST", "/auth/break-glass", json=wanted)
    # No policy lets this role open anything.
    assert refused.status_code == 403
    assert not lacks(refused)


async def test_an_app_says_what_is_open_if_it_may_read_who_that_is(
    town: City, phone: App, aoi: str, role: str
) -> None:
    opened = {"patient": aoi}
    assert lacks(
        await (await through(phone, role, "openid", "TREAT")).call("POST", "/auth/launches", json=opened)
    )
    asked = await through(phone, role, "user/Patient.r", "TREAT")
    assert (await asked.call("POST", "/auth/launches", json=opened)).status_code == 201


# What decides who sees


def sharing(patient: str, actor: str) -> dict[str, Any]:
    return consent(permit([actor], "TREAT"), patient)


async def test_who_sees_is_decided_by_an_app_that_was_allowed_just_that(
    town: City, phone: App, aoi: str, role: str
) -> None:
    tree = sharing(aoi, role)
    own = await town.create(aoi, tree)
    id_ = own.partition("/")[2]
    changed = {**tree, "id": id_, "status": "inactive"}
    entry = {"resource": tree, "request": {"method": "POST", "url": "Consent"}}
    patch = [{"op": "replace", "path": "/status", "value": "inactive"}]
    patching = {"headers": {"Content-Type": "application/json-patch+json"}}
    for scope in ("patient/*.cruds", "patient/*.*", "patient/Consent.rs patient/*.cud"):
        asked = await through(phone, aoi, scope)
        assert lacks(await asked.call("POST", "/fhir/Consent", json=tree)), scope
        assert lacks(
            await asked.call("POST", "/fhir/Consent", json=tree, headers={"If-None-Exist": "status=draft"})
        )
        assert lacks(await asked.call("PUT", f"/fhir/{own}", json=changed))
        assert lacks(await asked.call("PUT", f"/fhir/Consent?_id={id_}", json=changed))
        assert lacks(await asked.call("PATCH", f"/fhir/{own}", json=patch, **patching))
        assert lacks(await asked.call("DELETE", f"/fhir/{own}"))
        bundle = {"resourceType": "Bundle", "entry": [entry]}
        assert lacks(await asked.call("POST", "/fhir", json={**bundle, "type": "transaction"}))
        batch = (await asked.call("POST", "/fhir", json={**bundle, "type": "batch"})).json()
        assert batch["entry"][0]["response"]["status"].startswith("403")
        relative = {"resourceType": "RelatedPerson", "patient": {"reference": aoi}}
        assert lacks(await asked.call("POST", "/fhir/RelatedPerson", json=relative))
        assert (await asked.call("GET", f"/fhir/{own}")).status_code == 200
        for path in ("/sharing/codes", "/emergencies/bars", f"/sharing/grants/{id_}/withdraw"):
            body = {"kind": "request"} if path == "/sharing/codes" else {}
            assert lacks(await asked.call("POST", path, json=body)), path
    named = await through(phone, aoi, CONSENTS)
    assert (await named.call("POST", "/fhir/Consent", json=tree)).status_code == 201
    ended = await named.call("POST", f"/sharing/grants/{id_}/withdraw")
    assert ended.status_code == 200, ended.text


async def test_the_screen_says_in_plain_words_that_an_app_would_decide(
    town: City, phone: App, aoi: str
) -> None:
    browser = await signed_in(town, aoi)
    query = phone.query(scope="patient/*.cruds patient/Consent.cu patient/RelatedPerson.r")
    offered = (await browser.get(f"/auth/authorize?{query}", **JSON)).json()["scopes"]
    means = {each["scope"]: each["means"] for each in offered}
    deciding = means.pop("patient/Consent.cu")
    assert deciding["en"].startswith("decide in your name who sees your records")
    assert deciding["ja"].startswith("あなたに代わって、だれがあなたの記録を見るかを決める")
    assert "cannot decide who sees them" in means.pop("patient/*.cruds")["en"]
    assert means == {}


async def test_who_names_no_scopes_may_not_ask_for_consents(town: City, maker: str, aoi: str) -> None:
    unnamed = await app(town, maker)
    browser = await signed_in(town, aoi)
    query = unnamed.query(scope="patient/*.rs patient/Consent.c")
    answer = await browser.get(f"/auth/authorize?{query}", **JSON)
    assert answer_of(answer.headers["location"])["error"] == "invalid_scope"


# One patient


@pytest.fixture
async def other(town: City, aoi: str) -> str:
    """A second resident who shared everything with the first."""
    other = await town.resident("星野 湊（架空）")
    tree = consent(permit([aoi], "PATRQT", actions=["access", "collect", "correct"]), other)
    await town.create(other, tree)
    return other


async def test_an_app_of_a_resident_sees_the_one_patient_whom_it_is_told(
    town: City, phone: App, aoi: str, other: str
) -> None:
    mine, theirs = [await town.blood_pressure(each) for each in (aoi, other)]
    assert (await town.call(aoi, "GET", f"/fhir/{theirs}", purpose="PATRQT")).status_code == 200
    asked = await through(phone, aoi, "patient/*.cruds")
    assert (await asked.call("GET", f"/fhir/{mine}")).status_code == 200
    for path in (theirs, other, f"{theirs}/_history"):
        assert (await asked.call("GET", f"/fhir/{path}")).status_code == 404, path
    for path in (f"Observation?patient={other}", f"Observation?_id={theirs.partition('/')[2]}"):
        found = (await asked.call("GET", f"/fhir/{path}&_total=accurate")).json()
        assert (found["total"], found.get("entry", [])) == (0, []), path
    counted = (await asked.call("GET", f"/fhir/Patient?_id={other.partition('/')[2]}&_summary=count")).json()
    assert counted["total"] == 0
    tree = (await town.call(aoi, "GET", f"/fhir/{theirs}", purpose="PATRQT")).json()
    for method, path in (("POST", "Observation"), ("PUT", theirs), ("DELETE", theirs)):
        answer = await asked.call(method, f"/fhir/{path}", json=tree)
        assert answer.status_code in {403, 404}, (method, answer.text)
    for path in (f"/audit/accesses?patient={other}", "/audit/accesses?patient=Patient/not-here"):
        assert (await asked.call("GET", path)).status_code == 404, path
    whole = await through(phone, aoi, "user/Observation.rs")
    assert (await whole.call("GET", f"/fhir/{theirs}")).status_code == 200


async def test_an_app_of_who_acts_for_somebody_sees_that_one(
    town: City, phone: App, aoi: str, other: str
) -> None:
    mother = await town.relative(aoi)
    for patient in (aoi, other):
        await town.create(patient, consent(permit([mother], "FAMRQT"), patient))
    mine, theirs = [await town.blood_pressure(each) for each in (aoi, other)]
    asked = await through(phone, mother, "patient/*.rs", "FAMRQT")
    assert (await asked.call("GET", f"/fhir/{mine}")).status_code == 200
    assert (await asked.call("GET", f"/fhir/{theirs}")).status_code == 404
    own = await town.call(mother, "GET", f"/fhir/{theirs}", purpose="FAMRQT")
    assert own.status_code == 200


# A resident's daily work


async def test_an_app_does_the_daily_work_of_a_resident(town: City, phone: App, aoi: str) -> None:
    model = {"manufacturer": "星見計器（架空）", "display": "上腕式", "readings": ["blood-pressure"]}
    await town.call("approver", "PUT", "/devices/models/hoshi-cuff-7", json=model, purpose="HOPERAT")
    asked = await through(
        phone,
        aoi,
        f"{DEVICES} {CONSENTS} patient/AuditEvent.rs patient/Observation.rs patient/MedicationDispense.cs",
    )
    for path in (
        "/devices",
        "/devices/models",
        "/devices/quarantine",
        "/notifications",
        "/audit/accesses",
        "/emergencies",
        "/sharing/grants",
        "/sharing/requests",
        "/sharing/receipts",
        f"/audit/accesses?patient={aoi}",
        f"/sharing/explain?record={await town.blood_pressure(aoi)}",
    ):
        answer = await asked.call("GET", path)
        assert answer.status_code == 200, (path, answer.text)
    order = {"patient": aoi, "model": "hoshi-cuff-7", "serial": "HB-7", "jwk": es256().jwk}
    enrolled = await asked.call("POST", "/devices/enrolments", json=order)
    assert enrolled.status_code == 201, enrolled.text
    device = enrolled.json()["device"].partition("/")[2]
    for verb in ("approve", "suspend", "resume", "revoke"):
        answer = await asked.call("POST", f"/devices/{device}/{verb}")
        assert answer.status_code == 200, (verb, answer.text)
    file = {"content": handbook("20260401"), "headers": {"Content-Type": "application/octet-stream"}}
    taken = await asked.call("POST", f"/imports?patient={aoi}&format=jahis", **file)
    assert taken.status_code == 202, taken.text
    assert (await asked.call("GET", taken.headers["Location"])).status_code == 200
    code = await asked.call("POST", "/sharing/codes", json={"kind": "request"})
    assert code.status_code == 201, code.text
    barred = await asked.call("POST", "/emergencies/bars", json={})
    assert barred.status_code == 201, barred.text
    assert (await asked.call("POST", "/auth/sign-out")).status_code == 204
