"""What the measured passport holds: fictional residents, their readings, and the consents that they gave.

http://hl7.org/fhir/R4/observation-vitalsigns.html

Readings are what the service itself makes of a device's readings, so their size is that of real ones.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any, Final

from fhirmap.observation import to_observations
from fhirmap.submitted import parse_reading
from passport.demo.consents import Tree, blood_pressure_alone, blood_pressure_and_medicines, consent, permit

JST: Final = timezone(timedelta(hours=9))
FIRST_MORNING: Final = datetime(2026, 1, 5, 7, 0, tzinfo=JST)
GRANTED_UNTIL: Final = date(2099, 12, 31)

INSTITUTIONS: Final = 11
"""Each resident has given each of them one consent; the first is the measured physician's."""

KINDS: Final = ("blood-pressure", "body-weight", "blood-pressure", "body-temperature", "heart-rate")
"""The kinds of readings, around and around: two in five are blood pressures."""


def reading(kind: str, at: datetime, chance: Random) -> dict[str, Any]:
    """One reading as a device sends it."""
    told: dict[str, Any] = {"type": kind, "time": at.isoformat()}
    if kind == "blood-pressure":
        return told | {"systolic": chance.randint(105, 160), "diastolic": chance.randint(60, 95)}
    low, high = {"body-weight": (48, 79), "body-temperature": (35, 37), "heart-rate": (55, 95)}[kind]
    return told | {"value": chance.randint(low, high)}


def observations(patient: str, count: int, chance: Random) -> Iterator[Tree]:
    """So many Observations of one resident, the oldest first, four a day."""
    for number in range(count):
        at = FIRST_MORNING + timedelta(hours=6 * number)
        told = parse_reading(reading(KINDS[number % len(KINDS)], at, chance))
        yield to_observations(told, patient=patient, device="Device/bench", issued=at.isoformat())[0]


def shared_with(patient: str, institutions: list[str]) -> Iterator[Tree]:
    """One consent for each institution; their words are those that residents really choose between."""
    for number, institution in enumerate(institutions):
        if number % 3 == 0:
            yield blood_pressure_and_medicines(patient, institution, GRANTED_UNTIL, status="active")
        elif number % 3 == 1:
            yield blood_pressure_alone(patient, institution)
        else:
            yield consent(permit([institution], "TREAT"), patient)
