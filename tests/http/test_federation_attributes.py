"""What a provider says of a resident: offered, taken over one by one, sealed, and written into nothing by itself."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import Response

from tests.http.apps import handed
from tests.http.identity_town import City
from tests.http.provider import RESIDENTS, Elsewhere, Jar, Liar, liar, registered

pytestmark = pytest.mark.anyio
PATH = "/auth/federation/attributes"
ADDRESS = "架空県架空市見本町1丁目2番3号"


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def mock(town: City) -> AsyncIterator[Liar]:
    with liar(town) as running:
        yield running


@pytest.fixture
async def portal(town: City, mock: Liar) -> Elsewhere:
    mock.lies.clear()
    return await registered(town, mock, RESIDENTS)


async def arrived(portal: Elsewhere) -> tuple[Jar, str]:
    """A resident who signed in at the provider, and their Patient."""
    resident, browser = await portal.town.resident(), Jar(portal.town)
    answer = await portal.linked(browser, await handed(portal.town, resident, "PATRQT"))
    assert answer.json() == {"signed_in": True}
    return browser, resident


async def told(browser: Jar) -> dict[str, Any]:
    answer = await browser.get(PATH)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_is_chosen_is_taken_over_and_the_rest_is_forgotten(portal: Elsewhere) -> None:
    browser, resident = await arrived(portal)
    before = await portal.town.call("operator", "GET", f"/fhir/{resident}")
    found = await told(browser)
    offered = {each["name"]: each["value"] for each in found["offered"]["attributes"]}
    assert set(offered) == {"name", "address", "birthdate", "gender"}
    assert found["taken"] == []
    answer = await browser.post(PATH, {"csrf": found["csrf"], "take": ["address"]})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after["offered"] is None
    (one,) = after["taken"]
    assert (one["name"], one["value"], one["provider"]) == ("address", ADDRESS, portal.provider_id)
    again = await browser.post(PATH, {"csrf": found["csrf"], "take": ["name"]})
    assert again.status_code == 404
    row = portal.town.audited("attributes-take")[-1]
    assert (row["outcome"], row["detail"]) == ("success", "address")
    unchanged = await portal.town.call("operator", "GET", f"/fhir/{resident}")
    assert unchanged.json() == before.json()


async def test_nothing_of_it_lies_open_in_the_database(portal: Elsewhere) -> None:
    browser, _ = await arrived(portal)
    await browser.post(PATH, {"csrf": (await told(browser))["csrf"], "take": ["address", "name"]})
    everything = [
        str(row)
        for table in ("federation_attempt", "federation_attribute", "audit_event", "notification")
        for row in portal.town.rows(f"SELECT * FROM {table}")
    ]
    sealed = [row["value"] for row in portal.town.rows("SELECT value FROM federation_attribute")]
    assert not any("見本" in row for row in everything)
    assert not any("見本町".encode() in value for value in sealed)


async def test_taking_nothing_keeps_nothing(portal: Elsewhere) -> None:
    browser, _ = await arrived(portal)
    answer = await browser.post(PATH, {"csrf": (await told(browser))["csrf"], "take": []})
    assert answer.json()["taken"] == []
    login = (await browser.get("/auth/sessions")).json()["browsers"][0]["id"]
    (row,) = portal.town.rows("SELECT said FROM federation_attempt WHERE login_id = %s", login)
    assert row["said"] is None


async def test_only_what_is_offered_is_taken_and_only_by_its_resident(portal: Elsewhere) -> None:
    browser, _ = await arrived(portal)
    csrf = (await told(browser))["csrf"]
    for unfit in (["email"], "address", None, [1]):
        assert (await browser.post(PATH, {"csrf": csrf, "take": unfit})).status_code == 400
    assert (await browser.post(PATH, {"csrf": "x", "take": []})).status_code == 403
    stranger = Jar(portal.town)
    await stranger.sign_in(await handed(portal.town, await portal.town.resident(), "PATRQT"))
    assert (await told(stranger))["offered"] is None
    taking = {"csrf": await stranger.csrf(), "take": ["address"]}
    assert (await stranger.post(PATH, taking)).status_code == 404


async def test_what_has_the_shape_of_a_my_number_is_not_offered(portal: Elsewhere) -> None:
    portal.mock.lies["user_info"] = lambda said: {**said, "name": "見本 1234-5678-9018"}
    browser, _ = await arrived(portal)
    names = [each["name"] for each in (await told(browser))["offered"]["attributes"]]
    assert names == ["address", "birthdate", "gender"]


async def test_what_was_taken_over_is_forgotten_again(portal: Elsewhere) -> None:
    browser, _ = await arrived(portal)
    csrf = (await told(browser))["csrf"]
    await browser.post(PATH, {"csrf": csrf, "take": ["gender"]})
    path = f"{PATH}/{portal.provider_id}/gender/forget"
    assert (await browser.post(path, {"csrf": csrf})).status_code == 204
    assert (await told(browser))["taken"] == []
    assert (await browser.post(path, {"csrf": csrf})).status_code == 404


async def test_a_clinician_takes_nothing_over(portal: Elsewhere) -> None:
    town = portal.town
    role = await town.role(await town.practitioner(), await town.organization())
    browser = Jar(town)
    await browser.sign_in(await handed(town, role, "TREAT"))
    assert (await browser.get(PATH)).status_code == 403


async def entered(town: City, resident: str, provider: str, *names: str) -> Response:
    body = {"kind": "statement", "patient": resident, "provider": provider, "take": list(names)}
    return await town.call("clerk/ichikawa", "POST", "/desk/matters", purpose="HOPERAT", json=body)


async def test_two_clerks_change_the_registration_to_what_the_person_says(portal: Elsewhere) -> None:
    town = portal.town
    browser, resident = await arrived(portal)
    assert (await entered(town, resident, portal.provider_id, "address")).status_code == 404
    csrf = (await told(browser))["csrf"]
    await browser.post(PATH, {"csrf": csrf, "take": ["address", "birthdate", "name"]})
    assert (await entered(town, resident, portal.provider_id, "gender")).status_code == 404
    assert (await entered(town, resident, "another", "address")).status_code == 404
    matter = await entered(town, resident, portal.provider_id, "address", "birthdate")
    assert matter.status_code == 201, matter.text
    path = f"/desk/matters/{matter.json()['id']}"
    shown = await town.call("clerk/niwa", "GET", path, purpose="HOPERAT")
    assert shown.json()["content"]["values"] == {"address": ADDRESS, "birthdate": "1958-04-12"}
    alone = await town.call("clerk/ichikawa", "POST", f"{path}/confirm", purpose="HOPERAT")
    assert alone.status_code == 403
    done = await town.call("clerk/niwa", "POST", f"{path}/confirm", purpose="HOPERAT")
    assert done.status_code == 200, done.text
    patient = (await town.call(resident, "GET", f"/fhir/{resident}", purpose="PATRQT")).json()
    assert (patient["address"][0]["text"], patient["birthDate"]) == (ADDRESS, "1958-04-12")
    assert [name["text"] for name in patient["name"]] == ["星野 葵（架空）"]
    found = await town.call(resident, "GET", f"/fhir/Provenance?target={resident}", purpose="PATRQT")
    (provenance,) = [each["resource"] for each in found.json()["entry"]]
    assert provenance["entity"][0]["what"]["display"] == "模擬の市ポータル（架空）"
    notices = (await town.call(resident, "GET", "/notifications", purpose="PATRQT")).json()
    assert "registration-changed" in {one["kind"] for one in notices}


async def test_what_the_person_takes_back_is_registered_no_more(portal: Elsewhere) -> None:
    town = portal.town
    browser, resident = await arrived(portal)
    csrf = (await told(browser))["csrf"]
    await browser.post(PATH, {"csrf": csrf, "take": ["gender"]})
    matter = await entered(town, resident, portal.provider_id, "gender")
    await browser.post(f"{PATH}/{portal.provider_id}/gender/forget", {"csrf": csrf})
    path = f"/desk/matters/{matter.json()['id']}/confirm"
    assert (await town.call("clerk/niwa", "POST", path, purpose="HOPERAT")).status_code == 409
