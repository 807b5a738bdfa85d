"""Attacks on passkeys: answers of elsewhere, of before, of somebody else, and of a copy.

https://www.w3.org/TR/webauthn-3/#sctn-security-considerations
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from passport.identity.passkeys import ceremonies
from tests.attacks.test_authorization_attacks import alike, compared
from tests.authenticator import Authenticator, Json, decoded, encoded
from tests.databases import Database
from tests.http.apps import JSON, Browser, handed
from tests.http.identity_town import BASE_URL, City
from tests.http.passkeys import Person, challenge, person, signs_in, with_passkey
from tests.town import CLERK, SECOND_CLERK, Town, as_in_production, served

pytestmark = pytest.mark.anyio

ELSEWHERE = "https://passport.example.net"

WRONG: dict[str, dict[str, Any]] = {
    "another origin": {"origin": ELSEWHERE},
    "another port": {"origin": f"{BASE_URL}:8443"},
    "another relying party": {"rp_id": "example.net"},
    "a person who was not recognised": {"verifies": False},
    "nobody there": {"present": False},
    "the other ceremony": {"kind": "webauthn.create"},
    "a frame of somebody else's": {"told": {"crossOrigin": True}},
    "a frame in a page of somebody else's": {"told": {"topOrigin": ELSEWHERE}},
}


@pytest.fixture(scope="module")
async def running(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as town:
        yield town


@pytest.fixture
def town(running: Town) -> City:
    # A city of the test alone: its failures are nobody else's.
    with City(running.runtime, running.http, running.database, running.clock).looked_into() as connection:
        connection.execute("DELETE FROM sign_in_failure")
    return City(running.runtime, running.http, running.database, running.clock)


@pytest.fixture
async def aoi(town: City) -> Person:
    subject = await town.resident()
    one = await with_passkey(town, subject)
    town.vouch_for(subject)
    return one


async def sent(town: City, credential: object) -> Response:
    return await Browser(town).post("/auth/passkeys/sign-in", {"credential": credential})


async def one_answer(answer: Response) -> None:
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    (issue,) = answer.json()["issue"]
    assert issue["diagnostics"] == (
        "got no passkey that signs in here, expected one that was registered and was asked just now"
    )


@pytest.mark.parametrize("wrong", WRONG)
async def test_an_answer_that_was_not_given_to_us_signs_nobody_in(
    town: City, aoi: Person, wrong: str
) -> None:
    await one_answer(await signs_in(Browser(town), aoi.device.but(**WRONG[wrong])))
    assert (await signs_in(Browser(town), aoi.device)).status_code == 200


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "the other ceremony"])
async def test_a_key_that_was_not_made_for_us_is_not_registered(town: City, aoi: Person, wrong: str) -> None:
    device = Authenticator.at(BASE_URL).but(**WRONG[wrong])
    assert (await aoi.registers(device)).status_code == 400
    assert len((await aoi.listed())["passkeys"]) == 1


@pytest.mark.parametrize("algorithm", [0, -8, -257, -47, -65535])
async def test_a_key_that_says_another_algorithm_than_it_is_for_is_not_registered(
    aoi: Person, algorithm: int
) -> None:
    device = Authenticator.at(BASE_URL).but(told_algorithm=algorithm)
    answer = await aoi.registers(device)
    assert answer.status_code == 400


async def test_a_forged_statement_of_a_device_is_not_believed(aoi: Person) -> None:
    for fmt in ("fido-u2f", "tpm", "android-key", "apple", "nonsense"):
        device = Authenticator.at(BASE_URL).but(fmt=fmt)
        assert (await aoi.registers(device)).status_code == 400


async def test_a_replayed_answer_signs_nobody_in(town: City, aoi: Person) -> None:
    credential = aoi.device.get(await challenge(aoi.browser))
    answers = await asyncio.gather(*(sent(town, credential) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 7]
    await one_answer(await sent(town, credential))


async def test_a_replayed_key_is_not_registered_again(town: City, aoi: Person) -> None:
    credential = await aoi.made(Authenticator.at(BASE_URL))
    assert (await aoi.send(credential)).status_code == 201
    assert (await aoi.send(credential)).status_code == 400


async def test_a_challenge_of_another_session_or_ceremony_is_none(town: City, aoi: Person) -> None:
    kazuo = await person(town, await town.resident())
    for_kazuo = (await kazuo.options()).json()["publicKey"]
    assert (await aoi.send(Authenticator.at(BASE_URL).create(for_kazuo))).status_code == 400
    by_sign_in = {**for_kazuo, "challenge": (await challenge(kazuo.browser))["challenge"]}
    assert (await kazuo.send(Authenticator.at(BASE_URL).create(by_sign_in))).status_code == 400
    registering = {"challenge": for_kazuo["challenge"], "rpId": "passport.test"}
    await one_answer(await sent(town, aoi.device.get(registering)))
    made_up = {"challenge": encoded(bytes(56)), "rpId": "passport.test"}
    await one_answer(await sent(town, aoi.device.get(made_up)))
    stretched = decoded((await challenge(aoi.browser))["challenge"])
    later = stretched[:16] + (2**62).to_bytes(8, "big") + stretched[24:]
    await one_answer(await sent(town, aoi.device.get({"challenge": encoded(later), "rpId": "passport.test"})))


async def test_a_key_of_somebody_else_signs_nobody_else_in(town: City, aoi: Person) -> None:
    kazuo = await with_passkey(town, await town.resident())
    theirs, mine = kazuo.device.credentials[0], aoi.device.credentials[0]
    asked = await challenge(aoi.browser)
    # Signed by one key, said to be another one; and the right key, said to be somebody else's.
    await one_answer(
        await sent(town, {**aoi.device.get(asked), "id": encoded(theirs.id), "rawId": encoded(theirs.id)})
    )
    await one_answer(await sent(town, aoi.device.but(handle=theirs.handle).get(await challenge(aoi.browser))))
    await one_answer(await sent(town, aoi.device.but(handle=b"").get(await challenge(aoi.browser))))
    assert mine.handle != theirs.handle
    # A key that is somebody's is not registered by anybody else.
    copy = Authenticator(kazuo.device.manners)
    stolen = await kazuo.options()
    made = copy.create(stolen.json()["publicKey"])
    assert (await kazuo.send(made)).status_code == 201
    again = _with_challenge(copy, made, await aoi.options())
    assert (await aoi.send(again)).status_code == 400


def _with_challenge(device: Authenticator, made: Json, answer: Response) -> Json:
    """The same key for another challenge: without attestation nothing binds the two."""
    client = device._client("webauthn.create", answer.json()["publicKey"]["challenge"])
    return {**made, "response": {**made["response"], "clientDataJSON": encoded(client)}}


async def test_a_counter_that_went_back_is_refused_told_and_ends_the_passkey(town: City, aoi: Person) -> None:
    began = town.clock()
    subject = (await aoi.browser.get("/auth/login", **JSON)).json()["subject"]
    (key,) = aoi.device.credentials
    key.count = 7
    assert (await signs_in(Browser(town), aoi.device)).status_code == 200
    key.count = 3
    answer = await signs_in(Browser(town), aoi.device)
    assert answer.status_code == 401
    assert "copy" in answer.text
    # Whoever has the copy may be signed in by it.
    assert (await aoi.browser.get("/auth/login", **JSON)).json()["signed_in"] is False
    (shown,) = (await (await person(town, subject)).listed())["passkeys"]
    assert shown["doubted"] is not None
    key.count = 100
    assert (await signs_in(Browser(town), aoi.device)).status_code == 401
    told = (await town.call(subject, "GET", "/notifications", purpose="PATRQT")).json()
    assert [each["kind"] for each in told].count("passkey-doubted") == 1
    refused = [row["detail"] for row in town.audited("sign-in", began) if row["outcome"] == "refused"]
    assert refused == ["passkey doubted"] * 2


async def test_who_has_no_key_makes_nobody_doubt_one(town: City, aoi: Person) -> None:
    (key,) = aoi.device.credentials
    key.count = 7
    await signs_in(Browser(town), aoi.device)
    forged = aoi.device.but(counts=False).get(await challenge(aoi.browser))
    data = decoded(forged["response"]["authenticatorData"])
    forged["response"]["authenticatorData"] = encoded(data[:33] + (1).to_bytes(4, "big"))
    await one_answer(await sent(town, forged))
    assert (await aoi.listed())["passkeys"][0]["doubted"] is None
    assert (await signs_in(Browser(town), aoi.device)).status_code == 200


async def test_a_device_that_counts_nothing_signs_in_again_and_again(town: City) -> None:
    kazuo = await person(town, await town.resident())
    device = kazuo.device.but(counts=False)
    await kazuo.registers(device)
    for _ in range(3):
        assert (await signs_in(Browser(town), device)).status_code == 200


async def test_a_sign_in_begins_another_session_and_ends_the_one_of_before(town: City, aoi: Person) -> None:
    planted = await person(town, await town.resident())
    browser = Browser(town, planted.browser.cookie)
    assert (await signs_in(browser, aoi.device)).status_code == 200
    assert browser.cookie != planted.browser.cookie
    told = (await planted.browser.get("/auth/login", **JSON)).json()
    assert told["signed_in"] is False


async def test_only_a_page_of_ours_may_ask(town: City, aoi: Person) -> None:
    made = await aoi.made(Authenticator.at(BASE_URL))
    csrf = await aoi.browser.csrf()
    bodies: dict[str, Json] = {
        "/auth/passkeys/challenge": {},
        "/auth/passkeys/sign-in": {"credential": aoi.device.get(await challenge(aoi.browser))},
        "/auth/passkeys/options": {"csrf": csrf},
        "/auth/passkeys": {"csrf": csrf, "credential": made},
        "/auth/recovery": {"code": "x"},
        "/auth/login/token": {"csrf": csrf, "purpose": "PATRQT"},
    }
    for path, body in bodies.items():
        foreign = {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}
        assert (await aoi.browser.post(path, body, **foreign)).status_code == 403, path
    for path in ("/auth/passkeys/options", "/auth/passkeys", "/auth/login/token"):
        assert (await aoi.browser.post(path, {**bodies[path], "csrf": "x"})).status_code == 403, path
    assert (await Browser(town).post("/auth/passkeys/options", {"csrf": csrf})).status_code == 401


async def test_nonsense_is_answered_and_breaks_nothing(town: City, aoi: Person) -> None:
    good = aoi.device.get(await challenge(aoi.browser))
    made = await aoi.made(Authenticator.at(BASE_URL))

    def changed(tree: Json, name: str, value: object) -> Json:
        return {**tree, "response": {**tree["response"], name: value}}

    unread: list[object] = [None, [], "x", {}, {**good, "type": "password"}, {**good, "id": 7}]
    unread += [
        changed(good, "clientDataJSON", value) for value in (None, "", "%%%", encoded(b"[]"), encoded(b"{}"))
    ]
    unread += [changed(good, "clientDataJSON", encoded(b'{"type":1,"challenge":7,"origin":null}'))]
    for credential in unread:
        answer = await sent(town, credential)
        assert answer.status_code == 400, answer.text
    for name in ("authenticatorData", "signature"):
        for value in (encoded(b""), encoded(bytes(37)), encoded(bytes(600))):
            assert (
                await sent(town, changed(aoi.device.get(await challenge(aoi.browser)), name, value))
            ).status_code == 401
        with town.looked_into() as connection:
            connection.execute("DELETE FROM sign_in_failure")
    nested = b"\x81" * 20_000 + b"\x00"
    for value in (encoded(b""), encoded(b"\x04"), encoded(b"\xa0"), encoded(nested)):
        assert (await aoi.send(changed(made, "attestationObject", value))).status_code == 400
        made = await aoi.made(Authenticator.at(BASE_URL))


async def test_an_unknown_credential_costs_and_gets_what_a_wrong_answer_does(
    running: Town, town: City, aoi: Person, tmp_path: Path
) -> None:
    stranger = Authenticator.at(BASE_URL)
    stranger.create((await aoi.options()).json()["publicKey"])

    def asking(make: Callable[[Json], Json]) -> Callable[[], Any]:
        async def ask() -> Response:
            with town.looked_into() as connection:
                connection.execute("DELETE FROM sign_in_failure")
            return await sent(town, make(await challenge(Browser(town))))

        return ask

    def forged(asked: Json) -> Json:
        made = aoi.device.get(asked)
        return {**made, "response": {**made["response"], "signature": encoded(bytes(70))}}

    works = await compared(running, tmp_path, asking(stranger.get), asking(forged))
    await one_answer(works[0].answer)
    assert alike(works)


async def test_no_browser_takes_passkeys_for_a_number(town: City) -> None:
    settings = town.runtime.settings
    for base_url, there in (
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("http://localhost:8000", True),
        ("https://passport.example.jp", True),
    ):
        assert ceremonies.available(settings.at(base_url=base_url)) is there
    assert (await Browser(town).get("/auth/login", **JSON)).json() == {"signed_in": False, "passkeys": True}


async def test_a_code_alone_registers_no_second_way_where_two_factors_are_asked_for(
    running: Town, town: City
) -> None:
    code = await handed(town, await town.practitioner(), "TREAT")
    browser = Browser(town)
    await browser.sign_in(code)
    doctor = Person(browser)
    with as_in_production(running, "practitioner"):
        assert (await doctor.registers()).status_code == 201
        answer = await doctor.options()
        assert answer.status_code == 401
        assert 'acr_values="https://refeds.org/profile/mfa"' in answer.headers["www-authenticate"]
        assert (await signs_in(browser, doctor.device)).status_code == 200
        assert (await doctor.registers(Authenticator.at(BASE_URL))).status_code == 201


async def test_a_code_to_come_back_by_that_was_spent_costs_and_gets_what_an_unknown_one_does(
    running: Town, town: City, aoi: Person, tmp_path: Path
) -> None:
    subject = (await aoi.browser.get("/auth/login", **JSON)).json()["subject"]
    body = {"kind": "recovery", "patient": subject}
    matter = (await town.call(CLERK, "POST", "/desk/matters", purpose="HOPERAT", json=body)).json()["id"]
    path = f"/desk/matters/{matter}/confirm"
    spent = (await town.call(SECOND_CLERK, "POST", path, purpose="HOPERAT")).json()["code"]
    assert (await Browser(town).post("/auth/recovery", {"code": spent})).status_code == 200

    def asking(code: str) -> Callable[[], Any]:
        async def ask() -> Response:
            with town.looked_into() as connection:
                connection.execute("DELETE FROM sign_in_failure")
            return await Browser(town).post("/auth/recovery", {"code": code, "lost": True})

        return ask

    works = await compared(running, tmp_path, asking(spent), asking("00000-00000-00000-00000"))
    assert works[0].answer.status_code == 401
    assert alike(works)
    assert (await signs_in(Browser(town), aoi.device)).status_code == 200


async def test_a_code_alone_registers_nothing_for_who_signs_in_elsewhere(running: Town, town: City) -> None:
    doctor = await town.practitioner()
    one = await person(town, doctor, "TREAT")
    with town.looked_into() as connection:
        connection.execute(
            """
            INSERT INTO federation_provider (provider_id, name, profile, issuer, client_id, auth_method, key_file,
                people, hosts, two_factors, state, asked_by)
            VALUES ('ward', '', '', '', '', '', '', '', '{}', '{}', 'active', '')
            """
        )
        connection.execute(
            """
            INSERT INTO federation_link (link_id, provider_id, sub_hash, login, subject, linked_at)
            VALUES (gen_random_uuid(), 'ward', '', '', %s, now())
            """,
            [doctor],
        )
    with as_in_production(running, "practitioner"):
        assert (await one.options()).status_code == 401
        with town.looked_into() as connection:
            connection.execute(
                "UPDATE login_session SET methods = '{federation:ward}' WHERE subject = %s", [doctor]
            )
        assert (await one.options()).status_code == 200
