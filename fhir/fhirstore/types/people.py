"""Persons, what they belong to, and what they carry.

http://hl7.org/fhir/R4/administration-module.html
"""

from typing import Final

from fhirstore.types.row import ResourceType, TypeNumber, paths
from fhirstore.types.systems import MDC, SNOMED_CT

PEOPLE: Final = (
    ResourceType(
        name="Patient",
        number=TypeNumber(1),
        is_patient=True,
        patients=paths("link.other"),
    ),
    ResourceType(name="Practitioner", number=TypeNumber(2), directory=True),
    ResourceType(
        name="PractitionerRole",
        number=TypeNumber(3),
        directory=True,
        times=paths("period"),
    ),
    ResourceType(name="Organization", number=TypeNumber(4), directory=True),
    ResourceType(
        name="Location",
        number=TypeNumber(5),
        directory=True,
        status=("status",),
        status_system="http://hl7.org/fhir/location-status",
    ),
    ResourceType(
        name="CareTeam",
        number=TypeNumber(6),
        patients=paths("subject", "participant.member"),
        categories=paths("category"),
        times=paths("period"),
        status=("status",),
        status_system="http://hl7.org/fhir/care-team-status",
    ),
    ResourceType(
        name="Group",
        number=TypeNumber(7),
        patients=paths("member.entity"),
    ),
    ResourceType(
        name="RelatedPerson",
        number=TypeNumber(8),
        patients=paths("patient"),
        times=paths("period"),
    ),
    ResourceType(
        name="Device",
        number=TypeNumber(9),
        patients=paths("patient"),
        codes=paths("type"),
        systems=(MDC, SNOMED_CT),
        status=("status",),
        status_system="http://hl7.org/fhir/device-status",
    ),
    ResourceType(
        name="Person",
        number=TypeNumber(23),
        patients=paths("link.target"),
    ),
    # It names no patient of its own: it is whose its device is.
    ResourceType(
        name="DeviceMetric",
        number=TypeNumber(24),
        follows=paths("source", "parent"),
        codes=paths("type"),
        systems=(MDC,),
        categories=paths("category"),
        category_system="http://hl7.org/fhir/metric-category",
        status=("operationalStatus",),
        status_system="http://hl7.org/fhir/metric-operational-status",
    ),
)
