"""A search as it was asked: every part understood, or refused by name.

http://hl7.org/fhir/R4/search.html
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.keys import KeyMaker
from fhirstore.parameters import Kind, SearchParameter, Source, parameters_of
from fhirstore.search.date import date_test
from fhirstore.search.reference import patient_references
from fhirstore.search.sort import SortKey
from fhirstore.search.test import BadValue, SearchError, Test, UnknownModifier, UnknownParameter
from fhirstore.search.token import token_test
from fhirstore.types import ResourceType

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 1_000
MAX_VALUES: Final = 200
"""Alternatives of one parameter, and parameters of one search; more is refused before it costs anything."""

CURSOR: Final = "_cursor"
_RESULT: Final = ("_sort", "_count", "_total", "_totalMethod", "_summary", "_format", "_pretty", CURSOR)
_COMMA: Final = re.compile(r"(?<!\\)((?:\\\\)*),")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")

Total = Literal["none", "accurate"]


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one type. `patients` are the patients that it names, None where it names none.

    `echo` are the parameters as they were understood, for the self link; the cursor is not among them.
    """

    type: ResourceType
    tests: tuple[Test, ...]
    order: tuple[SortKey, ...]
    count: int
    total: Total
    only_count: bool
    cursor: str | None
    patients: tuple[str, ...] | None
    echo: tuple[tuple[str, str], ...]


def parse_query(
    type_: ResourceType,
    pairs: Sequence[tuple[str, str]],
    *,
    keys: KeyMaker,
    zone: ZoneInfo,
    base_urls: Collection[str] = (),
) -> Query:
    """Read the parameters of a search.

    Args:
        type_: the type that is searched.
        pairs: names and values as they came, in their order.
        keys: the installation's keys.
        zone: the passport's time zone, for dates without one.
        base_urls: this service's own base URLs, without a slash at the end.

    Raises:
        SearchError: a parameter, modifier or value that this type cannot be searched by.
    """
    if len(pairs) > MAX_VALUES:
        raise SearchError("", f"got {len(pairs)} search parameters, expected at most {MAX_VALUES}")
    tests: list[Test] = []
    patients: tuple[str, ...] | None = None
    for at, (name, value) in enumerate(pairs):
        if name in _RESULT:
            continue
        parameter = _parameter(type_, name)
        values = _alternatives(parameter.name, value)
        if parameter.kind is Kind.REFERENCE:
            references = patient_references(parameter.name, values, base_urls)
            patients = (
                tuple(references) if patients is None else tuple(p for p in patients if p in references)
            )
        else:
            tests.append(_test(parameter, values, f"p{at}", keys, zone))
    result = _Result(type_, pairs)
    return Query(
        type=type_,
        tests=tuple(tests),
        order=result.order(),
        count=result.count(),
        total=result.total(),
        only_count=result.only_count(),
        cursor=result.single(CURSOR),
        patients=patients,
        echo=tuple(
            (name, str(result.count()) if name == "_count" else value)
            for name, value in pairs
            if name != CURSOR
        ),
    )


def _parameter(type_: ResourceType, name: str) -> SearchParameter:
    known = parameters_of(type_.name)
    bare, colon, modifier = name.partition(":")
    if bare not in known:
        raise UnknownParameter(bare, type_.name, [*known, *_RESULT[:-1]])
    if colon and not (known[bare].kind is Kind.REFERENCE and modifier == "Patient"):
        raise UnknownModifier(bare, modifier)
    return known[bare]


def _alternatives(name: str, value: str) -> list[str]:
    # The separators are found first, so that an escaped comma stays in its value.
    marked = _COMMA.sub("\\1\0", value)
    values = marked.split("\0")
    if len(values) > MAX_VALUES:
        raise SearchError(name, f"got {len(values)} values of `{name}`, expected at most {MAX_VALUES}")
    if "\0" in value or not all(values):
        raise BadValue(name, "a value")
    return values


def _test(
    parameter: SearchParameter, values: Sequence[str], bind: str, keys: KeyMaker, zone: ZoneInfo
) -> Test:
    if parameter.kind is Kind.DATE:
        return date_test(parameter, values, bind, zone)
    if parameter.source is Source.ID:
        return _id_test(parameter, values, bind, keys)
    return token_test(parameter, values, bind, keys)


def _id_test(parameter: SearchParameter, values: Sequence[str], bind: str, keys: KeyMaker) -> Test:
    if not all(map(_ID.fullmatch, values)):
        raise BadValue(parameter.name, "an id")
    wanted = [keys.reference(f"{parameter.type.name}/{value}") for value in values]
    bound = bindparam(bind, type_=ARRAY(BigInteger))
    return Test((parameter.number, "id"), lambda record: record.c.record_key == any_(bound), {bind: wanted})


@dataclass(frozen=True, slots=True)
class _Result:
    """The parameters that shape the result, each given once at most."""

    type: ResourceType
    pairs: Sequence[tuple[str, str]]

    def single(self, name: str) -> str | None:
        values = [value for given, value in self.pairs if given == name]
        if len(values) > 1:
            raise SearchError(name, f"got `{name}` {len(values)} times, expected it once")
        return values[0] if values else None

    def count(self) -> int:
        text = self.single("_count")
        if text is None:
            return DEFAULT_COUNT
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise BadValue("_count", f"a whole number up to {MAX_COUNT}")
        return min(int(text), MAX_COUNT)

    def total(self) -> Total:
        text = self.single("_total")
        if text not in (None, "none", "accurate"):
            raise BadValue("_total", "`none` or `accurate`")
        # A name that a widely used client has for the same wish.
        method = self.single("_totalMethod")
        if method not in (None, "count"):
            raise BadValue("_totalMethod", "`count`")
        return "accurate" if "accurate" in (text, method and "accurate") or self.only_count() else "none"

    def only_count(self) -> bool:
        text = self.single("_summary")
        if text not in (None, "false", "count"):
            raise BadValue("_summary", "`count` or `false`")
        return text == "count" or self.count() == 0

    def order(self) -> tuple[SortKey, ...]:
        text = self.single("_sort")
        if text is None:
            # Newest first is what readers of a record expect; types without a time go by their writing.
            return (SortKey("time" if self.type.times else "_lastUpdated", descending=True),)
        keys = tuple(self._key(name) for name in text.split(","))
        if len({key.name for key in keys}) < len(keys):
            raise SearchError("_sort", "got a sort key twice, expected each once")
        return keys

    def _key(self, text: str) -> SortKey:
        name = text.removeprefix("-")
        parameter = parameters_of(self.type.name).get(name)
        key = _SORTS.get(parameter.source) if parameter else None
        if key is None:
            known = [row.name for row in parameters_of(self.type.name).values() if row.source in _SORTS]
            raise SearchError("_sort", f"got sort key `{name[:64]}`, expected one of {', '.join(known)}")
        return SortKey(key, descending=text.startswith("-"))


_SORTS: Final = {Source.TIME: "time", Source.LAST_UPDATED: "_lastUpdated", Source.ID: "_id"}
