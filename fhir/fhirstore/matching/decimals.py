"""Numbers compared exactly, as points or as spans of numbers.

http://hl7.org/fhir/R4/search.html#prefix
http://hl7.org/fhir/R4/search.html#number

Without prefix, and with `ne`, a searched number is as wide as it was written; the other prefixes take it
exactly. `ap` is within a tenth of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple, Self

from fhirstore.lexemes import EXPONENT_MAX, NUMBER_MAX_CHARACTERS, number_problem
from fhirstore.search.test import BadValue, UnknownPrefix

_PREFIXED: Final = re.compile(r"(?P<prefix>[a-z]{2})?(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
_MOST_MAGNITUDE: Final = EXPONENT_MAX + NUMBER_MAX_CHARACTERS
_APPROXIMATELY: Final = Fraction(1, 10)  # "typically, within 10% of the value"


class Span(NamedTuple):
    """The numbers that an element may stand for; an end that is None is open, one may be left out."""

    low: Fraction | None
    high: Fraction | None
    includes_low: bool = True
    includes_high: bool = True

    @classmethod
    def point(cls, value: Fraction) -> Self:
        """Return the span of one number."""
        return cls(value, value)


@dataclass(frozen=True, slots=True)
class Sought:
    """A searched number: exactly, as wide as it was written `[low, high)`, and approximately."""

    prefix: str
    value: Fraction
    low: Fraction
    high: Fraction
    about_low: Fraction
    about_high: Fraction

    def matches(self, span: Span) -> bool:
        """Return whether the span stands to this number as its prefix says."""
        return PREFIXES[self.prefix](self, span)

    def mapped(self, scale: Callable[[Fraction], Fraction]) -> "Sought":
        """Return this number on another scale, which grows with this one."""
        return Sought(
            self.prefix,
            scale(self.value),
            scale(self.low),
            scale(self.high),
            scale(self.about_low),
            scale(self.about_high),
        )


def exact(value: object) -> Fraction | None:
    """Return the number that stands in a tree; None for anything else, and for one beyond what is stored."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _MOST_MAGNITUDE:
        return Fraction(value)
    return None


def read_number(name: str, text: str) -> Sought:
    """Read a number with its prefix.

    Args:
        name: the parameter, for the message.
        text: such as `100`, `5.40`, `1e2` or `lt100`.

    Raises:
        BadValue: no number, or one of more digits or magnitude than the store carries.
        UnknownPrefix: a prefix that no number has.
    """
    # A plus sign of an exponent arrives as a space where a client did not escape it.
    match = _PREFIXED.fullmatch(text.replace(" ", "+"))
    if match is None or number_problem(match["number"]) is not None:
        raise BadValue(name, f"a number such as `5.4`, after none or one of {', '.join(PREFIXES)}")
    prefix = match["prefix"] or "eq"
    if prefix not in PREFIXES:
        raise UnknownPrefix(name, list(PREFIXES))
    value, half = _with_half_width(Decimal(match["number"]))
    about = max(abs(value) * _APPROXIMATELY, half)
    return Sought(prefix, value, value - half, value + half, value - about, value + about)


def _with_half_width(number: Decimal) -> tuple[Fraction, Fraction]:
    _, digits, exponent = number.as_tuple()
    place = int(exponent)
    if place > 0 and len(digits) == 1:
        # The specification's own example: `1e2` is [95, 105).
        place -= 1
    return Fraction(number), Fraction(10) ** place / 2


def _eq(sought: Sought, span: Span) -> bool:
    low, high = span.low, span.high
    if low is None or high is None or low < sought.low:
        return False
    return high < sought.high or (high == sought.high and not span.includes_high)


def _gt(sought: Sought, span: Span) -> bool:
    return span.high is None or span.high > sought.value


def _lt(sought: Sought, span: Span) -> bool:
    return span.low is None or span.low < sought.value


def _sa(sought: Sought, span: Span) -> bool:
    return span.low is not None and (
        span.low > sought.value or (span.low == sought.value and not span.includes_low)
    )


def _eb(sought: Sought, span: Span) -> bool:
    return span.high is not None and (
        span.high < sought.value or (span.high == sought.value and not span.includes_high)
    )


def _ap(sought: Sought, span: Span) -> bool:
    after = span.low is not None and (
        span.low > sought.about_high or (span.low == sought.about_high and not span.includes_low)
    )
    before = span.high is not None and (
        span.high < sought.about_low or (span.high == sought.about_low and not span.includes_high)
    )
    return not after and not before


PREFIXES: Final[Mapping[str, Callable[[Sought, Span], bool]]] = MappingProxyType(
    {
        "eq": _eq,
        "ne": lambda sought, span: not _eq(sought, span),
        "gt": _gt,
        "lt": _lt,
        "ge": lambda sought, span: not _eb(sought, span),
        "le": lambda sought, span: not _sa(sought, span),
        "sa": _sa,
        "eb": _eb,
        "ap": _ap,
    }
)
"""How an element's span stands to a searched number."""
