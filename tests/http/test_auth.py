"""Signing in over HTTP: clients, people, and the emergency; against the served application."""

import asyncio
import re
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from passport.identity import codes, sign_in
from passport.identity.attempts import FAILURES_MAX
from passport.identity.break_glass import OPENINGS_MAX
from passport.identity.tokens import token_hash
from passport.keys import open_sealed
from passport.notices import SENTENCES
from passport.outcomes import TooMany
from tests.http.identity_town import BASE_URL, City
from tests.unit.passport.identity.assertions import Signer, es384, rs384

pytestmark = pytest.mark.anyio

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture(scope="module")
async def hospital(town: City) -> str:
    return await town.organization()


@pytest.fixture
async def doctor(town: City, hospital: str) -> str:
    return await town.role(await town.practitioner(), hospital)


class Service:
    """A registered client and how it asks for tokens."""

    def __init__(self, town: City, client_id: str, subject: str, signer: Signer) -> None:
        self.town, self.client_id, self.subject, self.signer = town, client_id, subject, signer

    async def register(self, **changes: Any) -> Response:
        body = {
            "name": "遠隔診療（架空）",
            "subject": self.subject,
            "jwks": {"keys": [self.signer.jwk]},
            "purposes": ["TREAT", "CAREMGT"],
            **changes,
        }
        return await self.town.registered(self.client_id, body)

    def assertion(self, **claims: Any) -> str:
        return self.signer.assertion(self.client_id, self.town.clock(), **claims)

    async def ask(self, **fields: Any) -> Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": fields.pop("client_assertion", None) or self.assertion(),
            "purpose_of_use": "TREAT",
            **fields,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return await self.town.http.post("/auth/token", data=sent)


@pytest.fixture
async def telemedicine(town: City) -> Service:
    service = Service(town, f"tele-{uuid4().hex[:8]}", await town.organization("遠隔診療（架空）"), es384())
    answer = await service.register()
    assert answer.status_code == 200, answer.text
    return service


def refused(answer: Response, error: str, status: int = 400) -> bool:
    return answer.status_code == status and answer.json()["error"] == error


async def test_a_registered_client_gets_a_short_lived_token(telemedicine: Service) -> None:
    answer = await telemedicine.ask()
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "system/*.cruds")
    # RFC 6750, section 2.1; as short as 32 random bytes are.
    assert re.fullmatch(r"[A-Za-z0-9._~+/-]{43}", body["access_token"])


async def test_the_token_sees_what_consents_grant_its_organization(
    town: City, telemedicine: Service, aoi: str
) -> None:
    await town.blood_pressure(aoi)
    token = (await telemedicine.ask()).json()["access_token"]
    search = f"/fhir/Observation?patient={aoi}"
    assert "entry" not in (await town.call(token, "GET", search)).json()
    await town.share(aoi, telemedicine.subject)
    assert len((await town.call(token, "GET", search)).json()["entry"]) == 1


async def test_a_token_ends_after_its_five_minutes(town: City, telemedicine: Service) -> None:
    token = (await telemedicine.ask()).json()["access_token"]
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 200
    town.clock.ahead = timedelta(seconds=301)
    try:
        assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 401
    finally:
        town.clock.ahead = timedelta()


async def test_a_token_is_stored_as_its_hash_alone(town: City, telemedicine: Service) -> None:
    token = (await telemedicine.ask()).json()["access_token"]
    (row,) = town.rows("SELECT * FROM session WHERE token_hash = %s", token_hash(token))
    assert (row["subject"], row["purpose"], row["kind"]) == (telemedicine.subject, "TREAT", "service")
    assert token not in str(town.rows("SELECT * FROM session"))


async def test_an_rsa_client_is_served_as_well(town: City) -> None:
    service = Service(town, "rsa-client", await town.organization(), rs384())
    assert (await service.register()).status_code == 200
    assert (await service.ask()).status_code == 200


async def test_an_assertion_is_spent_once_by_twenty_at_the_same_instant(telemedicine: Service) -> None:
    assertion = telemedicine.assertion()
    answers = await asyncio.gather(*(telemedicine.ask(client_assertion=assertion) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 19]


async def test_an_assertion_is_spent_even_if_nothing_came_of_it(telemedicine: Service) -> None:
    assertion = telemedicine.assertion()
    assert refused(await telemedicine.ask(client_assertion=assertion, scope="system/Shoe.r"), "invalid_scope")
    assert refused(await telemedicine.ask(client_assertion=assertion), "invalid_client", 401)


async def test_who_is_not_registered_and_who_signs_wrong_get_one_answer(telemedicine: Service) -> None:
    stranger = Service(telemedicine.town, "nobody-knows-me", telemedicine.subject, es384())
    forger = Service(telemedicine.town, telemedicine.client_id, telemedicine.subject, es384())
    replayed = telemedicine.assertion()
    await telemedicine.ask(client_assertion=replayed)
    answers = [
        await stranger.ask(),
        await forger.ask(),
        await telemedicine.ask(client_assertion=replayed),
        await telemedicine.ask(client_assertion="nonsense"),
        await telemedicine.ask(client_assertion=telemedicine.assertion(aud=f"{BASE_URL}/fhir")),
        await telemedicine.ask(client_assertion=telemedicine.assertion(exp=2**33)),
        await telemedicine.ask(client_id="another"),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (401, answers[0].content),
    }
    assert refused(answers[0], "invalid_client", 401)


@pytest.mark.parametrize(
    ("fields", "error", "status"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"grant_type": None}, "invalid_request", 400),
        ({"client_assertion_type": None}, "invalid_client", 401),
        ({"purpose_of_use": None}, "invalid_request", 400),
        ({"purpose_of_use": "MARKETING"}, "invalid_request", 400),
        ({"purpose_of_use": "BTG"}, "invalid_request", 400),
        ({"purpose_of_use": "HRESCH"}, "unauthorized_client", 400),
        ({"scope": "user/Observation.rs"}, "invalid_scope", 400),
        ({"scope": "openid"}, "invalid_scope", 400),
    ],
)
async def test_what_the_operator_did_not_allow_is_refused(
    telemedicine: Service, fields: dict[str, Any], error: str, status: int
) -> None:
    answer = await telemedicine.ask(**fields)
    assert refused(answer, error, status)
    assert answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"


async def test_scopes_are_no_wider_than_registered(town: City) -> None:
    service = Service(town, "narrow", await town.organization(), es384())
    await service.register(scopes=["system/Observation.rs", "system/Patient.r"])
    assert (await service.ask()).json()["scope"] == "system/Observation.rs system/Patient.r"
    assert (await service.ask(scope="system/Observation.r")).json()["scope"] == "system/Observation.r"
    assert refused(await service.ask(scope="system/*.rs"), "invalid_scope")


async def test_a_form_that_repeats_a_parameter_is_refused(town: City) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in ("grant_type=a&grant_type=b", "", "grant_type", "%ff=%ff&x"):
        assert refused(await town.http.post("/auth/token", content=body, headers=form), "invalid_request")
    assert refused(await town.http.post("/auth/token", json={}), "invalid_request")


async def test_a_client_that_is_switched_off_loses_what_it_had(town: City, telemedicine: Service) -> None:
    token = (await telemedicine.ask()).json()["access_token"]
    assert (await telemedicine.register(active=False)).json()["active"] is False
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 401
    assert refused(await telemedicine.ask(), "invalid_client", 401)


async def test_a_key_that_was_replaced_signs_no_more(telemedicine: Service) -> None:
    old = telemedicine.signer
    telemedicine.signer = es384()
    await telemedicine.register()
    assert (await telemedicine.ask()).status_code == 200
    telemedicine.signer = old
    assert refused(await telemedicine.ask(), "invalid_client", 401)


async def test_only_an_operator_registers_clients_and_hands_out_codes(
    town: City, aoi: str, doctor: str, hospital: str
) -> None:
    for who in (aoi, doctor, hospital, "auditor"):
        assert (await town.call(who, "PUT", "/auth/clients/mine", json={})).status_code == 403
        assert (await town.call(who, "POST", "/auth/sign-in-codes", json={})).status_code == 403
        assert (await town.call(who, "DELETE", "/auth/sign-in-codes/mine")).status_code == 403
    assert (await town.call(None, "PUT", "/auth/clients/mine", json={})).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Organization/nowhere"},
        {"subject": "Practitioner/1"},
        {"subject": "operator"},
        {"purposes": []},
        {"purposes": ["BTG"]},
        {"scopes": ["user/*.rs"]},
        {"scopes": "system/*.rs"},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [{"kid": "1", "kty": ["EC"], "crv": {}}]}},
        {"name": ""},
        {"active": "yes"},
        {"shoe": "size"},
    ],
)
async def test_a_registration_that_cannot_be_is_refused(
    telemedicine: Service, change: dict[str, Any]
) -> None:
    assert (await telemedicine.register(**change)).status_code == 400


async def test_tokens_and_their_refusals_are_audited(town: City, telemedicine: Service) -> None:
    began = town.clock()
    await telemedicine.ask()
    await telemedicine.ask(client_assertion="nonsense")
    given, denied = town.audited("token", began)
    assert (given["outcome"], given["subject"], given["purpose"]) == (
        "success",
        telemedicine.subject,
        "TREAT",
    )
    assert (denied["outcome"], denied["subject"], denied["detail"]) == ("refused", None, "invalid_client")


# People


async def handed(town: City, subject: str, purposes: list[str], **more: Any) -> dict[str, str]:
    return await town.handed(subject, purposes, **more)


async def signed_in(town: City, code: dict[str, str], purpose: str, **more: Any) -> Response:
    return await town.http.post("/auth/sign-in", json={**code, "purpose": purpose, **more})


async def test_a_resident_signs_in_and_sees_their_own_passport(town: City, aoi: str) -> None:
    await town.blood_pressure(aoi)
    answer = await signed_in(town, await handed(town, aoi, ["PATRQT"]), "PATRQT")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["expires_in"] == 300
    assert datetime.fromisoformat(body["expires_at"]) > town.clock()
    found = await town.call(body["access_token"], "GET", f"/fhir/Observation?patient={aoi}")
    assert len(found.json()["entry"]) == 1


async def test_a_login_is_read_as_people_type_it(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    login = code["login"]
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in login)
    for typed in (login.upper(), f" {login} ", wide):
        answer = await signed_in(town, {**code, "login": typed}, "PATRQT")
        assert answer.status_code == 200, (typed, answer.text)
    assert (await signed_in(town, {**code, "login": f"{login}x"}, "PATRQT")).status_code == 401


async def test_a_physician_signs_in_to_one_role(town: City, doctor: str, aoi: str, hospital: str) -> None:
    await town.blood_pressure(aoi)
    await town.share(aoi, hospital)
    answer = await signed_in(town, await handed(town, doctor, ["TREAT"]), "TREAT")
    token = answer.json()["access_token"]
    (row,) = town.rows("SELECT subject, role FROM session WHERE token_hash = %s", token_hash(token))
    assert row["role"] == doctor
    assert row["subject"].startswith("Practitioner/")
    assert len((await town.call(token, "GET", f"/fhir/Observation?patient={aoi}")).json()["entry"]) == 1


async def test_a_physician_who_left_sees_nothing_from_the_next_request(
    town: City, doctor: str, aoi: str, hospital: str
) -> None:
    await town.blood_pressure(aoi)
    await town.share(aoi, hospital)
    code = await handed(town, doctor, ["TREAT"])
    token = (await signed_in(town, code, "TREAT")).json()["access_token"]
    role = (await town.call("operator", "GET", f"/fhir/{doctor}")).json()
    role["active"] = False
    assert (await town.call("operator", "PUT", f"/fhir/{doctor}", json=role)).status_code == 200
    assert "entry" not in (await town.call(token, "GET", f"/fhir/Observation?patient={aoi}")).json()
    assert (await signed_in(town, code, "TREAT")).status_code == 400


async def test_a_wrong_code_and_an_unknown_login_get_one_answer(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    wrong = await signed_in(town, {**code, "code": "AAAAA-AAAAA-AAAAA-AAAAA"}, "PATRQT")
    unknown = await signed_in(town, {**code, "login": "nobody-of-this-name"}, "PATRQT")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.headers.keys() == unknown.headers.keys()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"login":"abc","code":"x"}',
        b'{"login":5,"code":"x","purpose":"PATRQT"}',
        b'{"login":"a\\u0000b","code":"x","purpose":"PATRQT"}',
        b'{"login":"\\ud800","code":"x","purpose":"PATRQT"}',
        b'{"login":"abc","code":"x","code":"y","purpose":"PATRQT"}',
    ],
)
async def test_what_is_no_sign_in_is_a_400(town: City, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await town.http.post("/auth/sign-in", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert (await town.http.post("/auth/sign-in", content=body)).status_code == 415


async def test_an_unknown_login_costs_a_hash(town: City, aoi: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    genuine = codes.matches

    def counted(code: str, stored: str) -> bool:
        hashed.append(stored)
        return genuine(code, stored)

    monkeypatch.setattr(codes, "matches", counted)
    code = await handed(town, aoi, ["PATRQT"])
    await signed_in(town, {**code, "login": "nobody-of-this-name"}, "PATRQT")
    await signed_in(town, code, "PATRQT")
    assert len(hashed) == 2


async def test_failures_of_one_address_are_limited_and_hurt_nobody_else(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    guess = {**code, "code": "AAAAA", "purpose": "PATRQT"}
    with town.looked_into() as connection:
        connection.execute("DELETE FROM sign_in_failure")
    for _ in range(FAILURES_MAX):
        with pytest.raises(sign_in.WrongCode):
            await sign_in.sign_in(town.runtime, guess, address="192.0.2.1")
    for attempt in (guess, {**guess, **code}):
        with pytest.raises(TooMany):
            await sign_in.sign_in(town.runtime, attempt, address="192.0.2.1")
    await sign_in.sign_in(town.runtime, {**guess, **code}, address="192.0.2.2")
    town.clock.ahead = timedelta(seconds=70)
    try:
        await sign_in.sign_in(town.runtime, {**guess, **code}, address="192.0.2.1")
    finally:
        town.clock.ahead = timedelta()


async def test_successes_are_never_limited(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    answers = [await signed_in(town, code, "PATRQT") for _ in range(FAILURES_MAX + 2)]
    assert {answer.status_code for answer in answers} == {200}


async def test_a_purpose_or_scope_that_was_not_allowed_is_refused(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"], scopes=["patient/Observation.rs"])
    assert (await signed_in(town, code, "TREAT")).status_code == 403
    assert (await signed_in(town, code, "BTG")).status_code == 400
    assert (await signed_in(town, code, "PATRQT", scope="patient/*.rs")).status_code == 403
    narrow = await signed_in(town, code, "PATRQT", scope="patient/Observation.r")
    assert narrow.json()["scope"] == "patient/Observation.r"


async def test_a_new_code_ends_the_old_one_and_a_login_stays_its_owners(town: City, aoi: str) -> None:
    old = await handed(town, aoi, ["PATRQT"])
    new = await handed(town, aoi, ["PATRQT"], login=old["login"])
    assert (await signed_in(town, old, "PATRQT")).status_code == 401
    assert (await signed_in(town, new, "PATRQT")).status_code == 200
    body = {"login": old["login"], "subject": await town.resident(), "purposes": ["PATRQT"]}
    assert (await town.call("operator", "POST", "/auth/sign-in-codes", json=body)).status_code == 409
    assert (await signed_in(town, new, "PATRQT")).status_code == 200


async def test_a_code_that_nobody_uses_is_good_for_nothing_in_the_end(town: City, aoi: str) -> None:
    lasts = town.runtime.settings.code_lasts_unused
    assert lasts == timedelta(days=90)
    used, unused, renewed = [await handed(town, aoi, ["PATRQT"]) for _ in range(3)]
    town.vouch_for(aoi)
    logins = [code["login"] for code in (used, unused, renewed)]
    later = "UPDATE sign_in_code SET used_at = used_at - %s WHERE login = ANY (%s)"
    with town.looked_into() as connection:
        connection.execute(later, [lasts - timedelta(minutes=1), logins])
        assert (await signed_in(town, used, "PATRQT")).status_code == 200
        anew = await handed(town, aoi, ["PATRQT"], login=renewed["login"])
        connection.execute(later, [timedelta(minutes=2), logins])
    assert (await signed_in(town, unused, "PATRQT")).status_code == 401
    for code in (used, anew):
        assert (await signed_in(town, code, "PATRQT")).status_code == 200


async def test_a_code_that_was_taken_back_is_good_for_nothing(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    path = f"/auth/sign-in-codes/{code['login']}"
    assert (await town.call("operator", "DELETE", path)).status_code == 204
    assert (await town.call("operator", "DELETE", path)).status_code == 404
    assert (await town.call("operator", "DELETE", "/auth/sign-in-codes/a%00b")).status_code == 400
    assert (await signed_in(town, code, "PATRQT")).status_code == 401


async def test_taking_a_code_back_ends_what_it_opened_and_nothing_else(
    town: City, aoi: str, doctor: str
) -> None:
    code, role_code = await handed(town, aoi, ["PATRQT"]), await handed(town, doctor, ["TREAT"])
    opened = [(await signed_in(town, code, "PATRQT")).json()["access_token"] for _ in range(2)]
    other = (await signed_in(town, role_code, "TREAT")).json()["access_token"]
    began = town.clock()
    assert (await town.call("operator", "DELETE", f"/auth/sign-in-codes/{code['login']}")).status_code == 204
    for token in opened:
        assert (await town.call(token, "GET", "/notifications")).status_code == 401
    assert (await town.call(other, "GET", "/fhir/Organization")).status_code == 200
    ended = town.rows("SELECT subject FROM session WHERE ended_at >= %s", began)
    assert {row["subject"] for row in ended} == {aoi}


async def test_a_code_taken_back_while_it_is_compared_opens_nothing(
    town: City, aoi: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    loop = asyncio.get_running_loop()
    path = f"/auth/sign-in-codes/{code['login']}"
    compare = codes.matches

    def slowly(text: str, stored: str) -> bool:
        taken_back = asyncio.run_coroutine_threadsafe(town.call("operator", "DELETE", path), loop)
        assert taken_back.result(timeout=30).status_code == 204
        return compare(text, stored)

    monkeypatch.setattr(codes, "matches", slowly)
    assert (await signed_in(town, code, "PATRQT")).status_code == 401


async def test_a_resident_is_told_of_each_code_for_them_and_for_their_proxy(town: City, aoi: str) -> None:
    proxy = await town.relative(aoi)
    (own,) = town.rows("SELECT patient_key FROM patient WHERE patient_id = %s", aoi.partition("/")[2])
    # A code for who acts for them waits for a second operator, and they are told of that as well.
    told = ((aoi, "PATRQT", ["issued"]), (proxy, "FAMRQT", ["proposed", "issued"]))
    for who, purpose, steps in told:
        began = town.clock()
        code = await handed(town, who, [purpose])
        await handed(town, who, [purpose], login=code["login"])
        notices = town.rows("SELECT * FROM notification WHERE created_at >= %s", began)
        assert {notice["patient_key"] for notice in notices} == {own["patient_key"]}
        expected = [(f"sign-in-code-{step}", {"for": who}) for step in steps * 2]
        assert [(notice["kind"], notice["about"]) for notice in notices] == expected
        rows = town.audited("code-hand-out", began)
        assert [(row["patient_key"], row["detail"]) for row in rows] == [(own["patient_key"], who)] * 2
        assert not any(code["code"] in str(each) for each in (notices, rows))
    assert set(asdict(SENTENCES["sign-in-code-issued"])) == {"ja", "en"}


async def test_nobody_is_told_of_a_clinicians_code(town: City, doctor: str) -> None:
    began = town.clock()
    await handed(town, doctor, ["TREAT"])
    assert town.rows("SELECT * FROM notification WHERE created_at >= %s", began) == []


@pytest.mark.parametrize(
    "body",
    [
        {"login": "x", "subject": "operator", "purposes": ["HOPERAT"]},
        {"login": "abc", "subject": "Patient/nowhere", "purposes": ["PATRQT"]},
        {"login": "abc", "subject": "operator", "purposes": []},
        {"login": "abc", "subject": "operator", "purposes": ["HOPERAT"], "scopes": "x"},
        {"login": "abc", "subject": "operator", "purposes": ["HOPERAT"], "code": "mine"},
        {"login": "abc", "subject": 5, "purposes": ["HOPERAT"]},
    ],
)
async def test_a_code_that_cannot_be_handed_out_is_refused(town: City, body: dict[str, Any]) -> None:
    assert (await town.call("operator", "POST", "/auth/sign-in-codes", json=body)).status_code == 400


async def test_a_service_signs_in_with_a_key_and_not_with_a_code(town: City, hospital: str) -> None:
    body = {"login": "service", "subject": hospital, "purposes": ["TREAT"]}
    assert (await town.call("operator", "POST", "/auth/sign-in-codes", json=body)).status_code == 400


async def test_a_code_is_stored_as_its_hash_alone(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    (row,) = town.rows("SELECT * FROM sign_in_code WHERE login = %s", code["login"])
    assert row["secret_hash"].startswith("scrypt$")
    assert code["code"] not in str(row)


async def test_signing_out_ends_the_session_and_no_other(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    first = (await signed_in(town, code, "PATRQT")).json()["access_token"]
    second = (await signed_in(town, code, "PATRQT")).json()["access_token"]
    assert (await town.call(first, "POST", "/auth/sign-out")).status_code == 204
    assert (await town.call(first, "GET", f"/fhir/{aoi}")).status_code == 401
    assert (await town.call(second, "GET", f"/fhir/{aoi}")).status_code == 200
    assert (await town.call(first, "POST", "/auth/sign-out")).status_code == 401


async def test_signing_in_is_audited_for_the_one_who_signs_in(town: City, aoi: str) -> None:
    code = await handed(town, aoi, ["PATRQT"])
    began = town.clock()
    await signed_in(town, {**code, "code": "AAAAA"}, "PATRQT")
    await signed_in(town, {**code, "login": "nobody-of-this-name"}, "PATRQT")
    await signed_in(town, code, "PATRQT")
    failed, stranger, good = town.audited("sign-in", began)
    assert [row["outcome"] for row in (failed, stranger, good)] == ["refused", "refused", "success"]
    assert failed["subject"] == good["subject"] == aoi
    assert failed["patient_key"] == good["patient_key"] != 0
    assert (stranger["subject"], stranger["patient_key"]) == (None, 0)


# The emergency

REASON = "意識障害で救急搬送、既往と内服の確認"


@pytest.fixture(scope="module")
async def emergency_department(town: City) -> str:
    department = await town.organization("星見救命センター（架空）")
    await town.policy(department, "BTG")
    return department


@pytest.fixture
async def emergency_physician(town: City, emergency_department: str) -> str:
    return await town.role(await town.practitioner("架空 救急医"), emergency_department)


async def broken(
    town: City, who: str, patient: object, reason: object = REASON, purpose: str = "ETREAT"
) -> Response:
    body = {"patient": patient, "reason": reason}
    return await town.call(who, "POST", "/auth/break-glass", purpose=purpose, json=body)


async def test_the_emergency_physician_opens_one_passport(
    town: City, emergency_physician: str, aoi: str
) -> None:
    observation = await town.blood_pressure(aoi)
    other = await town.resident("星野 陽（架空）")
    await town.blood_pressure(other)
    search = f"/fhir/Observation?patient={aoi}"
    before = await town.call(emergency_physician, "GET", search, purpose="ETREAT")
    assert "entry" not in before.json()
    answer = await broken(town, emergency_physician, aoi)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"access_token", "expires_at"}
    token = answer.json()["access_token"]
    (entry,) = (await town.call(token, "GET", search)).json()["entry"]
    assert entry["resource"]["id"] == observation.partition("/")[2]
    assert "entry" not in (await town.call(token, "GET", f"/fhir/Observation?patient={other}")).json()


async def test_an_opening_ends_after_four_hours(town: City, emergency_physician: str, aoi: str) -> None:
    answer = (await broken(town, emergency_physician, aoi)).json()
    lasts = datetime.fromisoformat(answer["expires_at"]) - town.clock()
    assert timedelta(hours=3, minutes=59) < lasts <= timedelta(hours=4)
    town.clock.ahead = timedelta(hours=4, seconds=1)
    try:
        answer = await town.call(answer["access_token"], "GET", f"/fhir/Observation?patient={aoi}")
        assert answer.status_code == 401
    finally:
        town.clock.ahead = timedelta()


async def test_the_resident_is_told_and_the_reason_is_sealed(
    town: City, emergency_physician: str, aoi: str
) -> None:
    began = town.clock()
    await broken(town, emergency_physician, aoi)
    (opening,) = town.rows("SELECT * FROM opening WHERE opened_at > %s", began)
    (row,) = town.rows("SELECT * FROM patient WHERE patient_key = %s", opening["patient_key"])
    assert f"Patient/{row['patient_id']}" == aoi
    key = town.runtime.ring.unwrap(row["patient_key"], row["wrapped_key"])
    place = b"opening " + opening["opening_id"].bytes
    assert open_sealed(key, opening["reason"], place).decode() == REASON
    (notice,) = (await town.call(aoi, "GET", "/notifications")).json()
    assert notice["kind"] == "emergency-opened"
    assert notice["about"]["role"] == emergency_physician
    (audited,) = town.audited("break-glass", began)
    assert (audited["outcome"], audited["purpose"], audited["role"]) == (
        "success",
        "BTG",
        emergency_physician,
    )
    assert len(audited["grants"]) == 1
    assert REASON not in str(audited)


async def test_an_opening_is_on_the_residents_list_as_soon_as_it_is_there(
    town: City, emergency_physician: str, aoi: str
) -> None:
    """No worker runs here, and none would find anything to do."""
    assert (await town.call(aoi, "GET", "/notifications")).json() == []
    await broken(town, emergency_physician, aoi)
    (notice,) = (await town.call(aoi, "GET", "/notifications")).json()
    assert notice["kind"] == "emergency-opened"
    assert set(notice["text"]) == {"ja", "en"}
    assert town.rows("SELECT * FROM outbox") == []


async def test_an_opening_that_is_refused_is_told_to_nobody(town: City, doctor: str, aoi: str) -> None:
    assert (await broken(town, doctor, aoi)).status_code == 403
    assert (await town.call(aoi, "GET", "/notifications")).json() == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": "hidden\u202e letters"}, "reason"),
        ({"reason": "abc"}, "reason"),
        ({"reason": None}, "reason"),
        ({"purpose": "TREAT"}, "purpose"),
        ({"patient": "foo"}, "patient"),
    ],
)
async def test_an_opening_that_is_not_asked_for_as_it_should_be_says_where(
    town: City, emergency_physician: str, aoi: str, changes: dict[str, object], place: str
) -> None:
    body = {"patient": aoi, "reason": REASON, **changes}
    answer = await town.call(emergency_physician, "POST", "/auth/break-glass", purpose="ETREAT", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0]["expression"] == [place]


async def test_refused_and_unknown_look_the_same(
    town: City, emergency_physician: str, doctor: str, aoi: str
) -> None:
    began = town.clock()
    no_policy = await broken(town, doctor, aoi)
    no_patient = await broken(town, emergency_physician, "Patient/nowhere")
    neither = await broken(town, doctor, "Patient/nowhere")
    assert no_policy.status_code == no_patient.status_code == neither.status_code == 403
    assert no_policy.content == no_patient.content == neither.content
    assert [row["outcome"] for row in town.audited("break-glass", began)] == ["refused"] * 3
    assert town.rows("SELECT * FROM opening WHERE opened_at > %s", began) == []


async def test_a_grant_of_one_patient_is_no_policy(town: City, doctor: str, aoi: str) -> None:
    await town.share(aoi, doctor, "BTG")
    assert (await broken(town, doctor, aoi)).status_code == 403


async def test_a_policy_of_another_purpose_opens_nothing(town: City, aoi: str) -> None:
    organization = await town.organization()
    await town.policy(organization, "ETREAT")
    physician = await town.role(await town.practitioner(), organization)
    assert (await broken(town, physician, aoi)).status_code == 403


async def test_an_opening_opens_no_further_one(town: City, emergency_physician: str, aoi: str) -> None:
    token = (await broken(town, emergency_physician, aoi)).json()["access_token"]
    assert (await broken(town, token, aoi)).status_code == 403


async def test_only_clinicians_and_services_break_the_glass(
    town: City, aoi: str, emergency_department: str
) -> None:
    other = await town.resident("星野 陽（架空）")
    for who in (other, await town.relative(other), "operator", "auditor"):
        assert (await broken(town, who, aoi)).status_code == 403
    assert (await broken(town, emergency_department, aoi)).status_code == 200


async def test_a_physician_who_left_the_department_opens_nothing(
    town: City, emergency_physician: str, aoi: str
) -> None:
    token = (await broken(town, emergency_physician, aoi)).json()["access_token"]
    await town.blood_pressure(aoi)
    role = (await town.call("operator", "GET", f"/fhir/{emergency_physician}")).json()
    role["active"] = False
    await town.call("operator", "PUT", f"/fhir/{emergency_physician}", json=role)
    assert (await broken(town, emergency_physician, aoi)).status_code == 403
    assert "entry" not in (await town.call(token, "GET", f"/fhir/Observation?patient={aoi}")).json()


async def test_an_opening_keeps_the_sessions_scopes(town: City, emergency_physician: str, aoi: str) -> None:
    narrow = await town.token(emergency_physician, "ETREAT", scope="user/MedicationRequest.rs")
    token = (await broken(town, narrow, aoi)).json()["access_token"]
    assert (await town.call(token, "GET", f"/fhir/Observation?patient={aoi}")).status_code == 403
    assert (await town.call(token, "GET", f"/fhir/MedicationRequest?patient={aoi}")).status_code == 200


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        ("Patient/1", "急用"),
        ("Patient/1", " " * 40),
        ("Patient/1", "x" * 501),
        ("Patient/1", None),
        ("Patient/1", 5),
        ("Observation/1", REASON),
        ("Patient/", REASON),
        ("Patient/1/_history/1", REASON),
        (None, REASON),
    ],
)
async def test_without_a_patient_and_a_reason_there_is_no_opening(
    town: City, emergency_physician: str, patient: object, reason: object
) -> None:
    assert (await broken(town, emergency_physician, patient, reason)).status_code == 400


async def test_openings_of_one_caller_are_limited_and_hurt_nobody_else(
    town: City, emergency_department: str, emergency_physician: str, aoi: str
) -> None:
    answers = await asyncio.gather(*(broken(town, emergency_physician, aoi) for _ in range(OPENINGS_MAX + 3)))
    assert sorted(answer.status_code for answer in answers) == [200] * OPENINGS_MAX + [429] * 3
    known = await broken(town, emergency_physician, aoi)
    unknown = await broken(town, emergency_physician, "Patient/nowhere")
    assert known.status_code == unknown.status_code == 429
    assert known.content == unknown.content
    assert known.headers["Retry-After"] == "3600"
    colleague = await town.role(await town.practitioner("架空 救急医の同僚"), emergency_department)
    assert (await broken(town, colleague, aoi)).status_code == 200
    town.clock.ahead = timedelta(hours=1, seconds=1)
    try:
        assert (await broken(town, emergency_physician, aoi)).status_code == 200
    finally:
        town.clock.ahead = timedelta()
