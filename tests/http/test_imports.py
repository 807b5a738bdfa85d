"""Imports and notifications over HTTP, the worker's attempts made in the test's own process."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from httpx import Response

from tests.databases import Database
from tests.http.device_town import Town, served
from tests.http.handbooks import ALLERGY, handbook
from workers.attempt import attempt
from workers.tasks import HANDLERS

pytestmark = pytest.mark.anyio

MEDICINES = ("MedicationRequest", "MedicationDispense")
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as running:
        yield running


@pytest.fixture
async def pharmacy(town: Town) -> str:
    return await town.create("operator", {"resourceType": "Organization", "name": "れいじ薬局（架空）"})


@pytest.fixture
async def hanako(town: Town) -> str:
    tree = {"resourceType": "Patient", "name": [{"text": "見本 花子"}], "birthDate": "1955-07-03"}
    return await town.create("operator", tree)


class Counter:
    """The pharmacy's counter: files handed over for one resident, and what became of them."""

    def __init__(self, town: Town, database: Database, patient: str, pharmacy: str) -> None:
        self.town, self.database, self.patient, self.pharmacy = town, database, patient, pharmacy

    async def hand_over(
        self, data: bytes, *, who: str | None = None, format: str = "jahis", patient: str | None = None
    ) -> Response:
        params = {"patient": patient or self.patient, "format": format}
        who = who or self.pharmacy
        return await self.town.call(who, "POST", "/imports", params=params, content=data, headers=OCTETS)

    async def status(self, location: str, *, who: str | None = None) -> Response:
        return await self.town.call(who or self.pharmacy, "GET", location)

    async def imported(self, data: bytes, *, who: str | None = None) -> dict[str, Any]:
        """Hand over, let a worker work, and ask what became of it."""
        answer = await self.hand_over(data, who=who)
        assert answer.status_code == 202, answer.text
        await self.work()
        status = await self.status(answer.headers["Location"], who=who)
        assert status.status_code == 200, status.text
        found: dict[str, Any] = status.json()
        return found

    async def work(self) -> None:
        """Do what a worker does with every row that is not done."""
        for patient_key, outbox_id in self._waiting():
            await attempt(self.town.runtime, HANDLERS, patient_key, outbox_id, limit_seconds=20)

    def _waiting(self) -> list[tuple[int, UUID]]:
        with psycopg.connect(self.database.superuser_url) as connection:
            return connection.execute(
                "SELECT patient_key, outbox_id FROM outbox WHERE done_at IS NULL"
            ).fetchall()

    async def consent(self, *, types: Sequence[str] = (), status: str = "active") -> str:
        """The resident lets the pharmacy hand over records, of `types` or of any."""
        role = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "AUT"}
        action = {"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "collect"}
        reason = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}
        scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
        provision: dict[str, Any] = {
            "type": "permit",
            "actor": [{"role": {"coding": [role]}, "reference": {"reference": self.pharmacy}}],
            "action": [{"coding": [action]}],
            "purpose": [reason],
        }
        if types:
            system = "http://hl7.org/fhir/resource-types"
            provision["class"] = [{"system": system, "code": name} for name in types]
        tree = {
            "resourceType": "Consent",
            "status": status,
            "scope": {"coding": [scope]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": self.patient},
            "policyRule": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]
            },
            "provision": provision,
        }
        return await self.town.create(self.patient, tree)

    async def withdraw(self, consent: str) -> None:
        tree = (await self.town.call(self.patient, "GET", f"/fhir/{consent}")).json()
        tree["status"] = "inactive"
        answer = await self.town.call(self.patient, "PUT", f"/fhir/{consent}", json=tree)
        assert answer.status_code == 200, answer.text

    async def stored(self, name: str) -> list[dict[str, Any]]:
        """The resident's records of a type, as the resident reads them."""
        answer = await self.town.call(self.patient, "GET", f"/fhir/{name}", params={"patient": self.patient})
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    async def told(self) -> list[dict[str, Any]]:
        answer = await self.town.call(self.patient, "GET", "/notifications")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found


@pytest.fixture
async def counter(town: Town, module_database: Database, hanako: str, pharmacy: str) -> Counter:
    return Counter(town, module_database, hanako, pharmacy)


async def test_a_pharmacy_hands_over_and_the_records_are_there(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(handbook("20260401"))
    assert status["status"] == "finished"
    assert sorted(reference.partition("/")[0] for reference in status["created"]) == sorted(MEDICINES)
    (dispense,) = await counter.stored("MedicationDispense")
    (request,) = await counter.stored("MedicationRequest")
    assert dispense["authorizingPrescription"] == [{"reference": f"MedicationRequest/{request['id']}"}]
    assert dispense["whenHandedOver"] == "2026-04-01"


async def test_what_is_handed_over_is_labelled_by_its_codes(counter: Counter) -> None:
    await counter.consent()
    mirtazapine = handbook("20260401").replace(b"2171022F5999", b"1179051F1999")
    assert (await counter.imported(mirtazapine))["status"] == "finished"
    for type_name in MEDICINES:
        (stored,) = await counter.stored(type_name)
        assert [label["code"] for label in stored["meta"]["security"]] == ["R", "PSY"]


async def test_the_resident_hands_over_and_is_told(counter: Counter) -> None:
    status = await counter.imported(handbook("20260401"), who=counter.patient)
    assert status["status"] == "finished"
    (notice,) = await counter.told()
    assert notice["kind"] == "import-finished"
    assert notice["about"]["by"] == counter.patient
    assert set(notice["text"]) == {"ja", "en"}


async def test_the_same_bytes_from_the_same_source_are_the_same_import(counter: Counter) -> None:
    await counter.consent()
    first = await counter.hand_over(handbook("20260401"))
    again = await counter.hand_over(handbook("20260401"))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["Location"] == again.headers["Location"]
    await counter.work()
    third = await counter.hand_over(handbook("20260401"))
    await counter.work()
    assert third.headers["Location"] == first.headers["Location"]
    assert len(await counter.stored("MedicationDispense")) == 1
    assert [notice["kind"] for notice in await counter.told()].count("import-finished") == 1


async def test_a_longer_handbook_of_the_same_source_adds_only_what_is_new(counter: Counter) -> None:
    await counter.consent()
    await counter.imported(handbook("20260401"))
    status = await counter.imported(handbook("20260501", "20260401"))
    assert len(status["created"]) == len(MEDICINES)
    assert len(await counter.stored("MedicationDispense")) == 2


async def test_two_sources_are_never_merged(counter: Counter) -> None:
    await counter.consent()
    await counter.imported(handbook("20260401"))
    own = await counter.imported(handbook("20260401"), who=counter.patient)
    assert len(own["created"]) == len(MEDICINES)
    assert len(await counter.stored("MedicationDispense")) == 2


async def test_no_grant_and_unknown_patient_are_refused_alike(counter: Counter) -> None:
    denied = await counter.hand_over(handbook("20260401"))
    unknown = await counter.hand_over(handbook("20260401"), patient=f"Patient/{uuid4()}")
    assert (denied.status_code, denied.content) == (unknown.status_code, unknown.content)
    assert denied.status_code == 403


async def test_a_consent_withdrawn_before_the_work_stores_nothing(counter: Counter) -> None:
    consent = await counter.consent()
    answer = await counter.hand_over(handbook("20260401"))
    await counter.withdraw(consent)
    await counter.work()
    status = (await counter.status(answer.headers["Location"])).json()
    assert (status["status"], status["reason"], status["created"]) == ("refused", "not-permitted", [])
    assert await counter.stored("MedicationDispense") == []
    assert "import-refused" in [notice["kind"] for notice in await counter.told()]
    accesses = await counter.town.call(
        counter.patient, "GET", "/audit/accesses", params={"patient": counter.patient}
    )
    refusals = [row for row in accesses.json() if row["outcome"] == "refused"]
    assert any(row["query"].startswith("POST imports") for row in refusals)


async def test_a_refused_file_is_taken_up_again_once_the_consent_is_there(counter: Counter) -> None:
    consent = await counter.consent()
    first = await counter.hand_over(handbook("20260401"))
    await counter.withdraw(consent)
    await counter.work()
    await counter.consent()
    again = await counter.hand_over(handbook("20260401"))
    await counter.work()
    assert again.headers["Location"] == first.headers["Location"]
    assert (await counter.status(again.headers["Location"])).json()["status"] == "finished"
    assert len(await counter.stored("MedicationDispense")) == 1


async def test_what_the_consent_does_not_cover_is_left_out_and_reported(counter: Counter) -> None:
    await counter.consent(types=MEDICINES)
    status = await counter.imported(handbook("20260401", remarks=[ALLERGY]))
    assert status["status"] == "finished"
    assert [each["text"] for each in status["deviations"] if "AllergyIntolerance" in each["text"]]
    assert await counter.stored("AllergyIntolerance") == []
    assert len(await counter.stored("MedicationDispense")) == 1


async def test_a_dispense_without_its_request_names_no_request(counter: Counter) -> None:
    await counter.consent(types=["MedicationDispense"])
    await counter.imported(handbook("20260401"))
    (dispense,) = await counter.stored("MedicationDispense")
    assert "authorizingPrescription" not in dispense


async def test_a_handbook_that_names_another_birth_date_says_so_first_and_tells_the_resident(
    counter: Counter,
) -> None:
    await counter.consent()
    status = await counter.imported(handbook("20260401", born="19610115"))
    assert (status["status"], status["reason"]) == ("finished", "another-person")
    assert "whose file" in status["deviations"][0]["text"]
    assert len(await counter.stored("MedicationDispense")) == 1
    assert "import-doubted" in [notice["kind"] for notice in await counter.told()]


async def test_another_name_is_stored_and_reported(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(
        handbook("20260401", name="仮名　花代").replace("ミホン".encode("cp932"), b"")
    )
    assert status["status"] == "finished"
    assert status["deviations"][0]["record"] == "1"


async def test_a_file_that_cannot_be_compared_is_stored_and_says_so(
    counter: Counter, town: Town, pharmacy: str, module_database: Database
) -> None:
    nameless = await town.create("operator", {"resourceType": "Patient"})
    status = await Counter(town, module_database, nameless, pharmacy).imported(
        handbook("20260401"), who=nameless
    )
    assert status["status"] == "finished"
    assert "compared" in status["deviations"][0]["text"]


async def test_what_nobody_can_read_is_refused_with_its_reason(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(b"\xff\xfe no handbook")
    assert (status["status"], status["reason"]) == ("refused", "unreadable")
    text = "got a first line without JAHISTC and a version"
    assert status["deviations"] == [{"line": 0, "record": "?", "text": text}]


async def test_what_becomes_too_much_is_refused_with_its_reason(counter: Counter) -> None:
    medicines = "".join(f"201,{rp},見本錠,1,錠,1,,1\r\n" for rp in range(300))
    data = handbook("20260401") + f"{medicines}501,{'長' * 75_000},1\r\n".encode("cp932")
    status = await counter.imported(data, who=counter.patient)
    assert (status["status"], status["reason"], status["created"]) == ("refused", "too-much", [])
    assert "expected at most so many" in status["deviations"][0]["text"]
    assert await counter.stored("MedicationDispense") == []


async def test_deviations_are_reported_line_by_line(counter: Counter) -> None:
    await counter.consent()
    status = await counter.imported(handbook("20260401", remarks=["999,x"]))
    assert status["status"] == "finished"
    assert {"line": 3, "record": "999"}.items() <= status["deviations"][0].items()


async def test_an_import_is_read_by_its_source_and_its_person_alone(
    counter: Counter, town: Town, pharmacy: str
) -> None:
    await counter.consent()
    location = (await counter.hand_over(handbook("20260401"))).headers["Location"]
    stranger = await town.create("operator", {"resourceType": "Organization", "name": "別の薬局（架空）"})
    resident = await town.resident("別の人（架空）")
    for who in (counter.patient, pharmacy):
        assert (await counter.status(location, who=who)).status_code == 200
    unknown = await counter.status(f"/imports/{uuid4()}")
    malformed = await counter.status("/imports/x")
    for who in (stranger, resident, "operator", "auditor"):
        denied = await counter.status(location, who=who)
        assert (denied.status_code, denied.content) == (404, unknown.content) == (404, malformed.content)


async def test_unknown_formats_and_large_files_are_refused(counter: Counter) -> None:
    await counter.consent()
    assert (await counter.hand_over(b"x", format="papyrus")).status_code == 400
    assert (await counter.hand_over(b"x" * (1_048_576 + 1))).status_code == 413
    assert (await counter.hand_over(b"x", patient="Observation/1")).status_code == 400


async def test_a_missing_parameter_is_named_with_an_example(counter: Counter) -> None:
    answer = await counter.town.call(
        counter.patient, "POST", "/imports", params={"format": "jahis"}, content=b"x"
    )
    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    assert issue["diagnostics"] == "got no query parameter `patient`, expected such as `Patient/…`"
    assert issue["expression"] == ["patient"]


async def test_a_handover_without_a_token_is_refused(counter: Counter) -> None:
    answer = await counter.town.call(
        None, "POST", "/imports", params={"patient": counter.patient, "format": "jahis"}, content=b"x"
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (None, 202),
        ("application/octet-stream", 202),
        ("text/csv; charset=Shift_JIS", 202),
        ("Text/Plain;charset=utf-8", 202),
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 202),
        ("x", 415),
    ],
)
async def test_a_file_is_taken_as_bytes_or_as_text(counter: Counter, kind: str | None, status: int) -> None:
    params = {"patient": counter.patient, "format": "jahis"}
    headers = {} if kind is None else {"Content-Type": kind}
    data = handbook("20260407")
    answer = await counter.town.call(
        counter.patient, "POST", "/imports", params=params, content=data, headers=headers
    )
    assert answer.status_code == status, answer.text
    if status == 415:
        told = answer.json()["issue"][0]["diagnostics"]
        assert told.endswith("expected `application/octet-stream` or `text/plain` or `text/csv`")


async def test_notifications_are_the_residents_own_newest_first(counter: Counter, pharmacy: str) -> None:
    await counter.imported(handbook("20260401"), who=counter.patient)
    await counter.imported(handbook("20260501", born="19610115"), who=counter.patient)
    assert [notice["kind"] for notice in await counter.told()] == ["import-doubted", "import-finished"]
    assert (await counter.town.call(pharmacy, "GET", "/notifications")).status_code == 403


async def test_nothing_of_a_file_lies_open_in_the_database(
    counter: Counter, module_database: Database
) -> None:
    await counter.consent()
    await counter.imported(handbook("20260401", drug="秘密錠"))
    with psycopg.connect(module_database.superuser_url) as connection:
        rows = connection.execute("SELECT row_to_json(import_job)::text, content FROM import_job").fetchall()
    assert all("秘密錠" not in text and "秘密錠".encode("cp932") not in content for text, content in rows)
