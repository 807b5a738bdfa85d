"""Units of measurement: the UCUM code, the spellings that devices use, and how to convert.

https://ucum.org/ucum
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit in which a value may arrive.

    A unit with `into` is converted to that unit as `(value + shift) * factor`, rounded half to even
    to the decimals of the value as sent plus `extra_digits`, so that no precision is made up.
    """

    code: str
    display: str
    spellings: frozenset[str]
    into: "Unit | None" = None
    factor: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)
    extra_digits: int = 0


def _unit(code: str, display: str, *spellings: str) -> Unit:
    return Unit(code, display, frozenset({code, display, *spellings}))


MILLIMETRES_OF_MERCURY = _unit("mm[Hg]", "mmHg")
PER_MINUTE = _unit("/min", "/min", "bpm", "beats/min", "beats/minute", "breaths/min")
PERCENT = _unit("%", "%")
CELSIUS = _unit("Cel", "°C", "degC", "℃")
KILOGRAM = _unit("kg", "kg")
MILLIGRAMS_PER_DECILITRE = _unit("mg/dL", "mg/dL")
MILLIMOLES_PER_LITRE = _unit("mmol/L", "mmol/L")
STEPS = _unit("{steps}", "steps", "歩")

KILOPASCAL = Unit(
    "kPa",
    "kPa",
    frozenset({"kPa"}),
    into=MILLIMETRES_OF_MERCURY,
    factor=1000 / Fraction("133.322387415"),  # conventional mmHg, in pascal (BS 350)
)
FAHRENHEIT = Unit(
    "[degF]",
    "°F",
    frozenset({"[degF]", "degF", "°F", "℉"}),
    into=CELSIUS,
    factor=Fraction(5, 9),
    shift=Fraction(-32),
    extra_digits=1,
)
POUND = Unit(
    "[lb_av]",
    "lb",
    frozenset({"[lb_av]", "lb", "lbs"}),
    into=KILOGRAM,
    factor=Fraction("0.45359237"),  # international avoirdupois pound, in kilograms, exact
    extra_digits=1,
)


def decimals_of(value: Decimal) -> int:
    """Count the digits after the decimal point as written (`72.50` has two)."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def convert(value: Decimal, unit: Unit) -> Decimal:
    """Express a value in the unit that `unit` is converted into; unchanged where there is none."""
    if unit.into is None:
        return value
    digits = decimals_of(value) + unit.extra_digits
    exact = (Fraction(value) + unit.shift) * unit.factor
    return Decimal(round(exact * 10**digits)).scaleb(-digits)
