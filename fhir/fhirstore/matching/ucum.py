"""Units of UCUM as exact scales, so that amounts in different units compare without rounding.

https://ucum.org/ucum

The units, and what they are worth in others, are those of the table that UCUM publishes, which ucumvert
brings. They are read into fractions: `mg` is 1/1000 of `g` exactly, and `mm[Hg]` what UCUM says of it.
ucumvert's own reading of a code takes milliseconds, which many made-up units would add up to minutes; the
one here takes microseconds, and is tested against it.

Arbitrary units (`[IU]`) and those on a logarithmic or other special scale (`[pH]`, `dB`) compare among
themselves only. An annotation (`{beats}/min`) says nothing.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from ucumvert.xml_util import root as published

MOST_CHARACTERS: Final = 48  # of these the longest published example has 20
MOST_EXPONENT: Final = 30
REMEMBERED_UNITS: Final = 4096

_PART: Final = re.compile(r"\{[^{}]*\}|[./()]|(?:\[[^\[\]]*\]|[^\[\]./(){}])+")
_SYMBOL: Final = re.compile(
    r"(?P<name>.*[^0-9+\-])(?P<exponent>[+-]?[1-9][0-9]*)?"
    r"|(?P<factor>[1-9][0-9]*)(?P<power>[+-][1-9][0-9]*)?",
    re.DOTALL,
)
_ZERO_OF: Final[Mapping[str, Fraction]] = MappingProxyType(
    {
        "Cel": Fraction("273.15"),
        "degF": Fraction("459.67") * Fraction(5, 9),
        "degRe": Fraction("273.15"),
    }
)
"""Where the zero of a temperature scale lies, in kelvin, by UCUM's name of its function."""


class Unit(NamedTuple):
    """A scale: what it measures, and what its one and its zero are in base units."""

    dimension: frozenset[tuple[str, int]]
    factor: Fraction
    zero: Fraction = Fraction(0)

    def canonical(self, value: Fraction) -> Fraction:
        """Return an amount in base units."""
        return value * self.factor + self.zero


_ONE: Final = Unit(frozenset(), Fraction(1))


class _Unfit(Exception):
    """The code is beyond what is computed with."""


class _Row(NamedTuple):
    """A unit as it is published: so many of another unit, or a function of it."""

    factor: Fraction
    unit: str
    is_metric: bool
    is_arbitrary: bool
    function: str | None


@lru_cache(REMEMBERED_UNITS)
def unit(code: str) -> Unit | None:
    """Return the unit of a UCUM code (case-sensitive), or None for what is no such code."""
    try:
        return _Reading(code).whole() if len(code) <= MOST_CHARACTERS else None
    except _Unfit:
        return None


@cache
def _bases() -> frozenset[str]:
    return frozenset(row.attrib["Code"] for row in published.iterfind("./{*}base-unit"))


@cache
def _prefixes() -> Mapping[str, Fraction]:
    return {
        row.attrib["Code"]: Fraction(value.attrib["value"])
        for row in published.iterfind("./{*}prefix")
        for value in row.iterfind("./{*}value")
    }


@cache
def _rows() -> Mapping[str, _Row]:
    return {row.attrib["Code"]: _row(row) for row in published.iterfind("./{*}unit")}


def _row(row: Element) -> _Row:
    value = next(row.iterfind("./{*}value"))
    function = next(value.iterfind("./{*}function"), None)
    defining = value if function is None else function
    return _Row(
        Fraction(defining.attrib["value"]),
        defining.attrib["Unit"],
        row.attrib.get("isMetric") == "yes",
        row.attrib.get("isArbitrary") == "yes",
        None if function is None else function.attrib["name"],
    )


@cache
def _atom(code: str) -> Unit:
    if code in _bases():
        return Unit(frozenset({(code, 1)}), Fraction(1))
    row = _rows()[code]
    if row.function is not None and row.function not in _ZERO_OF:
        return _of_its_own(code)
    if row.is_arbitrary and row.unit == "1":
        return _of_its_own(code)
    defining = _Reading(row.unit).whole()
    zero = _ZERO_OF[row.function] if row.function is not None else Fraction(0)
    return Unit(defining.dimension, row.factor * defining.factor, zero)


def _of_its_own(code: str) -> Unit:
    return Unit(frozenset({(code, 1)}), Fraction(1))


class _Reading:
    """A code from left to right: terms of components, each a symbol or a term in brackets, and annotations."""

    def __init__(self, code: str) -> None:
        self._parts: list[str] = _PART.findall(code)
        self._at = 0
        if "".join(self._parts) != code:
            raise _Unfit

    def whole(self) -> Unit:
        read = self._term()
        if self._next():
            raise _Unfit
        return read

    def _next(self) -> str:
        return self._parts[self._at] if self._at < len(self._parts) else ""

    def _take(self) -> str:
        part = self._next()
        self._at += 1
        return part

    def _term(self) -> Unit:
        # A term may begin with the stroke: `/min`.
        read = _ONE if self._next() == "/" else self._component()
        while self._next() in (".", "/"):
            sign = -1 if self._take() == "/" else 1
            read = _product(read, _power(self._component(), sign))
        return read

    def _component(self) -> Unit:
        part = self._take()
        if part == "(":
            read = self._term()
            if self._take() != ")":
                raise _Unfit
        else:
            read = _ONE if part.startswith("{") else _symbol(part)
        if self._next().startswith("{"):
            self._take()
        return read


def _symbol(text: str) -> Unit:
    match = _SYMBOL.fullmatch(text)
    if match is None:
        raise _Unfit
    if match["factor"]:
        return _power(Unit(frozenset(), Fraction(int(match["factor"]))), int(match["power"] or 1))
    return _power(_simple(match["name"]), int(match["exponent"] or 1))


def _simple(name: str) -> Unit:
    if name in _bases() or name in _rows():
        return _atom(name)
    for length in (2, 1):
        prefix, rest = _prefixes().get(name[:length]), name[length:]
        if prefix is not None and (rest in _bases() or (rest in _rows() and _rows()[rest].is_metric)):
            atom = _atom(rest)
            return atom._replace(factor=atom.factor * prefix)
    raise _Unfit


def _product(one: Unit, other: Unit) -> Unit:
    exponents = dict(one.dimension)
    for base, exponent in other.dimension:
        exponents[base] = exponents.get(base, 0) + exponent
    dimension = frozenset((base, exponent) for base, exponent in exponents.items() if exponent)
    # In a product a temperature is a difference: it has no zero of its own.
    return Unit(dimension, one.factor * other.factor)


def _power(one: Unit, exponent: int) -> Unit:
    if exponent == 1:
        return one
    if abs(exponent) > MOST_EXPONENT:
        raise _Unfit
    dimension = frozenset((base, power * exponent) for base, power in one.dimension)
    return Unit(dimension, one.factor**exponent)
