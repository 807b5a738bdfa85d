"""What follows from allowing an app: for which patient it is, who is told, and what ends with it."""

from typing import Any

import pytest

from tests.http.apps import JSON, App, Browser, app, handed, signed_in
from tests.http.identity_town import City
from tests.unit.passport.identity.assertions import es384

pytestmark = pytest.mark.anyio

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture
async def role(town: City, maker: str) -> str:
    return await town.role(await town.practitioner(), maker)


@pytest.fixture
async def shared(town: City, role: str) -> list[str]:
    """Two residents who both let the clinician see everything."""
    residents = [await town.resident() for _ in range(2)]
    for resident in residents:
        await town.blood_pressure(resident)
        await town.share(resident, role)
    return residents


def id_of(reference: str) -> str:
    return reference.partition("/")[2]


async def subjects(town: City, token: str) -> set[str]:
    """Whose blood pressures a token shows."""
    found = (await town.call(token, "GET", "/fhir/Observation")).json()
    return {entry["resource"]["subject"]["reference"] for entry in found.get("entry", [])}


async def told(town: City, patient: str) -> list[dict[str, Any]]:
    """What a resident is told of their apps, the newest first."""
    listed = (await town.call(patient, "GET", "/notifications", purpose="PATRQT")).json()
    return [one for one in listed if one["kind"].startswith("app-")]


async def open_with(town: City, role: str, patient: str) -> str:
    answer = await town.call(role, "POST", "/auth/launches", json={"patient": patient})
    name: str = answer.json()["launch"]
    return name


# For one patient


async def test_an_app_that_was_opened_with_a_patient_is_for_that_one(
    town: City, phone: App, role: str, shared: list[str]
) -> None:
    browser = await signed_in(town, role, "TREAT")
    launch = await open_with(town, role, shared[0])
    query = phone.query(scope="launch patient/*.rs offline_access", launch=launch)
    first = (await phone.redeem(await phone.code(browser, query=query, purpose="TREAT"))).json()
    assert (first["patient"], first["scope"]) == (id_of(shared[0]), "launch offline_access patient/*.rs")
    again = (await phone.refresh(first["refresh_token"])).json()
    for body in (first, again):
        assert await subjects(town, body["access_token"]) == {shared[0]}
        assert (await town.call(body["access_token"], "GET", f"/fhir/{shared[1]}")).status_code == 404
    assert (again["patient"], again["scope"]) == (first["patient"], first["scope"])


async def test_a_clinician_names_the_patient_where_nothing_was_open(
    town: City, phone: App, role: str, shared: list[str]
) -> None:
    browser = await signed_in(town, role, "TREAT")
    query = phone.query(scope="launch/patient patient/Observation.rs")
    offered = (await browser.get(f"/auth/authorize?{query}", **JSON)).json()
    assert [each["scope"] for each in offered["scopes"]] == ["patient/Observation.rs"]
    assert (offered["names_patient"], offered["not_offered"]) == (True, [])
    code = await phone.code(browser, query=query, purpose="TREAT", patient=shared[1])
    body = (await phone.redeem(code)).json()
    assert body["patient"] == id_of(shared[1])
    assert await subjects(town, body["access_token"]) == {shared[1]}


async def test_without_a_patient_there_is_none_to_be_bound_to(town: City, phone: App, role: str) -> None:
    browser = await signed_in(town, role, "TREAT")
    query = phone.query(scope="patient/Observation.rs user/Observation.r")
    offered = (await browser.get(f"/auth/authorize?{query}", **JSON)).json()
    assert [each["scope"] for each in offered["scopes"]] == ["user/Observation.r"]
    assert offered["not_offered"] == ["patient/Observation.rs"]


async def test_who_can_allow_nothing_is_told_why_and_gives_no_token(
    town: City, phone: App, role: str
) -> None:
    browser = await signed_in(town, role, "TREAT")
    query = phone.query(scope="openid patient/*.rs")
    offered = (await browser.get(f"/auth/authorize?{query}", **JSON)).json()
    assert (offered["scopes"], offered["purposes"]) == ([], [])
    assert "does not say whose" in offered["refused"]["en"]
    page = (await browser.get(f"/auth/authorize?{query}", Accept="text/html")).text
    assert offered["refused"]["ja"] in page
    assert "value=allow" not in page
    assert (await phone.allowed(browser, query=query, purpose="TREAT")).status_code == 403
    denied = await browser.post(
        "/auth/authorize/decision", {"request": query, "csrf": offered["csrf"], "decision": "deny"}
    )
    assert "error=access_denied" in denied.json()["redirect_to"]
    narrow = await signed_in(town, role, "TREAT", scopes=["user/Patient.r"])
    other = (await narrow.get(f"/auth/authorize?{phone.query(scope='user/Condition.r')}", **JSON)).json()
    assert "none that you can allow" in other["refused"]["en"]


async def test_the_screen_says_who_is_signed_in(town: City, phone: App, role: str) -> None:
    code = await handed(town, role, "TREAT")
    browser = Browser(town)
    assert (await browser.sign_in(code)).status_code == 200
    query = phone.query(scope="user/Observation.rs")
    offered = (await browser.get(f"/auth/authorize?{query}", **JSON)).json()
    assert (offered["person"]["login"], offered["refused"]) == (code["login"], None)
    assert (await browser.get("/auth/login", **JSON)).json()["login"] == code["login"]
    for address in (f"/auth/authorize?{query}", "/auth/login"):
        page = (await browser.get(address, Accept="text/html")).text
        assert f"{code['login']} としてサインインしています。" in page


async def test_who_is_not_here_is_nobody(town: City, phone: App, role: str, shared: list[str]) -> None:
    browser = await signed_in(town, role, "TREAT")
    query = phone.query(scope="launch/patient patient/*.rs")
    code = await phone.code(browser, query=query, purpose="TREAT", patient="Patient/not-here")
    body = (await phone.redeem(code)).json()
    assert body["patient"] == "not-here"
    assert await subjects(town, body["access_token"]) == set()
    assert (await town.call(body["access_token"], "GET", f"/fhir/{role}")).status_code == 200


async def test_other_registrations_of_the_patient_are_theirs(
    town: City, phone: App, role: str, shared: list[str]
) -> None:
    merging = {"duplicate": shared[1], "survivor": shared[0], "reason": "転居による二重の登録"}
    asked = await town.call("operator", "POST", "/identity/merges", json=merging)
    agreed = await town.call("operator/second", "POST", f"/identity/merges/{asked.json()['id']}/confirm")
    assert agreed.is_success, agreed.text
    browser = await signed_in(town, role, "TREAT")
    query = phone.query(scope="launch/patient patient/*.rs")
    code = await phone.code(browser, query=query, purpose="TREAT", patient=shared[0])
    body = (await phone.redeem(code)).json()
    assert await subjects(town, body["access_token"]) == set(shared)


# Who acts for them


@pytest.fixture
async def service(town: City) -> App:
    subject = await town.organization("遠隔支援（架空）")
    return await app(
        town,
        subject,
        es384(),
        redirect_uris=[],
        grant_types=[EXCHANGE],
        scopes=["user/*.rs"],
        purposes=["TREAT"],
    )


async def exchanged(service: App, token: str, **fields: Any) -> Any:
    return await service.ask(grant_type=EXCHANGE, subject_token=token, subject_token_type=ACCESS, **fields)


async def test_what_is_exchanged_stays_with_the_patient(
    town: City, phone: App, role: str, shared: list[str], service: App
) -> None:
    browser = await signed_in(town, role, "TREAT")
    query = phone.query(scope="launch/patient patient/Observation.rs")
    code = await phone.code(browser, query=query, purpose="TREAT", patient=shared[0])
    token = (await phone.redeem(code)).json()["access_token"]
    for fields in ({}, {"scope": "patient/Observation.rs?status=final"}):
        body = (await exchanged(service, token, **fields)).json()
        assert body["patient"] == id_of(shared[0])
        assert "patient=" not in body["scope"]
        assert await subjects(town, body["access_token"]) == {shared[0]}
    wider = (await exchanged(service, token, scope="user/Observation.rs")).json()
    assert wider["error"] == "invalid_scope"


@pytest.mark.parametrize(
    "end", ["sign-out", "role", "revocation", "reuse", "own", "client", "code taken back"]
)
async def test_what_was_exchanged_ends_with_what_it_came_from(
    town: City, maker: str, role: str, shared: list[str], service: App, end: str
) -> None:
    phone = await app(town, maker)
    browser = await signed_in(town, role, "TREAT")
    scope = "user/Observation.rs" if end == "sign-out" else "user/Observation.rs offline_access"
    first = (
        await phone.redeem(await phone.code(browser, query=phone.query(scope=scope), purpose="TREAT"))
    ).json()
    acting = (await exchanged(service, first["access_token"])).json()["access_token"]
    assert await subjects(town, acting) == set(shared)
    if end == "sign-out":
        assert (await browser.post("/auth/logout", {"csrf": await browser.csrf()})).status_code == 204
    elif end == "role":
        tree = (await town.call("operator", "GET", f"/fhir/{role}")).json()
        ended = await town.call("operator", "PUT", f"/fhir/{role}", json={**tree, "active": False})
        assert ended.status_code == 200
        assert await subjects(town, acting) == set()
        return
    elif end == "revocation":
        await town.http.post("/auth/revoke", data={**phone.proof(), "token": first["access_token"]})
    elif end == "reuse":
        for _ in range(2):
            await phone.refresh(first["refresh_token"])
    elif end == "own":
        listed = (await browser.get("/auth/sessions", **JSON)).json()
        (family,) = [one["id"] for one in listed["apps"] if one["client_id"] == phone.client_id]
        answer = await browser.post(f"/auth/sessions/{family}/end", {"csrf": await browser.csrf()})
        assert answer.status_code in (200, 204), answer.text
    elif end == "client":
        body = {"name": "x", "subject": maker, "purposes": ["TREAT"], "active": False}
        ended = await town.call(
            "operator",
            "PUT",
            f"/auth/clients/{phone.client_id}",
            json={
                **body,
                "redirect_uris": ["https://app.example.jp/callback"],
                "token_endpoint_auth_method": "none",
            },
        )
        assert ended.status_code == 200, ended.text
    else:
        (login,) = {
            row["login"] for row in town.rows("SELECT login FROM login_session WHERE role = %s", role)
        }
        await town.call("operator", "DELETE", f"/auth/sign-in-codes/{login}")
    assert (await town.call(acting, "GET", "/fhir/Observation")).status_code == 401


# Who is told


async def test_a_resident_is_told_that_an_app_was_allowed(town: City, maker: str, phone: App) -> None:
    aoi = await town.resident()
    browser = await signed_in(town, aoi)
    town.vouch_for(aoi)
    await phone.code(browser)
    (notice,) = await told(town, aoi)
    assert (notice["kind"], notice["about"]) == ("app-allowed", {"by": aoi, "app": maker})
    other = await signed_in(town, aoi)
    await other.post(
        "/auth/authorize/decision", {"request": phone.query(), "csrf": await other.csrf(), "decision": "deny"}
    )
    assert len(await told(town, aoi)) == 1


async def test_who_lets_somebody_act_is_told_of_the_apps_of_both(town: City, maker: str, phone: App) -> None:
    aoi = await town.resident()
    mother = await town.relative(aoi)
    browser = await signed_in(town, mother, "FAMRQT")
    query = phone.query(scope="launch/patient user/Observation.rs")
    assert (await phone.allowed(browser, query=query, purpose="FAMRQT")).status_code == 200
    (notice,) = await told(town, aoi)
    assert notice["about"] == {"by": mother, "app": maker}
    theirs = (await town.call(mother, "GET", "/notifications", purpose="FAMRQT")).json()
    assert [one["kind"] for one in theirs] == ["app-allowed"]


@pytest.mark.parametrize("what", ["code", "refresh"])
async def test_a_resident_is_told_once_that_a_token_came_twice(town: City, phone: App, what: str) -> None:
    aoi = await town.resident()
    browser: Browser = await signed_in(town, aoi)
    code = await phone.code(browser)
    first = (await phone.redeem(code)).json()
    again = [
        await (phone.redeem(code) if what == "code" else phone.refresh(first["refresh_token"]))
        for _ in range(3)
    ]
    assert again[-1].json()["error"] == "invalid_grant"
    assert [one["kind"] for one in await told(town, aoi)] == ["app-token-reused", "app-allowed"]
