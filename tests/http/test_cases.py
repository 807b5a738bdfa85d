"""Cases: an auditor sees what was asked for once they say why, for eight hours, and whose log it is reads that."""

from base64 import b64decode
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle
from httpx import Response

from tests.http.identity_town import City

pytestmark = pytest.mark.anyio

REASON = "苦情 2026-17 の確認（架空）"
CODE = "85354-9"


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def doctor(town: City) -> str:
    return await town.role(await town.practitioner(), await town.organization())


@pytest.fixture
async def aoi(town: City, doctor: str) -> str:
    return await looked_at(town, doctor)


@pytest.fixture
def auditor(request: pytest.FixtureRequest) -> str:
    """An auditor of the test's own, so that no other test's cases are theirs."""
    return f"auditor/{request.node.name[5:60].replace('_', '-')}"


async def looked_at(town: City, doctor: str) -> str:
    """A resident whose blood pressure a doctor looked for."""
    patient = await town.resident()
    await town.blood_pressure(patient)
    await town.share(patient, doctor)
    answer = await town.call(
        doctor, "GET", "/fhir/Observation", params={"patient": patient, "code": CODE, "_count": "7"}
    )
    assert len(answer.json()["entry"]) == 1
    return patient


async def queries(town: City, who: str, **params: str) -> list[str]:
    """What the log tells of searches for Observations."""
    answer = await town.call(who, "GET", "/audit/accesses", params=params)
    assert answer.status_code == 200, answer.text
    return [one["query"] for one in answer.json() if one["query"].startswith("GET Observation?")]


async def scopes_told(town: City, who: str, patient: str) -> tuple[set[str], set[str]]:
    """By which scopes somebody looked, as the log tells it and as its AuditEvents do."""
    listed = (await town.call(who, "GET", "/audit/accesses", params={"patient": patient})).json()
    bundle = (await town.call(who, "GET", "/fhir/AuditEvent", params={"patient": patient})).json()
    agents = [agent for entry in bundle["entry"] for agent in entry["resource"]["agent"]]
    return (
        {scope for one in listed for scope in one["scopes"] if "?" in scope},
        {scope for agent in agents for scope in agent.get("policy", ()) if "?" in scope},
    )


async def test_the_arguments_of_a_scope_are_masked_as_those_of_a_query_are(
    town: City, aoi: str, doctor: str, auditor: str
) -> None:
    scope = f"user/Observation.rs?code=http://loinc.org|{CODE}&status=final"
    narrow = await town.token(doctor, "TREAT", scope=scope)
    answer = await town.call(narrow, "GET", "/fhir/Observation", params={"patient": aoi})
    assert len(answer.json()["entry"]) == 1
    masked = {"user/Observation.rs?code=***&status=***"}
    assert await scopes_told(town, auditor, aoi) == (masked, masked)
    assert await scopes_told(town, aoi, aoi) == ({scope}, {scope})
    assert (await opened(town, auditor, patient=aoi)).status_code == 201
    assert await scopes_told(town, auditor, aoi) == ({scope}, {scope})


async def opened(town: City, auditor: str, **named: Any) -> Response:
    now = town.clock()
    period = {"from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    return await town.call(auditor, "POST", "/audit/cases", json={"reason": REASON, **period, **named})


async def test_without_a_case_values_are_masked_and_patients_are_pseudonyms(
    town: City, aoi: str, doctor: str, auditor: str
) -> None:
    assert await queries(town, auditor, patient=aoi) == [f"GET Observation?patient={aoi}&code=***&_count=***"]
    (found,) = await queries(town, auditor, agent=doctor, _count="1")
    pseudonym = found.removeprefix("GET Observation?patient=").partition("&")[0]
    assert pseudonym.startswith("patient-")
    assert await queries(town, auditor, agent=doctor, _count="1") == [found]
    other = await queries(town, "auditor/somebody-else", agent=doctor, _count="1")
    assert pseudonym not in other[0]
    # Whose log it is reads everything, as before.
    (own,) = await queries(town, aoi, patient=aoi)
    assert CODE in own


async def test_events_without_a_case_name_nobody_whom_the_search_does_not(
    town: City, aoi: str, doctor: str, auditor: str
) -> None:
    answer = await town.call(
        auditor, "GET", "/fhir/AuditEvent", params={"agent": doctor, "outcome": "success"}
    )
    Bundle.model_validate_json(answer.content)
    assert aoi not in answer.text
    assert all(CODE not in query for query in asked_in(answer))
    named = await town.call(auditor, "GET", "/fhir/AuditEvent", params={"patient": aoi, "agent": doctor})
    assert named.json()["entry"]
    assert {"reference": aoi} in [one["what"] for one in named.json()["entry"][0]["resource"]["entity"][:1]]
    single = named.json()["entry"][0]["resource"]["id"]
    alone = await town.call(auditor, "GET", f"/fhir/AuditEvent/{single}")
    assert aoi not in alone.text


def asked_in(answer: Response) -> list[str]:
    """The queries of events."""
    entities = [one for entry in answer.json()["entry"] for one in entry["resource"].get("entity", ())]
    return [b64decode(one["query"]).decode() for one in entities if "query" in one]


async def test_a_case_shows_what_it_names_and_nothing_else(
    town: City, aoi: str, doctor: str, auditor: str
) -> None:
    other = await looked_at(town, doctor)
    answer = await opened(town, auditor, patient=aoi)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["reason"], told["patient"], told["agent"], told["open"]) == (REASON, aoi, None, True)
    (found,) = await queries(town, auditor, patient=aoi)
    assert CODE in found
    assert all(CODE not in query for query in await queries(town, auditor, patient=other))
    assert all(CODE not in query for query in await queries(town, "auditor/somebody-else", patient=aoi))
    together = await queries(town, auditor, agent=doctor, _count="50")
    assert [CODE in query for query in together].count(True) == 1
    assert other not in orjson.dumps(together).decode()


async def test_a_case_reaches_its_period_alone(town: City, aoi: str, auditor: str) -> None:
    now = town.clock()
    for start, end in (
        (now - timedelta(days=9), now - timedelta(days=8)),
        (now + timedelta(minutes=5), now + timedelta(days=1)),
    ):
        answer = await opened(
            town, auditor, patient=aoi, **{"from": start.isoformat(), "to": end.isoformat()}
        )
        assert answer.status_code == 201, answer.text
        assert all(CODE not in query for query in await queries(town, auditor, patient=aoi))


async def test_a_case_about_an_agent_tells_each_patient_whose_log_it_opens(
    town: City, aoi: str, doctor: str, auditor: str
) -> None:
    answer = await opened(town, auditor, agent=doctor)
    assert (await town.call(aoi, "GET", "/audit/cases")).json() == []
    assert any(CODE in query for query in await queries(town, auditor, agent=doctor, patient=aoi))
    (told,) = (await town.call(aoi, "GET", "/audit/cases")).json()
    assert (told["case"], told["by"], told["agent"], told["reason"]) == (
        answer.json()["case"],
        auditor,
        doctor,
        REASON,
    )
    await queries(town, auditor, agent=doctor, patient=aoi)
    assert len(await cases_told(town, aoi)) == 1


async def cases_told(town: City, patient: str) -> list[dict[str, Any]]:
    listed = (await town.call(patient, "GET", "/notifications")).json()
    return [one for one in listed if one["kind"] == "audit-case-opened"]


async def test_whose_log_a_case_opens_is_told_and_reads_why_and_each_look_by_it(
    town: City, aoi: str, auditor: str
) -> None:
    case = (await opened(town, auditor, patient=aoi)).json()["case"]
    (notice,) = await cases_told(town, aoi)
    assert notice["about"] == {"case": case, "by": auditor}
    (told,) = (await town.call(aoi, "GET", "/audit/cases")).json()
    assert told["text"]["en"] == f"An auditor looked into the accesses to your passport because: {REASON}"
    assert REASON in told["text"]["ja"]
    await queries(town, auditor, patient=aoi)
    looks = await town.call(aoi, "GET", "/fhir/AuditEvent", params={"patient": aoi, "agent": auditor})
    described = [entry["resource"]["outcomeDesc"] for entry in looks.json()["entry"]]
    assert described == [f"success: {case}", f"success: {case}"]


async def test_a_case_ends_after_eight_hours_or_when_it_is_closed(town: City, aoi: str, auditor: str) -> None:
    first = (await opened(town, auditor, patient=aoi)).json()["case"]
    closed = await town.call(auditor, "POST", f"/audit/cases/{first}/close")
    assert (closed.status_code, closed.json()["open"]) == (200, False)
    assert all(CODE not in query for query in await queries(town, auditor, patient=aoi))
    assert (await town.call(auditor, "POST", f"/audit/cases/{first}/close")).status_code == 409
    await opened(town, auditor, patient=aoi)
    assert any(CODE in query for query in await queries(town, auditor, patient=aoi))
    town.clock.ahead += timedelta(hours=8)
    try:
        assert all(CODE not in query for query in await queries(town, auditor, patient=aoi))
        listed = (await town.call(auditor, "GET", "/audit/cases")).json()
    finally:
        town.clock.ahead -= timedelta(hours=8)
    assert [one["open"] for one in listed] == [False, False]
    assert {one["patient"] for one in listed} == {aoi}


async def test_nobody_else_opens_reads_or_closes_an_auditors_case(
    town: City, aoi: str, doctor: str, auditor: str
) -> None:
    case = (await opened(town, auditor, patient=aoi)).json()["case"]
    for who in (aoi, doctor, "operator", "clerk", "approver"):
        assert (await opened(town, who, patient=aoi)).status_code == 403
        assert (await town.call(who, "POST", f"/audit/cases/{case}/close")).status_code == 403
    for who in (doctor, "operator", "clerk", "approver"):
        assert (await town.call(who, "GET", "/audit/cases")).status_code == 403
    other = "auditor/somebody-else"
    assert (await town.call(other, "POST", f"/audit/cases/{case}/close")).status_code == 404
    assert case not in (await town.call(other, "GET", "/audit/cases")).text


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "x"},
        {"reason": None},
        {"patient": None},
        {"patient": "hoshino"},
        {"agent": "Practitioner/../1"},
        {"from": "2026-11-02", "to": "2026-11-01"},
        {"from": "2025-01-01", "to": "2026-11-01"},
        {"from": "2026-11-01T00:00:00"},
        {"from": "yesterday"},
        {"further": 1},
    ],
)
async def test_a_case_says_why_of_whom_and_from_when_to_when(
    town: City, aoi: str, auditor: str, changes: dict[str, Any]
) -> None:
    answer = await opened(town, "auditor/unfit", **{"patient": aoi, **changes})
    assert answer.status_code == 400, answer.text


async def test_a_case_about_nobody_is_none_and_no_table_holds_a_reason(
    town: City, aoi: str, auditor: str
) -> None:
    assert (await opened(town, auditor, patient="Patient/nobody")).status_code == 404
    assert (await town.call(auditor, "POST", f"/audit/cases/{UUID(int=7)}/close")).status_code == 404
    await opened(town, auditor, patient=aoi)
    for table in ("audit_case", "audit_event", "notification"):
        assert REASON not in str(town.rows(f"SELECT * FROM {table}"))
