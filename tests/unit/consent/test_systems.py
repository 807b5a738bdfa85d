"""The evaluation and the store know the same types, and read the same of them."""

import pytest

from consent import systems
from consent.model import Coding, Confidentiality
from consent.reference import decide
from fhirstore.facts.record import CONFIDENTIALITIES
from fhirstore.types import PART_TYPES, TYPES, ResourceType
from tests.unit.consent.words import DR_A, asks, consents, deny, permit, record

EVERY = pytest.mark.parametrize("row", TYPES.values(), ids=lambda row: str(row.name))


def test_of_every_type_that_is_held_it_is_known_what_its_codes_are() -> None:
    assert TYPES.keys() == systems.READ
    assert not systems.CODELESS & systems.SYSTEMS.keys()
    assert PART_TYPES.keys() == systems.TYPES


@EVERY
def test_a_type_has_codes_for_the_one_where_it_has_them_for_the_other(row: ResourceType) -> None:
    assert bool(row.codes) is (row.name in systems.SYSTEMS)
    assert bool(row.codes) is (row.name not in systems.CODELESS)


@EVERY
def test_usual_systems_of_a_type_are_not_foreign_to_it(row: ResourceType) -> None:
    assert set(row.systems) <= systems.SYSTEMS.get(row.name, frozenset())


@EVERY
def test_the_directory_is_the_same_for_both(row: ResourceType) -> None:
    assert row.directory is (row.name in systems.DIRECTORY)


def test_of_what_is_not_held_only_device_models_are_readable_by_everyone() -> None:
    assert systems.DIRECTORY - TYPES.keys() == {"DeviceDefinition"}


def test_what_follows_others_says_whom() -> None:
    assert all(TYPES[name].follows for name in systems.FOLLOWING)
    assert {name for name, row in TYPES.items() if row.bound} <= systems.FOLLOWING.keys()


def test_types_that_a_provision_must_name_are_held() -> None:
    assert TYPES.keys() >= systems.UNNAMED_EXCLUDED
    assert TYPES.keys() >= systems.ACTORS


def test_levels_of_confidentiality_are_numbered_as_rows_hold_them() -> None:
    assert {level.name: int(level) for level in Confidentiality} == {
        name: place for place, name in enumerate(CONFIDENTIALITIES)
    }


ATC = "http://www.whocc.no/atc"
CVX = "http://hl7.org/fhir/sid/cvx"
LOINC = "http://loinc.org"
MDC = "urn:iso:std:iso:11073:10101"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
JAPANESE = "http://jpfhir.jp/fhir"
MEDIS = "http://medis.or.jp/CodeSystem"
MEDIS_OID = "urn:oid:1.2.392.200119.4"
PRESCRIPTION_OID = "urn:oid:1.2.392.100495.20"

YJ = {
    "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
    f"{PRESCRIPTION_OID}.1.73",
    f"{PRESCRIPTION_OID}.2.73",
}
MEDICINES = {
    *YJ, ATC, RXNORM, f"{MEDIS}/master-HOT7", f"{MEDIS}/master-HOT9", f"{MEDIS}/master-HOT13", f"{MEDIS_OID}.402.1",
    f"{MEDIS_OID}.403.1", f"{MEDIS_OID}.403.2", f"{JAPANESE}/core/mhlw/CodeSystem/MedicationGeneralOrderCode",
    *(f"{PRESCRIPTION_OID}.{edition}.{part}" for edition in (1, 2) for part in (71, 72, 74, 81)),
}  # fmt: skip
FINDINGS = {
    LOINC, MDC, f"{MEDIS}/master-JLAC10-17digits", f"{MEDIS_OID}.504", f"{MEDIS}/master-nursingObservationKeyCode",
    f"{MEDIS_OID}.804",
    *(
        f"{JAPANESE}/clins/CodeSystem/JLAC{edition}/JP_CLINS_ObsLabResult_{part}Labo_CS"
        for edition in (10, 11)
        for part in ("Core", "Infection")
    ),
}  # fmt: skip
PROBLEMS = {
    SNOMED, "http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.3",
    f"{JAPANESE}/core/mhlw/CodeSystem/ICD10-2013-full", f"{JAPANESE}/core/mhlw/CodeSystem/ICD10-2013-3digits",
    f"{MEDIS}/master-disease-exCode", f"{MEDIS}/master-disease-keyNumber", f"{MEDIS_OID}.101.6", f"{MEDIS_OID}.101.2",
    f"{MEDIS}/master-nursingAction-16digits", f"{MEDIS_OID}.704",
}  # fmt: skip
DOCUMENTS = {f"{JAPANESE}/Common/CodeSystem/doc-{part}codes" for part in ("type", "subtype")}
SPECIMENS = {
    f"{JAPANESE}/core/CodeSystem/JP_ObservationSampleMaterialCode_CS",
    "http://terminology.hl7.org/CodeSystem/v2-0487",
}
PARTS = {MDC, SNOMED}
TITLES = {LOINC, SNOMED}
USED = {
    **dict.fromkeys(("MedicationRequest", "MedicationDispense", "MedicationStatement"), MEDICINES),
    **dict.fromkeys(("Medication", "MedicationAdministration"), MEDICINES),
    **dict.fromkeys(("Observation", "DiagnosticReport"), FINDINGS),
    **dict.fromkeys(("Condition", "Procedure", "AllergyIntolerance", "FamilyMemberHistory"), PROBLEMS),
    "Immunization": {*YJ, ATC, CVX},
    **dict.fromkeys(("Device", "DeviceMetric"), PARTS),
    "Specimen": {*SPECIMENS, SNOMED},
    "Goal": {*PROBLEMS, LOINC},
    "ServiceRequest": {*FINDINGS, *PROBLEMS},
    "Task": {LOINC, SNOMED, TASK_CODE},
    **dict.fromkeys(("List", "Questionnaire"), TITLES),
    "Composition": {*DOCUMENTS, LOINC},
    "DocumentReference": {*DOCUMENTS, LOINC, SNOMED},
}
DENIED = {
    system: consents(permit(DR_A, actions=["collect"]), deny(codes=[(system, "1")]))
    for system in frozenset[str]().union(*USED.values())
}


@pytest.mark.parametrize("kind", USED)
def test_a_code_that_a_record_may_have_in_another_system_is_denied_until_it_is_known(kind: str) -> None:
    """A system that went missing here would count as foreign, and what a deny names would be shown."""
    coded = record(kind, codes=frozenset({Coding("http://hospital.example/codes", "1")}))
    for system, given in DENIED.items():
        assert decide(given, coded, asks(action="collect")) is (system not in USED[kind]), system


def test_it_is_said_of_every_type_with_codes_which_systems_it_uses() -> None:
    assert USED.keys() == systems.SYSTEMS.keys()


@pytest.mark.parametrize("written", ["http://loinc.org/", "https://loinc.org", "HTTP://LOINC.ORG"])
def test_a_system_that_is_nearly_one_is_known(written: str) -> None:
    assert systems.nearly(written) == systems.LOINC


@pytest.mark.parametrize(
    "written",
    [systems.LOINC, systems.ATC, "http://loinc.org/vs", "urn:example:own", "http://snomed.info/sct/1"],
)
def test_a_system_of_its_own_is_no_other(written: str) -> None:
    assert systems.nearly(written) is None
