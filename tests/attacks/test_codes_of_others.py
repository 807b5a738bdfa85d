"""An operator alone becomes nobody else: a further sign-in code of somebody who signs in takes two of the city."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from anyio import create_task_group
from httpx import Response

from passport.identity.attempts import WINDOW
from passport.identity.sign_in_codes.handing_out import WAITS
from tests.authenticator import Authenticator
from tests.http.apps import JSON, Browser, handed, signed_in
from tests.http.identity_town import BASE_URL, City
from tests.http.passkeys import Person, signs_in
from tests.identities import REASON
from tests.town import CLERK, SECOND_CLERK

pytestmark = pytest.mark.anyio


@pytest.fixture
def town(module_city: City) -> City:
    """The town, a while after the failures of the test before."""
    module_city.clock.ahead += WINDOW
    return module_city


async def asked(
    town: City, subject: str, *purposes: str, by: str = "operator", login: str | None = None
) -> dict[str, str]:
    """What one operator is answered who hands a code out."""
    body = {"login": login or f"u-{uuid4().hex[:12]}", "subject": subject, "purposes": list(purposes)}
    answer = await town.call(by, "POST", "/auth/sign-in-codes", json=body)
    assert answer.status_code == 201, answer.text
    code: dict[str, str] = answer.json()
    return code


async def lets_in(town: City, code: dict[str, str]) -> bool:
    return (await Browser(town).sign_in(code)).status_code == 200


async def confirmed(town: City, code: dict[str, str], by: str, **named: object) -> Response:
    path = f"/auth/sign-in-codes/{code['login']}/confirm"
    return await town.call(by, "POST", path, json=named or {"proposal": code["proposal"]})


async def kinds(town: City, resident: str) -> list[str]:
    """Of what kinds a resident's notices are, the newest first."""
    told = (await town.call(resident, "GET", "/notifications", purpose="PATRQT")).json()
    return [notice["kind"] for notice in told]


async def clinician(town: City) -> str:
    return await town.role(await town.practitioner(), await town.organization())


async def by_code(town: City, subject: str, purpose: str) -> Browser:
    return await signed_in(town, subject, purpose)


async def by_passkey(town: City, subject: str, purpose: str) -> Browser:
    one = Person(await signed_in(town, subject, purpose))
    assert (await one.registers()).status_code == 201
    # As if it had been registered in a session that no code began.
    town.rows(
        "UPDATE sign_in_code SET entered_at = NULL WHERE subject = %s OR role = %s RETURNING 1",
        subject,
        subject,
    )
    await signs_in(one.browser, one.device)
    return one.browser


@pytest.mark.parametrize("enter", [by_code, by_passkey])
@pytest.mark.parametrize("who", ["resident", "clinician"])
async def test_one_operator_becomes_nobody_who_signs_in(
    town: City, who: str, enter: Callable[[City, str, str], Awaitable[Browser]]
) -> None:
    purpose = "PATRQT" if who == "resident" else "TREAT"
    victim = await (town.resident() if who == "resident" else clinician(town))
    browser = await enter(town, victim, purpose)
    (login,) = {
        row["login"]
        for row in town.rows(
            "SELECT login FROM login_session WHERE subject = %s OR role = %s", victim, victim
        )
    }
    for code in (await asked(town, victim, purpose, login=login), await asked(town, victim, purpose)):
        assert code["waits_for"] == "another operator"
        assert not await lets_in(town, code)
        assert (await confirmed(town, code, "operator")).status_code == 403
        assert not await lets_in(town, code)
    # Nobody is put out by what waits.
    assert (await browser.get("/auth/login", **JSON)).json()["signed_in"] is True
    # Taking back what they have changes nothing of that.
    assert (await town.call("operator", "DELETE", f"/auth/sign-in-codes/{login}")).status_code == 204
    code = await asked(town, victim, purpose, login=login)
    assert not await lets_in(town, code)
    assert (await confirmed(town, code, "operator/second")).status_code == 200
    assert await lets_in(town, code)
    if who == "resident":
        assert (await kinds(town, victim))[:5] == [
            "sign-in-code-issued",
            "sign-in-code-proposed",
            "sign-in-code-withdrawn",
            "sign-in-code-proposed",
            "sign-in-code-proposed",
        ]


async def test_the_first_code_of_somebody_is_one_operators_act_and_told(town: City) -> None:
    resident = await town.resident()
    first = await asked(town, resident, "PATRQT")
    assert "waits_for" not in first
    # Nobody was in yet: a letter that was lost is written again.
    second = await asked(town, resident, "PATRQT", login=first["login"])
    assert (await lets_in(town, first), await lets_in(town, second)) == (False, True)
    assert await kinds(town, resident) == ["sign-in-code-issued"] * 2
    assert "waits_for" in await asked(town, resident, "PATRQT")


async def test_another_role_of_a_clinician_is_no_way_around(town: City) -> None:
    practitioner = await town.practitioner()
    own = await town.role(practitioner, await town.organization())
    await signed_in(town, own, "TREAT")
    elsewhere = await town.role(practitioner, await town.organization("別の病院（架空）"))
    assert "waits_for" in await asked(town, elsewhere, "TREAT")


async def test_a_role_that_was_given_to_a_made_up_colleague_is_no_way_around(town: City) -> None:
    role = await clinician(town)
    await signed_in(town, role, "TREAT")
    tree = (await town.call("operator", "GET", f"/fhir/{role}")).json()
    taken_over = {**tree, "practitioner": {"reference": await town.practitioner("架空 別人")}}
    assert (await town.call("operator", "PUT", f"/fhir/{role}", json=taken_over)).status_code == 200
    code = await asked(town, role, "TREAT")
    assert code["waits_for"] == "another operator"
    assert not await lets_in(town, code)


async def test_another_registration_of_a_resident_is_no_way_around(town: City) -> None:
    known, other = await town.resident(), await town.resident()
    await signed_in(town, known)
    pair = {"survivor": known, "duplicate": other, "reason": REASON}
    merge = (await town.call("operator", "POST", "/identity/merges", json=pair)).json()
    agreed = await town.call("operator/second", "POST", f"/identity/merges/{merge['id']}/confirm")
    assert agreed.status_code == 200, agreed.text
    assert "waits_for" in await asked(town, other, "PATRQT")


async def test_who_acts_for_somebody_is_replaced_by_no_operator_alone_and_told_too(town: City) -> None:
    resident = await town.resident()
    proxy = await town.relative(resident)
    await signed_in(town, proxy, "FAMRQT")
    code = await asked(town, proxy, "FAMRQT")
    assert not await lets_in(town, code)
    told = (await town.call(proxy, "GET", "/notifications", purpose="FAMRQT")).json()
    assert "sign-in-code-proposed" in {notice["kind"] for notice in told}
    assert (await kinds(town, resident))[0] == "sign-in-code-proposed"


@pytest.mark.parametrize("who", ["clinician", "proxy", "clerk", "approver", "auditor", "operator"])
async def test_one_operator_makes_up_nobody_who_acts_on_the_records_of_others(town: City, who: str) -> None:
    subject = who
    if who == "clinician":
        subject = await clinician(town)
    elif who == "proxy":
        subject = await town.relative(await town.resident())
    code = await asked(town, subject, "TREAT" if who == "clinician" else "HOPERAT")
    assert code["waits_for"] == "another operator"
    assert not await lets_in(town, code)
    assert (await confirmed(town, code, "operator")).status_code == 403
    assert not await lets_in(town, code)
    assert (await confirmed(town, code, "operator/second")).status_code == 200
    assert await lets_in(town, code)


async def by_desk(town: City, resident: str, login: str) -> dict[str, str]:
    """The code that two clerks hand to a resident whom they have seen."""
    body = {"kind": "sign-in", "patient": resident, "login": login}
    entered = await town.call(CLERK, "POST", "/desk/matters", purpose="HOPERAT", json=body)
    assert entered.status_code == 201, entered.text
    path = f"/desk/matters/{entered.json()['id']}/confirm"
    code: dict[str, str] = (await town.call(SECOND_CLERK, "POST", path, purpose="HOPERAT")).json()
    return code


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same login", "other login"])
async def test_whom_one_operator_let_in_is_out_once_the_desk_has_seen_the_person(
    town: City, elsewhere: bool
) -> None:
    resident = await town.resident()
    letter = await handed(town, resident, "PATRQT")
    stranger = Person(Browser(town))
    await stranger.browser.sign_in(letter)
    assert (await stranger.registers()).status_code == 201
    await signs_in(stranger.browser, stranger.device)
    code = await by_desk(town, resident, f"u-{uuid4().hex[:12]}" if elsewhere else letter["login"])
    assert (await stranger.browser.get("/auth/login", **JSON)).json()["signed_in"] is False
    assert (await signs_in(Browser(town), stranger.device)).status_code == 401
    assert not await lets_in(town, letter)
    assert {"sign-in-code-withdrawn", "sign-in-code-issued"} == set((await kinds(town, resident))[:2])
    # What the person registers themselves stays theirs, whatever the desk hands out later.
    own = Person(Browser(town))
    await own.browser.sign_in(code)
    assert (await own.registers()).status_code == 201
    await by_desk(town, resident, code["login"])
    assert (await signs_in(Browser(town), own.device)).status_code == 200


async def test_a_passkey_is_registered_before_a_login_is_cleared_or_not_at_all(town: City) -> None:
    resident = await town.resident()
    letter = await handed(town, resident, "PATRQT")
    strangers = [Person(Browser(town), Authenticator.at(BASE_URL)) for _ in range(3)]
    bodies = []
    for stranger in strangers:
        await stranger.browser.sign_in(letter)
        bodies.append({"csrf": await stranger.browser.csrf(), "credential": await stranger.made()})
    async with create_task_group() as group:
        for stranger, body in zip(strangers, bodies, strict=True):
            group.start_soon(stranger.browser.post, "/auth/passkeys", body)
        group.start_soon(by_desk, town, resident, letter["login"])
    for stranger in strangers:
        assert (await signs_in(Browser(town), stranger.device)).status_code == 401
    assert not town.rows("SELECT 1 FROM passkey WHERE subject = %s AND ended_at IS NULL", resident)


async def test_a_second_operator_confirms_what_they_read(town: City) -> None:
    resident = await town.resident()
    await signed_in(town, resident)
    read = await asked(town, resident, "PATRQT")
    # Another code takes its place after it was read.
    swapped = await asked(town, resident, "PATRQT", login=read["login"])
    assert (await confirmed(town, read, "operator/second")).status_code == 409
    assert (await confirmed(town, read, "operator/second", other=1)).status_code == 400
    listed = (await town.call("operator/second", "GET", "/auth/sign-in-codes")).json()["waiting"]
    (shown,) = [each for each in listed if each["login"] == read["login"]]
    assert (shown["subject"], shown["by"], shown["proposal"]) == (resident, "operator", swapped["proposal"])
    assert swapped["code"] not in str(shown)
    assert "scrypt" not in str(shown)
    assert (await confirmed(town, swapped, "operator/second")).status_code == 200
    assert (await lets_in(town, read), await lets_in(town, swapped)) == (False, True)
    assert (await confirmed(town, swapped, "operator/second")).status_code == 404


async def test_what_waits_is_declined_by_anybody_and_ends_by_itself(town: City) -> None:
    resident = await town.resident()
    good = await handed(town, resident, "PATRQT")
    assert await lets_in(town, good)
    code = await asked(town, resident, "PATRQT", login=good["login"])
    path = f"/auth/sign-in-codes/{code['login']}/decline"
    assert (await town.call(resident, "POST", path, purpose="PATRQT")).status_code == 403
    assert (await town.call("operator", "POST", path)).status_code == 200
    assert (await confirmed(town, code, "operator/second")).status_code == 404
    late = await asked(town, resident, "PATRQT", login=good["login"])
    older = "UPDATE code_proposal SET expires_at = expires_at - %s WHERE login = %s RETURNING login"
    assert town.rows(older, WAITS, late["login"])
    assert (await confirmed(town, late, "operator/second")).status_code == 404
    assert await lets_in(town, good)


async def test_nobody_confirms_a_code_for_themselves_as_a_clinician(town: City) -> None:
    role = await clinician(town)
    (practitioner,) = (
        (await town.call("operator", "GET", f"/fhir/{role}")).json()["practitioner"]["reference"],
    )
    await signed_in(town, role, "TREAT")
    office = await handed(town, "operator", "HOPERAT", person=practitioner)
    code = await asked(town, role, "TREAT")
    assert (await confirmed(town, code, f"operator/{office['login']}")).status_code == 403


async def test_who_signs_in_is_told_what_waits_for_them(town: City) -> None:
    role = await clinician(town)
    browser = await signed_in(town, role, "TREAT")
    assert (await browser.get("/auth/passkeys", **JSON)).json()["waiting"] == []
    code = await asked(town, role, "TREAT")
    (shown,) = (await browser.get("/auth/passkeys", **JSON)).json()["waiting"]
    assert shown.keys() == {"login", "at"}
    assert shown["login"] == code["login"]
