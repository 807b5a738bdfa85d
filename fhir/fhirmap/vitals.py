"""Table of the vital signs: codes, units, and the range within which a home value is believable.

https://hl7.org/fhir/R4/observation-vitalsigns.html
"""

from dataclasses import dataclass
from decimal import Decimal

from fhirmap import units
from fhirmap.units import Unit

LOINC = "http://loinc.org"
MDC = "urn:iso:std:iso:11073:10101"  # IEEE 11073-10101 nomenclature
PROFILES = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a concept, with the display of its own system."""

    system: str
    code: str
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Measurand:
    """One number that a vital sign is made of.

    `name` is its member in a JSON reading; `low` and `high`, both inclusive and in the vital sign's
    first unit, bound what is stored as fact: beyond them a reading is quarantined.
    """

    name: str
    codes: tuple[Code, ...]
    english: str
    japanese: str
    low: Decimal
    high: Decimal
    required: bool = True


@dataclass(frozen=True, slots=True)
class VitalSign:
    """A kind of reading and the Observation that it becomes.

    The first of `units` is the one that is stored. A vital sign with several measurands is a panel.
    """

    type: str
    codes: tuple[Code, ...]
    english: str
    japanese: str
    category: str
    profile: str | None
    units: tuple[Unit, ...]
    measurands: tuple[Measurand, ...]

    @property
    def is_panel(self) -> bool:
        """Tell whether the values stand in components."""
        return len(self.measurands) > 1

    def measurand(self, name: str) -> Measurand:
        """Return the measurand of that name, which must be one of this vital sign."""
        return next(each for each in self.measurands if each.name == name)


def _single(
    kind: str,
    codes: tuple[Code, ...],
    names: tuple[str, str],
    believable: tuple[str, str],
    accepted: tuple[Unit, ...],
    *,
    category: str = "vital-signs",
    profile: str | None = None,
) -> VitalSign:
    low, high = (Decimal(bound) for bound in believable)
    value = Measurand("value", codes, *names, low, high)
    return VitalSign(kind, codes, *names, category, profile and PROFILES + profile, accepted, (value,))


BLOOD_PRESSURE = VitalSign(
    "blood-pressure",
    (Code(LOINC, "85354-9", "Blood pressure panel with all children optional"), Code(MDC, "150020")),
    "Blood pressure",
    "血圧",
    "vital-signs",
    PROFILES + "bp",
    (units.MILLIMETRES_OF_MERCURY, units.KILOPASCAL),
    (
        Measurand(
            "systolic",
            (Code(LOINC, "8480-6", "Systolic blood pressure"), Code(MDC, "150021")),
            "Systolic blood pressure",
            "収縮期血圧",
            Decimal(60),
            Decimal(279),
        ),
        Measurand(
            "diastolic",
            (Code(LOINC, "8462-4", "Diastolic blood pressure"), Code(MDC, "150022")),
            "Diastolic blood pressure",
            "拡張期血圧",
            Decimal(40),
            Decimal(200),
        ),
        Measurand(
            "mean",
            (Code(LOINC, "8478-0", "Mean blood pressure"), Code(MDC, "150023")),
            "Mean blood pressure",
            "平均血圧",
            Decimal(40),
            Decimal(279),
            required=False,
        ),
    ),
)

HEART_RATE = _single(
    "heart-rate",
    (Code(LOINC, "8867-4", "Heart rate"),),
    ("Heart rate", "心拍数"),
    ("25", "250"),
    (units.PER_MINUTE,),
    profile="heartrate",
)

# What a cuff or an oximeter counts is the pulse: the same LOINC code, and IEEE's own for it.
PULSE = _single(
    "heart-rate",
    (*HEART_RATE.codes, Code(MDC, "149530")),
    ("Pulse rate", "脈拍数"),
    ("25", "250"),
    (units.PER_MINUTE,),
    profile="heartrate",
)

OXYGEN_SATURATION = _single(
    "oxygen-saturation",
    (
        Code(LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        Code(LOINC, "2708-6", "Oxygen saturation in Arterial blood"),  # what the R4 profile asks for
        Code(MDC, "150456"),
    ),
    ("Oxygen saturation", "経皮的動脈血酸素飽和度"),
    ("50", "100"),
    (units.PERCENT,),
    profile="oxygensat",
)

BODY_TEMPERATURE = _single(
    "body-temperature",
    (Code(LOINC, "8310-5", "Body temperature"), Code(MDC, "150364")),
    ("Body temperature", "体温"),
    ("30", "43"),
    (units.CELSIUS, units.FAHRENHEIT),
    profile="bodytemp",
)

BODY_WEIGHT = _single(
    "body-weight",
    (Code(LOINC, "29463-7", "Body weight"), Code(MDC, "188736")),
    ("Body weight", "体重"),
    ("0.5", "300"),
    (units.KILOGRAM, units.POUND),
    profile="bodyweight",
)

RESPIRATORY_RATE = _single(
    "respiratory-rate",
    (Code(LOINC, "9279-1", "Respiratory rate"),),
    ("Respiratory rate", "呼吸数"),
    ("4", "60"),
    (units.PER_MINUTE,),
    profile="resprate",
)

GLUCOSE = _single(
    "glucose",
    (Code(LOINC, "2339-0", "Glucose [Mass/volume] in Blood"),),
    ("Blood glucose", "血糖値"),
    ("20", "600"),
    (units.MILLIGRAMS_PER_DECILITRE,),
    category="laboratory",
)

# LOINC codes the molar quantity apart, so it is stored as measured and never converted.
GLUCOSE_MOLAR = _single(
    "glucose",
    (Code(LOINC, "15074-8", "Glucose [Moles/volume] in Blood"),),
    ("Blood glucose", "血糖値"),
    ("1.1", "33.3"),
    (units.MILLIMOLES_PER_LITRE,),
    category="laboratory",
)

STEP_COUNT = _single(
    "steps",
    (Code(LOINC, "55423-8", "Number of steps in unspecified time Pedometer"),),
    ("Number of steps", "歩数"),
    ("0", "200000"),
    (units.STEPS,),
    category="activity",
)

# Reading type -> the vital signs it may be; the unit that was sent decides, none sent means the first.
VITAL_SIGNS: dict[str, tuple[VitalSign, ...]] = {
    "blood-pressure": (BLOOD_PRESSURE,),
    "heart-rate": (HEART_RATE,),
    "oxygen-saturation": (OXYGEN_SATURATION,),
    "body-temperature": (BODY_TEMPERATURE,),
    "body-weight": (BODY_WEIGHT,),
    "respiratory-rate": (RESPIRATORY_RATE,),
    "glucose": (GLUCOSE, GLUCOSE_MOLAR),
    "steps": (STEP_COUNT,),
}
