"""The vital signs that R4 itself profiles: what each says of its code, its time, its value and its parts.

http://hl7.org/fhir/R4/observation-vitalsigns.html

Units are those of the value sets that R4 binds these values to as required.
"""

from typing import Final

from fhirstore.validate.profiles.rules import Dated, Demand, Measured, Required, Some, Types, Valued

BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
VERSIONS: Final = ("4.0.1",)

_LOINC: Final = "http://loinc.org"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

VITAL_SIGN: Final[tuple[Demand, ...]] = (
    Required("", ("category", "subject", "effective[x]")),
    Some("category", _CATEGORY, "vital-signs"),
    Types("", "effective", ("DateTime", "Period")),
    Dated("", "effectiveDateTime"),
    Valued("", unless=("component", "hasMember")),
    Valued("component"),
)


def _measured(code: str, *units: str) -> tuple[Demand, ...]:
    return (
        *VITAL_SIGN,
        Some("code", _LOINC, code),
        Types("", "value", ("Quantity",)),
        Measured("", _LOINC, code, units),
    )


def _part(code: str, unit: str) -> tuple[Demand, ...]:
    return (Some("component.code", _LOINC, code, most=1), Measured("component", _LOINC, code, (unit,)))


BLOOD_PRESSURE: Final[tuple[Demand, ...]] = (
    *VITAL_SIGN,
    Some("code", _LOINC, "85354-9"),
    *_part("8480-6", "mm[Hg]"),
    *_part("8462-4", "mm[Hg]"),
)

PANEL: Final[tuple[Demand, ...]] = (
    *VITAL_SIGN,
    Some("code", _LOINC, "85353-1"),
    Required("", ("hasMember",)),
)

PROFILES: Final[tuple[tuple[str, str, tuple[Demand, ...]], ...]] = (
    ("vitalsigns", "Observation", VITAL_SIGN),
    ("vitalspanel", "Observation", PANEL),
    ("resprate", "Observation", _measured("9279-1", "/min")),
    ("heartrate", "Observation", _measured("8867-4", "/min")),
    ("oxygensat", "Observation", _measured("2708-6", "%")),
    ("bodytemp", "Observation", _measured("8310-5", "Cel", "[degF]")),
    ("bodyheight", "Observation", _measured("8302-2", "cm", "[in_i]")),
    ("headcircum", "Observation", _measured("9843-4", "cm", "[in_i]")),
    ("bodyweight", "Observation", _measured("29463-7", "g", "kg", "[lb_av]")),
    ("bmi", "Observation", _measured("39156-5", "kg/m2")),
    ("bp", "Observation", BLOOD_PRESSURE),
)
