"""What an auditor sees without a case: names of parameters, no values, and patients by pseudonyms."""

from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest

from passport.audit.event import audit_event
from passport.audit.veil import PSEUDONYM, Veil
from passport.subjects import Subject
from tests.unit.passport.audit.test_event import NAMES, ROW

SECRET: Final = b"s" * 32
AUDITOR: Final = Subject(
    kind="auditor",
    reference="auditor/hara",
    role="auditor",
    client=None,
    patient_key=None,
    patient=None,
    purpose="HOPERAT",
    scopes=frozenset(),
    session_id=UUID(int=1),
    opened_patient_key=None,
)
VEIL: Final = Veil.over(AUDITOR, SECRET, frozenset())
HOSHINO: Final = VEIL.reference("Patient/hoshino")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("GET Observation", "GET Observation"),
        ("GET Observation?code=http://loinc.org|85354-9&_count=10", "GET Observation?code=***&_count=***"),
        ("GET Observation?date=ge2026-10-01&_id=", "GET Observation?date=***&_id="),
        ("GET Patient?name=***", "GET Patient?name=***"),
        ("GET Observation?patient=Patient/hoshino", f"GET Observation?patient={HOSHINO}"),
        ("GET Observation?patient=hoshino", f"GET Observation?patient={HOSHINO}"),
        ("GET Observation?subject:Patient=hoshino", f"GET Observation?subject:Patient={HOSHINO}"),
        ("GET Observation?subject=https://x.test/fhir/Patient/hoshino", f"GET Observation?subject={HOSHINO}"),
        ("GET Observation?patient=Patient/hoshino,***", f"GET Observation?patient={HOSHINO},***"),
        ("GET Observation?subject=Group/1", "GET Observation?subject=***"),
        ("GET Patient?_has:Observation:patient:code=8480-6", "GET Patient?_has:Observation:patient:code=***"),
        ("GET Observation?patient.name=***", "GET Observation?patient.name=***"),
        ("GET Patient/hoshino/$everything?start=2026", f"GET {HOSHINO}/$everything?start=***"),
        ("GET Observation/1", "GET Observation/1"),
        ("", ""),
    ],
)
def test_a_query_keeps_its_names_and_loses_its_values(query: str, shown: str) -> None:
    assert VEIL.query(query) == shown


def test_a_pseudonym_is_the_same_within_a_session_and_another_in_the_next() -> None:
    assert HOSHINO.startswith(PSEUDONYM)
    assert "hoshino" not in HOSHINO
    again = Veil.over(AUDITOR, SECRET, frozenset())
    later = Veil.over(replace(AUDITOR, session_id=UUID(int=2)), SECRET, frozenset())
    elsewhere = Veil.over(AUDITOR, b"t" * 32, frozenset())
    called = [veil.reference("Patient/hoshino") for veil in (VEIL, again, later, elsewhere)]
    assert called[0] == called[1]
    assert len(set(called)) == 3
    assert VEIL.reference("Patient/aozora") != HOSHINO


def test_whom_the_question_names_is_called_so() -> None:
    veil = Veil.over(AUDITOR, SECRET, frozenset({"Patient/hoshino"}))
    query = "GET Observation?patient=Patient/hoshino,Patient/aozora&code=1"
    other = veil.reference("Patient/aozora")
    assert veil.query(query) == f"GET Observation?patient=Patient/hoshino,{other}&code=***"


def test_no_event_names_a_patient_whom_the_question_does_not() -> None:
    row = replace(ROW, behalf_of="Patient/hoshino", subject="Patient/hoshino", detail="for Patient/hoshino")
    named = {**NAMES, 13: replace(NAMES[11], type="Patient", id="hoshino")}
    shown = audit_event(VEIL.row(row), named, fhir_url="http://x.test/fhir")
    assert "Patient/hoshino" not in str(shown)
    assert HOSHINO in str(shown)
    assert {"reference": "Observation/a/_history/3"} in [one.get("what") for one in shown["entity"]]
