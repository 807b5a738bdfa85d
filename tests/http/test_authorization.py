"""An app asks, a person decides, and what follows from it: codes, tokens, refreshing and ending."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from passport.identity.authorization.families import OFFLINE_LASTS
from tests.http.apps import (
    FORM,
    JSON,
    OWN_PAGE,
    REDIRECT,
    App,
    Browser,
    answer_of,
    app,
    handed,
    hidden,
    signed_in,
)
from tests.http.identity_town import BASE_URL, City
from tests.unit.passport.identity.assertions import es256, es384

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def server_app(town: City, maker: str) -> App:
    return await app(town, maker, es384())


@pytest.fixture(scope="module")
async def strict(town: City, maker: str) -> App:
    return await app(town, maker, es256(), profile="fapi2")


@pytest.fixture(scope="module")
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture
async def browser(town: City, aoi: str) -> Browser:
    return await signed_in(town, aoi)


# The browser


async def test_the_cookie_is_kept_from_scripts_and_other_sites(town: City, aoi: str) -> None:
    answer = await Browser(town).sign_in(await handed(town, aoi, "PATRQT"))
    given = answer.headers.get_list("set-cookie")[0]
    assert given.startswith("passport-plain-http=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in given.split(";")}
    assert "Max-Age" not in given
    assert "Domain" not in given


async def test_a_cookie_is_stored_as_its_hash_alone(town: City, browser: Browser) -> None:
    text = browser.cookie.partition("=")[2]
    assert len(text) == 43
    assert text not in str(town.rows("SELECT * FROM login_session"))


async def test_signing_in_anew_changes_the_session_and_ends_the_former(town: City, aoi: str) -> None:
    browser = await signed_in(town, aoi)
    before = browser.cookie
    await browser.sign_in(await handed(town, aoi, "PATRQT"))
    assert browser.cookie != before
    former = Browser(town, before)
    assert (await former.get("/auth/login", **JSON)).json() == {"signed_in": False, "passkeys": True}


async def test_a_session_that_somebody_else_chose_is_none(town: City, aoi: str) -> None:
    browser = Browser(town, "passport-plain-http=" + "A" * 43)
    await browser.sign_in(await handed(town, aoi, "PATRQT"))
    assert "A" * 43 not in browser.cookie


async def test_a_session_ends_by_idleness_and_by_time(town: City, aoi: str) -> None:
    for steps, goes_on in (((29, 29), True), ((31,), False), ((29,) * 25, False)):
        browser, told = await signed_in(town, aoi), None
        try:
            for minutes in steps:
                town.clock.ahead += timedelta(minutes=minutes)
                told = (await browser.get("/auth/login", **JSON)).json()["signed_in"]
            assert told is goes_on
        finally:
            town.clock.ahead = timedelta()


async def test_signing_out_needs_the_form_and_ends_the_session(town: City, browser: Browser) -> None:
    assert (await browser.post("/auth/logout", {"csrf": "guessed"})).status_code == 403
    assert (await browser.post("/auth/logout", {})).status_code == 403
    csrf = await browser.csrf()
    kept = browser.cookie
    assert (await browser.post("/auth/logout", {"csrf": csrf})).status_code == 204
    assert (await Browser(town, kept).get("/auth/login", **JSON)).json() == {
        "signed_in": False,
        "passkeys": True,
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": BASE_URL},
        {"Sec-Fetch-Site": "none"},
        {"Origin": f"{BASE_URL}.evil.example"},
    ],
)
async def test_a_form_from_elsewhere_is_refused(
    town: City, browser: Browser, headers: dict[str, str]
) -> None:
    sent = {"Cookie": browser.cookie, **JSON, **headers}
    for path in ("/auth/login", "/auth/logout", "/auth/authorize/decision"):
        answer = await town.http.post(path, json={"csrf": await browser.csrf()}, headers=sent)
        assert answer.status_code == 403, path
        assert f"at `{BASE_URL}`" in answer.text


async def test_a_wrong_code_and_an_unknown_login_look_the_same(town: City, aoi: str) -> None:
    code = await handed(town, aoi, "PATRQT")
    wrong = await Browser(town).sign_in({**code, "code": "AAAAA-AAAAA"})
    unknown = await Browser(town).sign_in({**code, "login": "nobody-of-this-name"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content


async def test_taking_a_code_back_ends_browsers_and_apps(town: City, aoi: str, phone: App) -> None:
    code = await handed(town, aoi, "PATRQT")
    browser = Browser(town)
    await browser.sign_in(code)
    answer = (await phone.redeem(await phone.code(browser))).json()
    assert (await town.call("operator", "DELETE", f"/auth/sign-in-codes/{code['login']}")).status_code == 204
    assert (await browser.get("/auth/login", **JSON)).json() == {"signed_in": False, "passkeys": True}
    assert (await town.call(answer["access_token"], "GET", f"/fhir/{aoi}")).status_code == 401
    assert (await phone.refresh(answer["refresh_token"])).status_code == 400


# The pages


async def test_a_browser_without_script_goes_all_the_way(town: City, aoi: str, phone: App) -> None:
    code = await handed(town, aoi, "PATRQT")
    browser = Browser(town)
    page = await browser.get(f"/auth/authorize?{phone.query()}", Accept="text/html")
    assert page.status_code == 200
    form = {"request": unescape(hidden(page.text, "request")), "to": hidden(page.text, "to"), **code}
    sent = await town.http.post("/auth/login", data=form, headers={**OWN_PAGE, "Accept": "text/html"})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/auth/authorize?{phone.query()}")
    browser.keep(sent)
    page = await browser.get(sent.headers["location"], Accept="text/html", **{"Accept-Language": "ja"})
    assert "すべての種類の記録の閲覧・検索" in page.text
    form = {
        "request": unescape(hidden(page.text, "request")),
        "csrf": hidden(page.text, "csrf"),
        "purpose": "PATRQT",
        "decision": "allow",
    }
    headers = {"Cookie": browser.cookie, **OWN_PAGE, "Accept": "text/html"}
    sent = await town.http.post("/auth/authorize/decision", data=form, headers=headers)
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith(f"{REDIRECT}?")
    assert (await phone.redeem(answer_of(sent.headers["location"])["code"])).status_code == 200


async def test_pages_are_kept_by_nobody_and_shown_in_no_frame(browser: Browser, phone: App) -> None:
    for path in ("/auth/login", f"/auth/authorize?{phone.query()}", "/auth/authorize?client_id=x"):
        headers = (await browser.get(path, Accept="text/html")).headers
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-")
        assert "base-uri 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


async def test_what_is_asked_for_is_told_in_both_languages(browser: Browser, phone: App, aoi: str) -> None:
    told = (
        await browser.get(f"/auth/authorize?{phone.query(scope='patient/Observation.read')}", **JSON)
    ).json()
    assert told["client"]["client_id"] == phone.client_id
    assert told["person"]["subject"] == aoi
    (scope,) = told["scopes"]
    assert scope["scope"] == "patient/Observation.rs"
    assert scope["means"] == {
        "ja": "測定や検査の値の閲覧・検索",
        "en": "read, search: measurements and test results",
    }
    assert [each["purpose"] for each in told["purposes"]] == ["PATRQT"]


async def test_how_long_an_app_goes_on_is_told(browser: Browser, phone: App) -> None:
    told = (await browser.get(f"/auth/authorize?{phone.query()}", **JSON)).json()
    (means,) = (each["means"] for each in told["beside"] if each["scope"] == "offline_access")
    assert f"{OFFLINE_LASTS.days}日" in means["ja"]
    assert f"{OFFLINE_LASTS.days} days" in means["en"]


async def test_a_name_cannot_write_into_the_page(town: City, maker: str, browser: Browser) -> None:
    sly = await app(town, maker, name="<script>alert(1)</script>")
    page = await browser.get(f"/auth/authorize?{sly.query(state=chr(39) + '><script>')}", Accept="text/html")
    assert "<script>" not in page.text


async def test_who_is_not_signed_in_is_told_so(town: City, phone: App) -> None:
    answer = await Browser(town).get(f"/auth/authorize?{phone.query()}", **JSON)
    assert (answer.status_code, answer.json()) == (401, {"error": "login_required"})


# What is asked for


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody-knows-me"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": f"{REDIRECT}/"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": f'{REDIRECT}"'},
        {"redirect_uri": "https://app.example.jp/コールバック"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:unknown"},
        {"request_uri": "https://evil.example/request"},
    ],
)
async def test_an_unknown_address_is_never_answered(
    browser: Browser, phone: App, changes: dict[str, str]
) -> None:
    for headers in (JSON, {"Accept": "text/html"}):
        answer = await browser.get(f"/auth/authorize?{phone.query(**changes)}", **headers)
        assert answer.status_code == 400
        assert "location" not in answer.headers
    assert (await phone.allowed(browser, query=phone.query(**changes))).status_code == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("client_id=foo", {"ja": "この依頼には答えられません", "en": "This request cannot be answered"}),
        (
            "client_id=foo&client_id=bar",
            {"ja": "依頼に誤りがある", "en": "Something is wrong with what the app"},
        ),
    ],
)
async def test_what_is_wrong_with_a_request_is_told_in_the_language_of_the_page(
    browser: Browser, query: str, said: dict[str, str]
) -> None:
    told = (await browser.get(f"/auth/authorize?{query}", **JSON)).json()["error_description"]
    for tongue, sentence in said.items():
        page = await browser.get(
            f"/auth/authorize?{query}", Accept="text/html", **{"Accept-Language": tongue}
        )
        assert f"<html lang={tongue}>" in page.text
        assert sentence in page.text
        assert told not in page.text


async def test_a_repeated_parameter_is_never_answered(browser: Browser, phone: App) -> None:
    answer = await browser.get(f"/auth/authorize?{phone.query()}&state=other", **JSON)
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'x"\\é'}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"dpop_jkt": "A" * 42}, "invalid_request"),
        ({"dpop_jkt": "A" * 42 + "B"}, "invalid_request"),
        ({"aud": None}, "invalid_target"),
        ({"aud": "https://other.example/fhir"}, "invalid_target"),
        ({"resource": "https://other.example/fhir"}, "invalid_target"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "patient/Observation.rs?date=2026"}, "invalid_scope"),
        ({"scope": "patient/*.rs?_security=a|b"}, "invalid_scope"),
        ({"scope": 'patient/"Ö'}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "launch patient/*.rs"}, "invalid_request"),
        ({"scope": "launch/encounter patient/*.rs"}, "invalid_scope"),
        ({"authorization_details": "[]"}, "invalid_request"),
        ({"purpose_of_use": "BTG"}, "invalid_request"),
        ({"purpose_of_use": "HRESCH"}, "unauthorized_client"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none"}, "interaction_required"),
        ({"prompt": "sometimes"}, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_told_to_the_client_with_our_name(
    browser: Browser, phone: App, changes: dict[str, Any], error: str
) -> None:
    answer = await browser.get(f"/auth/authorize?{phone.query(**changes)}", **JSON)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{REDIRECT}?")
    told = answer_of(answer.headers["location"])
    assert (told["error"], told["iss"]) == (error, BASE_URL)
    assert told.get("state") == phone.request(**changes).get("state")
    assert "code" not in told


async def test_what_is_asked_for_may_be_sent_as_a_form(browser: Browser, phone: App) -> None:
    headers = {"Cookie": browser.cookie, "Origin": "https://app.example.jp", "Sec-Fetch-Site": "cross-site"}
    sent = await browser.town.http.post("/auth/authorize", data=phone.request(), headers=headers)
    assert sent.status_code == 303
    assert "set-cookie" not in sent.headers
    asked = await browser.get(sent.headers["location"], **JSON)
    assert asked.json()["client"]["client_id"] == phone.client_id
    for form in ("state=a&state=b", "", "%ff"):
        answer = await browser.town.http.post("/auth/authorize", content=form, headers={**FORM, **JSON})
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert (await browser.post("/auth/authorize", phone.request())).status_code == 400


async def test_resource_is_another_name_of_aud(browser: Browser, phone: App) -> None:
    query = phone.query(aud=None, resource=f"{BASE_URL}/fhir")
    assert (await browser.get(f"/auth/authorize?{query}", **JSON)).status_code == 200


async def test_nobody_is_signed_in_silently(town: City, phone: App) -> None:
    answer = await Browser(town).get(f"/auth/authorize?{phone.query(prompt='none')}", **JSON)
    assert answer_of(answer.headers["location"])["error"] == "login_required"


async def test_a_client_may_ask_that_its_person_signs_in_now(
    town: City, browser: Browser, phone: App
) -> None:
    town.clock.ahead = timedelta(minutes=2)
    try:
        for changes, status in (
            ({"prompt": "login"}, 401),
            ({"max_age": "60"}, 401),
            ({"max_age": "600"}, 200),
        ):
            answer = await browser.get(f"/auth/authorize?{phone.query(**changes)}", **JSON)
            assert answer.status_code == status
    finally:
        town.clock.ahead = timedelta()


async def test_who_signed_in_too_long_ago_does_not_decide(town: City, browser: Browser, phone: App) -> None:
    query, csrf = phone.query(prompt="login"), await browser.csrf()
    for minutes, status in ((9, 200), (12, 401)):
        town.clock.ahead = timedelta(minutes=minutes)
        try:
            assert (await phone.allowed(browser, query=query, csrf=csrf)).status_code == status
        finally:
            town.clock.ahead = timedelta()


async def test_a_client_asks_for_no_more_than_it_was_registered_with(
    town: City, maker: str, browser: Browser
) -> None:
    narrow = await app(town, maker, scopes=["patient/Observation.rs", "openid"])
    for scope, error in (("patient/*.rs", "invalid_scope"), ("openid offline_access", "invalid_scope")):
        answer = await browser.get(f"/auth/authorize?{narrow.query(scope=scope)}", **JSON)
        assert answer_of(answer.headers["location"])["error"] == error
    told = (
        await browser.get(f"/auth/authorize?{narrow.query(scope='patient/Observation.r')}", **JSON)
    ).json()
    assert [each["scope"] for each in told["scopes"]] == ["patient/Observation.r"]


async def test_a_person_allows_no_more_than_their_login_may(town: City, aoi: str, phone: App) -> None:
    browser = await signed_in(town, aoi, "PATRQT", scopes=["patient/Observation.rs"])
    told = (await browser.get(f"/auth/authorize?{phone.query()}", **JSON)).json()
    assert [each["scope"] for each in told["scopes"]] == ["patient/Observation.rs"]
    assert told["not_offered"] == ["patient/*.rs"]
    assert (await phone.allowed(browser, purpose="TREAT")).status_code == 403
    assert (await phone.allowed(browser, scopes=["patient/*.rs"])).status_code == 403
    answer = (await phone.redeem(await phone.code(browser))).json()
    assert "patient/Observation.rs" in answer["scope"].split()
    assert (await town.call(answer["access_token"], "GET", f"/fhir/{aoi}")).status_code == 403


async def test_a_physicians_app_gets_nothing_in_a_patients_context(
    town: City, maker: str, phone: App
) -> None:
    role = await town.role(await town.practitioner(), maker)
    browser = await signed_in(town, role, "TREAT")
    told = (
        await browser.get(f"/auth/authorize?{phone.query(scope='patient/*.rs user/Patient.r')}", **JSON)
    ).json()
    assert [each["scope"] for each in told["scopes"]] == ["user/Patient.r"]
    assert told["not_offered"] == ["patient/*.rs"]


# The decision


async def test_the_answer_carries_code_state_and_our_name(browser: Browser, phone: App) -> None:
    answer = answer_of((await phone.allowed(browser)).json()["redirect_to"])
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("s-4711", BASE_URL)


async def test_a_decision_needs_the_form_of_this_very_session(town: City, aoi: str, phone: App) -> None:
    mine, other = await signed_in(town, aoi), await signed_in(town, aoi)
    for csrf in (await other.csrf(), "", None, 5, "é"):
        assert (await phone.allowed(mine, csrf=csrf)).status_code == 403
    body = {"request": phone.query(), "csrf": await mine.csrf(), "decision": "allow", "purpose": "PATRQT"}
    assert (await Browser(town).post("/auth/authorize/decision", body)).status_code == 401


async def test_who_denies_sends_the_app_away(browser: Browser, phone: App) -> None:
    answer = answer_of((await phone.allowed(browser, decision="deny")).json()["redirect_to"])
    assert answer.keys() >= {"error", "state", "iss"}
    assert (answer["error"], "code" in answer) == ("access_denied", False)


async def test_decisions_are_audited_for_the_one_who_decides(
    town: City, browser: Browser, phone: App, aoi: str, maker: str
) -> None:
    began = town.clock()
    await phone.allowed(browser)
    await phone.allowed(browser, decision="deny")
    await browser.get(f"/auth/authorize?{phone.query(state=None)}", **JSON)
    yes, no, wrong = town.audited("authorize", began)
    assert [row["outcome"] for row in (yes, no, wrong)] == ["success", "refused", "refused"]
    assert yes["subject"] == no["subject"] == aoi
    assert (yes["client"], yes["detail"], no["detail"]) == (maker, phone.client_id, "access_denied")
    assert wrong["detail"] == "invalid_request"


# Codes and tokens


async def test_a_code_becomes_a_token_that_sees_the_persons_own_records(
    town: City, browser: Browser, phone: App, aoi: str, maker: str
) -> None:
    observation = await town.blood_pressure(aoi)
    answer = await phone.redeem(await phone.code(browser))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert body["patient"] == aoi.partition("/")[2]
    assert body["scope"].split() == ["fhirUser", "launch/patient", "offline_access", "openid", "patient/*.rs"]
    assert (await town.call(body["access_token"], "GET", f"/fhir/{observation}")).status_code == 200
    query = "SELECT * FROM session WHERE client = %s AND subject = %s ORDER BY issued_at DESC LIMIT 1"
    (row,) = town.rows(query, maker, aoi)
    assert (row["purpose"], row["kind"]) == ("PATRQT", "patient")


async def test_the_id_token_says_who_signed_in_and_verifies_by_the_published_keys(
    town: City, browser: Browser, phone: App, server_app: App, aoi: str
) -> None:
    published = KeySet.import_key_set((await town.http.get("/.well-known/jwks.json")).json())
    subjects = set()
    for one in (phone, server_app):
        body = (await one.redeem(await one.code(browser))).json()
        token = jwt.decode(body["id_token"], published, algorithms=["RS256"])
        claims = token.claims
        assert token.header["typ"] == "JWT"
        assert (claims["iss"], claims["aud"], claims["nonce"]) == (BASE_URL, one.client_id, "n-0815")
        assert claims["fhirUser"] == f"{BASE_URL}/fhir/{aoi}"
        assert claims["exp"] - claims["iat"] == 300
        assert claims["auth_time"] <= claims["iat"]
        assert aoi.partition("/")[2] not in claims["sub"]
        subjects.add(claims["sub"])
    assert len(subjects) == 2


async def test_an_app_is_given_id_tokens_by_the_algorithm_that_it_registered(
    town: City, browser: Browser, maker: str
) -> None:
    published = (await town.http.get("/.well-known/jwks.json")).json()
    kinds = {key["kid"]: key["kty"] for key in published["keys"]}
    for algorithm, kind in (("RS256", "RSA"), ("ES256", "EC")):
        one = await app(town, maker, id_token_signed_response_alg=algorithm)
        body = (await one.redeem(await one.code(browser))).json()
        token = jwt.decode(body["id_token"], KeySet.import_key_set(published), algorithms=[algorithm])
        assert (token.header["alg"], kinds[token.header["kid"]]) == (algorithm, kind)


async def test_who_stands_in_no_record_is_no_fhir_user(town: City, maker: str) -> None:
    office = await app(town, maker, purposes=["HOPERAT"])
    code, browser = await handed(town, "auditor", "HOPERAT"), Browser(town)
    assert (await browser.sign_in(code)).status_code == 200
    query = office.query(scope="openid fhirUser user/AuditEvent.rs")
    body = (await office.redeem(await office.code(browser, query=query, purpose="HOPERAT"))).json()
    claims = json.loads(urlsafe_b64decode(body["id_token"].split(".")[1] + "=="))
    assert (claims["aud"], "fhirUser" in claims) == (office.client_id, False)


async def test_whose_records_are_opened_is_told_without_being_asked(
    town: City, browser: Browser, phone: App, aoi: str
) -> None:
    for scope, patient in (("patient/Observation.rs", aoi.partition("/")[2]), ("openid", None)):
        body = (await phone.redeem(await phone.code(browser, query=phone.query(scope=scope)))).json()
        assert body.get("patient") == patient


async def test_a_confidential_client_proves_itself_for_each_code(browser: Browser, server_app: App) -> None:
    code = await server_app.code(browser)
    bare = App(server_app.town, server_app.client_id, verifier=server_app.verifier)
    forger = App(server_app.town, server_app.client_id, es384(), verifier=server_app.verifier)
    for one in (bare, forger):
        answer = await one.redeem(code)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await server_app.redeem(code)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": None},
        {"code_verifier": "x" * 64},
        {"code_verifier": "short"},
        {"redirect_uri": None},
        {"redirect_uri": f"{REDIRECT}/"},
    ],
)
async def test_a_code_is_used_up_by_whoever_presents_it_wrongly(
    browser: Browser, phone: App, changes: dict[str, Any]
) -> None:
    code = await phone.code(browser)
    assert (await phone.redeem(code, **changes)).status_code == 400
    answer = await phone.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_challenge_is_no_verifier(browser: Browser, phone: App) -> None:
    assert (await phone.redeem(await phone.code(browser), code_verifier=phone.challenge)).status_code == 400


async def test_a_code_is_for_the_client_that_it_was_issued_to(
    town: City, maker: str, browser: Browser, phone: App
) -> None:
    other = await app(town, maker)
    other.verifier = phone.verifier
    code = await phone.code(browser)
    assert (await other.redeem(code)).json()["error"] == "invalid_grant"
    assert (await phone.redeem(code)).status_code == 200


async def test_a_code_lives_one_minute(town: City, browser: Browser, phone: App) -> None:
    code = await phone.code(browser)
    town.clock.ahead = timedelta(seconds=61)
    try:
        assert (await phone.redeem(code)).json()["error"] == "invalid_grant"
    finally:
        town.clock.ahead = timedelta()


async def test_codes_and_tokens_are_stored_as_hashes_alone(town: City, browser: Browser, phone: App) -> None:
    code = await phone.code(browser)
    body = (await phone.redeem(code)).json()
    tables = ("authorization_code", "refresh_token", "session", "grant_family", "audit_event")
    stored = "".join(str(town.rows(f"SELECT * FROM {table}")) for table in tables)
    assert not any(secret in stored for secret in (code, body["access_token"], body["refresh_token"]))


async def test_without_offline_access_there_is_no_refresh_token_and_signing_out_ends_the_app(
    town: City, browser: Browser, phone: App, aoi: str
) -> None:
    query = phone.query(scope="patient/*.rs")
    body = (await phone.redeem(await phone.code(browser, query=query))).json()
    staying = (await phone.redeem(await phone.code(browser))).json()
    assert "refresh_token" not in body
    assert "id_token" not in body
    await browser.post("/auth/logout", {"csrf": await browser.csrf()})
    assert (await town.call(body["access_token"], "GET", f"/fhir/{aoi}")).status_code == 401
    assert (await town.call(staying["access_token"], "GET", f"/fhir/{aoi}")).status_code == 200


# Refreshing


async def test_a_refresh_token_is_good_once_and_another_takes_its_place(
    town: City, browser: Browser, phone: App, aoi: str
) -> None:
    first = (await phone.redeem(await phone.code(browser))).json()
    second = (await phone.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    same = ("token_type", "expires_in", "scope", "patient")
    assert [second[name] for name in same] == [first[name] for name in same]
    assert (await town.call(second["access_token"], "GET", f"/fhir/{aoi}")).status_code == 200
    narrow = (await phone.refresh(second["refresh_token"], scope="patient/Observation.read openid")).json()
    assert narrow["scope"].split()[-1] == "patient/Observation.rs"
    assert (await town.call(narrow["access_token"], "GET", f"/fhir/{aoi}")).status_code == 403


async def test_refreshing_ends_after_ninety_days_however_often_it_was_used(
    town: City, browser: Browser, phone: App
) -> None:
    token = (await phone.redeem(await phone.code(browser))).json()["refresh_token"]
    for days in (45, 89):
        town.clock.ahead = timedelta(days=days)
        try:
            token = (await phone.refresh(token)).json()["refresh_token"]
        finally:
            town.clock.ahead = timedelta()
    town.clock.ahead = timedelta(days=91)
    try:
        assert (await phone.refresh(token)).json()["error"] == "invalid_grant"
    finally:
        town.clock.ahead = timedelta()


@pytest.mark.parametrize("scope", ["patient/*.cruds", "user/*.rs", "system/*.rs", "launch", "nonsense"])
async def test_refreshing_never_widens(browser: Browser, phone: App, scope: str) -> None:
    first = (await phone.redeem(await phone.code(browser))).json()
    assert (await phone.refresh(first["refresh_token"], scope=scope)).json()["error"] == "invalid_scope"
    # A wrong wish costs nobody their app.
    assert (await phone.refresh(first["refresh_token"])).status_code == 200
    assert (await phone.refresh(first["refresh_token"], scope=scope)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("less", "left"),
    [
        ({"scopes": ["patient/Observation.rs", "offline_access"]}, "patient/Observation.rs"),
        ({"scopes": ["patient/Observation.rs"]}, None),
        ({"scopes": ["user/*.rs", "offline_access"]}, None),
        ({"purposes": ["FAMRQT"]}, None),
    ],
)
async def test_an_app_refreshes_to_what_an_operator_still_allows_it(
    town: City, maker: str, browser: Browser, less: dict[str, Any], left: str | None
) -> None:
    narrowed = await app(town, maker)
    query = narrowed.query(scope="patient/*.rs offline_access")
    first = (await narrowed.redeem(await narrowed.code(browser, query=query))).json()
    members = {
        "name": "見本アプリ（架空）",
        "subject": maker,
        "purposes": ["PATRQT"],
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        **less,
    }
    assert (await town.registered(narrowed.client_id, members)).status_code == 200
    answer = await narrowed.refresh(first["refresh_token"])
    if left is None:
        assert answer.json()["error"] == "invalid_grant"
        return
    assert answer.json()["scope"].split() == ["offline_access", left]


async def test_a_new_code_ends_what_the_former_one_opened_and_apps_with_it(town: City, phone: App) -> None:
    person = await town.resident()
    code = await handed(town, person, "PATRQT", "HRESCH")
    browser, other = Browser(town), await signed_in(town, await town.resident("別の 住民（架空）"))
    assert (await browser.sign_in(code)).status_code == 200
    first = (await phone.redeem(await phone.code(browser))).json()
    sent = {"login": code["login"], "code": code["code"], "purpose": "PATRQT"}
    direct = (await town.http.post("/auth/sign-in", json=sent)).json()["access_token"]
    again = await handed(town, person, "PATRQT", login=code["login"], scopes=["patient/Consent.rs"])
    assert (await browser.get("/auth/login", **JSON)).json()["signed_in"] is False
    for token in (first["access_token"], direct):
        assert (await town.call(token, "GET", f"/fhir/{person}")).status_code == 401
    assert (await phone.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await browser.sign_in(code)).status_code == 401
    assert (await browser.sign_in(again)).status_code == 200
    assert (await browser.get("/auth/login", **JSON)).json()["purposes"] == ["PATRQT"]
    assert (await other.get("/auth/login", **JSON)).json()["signed_in"] is True


async def test_a_login_that_is_allowed_less_refreshes_to_less(town: City, phone: App) -> None:
    person = await town.resident()
    browser = await signed_in(town, person)
    first = (await phone.redeem(await phone.code(browser))).json()
    login = "UPDATE sign_in_code SET scopes = %s, purposes = %s WHERE subject = %s RETURNING login"
    town.rows(login, ["patient/Observation.rs"], ["PATRQT"], person)
    second = (await phone.refresh(first["refresh_token"])).json()
    assert [one for one in second["scope"].split() if "/" in one][-1] == "patient/Observation.rs"
    town.rows(login, ["patient/Observation.rs"], ["HRESCH"], person)
    assert (await phone.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_refresh_token_is_for_its_client(
    town: City, maker: str, browser: Browser, phone: App
) -> None:
    first = (await phone.redeem(await phone.code(browser))).json()
    other = await app(town, maker)
    assert (await other.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await phone.refresh(first["refresh_token"])).status_code == 200


async def test_a_physician_who_left_is_refreshed_no_more(town: City, maker: str, phone: App) -> None:
    role = await town.role(await town.practitioner(), maker)
    browser = await signed_in(town, role, "TREAT")
    query = phone.query(scope="user/*.rs offline_access")
    body = (await phone.redeem(await phone.code(browser, query=query, purpose="TREAT"))).json()
    tree = (await town.call("operator", "GET", f"/fhir/{role}")).json()
    await town.call("operator", "PUT", f"/fhir/{role}", json={**tree, "active": False})
    assert (await phone.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await phone.allowed(browser, query=query, purpose="TREAT")).status_code == 403


async def test_a_client_that_is_switched_off_loses_what_people_allowed_it(
    town: City, maker: str, browser: Browser, aoi: str
) -> None:
    one, other = await app(town, maker), await app(town, maker)
    body, kept = [(await each.redeem(await each.code(browser))).json() for each in (one, other)]
    members = {"name": "x", "subject": maker, "purposes": ["PATRQT"], "redirect_uris": [REDIRECT]}
    off = {**members, "token_endpoint_auth_method": "none", "active": False}
    assert (await town.call("operator", "PUT", f"/auth/clients/{one.client_id}", json=off)).status_code == 200
    assert (await town.call(body["access_token"], "GET", f"/fhir/{aoi}")).status_code == 401
    assert (await one.refresh(body["refresh_token"])).json()["error"] == "invalid_client"
    assert (await town.call(kept["access_token"], "GET", f"/fhir/{aoi}")).status_code == 200


async def test_tokens_and_their_refusals_are_audited(
    town: City, browser: Browser, phone: App, aoi: str, maker: str
) -> None:
    code = await phone.code(browser)
    began = town.clock()
    await phone.redeem(code)
    await phone.redeem(code)
    given, denied = town.audited("token", began)
    assert (given["outcome"], given["subject"], given["client"], given["purpose"]) == (
        "success",
        aoi,
        maker,
        "PATRQT",
    )
    assert (denied["outcome"], denied["detail"]) == ("refused", "invalid_grant")


# Sent beforehand


async def pushed(one: App, **changes: Any) -> Any:
    fields = {**one.request(**changes), **one.proof()}
    return await one.town.http.post("/auth/par", data=fields)


async def test_the_strict_profile_sends_its_request_beforehand(browser: Browser, strict: App) -> None:
    answer = await browser.get(f"/auth/authorize?{strict.query()}", **JSON)
    assert answer_of(answer.headers["location"])["error"] == "invalid_request"
    sent = await pushed(strict)
    assert sent.status_code == 201, sent.text
    name = sent.json()["request_uri"]
    assert name.startswith("urn:ietf:params:oauth:request_uri:")
    assert sent.json()["expires_in"] < 600
    query = f"client_id={strict.client_id}&request_uri={name}"
    told = (await browser.get(f"/auth/authorize?{query}&scope=user/*.cruds", **JSON)).json()
    assert [each["scope"] for each in told["scopes"]] == ["patient/*.rs"]
    assert (await strict.allowed(browser, query=query)).status_code == 200
    assert (await strict.allowed(browser, query=query)).status_code == 400


async def test_a_name_is_for_the_client_that_sent_the_request(
    browser: Browser, strict: App, phone: App
) -> None:
    name = (await pushed(strict)).json()["request_uri"]
    answer = await browser.get(f"/auth/authorize?client_id={phone.client_id}&request_uri={name}", **JSON)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"client_id": "another"}, "invalid_client"),
    ],
)
async def test_what_is_wrong_is_told_at_once_to_the_client_itself(
    strict: App, changes: dict[str, Any], error: str
) -> None:
    answer = await pushed(strict, **changes)
    assert answer.json()["error"] == error
    assert "location" not in answer.headers


async def test_without_a_key_the_strict_profile_gets_no_token(browser: Browser, strict: App) -> None:
    name = (await pushed(strict)).json()["request_uri"]
    code = await strict.code(browser, query=f"client_id={strict.client_id}&request_uri={name}")
    answer = await strict.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_an_assertion_for_the_token_endpoint_is_none_of_the_strict_profile(strict: App) -> None:
    elsewhere = App(strict.town, strict.client_id, strict.signer, f"{BASE_URL}/auth/token")
    assert (await pushed(elsewhere)).json()["error"] == "invalid_client"


# Opened by a clinician's system


async def launched(town: City, who: str, **body: Any) -> Any:
    return await town.call(who, "POST", "/auth/launches", json=body)


async def test_an_app_is_told_what_the_clinician_had_open(
    town: City, maker: str, phone: App, aoi: str
) -> None:
    role = await town.role(await town.practitioner(), maker)
    browser = await signed_in(town, role, "TREAT")
    answer = await launched(town, role, patient=aoi, encounter="Encounter/e-1")
    assert answer.status_code == 201, answer.text
    scope = "launch launch/encounter user/Observation.rs"
    query = phone.query(scope=scope, launch=answer.json()["launch"])
    body = (await phone.redeem(await phone.code(browser, query=query, purpose="TREAT"))).json()
    assert (body["patient"], body["encounter"]) == (aoi.partition("/")[2], "e-1")
    assert (
        "entry"
        not in (await town.call(body["access_token"], "GET", f"/fhir/Observation?patient={aoi}")).json()
    )
    assert (await phone.allowed(browser, query=query, purpose="TREAT")).status_code == 403


async def test_what_one_clinician_has_open_is_told_to_no_other(
    town: City, maker: str, phone: App, aoi: str
) -> None:
    roles = [await town.role(await town.practitioner(), maker) for _ in range(2)]
    name = (await launched(town, roles[0], patient=aoi)).json()["launch"]
    browser = await signed_in(town, roles[1], "TREAT")
    for launch in (name, "unknown"):
        query = phone.query(scope="launch user/*.rs", launch=launch)
        assert (await phone.allowed(browser, query=query, purpose="TREAT")).status_code == 403


async def test_only_a_clinician_says_what_is_open(town: City, maker: str, aoi: str) -> None:
    role = await town.role(await town.practitioner(), maker)
    for who in (aoi, maker, "operator"):
        assert (await launched(town, who, patient=aoi)).status_code == 403
    for body in (
        {},
        {"patient": "Observation/1"},
        {"patient": aoi, "encounter": 5},
        {"patient": aoi, "x": 1},
    ):
        assert (await launched(town, role, **body)).status_code == 400
