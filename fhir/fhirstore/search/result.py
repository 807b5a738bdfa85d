"""The parameters that shape a result: how many, in which order, with which total, and what part of each.

http://hl7.org/fhir/R4/search.html#return
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from fhirstore.parameters import Kind, SearchParameter, parameters_of
from fhirstore.search.cursor import CURSOR
from fhirstore.search.named import Types, common, known_parameters
from fhirstore.search.sort import SORTED_BY, SortKey
from fhirstore.search.test import BadValue, SearchError, Unknown

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 1_000
MAX_SORT_KEYS: Final = 4

RESULT: Final = (
    "_sort", "_count", "_total", "_totalMethod", "_summary", "_elements", "_contained", "_format",
    "_pretty", CURSOR,
)  # fmt: skip

SHAPING: Final = ("_sort", "_count", "_total", "_summary", "_elements")
"""Those that a refusal offers."""

Total = Literal["none", "accurate"]
Summary = Literal["true", "text", "data", "count", "false"]

_SUMMARIES: Final[Mapping[str, Summary]] = {
    "true": "true", "text": "text", "data": "data", "count": "count", "false": "false",
}  # fmt: skip
_ELEMENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9.\[\]]{0,99}")


class UnknownSort(Unknown):
    """The sort key is not one that this type can be sorted by."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__("_sort", f"got sort key `{name[:64]}`, expected one of {', '.join(known)}")


class UnknownContained(Unknown):
    """Contained resources are asked for, which are found and shown within their containers alone."""

    def __init__(self) -> None:
        super().__init__("_contained", "got another value of `_contained`, expected `false` or none")


def read_count(text: str, least: int = 0) -> int:
    """Return how many entries a page may have by a `_count`: more than `MAX_COUNT` is clamped, however much more.

    Raises:
        BadValue: no whole number, or one below `least`.
    """
    digits = text.lstrip("0") or "0" if text.isascii() and text.isdigit() else ""
    clamped = MAX_COUNT if len(digits) > len(str(MAX_COUNT)) else min(int(digits or -1), MAX_COUNT)
    if clamped < least:
        raise BadValue("_count", f"a whole number from {least} to {MAX_COUNT}")
    return clamped


@dataclass(frozen=True, slots=True)
class Result:
    """Reads those parameters, each given once at most; with `sifting` any parameter is a sort key."""

    types: Types
    pairs: Sequence[tuple[str, str]]
    sifting: bool = False
    _given: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given: dict[str, list[str]] = {}
        for name, value in self.pairs:
            given.setdefault(name, []).append(value)
        object.__setattr__(self, "_given", given)

    def single(self, name: str) -> str | None:
        """The value of a parameter, None without it."""
        values = self._given.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise SearchError(name, f"got `{name}` {len(values)} times, expected it once")
        return values[0]

    def count(self) -> int:
        """How many matches a page holds at most."""
        text = self.single("_count")
        return DEFAULT_COUNT if text is None else read_count(text)

    def check_contained(self) -> None:
        """Let what R4 does without being asked be asked for: records that nothing contains."""
        if self.single("_contained") not in (None, "false"):
            raise UnknownContained

    def total(self) -> Total:
        """Whether the matches are counted: exactly or not at all, never by estimate."""
        text = self.single("_total")
        if text not in (None, "none", "accurate"):
            raise BadValue("_total", "`none` or `accurate`")
        # A name that a widely used client has for the same wish.
        method = self.single("_totalMethod")
        if method not in (None, "count"):
            raise BadValue("_totalMethod", "`count`")
        return "accurate" if "accurate" in (text, method and "accurate") or self.only_count() else "none"

    def only_count(self) -> bool:
        """Whether the number of matches is all that is asked for."""
        return self.summary() == "count" or self.count() == 0

    def summary(self) -> Summary | None:
        """What part of each record is shown, None for the whole."""
        text = self.single("_summary")
        if text is not None and text not in _SUMMARIES:
            raise BadValue("_summary", "`true`, `text`, `data`, `count` or `false`")
        return None if text is None else _SUMMARIES[text]

    def elements(self) -> tuple[str, ...]:
        """The elements that are shown, none for all."""
        text = self.single("_elements")
        if text is None:
            return ()
        names = tuple(name.strip() for name in text.split(","))
        if not all(map(_ELEMENT.fullmatch, names)):
            raise BadValue("_elements", "names of elements")
        return names

    def order(self) -> tuple[SortKey, ...]:
        """The order of the matches."""
        text = self.single("_sort")
        if text is None:
            # Newest first is what readers of a record expect; types without a time go by their writing.
            timed = any(type_.times for type_ in self.types)
            return (SortKey("time" if timed else "_lastUpdated", descending=True),)
        names = text.split(",")
        # Before one is looked up: a list of any length costs no more than its reading.
        keys = () if len(names) > MAX_SORT_KEYS else tuple(map(self._key, names))
        if len({key.name for key in keys}) < len(names):
            raise SearchError(
                "_sort", f"got {len(names)} sort keys, expected at most {MAX_SORT_KEYS}, each of them once"
            )
        return keys

    def _key(self, text: str) -> SortKey:
        name = text.removeprefix("-")
        if name not in self._sortable():
            raise UnknownSort(name, self._sortable())
        parameters = common(self.types, name)
        columns = {SORTED_BY.get(parameter.source, "") for parameter in parameters}
        descending = text.startswith("-")
        if len(columns) == 1 and "" not in columns:
            return SortKey(columns.pop(), descending)
        return SortKey(name, descending, parameters, max(columns))

    def _sortable(self) -> list[str]:
        """What all types can be sorted by, each by what its own rows or elements say."""
        return [
            name
            for name in known_parameters(self.types)
            if all(self._sorts(parameters_of(type_.name)[name]) for type_ in self.types)
        ]

    def _sorts(self, parameter: SearchParameter) -> bool:
        by_elements = self.sifting and parameter.kind is not Kind.COMPOSITE and bool(parameter.paths)
        return parameter.source in SORTED_BY or by_elements
