"""One reading of a vital sign, from whatever format it came.

https://hl7.org/fhir/R4/observation-vitalsigns.html
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from fhirmap.instant import Instant
from fhirmap.units import Unit
from fhirmap.vitals import PULSE, Measurand, VitalSign

MAX_DIGITS = 12
MAX_EXPONENT = 9  # a few bytes with a huge exponent would become a number of a million characters
MEASURABLE = f"expected at most {MAX_DIGITS} digits and an exponent within {MAX_EXPONENT}"


def is_measurable(value: Decimal) -> bool:
    """Tell whether a number is finite and of a size that any home device could measure."""
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    return isinstance(exponent, int) and abs(exponent) <= MAX_EXPONENT and len(digits) <= MAX_DIGITS


class Absent(Enum):
    """Why a device sends no number, in the codes that HL7's PHD guide gives to each special value.

    https://hl7.org/fhir/R4/codesystem-data-absent-reason.html
    """

    NOT_A_NUMBER = "not-a-number"
    POSITIVE_INFINITY = "positive-infinity"
    NEGATIVE_INFINITY = "negative-infinity"
    ERROR = "error"


class Status(Enum):
    """What the device says about the circumstances of the measurement: code and display.

    Bluetooth Blood Pressure Service 1.1.1 and Heart Rate Service 1.0.
    """

    BODY_MOVEMENT = ("body-movement", "Body movement during measurement")
    CUFF_TOO_LOOSE = ("cuff-too-loose", "Cuff too loose")
    IRREGULAR_PULSE = ("irregular-pulse", "Irregular pulse detected")
    PULSE_ABOVE_RANGE = ("pulse-above-range", "Pulse rate exceeds upper limit")
    PULSE_BELOW_RANGE = ("pulse-below-range", "Pulse rate is below lower limit")
    IMPROPER_POSITION = ("improper-position", "Improper measurement position")
    NO_SKIN_CONTACT = ("no-skin-contact", "Sensor without skin contact")


@dataclass(frozen=True, slots=True)
class Measured:
    """The value of one measurand in the unit as sent, or the reason why there is none."""

    measurand: Measurand
    unit: Unit
    value: Decimal | Absent


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one vital sign.

    `companions` are further vital signs that the device took in the same act, such as the pulse.
    `time` is None only where a file is mapped that does not say it; readings to be stored have one.
    """

    vital: VitalSign
    time: Instant | None
    values: tuple[Measured, ...]
    companions: tuple["Reading", ...] = ()
    statuses: tuple[Status, ...] = ()
    site: str | None = None


def pulse(rate: Decimal | Absent, time: Instant | None) -> Reading:
    """Return the reading of the pulse that a cuff or an oximeter counted on the side."""
    return Reading(PULSE, time, (Measured(PULSE.measurand("value"), PULSE.units[0], rate),))
