"""Residents and clinicians who sign in elsewhere: there and back, linked by their code, in one role, and no further."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from passport.demo.provider.keeping import Client
from passport.demo.provider.people import PEOPLE
from tests.http.apps import JSON, Browser, app, handed
from tests.http.identity_town import BASE_URL, City
from tests.http.provider import CLINICIANS, RESIDENTS, Elsewhere, Jar, Liar, asked, liar, put, registered

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def mock(town: City) -> AsyncIterator[Liar]:
    with liar(town) as running:
        yield running


@pytest.fixture
async def portal(town: City, mock: Liar) -> Elsewhere:
    """A provider of this test alone, at which everybody has other names."""
    return await registered(town, mock, RESIDENTS)


@pytest.fixture(autouse=True)
def honest(mock: Liar) -> None:
    mock.lies.clear()


async def who(browser: Browser) -> dict[str, Any]:
    told: dict[str, Any] = (await browser.get("/auth/login", **JSON)).json()
    return told


async def test_a_resident_is_sent_with_state_nonce_and_s256_and_with_no_name(portal: Elsewhere) -> None:
    location, sent = await portal.went(Jar(portal.town))
    assert location.startswith(f"{portal.mock.issuer}/authorize?")
    assert sent["response_type"] == "code"
    assert sent["code_challenge_method"] == "S256"
    assert min(len(sent[name]) for name in ("state", "nonce", "code_challenge")) == 43
    assert len({sent["state"], sent["nonce"], sent["code_challenge"]}) == 3
    assert sent["redirect_uri"] == f"{BASE_URL}/auth/federation/{portal.provider_id}/back"
    assert set(sent["scope"].split()) == {"openid", "profile", "address"}


async def test_a_first_sign_in_asks_for_the_code_and_the_next_one_for_nothing(portal: Elsewhere) -> None:
    town = portal.town
    resident = await town.resident()
    code = await handed(town, resident, "PATRQT")
    browser = Jar(town)
    answer = await portal.linked(browser, code)
    assert answer.json() == {"signed_in": True}
    told = await who(browser)
    assert (told["subject"], told["kind"]) == (resident, "patient")
    assert told["methods"] == [f"federation:{portal.provider_id}"]
    again = Jar(town)
    assert (await portal.signed_in(again)).json() == {"signed_in": True}
    assert (await who(again))["subject"] == resident


async def test_nothing_is_kept_by_which_the_provider_calls_somebody(portal: Elsewhere) -> None:
    town = portal.town
    code = await handed(town, await town.resident(), "PATRQT")
    await portal.linked(Jar(town), code, "ichiro")
    (link,) = town.rows("SELECT * FROM federation_link WHERE login = %s", code["login"])
    (sub,) = (each.sub(f"passport-{portal.provider_id}") for each in PEOPLE if each.key == "ichiro")
    everywhere = [
        str(row)
        for table in ("federation_link", "federation_attempt", "audit_event", "login_session")
        for row in town.rows(f"SELECT * FROM {table}")
    ]
    assert link["sub_hash"]
    assert not any(sub in row for row in everywhere)


async def test_the_resident_is_told_that_an_account_was_linked(portal: Elsewhere) -> None:
    town = portal.town
    resident = await town.resident()
    await portal.linked(Jar(town), await handed(town, resident, "PATRQT"), "ichiro")
    told = (await town.call(resident, "GET", "/notifications", purpose="PATRQT")).json()
    assert [one["kind"] for one in told][:1] == ["sign-in-linked"]


async def test_a_wrong_code_links_nothing_and_counts(portal: Elsewhere) -> None:
    town = portal.town
    code = await handed(town, await town.resident(), "PATRQT")
    browser = Jar(town)
    await portal.signed_in(browser, "midori")
    wrong = await browser.post("/auth/federation/link", {"login": code["login"], "code": "WRONG"})
    assert wrong.status_code == 401
    assert not town.rows("SELECT FROM federation_link WHERE login = %s", code["login"])
    assert not (await who(browser))["signed_in"]


async def test_who_lost_their_code_is_signed_in_by_no_provider(portal: Elsewhere) -> None:
    town = portal.town
    resident = await town.resident()
    code = await handed(town, resident, "PATRQT")
    browser = Jar(town)
    await portal.linked(browser, code, "midori")
    taken = await town.call("operator", "DELETE", f"/auth/sign-in-codes/{code['login']}")
    assert taken.status_code == 204
    assert not (await who(browser))["signed_in"]
    assert (await portal.signed_in(Jar(town), "midori")).json() == {"signed_in": False}
    await handed(town, resident, "PATRQT", login=code["login"])
    # Another code brings no account back.
    assert (await portal.signed_in(Jar(town), "midori")).json() == {"signed_in": False}


async def test_somebody_sees_their_accounts_and_ends_them(portal: Elsewhere) -> None:
    town = portal.town
    browser = Jar(town)
    await portal.linked(browser, await handed(town, await town.resident(), "PATRQT"), "midori")
    told = (await browser.get("/auth/federation/accounts")).json()
    (account,) = told["accounts"]
    assert account["provider"] == portal.provider_id
    stranger = Jar(town)
    await stranger.sign_in(await handed(town, await town.resident(), "PATRQT"))
    path = f"/auth/federation/accounts/{account['id']}/end"
    assert (await stranger.post(path, {"csrf": await stranger.csrf()})).status_code == 404
    assert (await browser.post(path, {"csrf": told["csrf"]})).status_code == 204
    assert not (await who(browser))["signed_in"]
    assert (await portal.signed_in(Jar(town), "midori")).json() == {"signed_in": False}


async def test_a_new_account_at_a_provider_takes_the_place_of_the_former(portal: Elsewhere) -> None:
    town = portal.town
    code = await handed(town, await town.resident(), "PATRQT")
    await portal.linked(Jar(town), code, "midori")
    await portal.linked(Jar(town), code, "ichiro")
    assert (await portal.signed_in(Jar(town), "midori")).json() == {"signed_in": False}
    assert (await portal.signed_in(Jar(town), "ichiro")).json() == {"signed_in": True}


async def test_a_provider_for_residents_signs_in_no_clinician(portal: Elsewhere) -> None:
    town = portal.town
    role = await town.role(await town.practitioner(), await town.organization())
    code = await handed(town, role, "TREAT")
    browser = Jar(town)
    answer = await portal.linked(browser, code)
    assert answer.status_code == 403
    assert not (await who(browser))["signed_in"]
    assert town.audited("sign-in")[-1]["outcome"] == "refused"


async def test_how_well_somebody_proved_it_is_what_the_provider_says(portal: Elsewhere) -> None:
    town = portal.town
    for person, two in (("ichiro", True), ("midori", False)):
        browser = Jar(town)
        await portal.linked(browser, await handed(town, await town.resident(), "PATRQT"), person)
        (row,) = town.rows(
            "SELECT authenticated_at, second_factor_at FROM login_session WHERE subject = %s",
            (await who(browser))["subject"],
        )
        assert (row["second_factor_at"] is not None) is two
        assert row["authenticated_at"] <= town.clock()


async def test_a_clinician_chooses_one_of_their_roles_at_that_hospital(town: City, mock: Liar) -> None:
    hospital, elsewhere = await town.organization(), await town.organization("見本診療所（架空）")
    ward = await town.create(
        "operator",
        {"resourceType": "Organization", "name": "内科（架空）", "partOf": {"reference": hospital}},
    )
    doctor = await town.practitioner()
    roles = [await town.role(doctor, place) for place in (hospital, ward, elsewhere)]
    codes = [await handed(town, role, "TREAT") for role in roles]
    provider = await registered(town, mock, CLINICIANS, organization=hospital)
    refused = await provider.linked(Jar(town), codes[2])
    assert refused.status_code == 403
    browser = Jar(town)
    assert (await provider.linked(browser, codes[0])).json() == {"signed_in": True}
    assert (await who(browser))["role"] == roles[0]
    again = Jar(town)
    assert (await provider.signed_in(again)).json() == {"signed_in": False}
    waits = (await again.get("/auth/federation/waiting", **JSON)).json()
    assert (waits["needs"], {each["role"] for each in waits["choices"]}) == ("choice", set(roles[:2]))
    page = (await again.get("/auth/federation/waiting")).text
    assert f"value='{codes[1]['login']}'" in page
    other = await again.post("/auth/federation/role", {"login": codes[2]["login"]})
    assert other.status_code == 403
    chosen = await again.post("/auth/federation/role", {"login": codes[1]["login"]})
    assert chosen.json() == {"signed_in": True}
    assert (await who(again))["role"] == roles[1]
    twice = await again.post("/auth/federation/role", {"login": codes[0]["login"]})
    assert twice.status_code == 401


async def test_two_operators_link_a_clinician_and_one_does_not(town: City, mock: Liar) -> None:
    hospital = await town.organization()
    role = await town.role(await town.practitioner(), hospital)
    code = await handed(town, role, "TREAT")
    provider = await registered(town, mock, CLINICIANS, organization=hospital)
    mock.lies["claims"] = lambda claims: {**claims, "sub": "employee-4711"}
    path = f"/auth/providers/{provider.provider_id}/links"
    body = {"sub": "employee-4711", "login": code["login"]}
    proposed = await town.call("operator", "POST", path, json=body)
    assert proposed.status_code == 201, proposed.text
    assert (await provider.signed_in(Jar(town))).json() == {"signed_in": False}
    confirm = f"{path}/{proposed.json()['id']}/confirm"
    assert (await town.call("operator", "POST", confirm)).status_code == 403
    assert (await town.call("operator/second", "POST", confirm)).status_code == 200
    browser = Jar(town)
    assert (await provider.signed_in(browser)).json() == {"signed_in": True}
    assert (await who(browser))["role"] == role
    assert not town.rows(
        "SELECT FROM audit_event WHERE query LIKE '%%employee%%' OR detail LIKE '%%employee%%'"
    )


async def test_a_provider_waits_for_another_operator_and_for_its_document(town: City, mock: Liar) -> None:
    put(town, "shared", b"a-secret-of-both")
    path = "/auth/providers/portal-by-secret"
    body = {
        "name": "見本（架空）",
        "profile": RESIDENTS,
        "issuer": mock.issuer,
        "client_id": "by-secret",
        "key_file": "shared",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    assert (await town.call("auditor", "PUT", path, json=body)).status_code == 403
    told = (await town.call("operator", "PUT", path, json=body)).json()
    named = {"proposal": told["proposal"]}
    assert (await town.http.get("/auth/federation/portal-by-secret/start")).status_code == 404
    assert (await town.call("operator", "POST", f"{path}/approve")).status_code == 403
    mock.lies["document"] = lambda said: {**said, "issuer": "https://other.example.jp"}
    assert (await town.call("operator/second", "POST", f"{path}/approve", json=named)).status_code == 502
    mock.lies.clear()
    assert (await town.call("operator/second", "POST", f"{path}/approve")).status_code == 400
    # Whoever approves has read what waits, and nothing that took its place since.
    swapped = {**body, "two_factors": ["urn:anything"]}
    other = (await town.call("operator", "PUT", path, json=swapped)).json()
    assert (await town.call("operator/second", "POST", f"{path}/approve", json=named)).status_code == 409
    listed = (await town.call("operator/second", "GET", "/auth/providers")).json()["providers"]
    assert other["proposal"] in {each.get("proposal") for each in listed}
    named = {"proposal": other["proposal"]}
    assert (await town.call("operator/second", "POST", f"{path}/approve", json=named)).status_code == 200
    shown = (await town.http.get("/auth/federation", headers=JSON)).json()["providers"]
    assert "portal-by-secret" in {each["id"] for each in shown}
    page = await town.http.get("/auth/federation?to=authorize&request=a%3Db%26c")
    assert "/auth/federation/portal-by-secret/start?to=authorize&amp;request=a%3Db%26c" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (await town.call("operator", "POST", f"{path}/end")).status_code == 200
    assert (await town.http.get("/auth/federation/portal-by-secret/start")).status_code == 404


async def test_what_was_allowed_by_a_provider_alone_ends_with_it(portal: Elsewhere) -> None:
    town = portal.town
    phone = await app(town, await town.organization())
    code = await handed(town, await town.resident(), "PATRQT")
    by_provider, by_code = Jar(town), Jar(town)
    await portal.linked(by_provider, code, "midori")
    await by_code.sign_in(code)
    ended, kept = [(await phone.redeem(await phone.code(each))).json() for each in (by_provider, by_code)]
    # The sessions of browsers are forgotten long before what goes on without them.
    await by_provider.post("/auth/logout", {"csrf": await by_provider.csrf()})
    assert (await town.call(ended["access_token"], "GET", "/fhir/Observation")).status_code == 200
    path = f"/auth/providers/{portal.provider_id}/end"
    assert (await town.call("operator", "POST", path)).status_code == 200
    assert (await town.call(ended["access_token"], "GET", "/fhir/Observation")).status_code == 401
    assert (await phone.refresh(ended["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await phone.refresh(kept["refresh_token"])).status_code == 200


async def test_what_was_allowed_by_an_account_ends_with_it_and_nothing_of_others(portal: Elsewhere) -> None:
    town = portal.town
    phone = await app(town, await town.organization())
    code, others = [await handed(town, await town.resident(), "PATRQT") for _ in range(2)]
    browser, by_code, neighbour = Jar(town), Jar(town), Jar(town)
    await portal.linked(browser, code, "midori")
    await portal.linked(neighbour, others, "hanako")
    await by_code.sign_in(code)
    allowed = [(await phone.redeem(await phone.code(each))).json() for each in (browser, by_code, neighbour)]
    await browser.post("/auth/logout", {"csrf": await browser.csrf()})
    (account,) = (await by_code.get("/auth/federation/accounts")).json()["accounts"]
    path = f"/auth/federation/accounts/{account['id']}/end"
    assert (await by_code.post(path, {"csrf": await by_code.csrf()})).status_code == 204
    ended, *kept = allowed
    assert (await town.call(ended["access_token"], "GET", "/fhir/Observation")).status_code == 401
    assert (await phone.refresh(ended["refresh_token"])).json()["error"] == "invalid_grant"
    assert [(await phone.refresh(each["refresh_token"])).status_code for each in kept] == [200, 200]


async def test_another_account_of_a_login_ends_what_the_former_one_began(portal: Elsewhere) -> None:
    town = portal.town
    phone = await app(town, await town.organization())
    code = await handed(town, await town.resident(), "PATRQT")
    former, now = Jar(town), Jar(town)
    await portal.linked(former, code, "midori")
    allowed = (await phone.redeem(await phone.code(former))).json()
    await portal.linked(now, code, "hanako")
    assert ((await who(former))["signed_in"], (await who(now))["signed_in"]) == (False, True)
    assert (await phone.refresh(allowed["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_provider_that_knows_a_secret_is_proved_to_by_it(town: City, mock: Liar) -> None:
    put(town, "another", b"a-secret-of-both")
    members = {"key_file": "another", "token_endpoint_auth_method": "client_secret_basic"}
    provider = await registered(town, mock, RESIDENTS, **members)
    client_id = f"passport-{provider.provider_id}"
    redirect = mock.clients[client_id].redirect_uri
    mock.clients[client_id] = Client(client_id, redirect, secret="a-secret-of-both")
    assert (await provider.signed_in(Jar(town))).json() == {"signed_in": False}


async def test_a_doctor_whose_role_ended_sees_nothing_from_the_next_request(town: City, mock: Liar) -> None:
    hospital, patient = await town.organization(), await town.resident()
    practitioner = await town.practitioner()
    role = await town.role(practitioner, hospital)
    reading = await town.blood_pressure(patient)
    await town.share(patient, role)
    provider = await registered(town, mock, CLINICIANS, organization=hospital)
    browser = Jar(town)
    await provider.linked(browser, await handed(town, role, "TREAT"))
    client = await app(town, hospital)
    scope = "user/*.rs offline_access"
    code = await client.code(browser, query=client.query(scope=scope), purpose="TREAT")
    tokens = (await client.redeem(code)).json()
    token = tokens["access_token"]
    assert (await town.call(token, "GET", f"/fhir/{reading}")).status_code == 200
    tree = (await town.call("operator", "GET", f"/fhir/{role}")).json()
    ended = await town.call("operator", "PUT", f"/fhir/{role}", json={**tree, "active": False})
    assert ended.status_code == 200, ended.text
    assert (await town.call(token, "GET", f"/fhir/{reading}")).status_code in {401, 403, 404}
    assert (await client.refresh(tokens["refresh_token"])).status_code == 400
    again = await client.allowed(browser, query=client.query(scope=scope), purpose="TREAT")
    assert again.status_code == 403
    assert (await provider.signed_in(Jar(town))).json() == {"signed_in": False}


async def test_a_sign_in_anew_is_asked_for_and_has_to_be_one(portal: Elsewhere) -> None:
    town = portal.town
    browser = Jar(town)
    await portal.linked(browser, await handed(town, await town.resident(), "PATRQT"))
    answer = await browser.get(
        f"/auth/federation/{portal.provider_id}/start?fresh=true&to=authorize&request=a%3Db"
    )
    browser.keep(answer)
    sent = asked(answer.headers["location"])
    assert (sent["prompt"], sent["max_age"]) == ("login", "0")
    address = await portal.back_from(answer.headers["location"])
    stale = Jar(town, browser.cookie)
    portal.mock.lies["claims"] = lambda said: {**said, "auth_time": said["iat"] - 3_600}
    refused = await portal.returned(stale, address, **JSON)
    assert refused.status_code == 403
    assert town.audited("sign-in")[-1]["detail"] == "too-long-ago"


async def test_where_the_person_wanted_to_is_where_they_come(portal: Elsewhere) -> None:
    town = portal.town
    await portal.linked(Jar(town), await handed(town, await town.resident(), "PATRQT"))
    for query, place in (
        ("?to=authorize&request=client_id%3Dx", "/auth/authorize?client_id=x"),
        ("?to=https%3A%2F%2Fother.example.jp", "/auth/login"),
        ("", "/auth/login"),
    ):
        browser = Jar(town)
        answer = await browser.get(f"/auth/federation/{portal.provider_id}/start{query}")
        browser.keep(answer)
        back = await portal.returned(browser, await portal.back_from(answer.headers["location"]))
        assert (back.status_code, back.headers["location"]) == (303, place)
        assert back.headers["cache-control"] == "no-store"


async def test_what_two_operators_said_means_two_factors_does(town: City, mock: Liar) -> None:
    hospital = await town.organization()
    for acr, two in (("urn:hospital:card", True), ("urn:hospital:password", False)):
        provider = await registered(
            town, mock, CLINICIANS, organization=hospital, two_factors=["urn:hospital:card"]
        )
        mock.lies["claims"] = partial(saying, acr)
        browser = Jar(town)
        role = await town.role(await town.practitioner(), hospital)
        await provider.linked(browser, await handed(town, role, "TREAT"), "midori")
        assert (await who(browser))["second_factor"] is two


def saying(acr: str, claims: dict[str, Any]) -> dict[str, Any]:
    return {**claims, "acr": acr}
