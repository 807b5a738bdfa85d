"""Readings to Observations of the R4 vital signs profiles.

https://hl7.org/fhir/R4/observation-vitalsigns.html, https://hl7.org/fhir/R4/bp.html
"""

from collections.abc import Iterable
from decimal import Decimal

from fhirmap.jsonformat import Json, present
from fhirmap.reading import Absent, Measured, Reading, Status
from fhirmap.units import UCUM, Unit, convert
from fhirmap.vitals import Code, VitalSign

READING_IDENTIFIER_SYSTEM = "urn:healthcare-passport:reading"
STATUS_SYSTEM = "urn:healthcare-passport:measurement-status"
DATA_ABSENT_SYSTEM = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
DATA_ABSENT_EXTENSION = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
TRANSLATION_EXTENSION = "http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation"
CATEGORY_SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-category"
CATEGORY_DISPLAYS = {"vital-signs": "Vital Signs", "laboratory": "Laboratory", "activity": "Activity"}


def to_observations(
    reading: Reading,
    *,
    patient: str,
    device: str,
    performer: str | None = None,
    identifier: str | None = None,
    issued: str | None = None,
) -> list[Json]:
    """Return the Observation of a reading, followed by those of its companions (the pulse).

    Args:
        reading: the reading; its values are stored in the first unit of the vital sign.
        patient: reference of the subject, such as `Patient/1`.
        device: reference of the device that measured.
        performer: reference of who took the measurement, where known.
        identifier: what the sender's message identifies the reading by; companions get a suffix.
        issued: the instant at which the passport received it, RFC 3339.
    """
    observations = []
    for number, each in enumerate((reading, *reading.companions)):
        name = identifier if identifier is None or number == 0 else f"{identifier}/{each.vital.type}"
        observation = {
            "resourceType": "Observation",
            "meta": present({"profile": each.vital.profile and [each.vital.profile]}),
            "identifier": name and [{"system": READING_IDENTIFIER_SYSTEM, "value": name}],
            "status": "final",
            "category": [_category(each.vital)],
            "code": _concept(each.vital.codes, each.vital.japanese),
            "subject": {"reference": patient},
            **_effective(each),
            "issued": issued,
            "performer": performer and [{"reference": performer}],
            "bodySite": each.site and {"text": each.site},
            "device": {"reference": device},
            **_values(each),
        }
        observations.append(present(observation))
    return observations


def _category(vital: VitalSign) -> Json:
    display = CATEGORY_DISPLAYS[vital.category]
    return {"coding": [{"system": CATEGORY_SYSTEM, "code": vital.category, "display": display}]}


def _concept(codes: Iterable[Code], text: str) -> Json:
    codings = [present({"system": c.system, "code": c.code, "display": c.display}) for c in codes]
    return {"coding": codings, "text": text}


def _effective(reading: Reading) -> Json:
    if reading.time is not None:
        return {"effectiveDateTime": reading.time.text}
    unknown = {"url": DATA_ABSENT_EXTENSION, "valueCode": "unknown"}
    return {"_effectiveDateTime": {"extension": [unknown]}}


def _values(reading: Reading) -> Json:
    statuses = [_status(each) for each in reading.statuses]
    if not reading.vital.is_panel:
        return {**_value(reading.values[0]), "component": statuses}
    panel = [
        {"code": _concept(each.measurand.codes, each.measurand.japanese), **_value(each)}
        for each in reading.values
    ]
    return {"component": panel + statuses}


def _status(status: Status) -> Json:
    code, display = status.value
    concept = {"coding": [{"system": STATUS_SYSTEM, "code": code, "display": display}]}
    return {"code": concept, "valueBoolean": True}


def _value(measured: Measured) -> Json:
    if isinstance(measured.value, Absent):
        coding = {"system": DATA_ABSENT_SYSTEM, "code": measured.value.value}
        return {"dataAbsentReason": {"coding": [coding]}}
    unit = measured.unit
    if unit.into is None:
        return {"valueQuantity": _quantity(measured.value, unit)}
    sent = {"url": TRANSLATION_EXTENSION, "valueQuantity": _quantity(measured.value, unit)}
    return {"valueQuantity": {"extension": [sent], **_quantity(convert(measured.value, unit), unit.into)}}


def _quantity(value: Decimal, unit: Unit) -> Json:
    return {"value": value, "unit": unit.display, "system": UCUM, "code": unit.code}
