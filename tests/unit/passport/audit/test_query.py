"""What was asked stays readable in the audit log, and who a stranger is does not get into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport.audit.query import MASK, QUERY_MAX_CHARACTERS, READABLE, as_told, recorded


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([], "GET Observation"),
        (
            [("patient", "Patient/1"), ("code", "http://loinc.org|85354-9"), ("date", "ge2031-04-01")],
            "GET Observation?patient=Patient/1&code=http://loinc.org|85354-9&date=ge2031-04-01",
        ),
        ([("_count", "50"), ("_sort", "-date")], "GET Observation?_count=50&_sort=-date"),
        ([("code:in", "http://x/vs")], "GET Observation?code:in=http://x/vs"),
        ([("subject:Patient._id", "1")], "GET Observation?subject:Patient._id=1"),
        ([("_has:Observation:patient:code:not", "x")], "GET Observation?_has:Observation:patient:code:not=x"),
        ([("patient._has:Group:member:code", "x")], "GET Observation?patient._has:Group:member:code=x"),
        (
            [("_include:iterate", "Observation:subject")],
            "GET Observation?_include:iterate=Observation:subject",
        ),
    ],
)
def test_codes_dates_and_references_stay_readable(params: list[tuple[str, str]], expected: str) -> None:
    assert recorded("GET", "Observation", params) == expected


def test_the_name_of_an_operation_stays_readable() -> None:
    asked = "GET Patient/1/$everything?_type=Observation,Condition&start=2026-10-01"
    params = [("_type", "Observation,Condition"), ("start", "2026-10-01")]
    assert recorded("GET", "Patient/1/$everything", params) == asked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", "urn:oid:1.2.3|0001234"),
        ("name", "Hoshino"),
        ("patient.name", "Hoshino"),
        ("patient:identifier", "urn:oid:1.2.3|0001234"),
        ("code:text", "hypertension"),
        ("subject:Patient.name", "Hoshino"),
        ("subject:Patient.identifier", "urn:oid:1.2.3|0001234"),
        ("_has:Observation:patient:performer.name", "Hoshino"),
        ("_has:Observation:patient:code:text", "hypertension"),
        ("code", "high blood pressure"),
        ("code", "高血圧"),
        ("_cursor", "AAAA"),
        ("status", "x" * 201),
    ],
)
def test_a_name_an_identifier_or_free_text_is_masked(name: str, value: str) -> None:
    assert recorded("GET", "Patient", [(name, value)]) == f"GET Patient?{name}={MASK}"


@pytest.mark.parametrize("name", ["星野 葵", "a b", "", "x" * 60, "<script>", "patient=Patient/1&name"])
def test_a_parameter_that_is_none_is_not_repeated(name: str) -> None:
    assert recorded("GET", "Patient", [(name, "1")]) == f"GET Patient?{MASK}"


def test_a_path_that_is_none_is_not_repeated() -> None:
    assert recorded("GET", "Patient/星野 葵") == f"GET {MASK}"
    assert recorded("GET", "Patient/1/_history/2") == "GET Patient/1/_history/2"


def test_a_long_query_is_cut() -> None:
    params = [("code", "x" * 100)] * 50
    assert len(recorded("GET", "Observation", params)) == QUERY_MAX_CHARACTERS


@given(st.text(max_size=40), st.text(max_size=80))
def test_no_value_of_an_unlisted_parameter_is_ever_recorded(name: str, value: str) -> None:
    if name.partition(":")[0] in READABLE:
        return
    text = recorded("GET", "X", [(name, f"secret-{value}")])
    assert "secret-" not in text


OWN = ("Patient/a", "Observation/1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GET Observation?patient=Patient/a,Patient/b", "GET Observation?patient=Patient/a,***"),
        ("GET Observation?patient=a,b&_count=5", "GET Observation?patient=a,***&_count=5"),
        ("GET Observation?subject=http://x/fhir/Patient/b", "GET Observation?subject=http://x/fhir/***"),
        ("GET Observation?subject:Patient._id=b", "GET Observation?subject:Patient._id=***"),
        ("GET Observation?_id=1,2", "GET Observation?_id=1,***"),
        ("GET Patient?_has:Observation:patient:_id=2", "GET Patient?_has:Observation:patient:_id=***"),
        ("GET Observation?patient=Patient/ab…", "GET Observation?patient=***…"),
        ("GET AuditEvent?agent=PractitionerRole/r", "GET AuditEvent?agent=PractitionerRole/r"),
        ("GET Observation?code=http://loinc.org|1-2&date=ge2026", None),
        ("GET Observation/2", None),
        ("POST Observation", None),
    ],
)
def test_a_resident_is_told_nothing_of_others_that_a_search_named(text: str, told: str | None) -> None:
    assert as_told(text, OWN) == (text if told is None else told)
