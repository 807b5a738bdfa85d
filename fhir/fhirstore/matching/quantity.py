"""Quantity parameters: amounts with a unit, compared across the units of UCUM.

http://hl7.org/fhir/R4/search.html#quantity

An amount with a comparator (`< 5 mg`) stands for every amount that it leaves open, as a Range does for those
between its ends. An amount in a unit outside of UCUM compares with amounts in the same unit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context as DecimalContext
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from fhirstore.elements import UCUM
from fhirstore.matching.decimals import Sought, Span, exact, read_number
from fhirstore.matching.escaping import split, unescaped
from fhirstore.matching.model import Context, ElementMatches, expect_modifier
from fhirstore.matching.ucum import Unit, unit
from fhirstore.parameters import SearchParameter
from fhirstore.search.test import BadValue

CURRENCY: Final = "urn:iso:std:iso:4217"  # of Money.currency

_SORTED: Final = DecimalContext(prec=40)
_SAMPLE: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_EXPECTED: Final = "`5.4`, `5.4|system|code` or `5.4||unit`"


class Amount(NamedTuple):
    """What an element says: a span of numbers, and their unit as a code and as a text."""

    span: Span
    system: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A searched quantity; `scale` and `canonical` are there where its unit is one of UCUM."""

    number: Sought
    system: str
    code: str
    scale: Unit | None
    canonical: Sought | None

    def matches(self, amount: Amount) -> bool:
        if not self.system:
            return (not self.code or self.code in (amount.code, amount.text)) and self._as_written(amount)
        if amount.system != self.system:
            return False
        if not self.code or amount.code == self.code:
            return self._as_written(amount)
        if self.scale is None or self.canonical is None or not amount.code:
            return False
        other = unit(amount.code)
        if other is None or other.dimension != self.scale.dimension:
            return False
        return self.canonical.matches(_canonical(amount.span, other))

    def _as_written(self, amount: Amount) -> bool:
        return self.number.matches(amount.span)


def quantity_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], _context: Context
) -> ElementMatches:
    """Return whether an amount stands to one of the values as its prefix says.

    Raises:
        UnfitModifier: any modifier.
        BadValue: a value that is no number, or has its unit in another form.
        UnknownPrefix: a prefix that no such value has.
    """
    expect_modifier(parameter, modifier)
    wanted = [_read(parameter.name, value) for value in values]

    def matches(element: Any) -> bool:
        amount = amount_of(element)
        return amount is not None and any(one.matches(amount) for one in wanted)

    return matches


def amount_of(element: Any) -> Amount | None:
    """Return what a Quantity, Money, Range or SampledData says; None for what says no number."""
    if not isinstance(element, dict):
        return None
    if "low" in element or "high" in element:
        return _of_range(element)
    if isinstance(origin := element.get("origin"), dict):
        return _of_samples(element, origin)
    value = exact(element.get("value"))
    if value is None:
        return None
    return _with_unit(_compared(value, element.get("comparator")), element)


def quantity_sort_value(element: Any) -> Decimal | None:
    """Return the lowest amount that an element says, in base units where its unit is one of UCUM."""
    amount = amount_of(element)
    if amount is None:
        return None
    span = amount.span
    if amount.system == UCUM and (scale := unit(amount.code)) is not None:
        span = _canonical(span, scale)
    value = span.high if span.low is None else span.low
    return None if value is None else _SORTED.divide(Decimal(value.numerator), Decimal(value.denominator))


def _read(name: str, text: str) -> _Wanted:
    parts = [unescaped(part) for part in split(text, "|")]
    if len(parts) not in (1, 3) or (len(parts) == 3 and not any(parts[1:])):
        raise BadValue(name, _EXPECTED)
    number = read_number(name, parts[0])
    system, code = parts[1:] or ("", "")
    scale = unit(code) if system == UCUM and code else None
    return _Wanted(number, system, code, scale, number.mapped(scale.canonical) if scale else None)


def _canonical(span: Span, scale: Unit) -> Span:
    return span._replace(
        low=None if span.low is None else scale.canonical(span.low),
        high=None if span.high is None else scale.canonical(span.high),
    )


def _compared(value: Fraction, comparator: object) -> Span:
    if comparator in ("<", "<="):
        return Span(None, value, includes_high=comparator == "<=")
    if comparator in (">", ">="):
        return Span(value, None, includes_low=comparator == ">=")
    return Span.point(value)


def _with_unit(span: Span, element: dict[str, Any]) -> Amount:
    system, code, text = (_text(element.get(name)) for name in ("system", "code", "unit"))
    if currency := _text(element.get("currency")):
        return Amount(span, CURRENCY, currency, currency)
    return Amount(span, system, code, text)


def _of_range(element: dict[str, Any]) -> Amount | None:
    ends = [element.get(name) for name in ("low", "high")]
    given = [end for end in ends if isinstance(end, dict)]
    low, high = (exact(end.get("value")) if isinstance(end, dict) else None for end in ends)
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        return None
    amounts = [_with_unit(Span(low, high), end) for end in given]
    # Ends in two units are two statements, of which neither is a span.
    return amounts[0] if all(amount == amounts[0] for amount in amounts) else None


def _of_samples(element: dict[str, Any], origin: dict[str, Any]) -> Amount | None:
    zero, factor = exact(origin.get("value")), exact(element.get("factor", 1))
    if zero is None or factor is None:
        return None
    readings = [zero + factor * sample for sample in _samples(element)]
    return _with_unit(Span(min(readings), max(readings)), origin) if readings else None


def _samples(element: dict[str, Any]) -> Iterator[Fraction]:
    limits = {"L": element.get("lowerLimit"), "U": element.get("upperLimit")}
    for sample in _text(element.get("data")).split():
        value = exact(limits[sample] if sample in limits else _number(sample))
        if value is not None:
            yield value


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _SAMPLE.fullmatch(text) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
