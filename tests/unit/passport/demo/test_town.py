"""The town's resources are valid FHIR and plainly made up; its handbooks deviate from their format nowhere."""

from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhirmap.formats import FORMATS
from passport.demo import consents, town
from passport.demo.prescriptions import MEDICINES, handbook
from passport.demo.residents import RESIDENTS

TODAY = date(2026, 11, 22)
REFERENCES = {
    key: f"Organization/{key}"
    for key in (*(each.key for each in town.INSTITUTIONS), *map(town.person_key, town.CLINICIANS))
}


def _resources() -> list[dict[str, Any]]:
    written = [institution.resource(REFERENCES) for institution in town.INSTITUTIONS]
    for clinician in town.CLINICIANS:
        written += [clinician.practitioner(), clinician.role(REFERENCES)]
    written += [town.patient(resident, number) for number, resident in enumerate(RESIDENTS, 1)]
    written += [town.sandbox_patient(), town.related_person("Patient/1")]
    written += [
        consents.blood_pressure_and_medicines("Patient/1", "PractitionerRole/1", TODAY, status="proposed"),
        consents.blood_pressure_alone("Patient/1", "Organization/1"),
        consents.handing_over("Patient/1", "Organization/1"),
        *consents.everything_for("Patient/1", "RelatedPerson/1"),
        consents.emergency_policy("Organization/1"),
        *consents.sandbox_policies("Organization/1"),
    ]
    return written


def test_every_resource_is_valid() -> None:
    for tree in _resources():
        get_fhir_model_class(tree["resourceType"]).model_validate(tree)


def test_keys_and_names_are_unique() -> None:
    assert len(RESIDENTS) == 30
    assert len({resident.key for resident in RESIDENTS}) == 30
    assert len({resident.name for resident in RESIDENTS}) == 30


def test_a_parent_is_written_before_its_parts() -> None:
    written: set[str] = set()
    for institution in town.INSTITUTIONS:
        assert institution.part_of is None or institution.part_of in written
        written.add(institution.key)


@pytest.mark.parametrize(
    "resident", [each for each in RESIDENTS if each.medicines], ids=lambda each: each.key
)
def test_a_handbook_is_read_without_a_deviation(resident: Any) -> None:
    mapped = FORMATS["jahis"](handbook(resident, TODAY, 90))
    assert mapped.deviations == ()
    kinds = [entry["resource"]["resourceType"] for entry in mapped.bundle["entry"]]
    assert kinds.count("MedicationDispense") == 4 * len(resident.medicines)
    assert kinds.count("AllergyIntolerance") == (resident.allergy is not None)


def test_no_medicine_goes_by_a_real_brand() -> None:
    assert all(medicine.name.endswith("「見本」") for medicine in MEDICINES.values())
