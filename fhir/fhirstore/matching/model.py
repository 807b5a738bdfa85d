"""What every matcher is given and gives back.

http://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhirstore.parameters import SearchParameter
from fhirstore.registry.reading import elements_at
from fhirstore.search.test import SearchError, UnknownModifier

Tree = Mapping[str, Any]
Matches = Callable[[Tree], bool]
ElementMatches = Callable[[Any], bool]
SortValue = Decimal | datetime | str

MOST_VALUES: Final = 200
"""Alternatives of one parameter; more is refused before it costs anything."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a search is read with.

    `zone` is the passport's, for days and for times that name none. `base_urls` are this service's own,
    without a slash at the end. `now` is the moment of the search, from which dates are approximate; a search
    with `ap` is refused where it is None.
    """

    zone: ZoneInfo
    base_urls: tuple[str, ...] = ()
    now: datetime | None = None


class TooManyValues(SearchError):
    """The parameter has more alternatives than one search may ask for."""

    def __init__(self, name: str, got: int) -> None:
        super().__init__(name, f"got {got} values of `{name}`, expected at most {MOST_VALUES}")


class UnfitModifier(UnknownModifier):
    """The parameter's type has no such modifier."""

    def __init__(self, parameter: SearchParameter, modifier: str, known: Iterable[str]) -> None:
        names = ", ".join(f"`:{name}`" for name in known)
        SearchError.__init__(
            self,
            parameter.name,
            f"got modifier `:{modifier[:64]}` on `{parameter.name}`, "
            f"which is a {parameter.kind.code} parameter; expected one of {names} or none",
        )


class NeedsTerminology(UnknownModifier):
    """The modifier asks what a code means, which only a terminology server knows."""

    def __init__(self, parameter: SearchParameter, modifier: str) -> None:
        SearchError.__init__(
            self,
            parameter.name,
            f"got modifier `:{modifier}` on `{parameter.name}`, which needs a terminology server; "
            "expected the codes themselves, as a list",
        )


def any_element(parameter: SearchParameter, matches: ElementMatches) -> Matches:
    """Return whether a record has, where the parameter reads, an element that matches."""
    paths = parameter.paths

    def found(tree: Tree) -> bool:
        return any(map(matches, elements_at(tree, paths)))

    return found


def expect_modifier(parameter: SearchParameter, modifier: str | None, *known: str) -> None:
    """Refuse a modifier that is not among the known ones; `:missing` is known for every type.

    Raises:
        UnfitModifier: another one.
    """
    if modifier is not None and modifier not in known:
        raise UnfitModifier(parameter, modifier, (*known, "missing"))
