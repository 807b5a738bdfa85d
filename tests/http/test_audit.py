"""Who looked: what the audit log shows to residents, to auditors, and to nobody else; over HTTP."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
from httpx import Response

from tests.http.identity_town import BASE_URL, BLOOD_PRESSURE, City

pytestmark = pytest.mark.anyio

ACCESSES = "/audit/accesses"
EVENTS = "/fhir/AuditEvent"
MEMBERS = {"time", "who", "role", "for", "purpose", "query", "records", "grants", "scopes", "outcome"}


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


async def accesses(town: City, who: str, patient: str, **more: str) -> list[dict[str, Any]]:
    answer = await town.call(who, "GET", ACCESSES, params={"patient": patient, **more})
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.json()
    return listed


async def events(town: City, who: str, **params: str) -> list[dict[str, Any]]:
    answer = await town.call(who, "GET", EVENTS, params=params)
    assert answer.status_code == 200, answer.text
    Bundle.model_validate_json(answer.content)
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def looked(town: City, doctor: str, aoi: str) -> tuple[str, str]:
    """A shared blood pressure that the doctor found; its reference and the consent's."""
    observation = await town.blood_pressure(aoi)
    consent = await town.share(aoi, doctor)
    params = {"patient": aoi, "code": BLOOD_PRESSURE}
    found = await town.call(doctor, "GET", "/fhir/Observation", params=params)
    assert len(found.json()["entry"]) == 1
    return observation, consent


async def test_a_resident_reads_who_looked_when_at_what_and_why_allowed(
    town: City, aoi: str, doctor: str
) -> None:
    observation, consent = await looked(town, doctor, aoi)
    newest = (await accesses(town, aoi, aoi))[0]
    practitioner = newest.pop("who")
    assert practitioner.startswith("Practitioner/")
    assert newest.pop("time").endswith("Z")
    assert newest == {
        "role": doctor,
        "for": None,
        "purpose": "TREAT",
        "query": f"GET Observation?patient={aoi}&code={BLOOD_PRESSURE}",
        "records": [observation],
        "grants": [consent],
        "scopes": ["user/*.cruds"],
        "outcome": "success",
    }


async def test_accesses_come_newest_first_with_the_same_members(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    listed = await accesses(town, aoi, aoi)
    assert [access["time"] for access in listed] == sorted(
        (access["time"] for access in listed), reverse=True
    )
    assert all(access.keys() == MEMBERS for access in listed)


async def test_a_look_that_showed_nothing_is_told_too(town: City, aoi: str, doctor: str) -> None:
    await town.blood_pressure(aoi)
    observation = await town.blood_pressure(aoi)
    await town.call(doctor, "GET", f"/fhir/{observation}")
    await town.call(doctor, "GET", f"/fhir/Observation?patient={aoi}")
    searched, read = (await accesses(town, aoi, aoi))[:2]
    assert (read["outcome"], read["records"], read["grants"]) == ("not-found", [], [])
    assert (searched["outcome"], searched["records"]) == ("success", [])


async def test_a_refused_write_is_told(town: City, aoi: str, doctor: str) -> None:
    answer = await town.call(
        doctor,
        "POST",
        "/fhir/Observation",
        json={
            "resourceType": "Observation",
            "status": "final",
            "subject": {"reference": aoi},
            "code": {"text": "x"},
        },
    )
    assert answer.status_code == 403
    newest = (await accesses(town, aoi, aoi))[0]
    assert (newest["outcome"], newest["role"]) == ("refused", doctor)


async def test_a_proxy_acts_for_the_resident_and_visibly_so(town: City, aoi: str) -> None:
    child = await town.relative(aoi)
    await town.blood_pressure(aoi)
    await town.share(aoi, child, "FAMRQT")
    await town.call(child, "GET", f"/fhir/Observation?patient={aoi}", purpose="FAMRQT")
    newest = (await accesses(town, aoi, aoi))[0]
    assert (newest["who"], newest["for"], newest["purpose"]) == (child, aoi, "FAMRQT")


async def test_names_and_identifiers_that_somebody_searched_by_are_masked(
    town: City, aoi: str, doctor: str
) -> None:
    await town.call(doctor, "GET", "/fhir/Patient", params={"identifier": "urn:oid:1.2.3|0001234"})
    (newest,) = (await events(town, "auditor", agent=doctor, _count="1"))[:1]
    (query,) = (entity["query"] for entity in newest["entity"] if "query" in entity)
    assert b64decode(query) == b"GET Patient?identifier=***"


async def test_nobody_else_sees_who_looked(town: City, aoi: str, doctor: str, hospital: str) -> None:
    await looked(town, doctor, aoi)
    (event,) = await events(town, "auditor", patient=aoi, agent=doctor)
    stranger = await town.resident("星野 陽（架空）")
    for who in (stranger, doctor, hospital, await town.relative(aoi), "operator"):
        assert await accesses(town, who, aoi) == []
        assert await events(town, who, patient=aoi) == []
        answer = await town.call(who, "GET", f"{EVENTS}/{event['id']}")
        unknown = await town.call(who, "GET", f"{EVENTS}/1-{'0' * 8}-0000-4000-8000-{'0' * 12}")
        assert answer.status_code == unknown.status_code == 404
        assert answer.content == unknown.content
    assert (await town.call(None, "GET", ACCESSES)).status_code == 401
    assert (await town.call(None, "GET", EVENTS)).status_code == 401


async def test_the_log_of_nobody_is_the_auditors_alone(town: City, aoi: str, doctor: str) -> None:
    for who in (aoi, doctor, "operator"):
        seen = await events(town, who, agent="operator", _count="1000")
        assert [event for event in seen if event["subtype"][-1]["code"] == "token"] == []
    assert await events(town, "auditor", agent="operator")


async def test_a_consent_that_names_the_audit_log_shows_it(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    child = await town.relative(aoi)
    await town.share(aoi, child, "FAMRQT")
    token = await town.token(child, "FAMRQT")
    assert await accesses(town, token, aoi) == []
    consent = await town.share(aoi, child, "FAMRQT", classes=("AuditEvent",))
    assert len(await accesses(town, token, aoi)) > 0
    newest = (await accesses(town, aoi, aoi))[0]
    assert (newest["who"], newest["for"], newest["grants"]) == (child, aoi, [consent])
    other = await town.resident("星野 陽（架空）")
    assert await accesses(town, token, other) == []


async def test_an_auditor_searches_by_patient_agent_date_and_outcome(
    town: City, aoi: str, doctor: str
) -> None:
    began = town.clock().isoformat().replace("+00:00", "Z")
    observation, consent = await looked(town, doctor, aoi)
    await town.call(doctor, "GET", "/fhir/Observation/nowhere")
    (event,) = await events(town, "auditor", patient=aoi, agent=doctor, date=f"ge{began}")
    assert event["outcome"] == "0"
    assert {entity["what"]["reference"] for entity in event["entity"] if "what" in entity} == {
        aoi,
        f"{observation}/_history/1",
        consent,
    }
    (failed,) = await events(town, "auditor", agent=doctor, outcome="4", date=f"ge{began}")
    assert failed["outcomeDesc"] == "not-found"
    assert await events(town, "auditor", patient=aoi, date=f"lt{began}", agent=doctor) == []
    assert await events(town, "auditor", patient="Patient/nowhere") == []


async def test_an_auditor_sees_that_and_never_what(town: City, aoi: str, doctor: str) -> None:
    observation, _ = await looked(town, doctor, aoi)
    body = (await town.call("auditor", "GET", EVENTS, params={"patient": aoi})).text
    assert observation in body
    for word in ("mmHg", "valueQuantity", "8480-6", "星野"):
        assert word not in body
    assert (await town.call("auditor", "GET", f"/fhir/{observation}")).status_code == 404
    assert "entry" not in (await town.call("auditor", "GET", f"/fhir/Observation?patient={aoi}")).json()


async def test_every_event_of_the_log_is_valid_and_found_by_its_id(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    found = await events(town, "auditor", _count="100")
    assert len(found) > 5
    for event in found[:20]:
        AuditEvent.model_validate_json(orjson.dumps(event))
        answer = await town.call("auditor", "GET", f"{EVENTS}/{event['id']}")
        assert answer.json() == event


async def test_a_resident_reads_one_event_of_their_own(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    (event,) = await events(town, aoi, patient=aoi, agent=doctor)
    answer = await town.call(aoi, "GET", f"{EVENTS}/{event['id']}")
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == event


async def test_that_an_auditor_looked_is_in_the_log_and_the_resident_sees_it(town: City, aoi: str) -> None:
    await events(town, "auditor", patient=aoi)
    newest = (await accesses(town, aoi, aoi))[0]
    assert (newest["who"], newest["query"]) == ("auditor", f"GET AuditEvent?patient={aoi}")


async def test_ones_own_business_is_kept_and_does_not_fill_the_list(town: City, aoi: str) -> None:
    for _ in range(3):
        await accesses(town, aoi, aoi)
    assert [access for access in await accesses(town, aoi, aoi) if access["who"] == aoi] == []
    kept = [event["subtype"][-1]["code"] for event in await events(town, aoi)]
    assert kept == [*["audit-read"] * 4, "token", "create"]


async def walked(town: City, who: str, path: str, first: Response) -> list[Response]:
    """The page and all that follow it."""
    pages = [first]
    while True:
        links = {link["relation"]: link["url"] for link in pages[-1].json()["link"]}
        if "next" not in links:
            return pages
        assert links["next"].startswith(f"{BASE_URL}{path}?")
        pages.append(await town.call(who, "GET", links["next"].removeprefix(BASE_URL)))


async def test_pages_join_to_the_whole_in_either_order(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    for _ in range(6):
        await town.call(doctor, "GET", f"/fhir/Observation?patient={aoi}")
    asked = {"patient": aoi, "agent": doctor}
    whole = [event["id"] for event in await events(town, "auditor", **asked)]
    assert len(whole) == 7
    for order in ("-date", "date"):
        params = {**asked, "_count": "3", "_sort": order}
        pages = await walked(
            town, "auditor", EVENTS, await town.call("auditor", "GET", EVENTS, params=params)
        )
        ids = [e["resource"]["id"] for page in pages for e in page.json()["entry"]]
        assert ids == (whole if order == "-date" else whole[::-1])
        assert [len(page.json()["entry"]) for page in pages] == [3, 3, 1]


async def test_the_list_of_accesses_is_paged_by_its_link_header(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    whole = await accesses(town, aoi, aoi)
    got: list[dict[str, Any]] = []
    path: str | None = f"{ACCESSES}?patient={aoi}&_count=1"
    while path is not None:
        answer = await town.call(aoi, "GET", path)
        got += answer.json()
        link = answer.headers.get("link")
        path = link[1 : link.index(">")].removeprefix(BASE_URL) if link else None
    assert got == whole


async def test_a_cursor_opens_for_its_own_caller_and_question_alone(
    town: City, aoi: str, doctor: str
) -> None:
    await looked(town, doctor, aoi)
    answer = await town.call(aoi, "GET", EVENTS, params={"patient": aoi, "_count": "1"})
    (further,) = (link["url"] for link in answer.json()["link"] if link["relation"] == "next")
    cursor = dict(parse_qsl(urlsplit(further).query))["_cursor"]
    asked = {"patient": aoi, "_count": "1", "_cursor": cursor}
    assert (await town.call(aoi, "GET", EVENTS, params=asked)).status_code == 200
    assert (await town.call("auditor", "GET", EVENTS, params=asked)).status_code == 400
    assert (await town.call(aoi, "GET", EVENTS, params={**asked, "_count": "2"})).status_code == 400
    for forged in ("AAAA", cursor[:-2], ""):
        answer = await town.call(aoi, "GET", EVENTS, params={**asked, "_cursor": forged})
        assert answer.status_code == 400


async def test_totals_count_what_the_caller_may_see(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    params = {"patient": aoi, "agent": doctor, "_total": "accurate"}
    assert (await town.call("auditor", "GET", EVENTS, params=params)).json()["total"] == 1
    counted = (await town.call(aoi, "GET", EVENTS, params={**params, "_summary": "count"})).json()
    assert counted["total"] == 1
    assert "entry" not in counted
    assert (await town.call(doctor, "GET", EVENTS, params=params)).json()["total"] == 0


async def test_the_log_of_one_patient_is_their_compartment_s(town: City, aoi: str, doctor: str) -> None:
    await looked(town, doctor, aoi)
    params = {"agent": doctor, "_total": "accurate"}
    for caller in (aoi, "auditor", doctor):
        asked = (await town.call(caller, "GET", EVENTS, params={**params, "patient": aoi})).json()
        within = await town.call(caller, "GET", f"/fhir/{aoi}/AuditEvent", params=params)
        assert (within.status_code, within.json()["total"]) == (200, asked["total"])
        assert [each["fullUrl"] for each in within.json().get("entry", [])] == [
            each["fullUrl"] for each in asked.get("entry", [])
        ]
    other = await town.call(
        aoi, "GET", f"/fhir/{aoi}/AuditEvent", params={**params, "patient": "Patient/none"}
    )
    assert other.json()["total"] == 0


@pytest.mark.parametrize(
    ("params", "shown", "hidden"),
    [
        ({"_summary": "true"}, "recorded", "entity"),
        ({"_summary": "text"}, "agent", "entity"),
        ({"_elements": "outcome"}, "outcome", "entity"),
    ],
)
async def test_parts_of_the_log_are_shown(
    town: City, aoi: str, doctor: str, params: dict[str, str], shown: str, hidden: str
) -> None:
    await looked(town, doctor, aoi)
    bundle = (await town.call(aoi, "GET", EVENTS, params={"patient": aoi, "agent": doctor, **params})).json()
    (event,) = [each["resource"] for each in bundle["entry"]]
    assert shown in event
    assert hidden not in event
    assert event["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert (await town.call(aoi, "GET", ACCESSES, params={"patient": aoi, **params})).status_code == 400


async def test_what_the_log_does_not_know_is_left_out_for_who_prefers_that(
    town: City, aoi: str, doctor: str
) -> None:
    await looked(town, doctor, aoi)
    params = {"patient": aoi, "agent": doctor, "shoe": "size"}
    wish = {"Prefer": "handling=lenient"}
    bundle = (await town.call(aoi, "GET", EVENTS, params=params, headers=wish)).json()
    assert len(bundle["entry"]) == 1
    assert "shoe" not in bundle["link"][0]["url"]
    assert "agent" in bundle["link"][0]["url"]


@pytest.mark.parametrize("params", [{"shoe": "size"}, {"date": "soon"}, {"_sort": "agent"}, {"outcome": "x"}])
async def test_what_the_log_cannot_be_searched_by_is_a_400(town: City, params: dict[str, str]) -> None:
    for path in (EVENTS, ACCESSES):
        answer = await town.call("auditor", "GET", path, params=params)
        assert answer.status_code == 400
        assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("params", [{"patient": "foo"}, {"agent": "foo"}])
async def test_accesses_of_nobody_who_could_be_are_not_an_empty_list(
    town: City, aoi: str, params: dict[str, str]
) -> None:
    answer = await town.call(aoi, "GET", ACCESSES, params=params)
    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0]["expression"] == list(params)


async def test_scopes_narrow_the_audit_log_too(town: City, aoi: str) -> None:
    narrow = await town.token(aoi, "PATRQT", scope="patient/Observation.rs")
    assert (await town.call(narrow, "GET", EVENTS)).status_code == 403
    assert (await town.call(narrow, "GET", ACCESSES)).status_code == 403
    only = await town.token(aoi, "PATRQT", scope="patient/AuditEvent.s")
    assert (await town.call(only, "GET", EVENTS)).status_code == 200


async def test_the_log_is_written_by_the_service_alone(town: City, aoi: str) -> None:
    for who in (aoi, "auditor", "operator"):
        answer = await town.call(who, "POST", EVENTS, json={"resourceType": "AuditEvent"})
        assert answer.status_code in {400, 403, 405, 422}
    rights = town.rows(
        "SELECT privilege_type FROM information_schema.role_table_grants "
        "WHERE table_name = 'audit_event' AND grantee = 'passport_service'"
    )
    assert {row["privilege_type"] for row in rights} == {"SELECT", "INSERT"}


async def test_who_presents_no_good_token_is_in_the_log(town: City) -> None:
    began = town.clock()
    assert (await town.call("not-a-token", "GET", "/fhir/Observation")).status_code == 401
    (row,) = town.audited("search", began)
    assert (row["outcome"], row["subject"], row["kind"]) == ("refused", None, "")
