import pytest

from fhirstore.criteria import patients_named


@pytest.mark.parametrize(
    "criteria, named",
    [
        ("Observation?patient=Patient/x", ("Patient/x",)),
        ("Observation?code=http://loinc.org|85354-9&patient=x", ("Patient/x",)),
        ("Observation?subject:Patient=x", ("Patient/x",)),
        ("Observation?performer:Patient=x", ("Patient/x",)),
        ("Observation?subject=Patient/x,Patient/y", ("Patient/x", "Patient/y")),
        ("Observation?patient=x&performer=Patient/y", ("Patient/x", "Patient/y")),
        ("Observation?patient=x&patient=Patient/x", ("Patient/x",)),
        ("https://passport.example/fhir/Patient?_id=x", ("Patient/x",)),
        (
            "Observation?patient=https%3A%2F%2Fpassport.example%2Ffhir%2FPatient%2Fx",
            ("https://passport.example/fhir/Patient/x",),
        ),
    ],
)
def test_patients_that_a_search_names_outright(criteria: str, named: tuple[str, ...]) -> None:
    assert patients_named(criteria) == named


@pytest.mark.parametrize(
    "criteria",
    [
        "",
        "Observation",
        "Observation?",
        "Observation?patient=",
        "Observation?patient:missing=true",
        "Observation?patient:not=Patient/x",
        "Observation?patient:identifier=0001",
        "Observation?patient.name=x",
        "Observation?_has:Provenance:target:agent=Patient/x",
        "Observation?_id=x",
        "Patient?identifier=0001",
        "patient=Patient/x",
    ],
)
def test_a_search_that_could_be_about_anybody_names_nobody(criteria: str) -> None:
    assert patients_named(criteria) == ()
