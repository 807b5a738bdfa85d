import pytest

from fhirstore.matching.code_systems import SYSTEMS, system_of
from fhirstore.parameters import Kind, parameters_of
from fhirstore.types import TYPES

READ = {
    f"{name}.{'.'.join(step.partition('[')[0] for step in path)}"
    for name in TYPES
    for parameter in parameters_of(name).values()
    if parameter.kind is Kind.TOKEN
    for path in parameter.paths
}


def test_every_row_is_read_by_a_parameter() -> None:
    assert set(SYSTEMS) <= READ


@pytest.mark.parametrize(
    ("type_name", "dotted", "system"),
    [
        ("Patient", "gender", "http://hl7.org/fhir/administrative-gender"),
        ("Patient", "address.use", "http://hl7.org/fhir/address-use"),
        ("Observation", "status", "http://hl7.org/fhir/observation-status"),
        ("Observation", "code", ""),
        ("Patient", "id", ""),
        ("DocumentReference", "content.attachment.contentType", "urn:ietf:bcp:13"),
        ("DocumentReference", "content.attachment.language", "urn:ietf:bcp:47"),
        ("ServiceRequest", "intent", "http://hl7.org/fhir/request-intent"),
        ("AllergyIntolerance", "category", "http://hl7.org/fhir/allergy-intolerance-category"),
    ],
)
def test_plain_codes_have_the_system_of_their_binding(type_name: str, dotted: str, system: str) -> None:
    assert system_of(TYPES[type_name], tuple(dotted.split("."))) == system


def test_record_itself_is_no_code() -> None:
    assert system_of(TYPES["Patient"], ()) == ""
