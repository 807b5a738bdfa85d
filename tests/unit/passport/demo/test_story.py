"""Every step has its expectation, and a step that goes otherwise, or fails, is told as such."""

from io import StringIO
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from passport.demo.client import granted
from passport.demo.errors import Refused
from passport.demo.expectations import EXPECTATIONS
from passport.demo.personas import NAMES, Persona, PersonaFile
from passport.demo.story import STEPS, Got
from passport.demo.telling import Told, printed


def test_steps_and_expectations_are_the_same_ones() -> None:
    assert sorted(STEPS) == sorted(expected.key for expected in EXPECTATIONS)


def test_whoever_acts_is_a_persona() -> None:
    assert {expected.who for expected in EXPECTATIONS} <= set(NAMES)


def test_another_finding_is_a_difference() -> None:
    expected = EXPECTATIONS[0]
    assert Told(expected, Got(expected.status, expected.finding)).holds
    assert not Told(expected, Got(expected.status, "all that the resident has")).holds
    assert not Told(expected, Got(expected.status + 1, expected.finding)).holds


def test_the_table_names_what_was_expected_and_what_came() -> None:
    page = StringIO()
    printed([Told(EXPECTATIONS[0], Got(500, "a surprise"))], Console(width=150, file=page))
    text = page.getvalue()
    assert "200 nothing" in text
    assert "500 a surprise" in text
    assert "0 of 1 steps went as expected" in text


def test_a_refusal_keeps_its_status_and_what_the_service_said() -> None:
    request = httpx.Request("GET", "http://passport.example/fhir/Observation?patient=Patient/1")
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "invalid", "diagnostics": "not so"}]}
    with pytest.raises(Refused) as refused:
        granted(httpx.Response(400, json=outcome, request=request))
    assert refused.value.status == 400
    assert str(refused.value) == "GET /fhir/Observation was answered with 400: not so"


def test_a_persona_file_is_its_owners_and_comes_back_as_it_was(tmp_path: Path) -> None:
    device = Persona("t", "Device/1", "Patient/1", "PATRQT", {"kty": "EC"}, 7)
    people = PersonaFile(
        "http://127.0.0.1:1", {"device": device, "auditor": Persona("u", "auditor", "Patient/1", "HOPERAT")}
    )
    people.write(tmp_path / "personas.json")
    assert PersonaFile.read(tmp_path / "personas.json") == people
    assert (tmp_path / "personas.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["personas.json"]
