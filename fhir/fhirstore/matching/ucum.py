"""Units of UCUM as exact scales, so that amounts in different units compare without rounding.

https://ucum.org/ucum

ucumvert reads the codes and brings the table of units that UCUM publishes. What a unit is worth is computed
here, in fractions, from that table: `mg` is 1/1000 of `g`, and `mm[Hg]` what UCUM says of it.

Arbitrary units (`[IU]`) and those on a logarithmic or other special scale (`[pH]`, `dB`) compare among
themselves only. An annotation (`{beats}/min`) says nothing.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from lark import Lark, Token, Tree
from ucumvert.parser import InvalidUcumError, get_ucum_parser, parse_ucum
from ucumvert.xml_util import root as published

UCUM: Final = "http://unitsofmeasure.org"

MOST_CHARACTERS: Final = 40  # of a code without its annotations; published examples have up to 16
MOST_EXPONENT: Final = 99
REMEMBERED_UNITS: Final = 4096

_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
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
    is_arbitrary: bool
    function: str | None


def unit(code: str) -> Unit | None:
    """Return the unit of a UCUM code (case-sensitive), or None for what is no such code."""
    return _unit(_ANNOTATION.sub("{x}", code))


@lru_cache(REMEMBERED_UNITS)
def _unit(code: str) -> Unit | None:
    if len(code) > MOST_CHARACTERS:
        return None
    try:
        return _of(parse_ucum(code, _grammar()))
    except (InvalidUcumError, _Unfit):
        return None


@cache
def _grammar() -> Lark:
    grammar: Lark = get_ucum_parser()
    return grammar


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
    defining = _of(parse_ucum(row.unit, _grammar()))
    zero = _ZERO_OF[row.function] if row.function is not None else Fraction(0)
    return Unit(defining.dimension, row.factor * defining.factor, zero)


def _of_its_own(code: str) -> Unit:
    return Unit(frozenset({(code, 1)}), Fraction(1))


def _of(node: Tree[Token] | Token) -> Unit:
    if isinstance(node, Token):
        return _ONE  # an annotation
    parts = node.children
    if node.data == "main_term" and len(parts) == 2:
        return _power(_of(parts[1]), -1)
    if node.data == "term":
        return _product(_of(parts[0]), _power(_of(parts[2]), -1 if str(parts[1]) == "/" else 1))
    if node.data == "annotatable":
        return _power(_of(parts[0]), int(str(parts[1])))
    if node.data == "simple_unit":
        return _simple([str(part) for part in parts])
    return _of(parts[0])


def _simple(names: Sequence[str]) -> Unit:
    *prefixes, name = names
    if prefixes:
        atom = _atom(name)
        return atom._replace(factor=atom.factor * _prefixes()[prefixes[0]])
    return Unit(frozenset(), Fraction(int(name))) if name.isdigit() else _atom(name)


def _product(one: Unit, other: Unit) -> Unit:
    exponents = Counter(dict(one.dimension))
    exponents.update(dict(other.dimension))
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
