"""Parameters written out for a test, and a record asked by them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fhirstore.matching import Context, matcher
from fhirstore.parameters import Component, Kind, ParameterNumber, SearchParameter, Source
from fhirstore.types import TYPES, Path

BASE = "https://passport.example/fhir"
CONTEXT = Context(ZoneInfo("Asia/Tokyo"), (BASE,), datetime(2024, 6, 1, tzinfo=UTC))


def parameter(
    kind: Kind,
    *paths: str,
    type_name: str = "Observation",
    targets: Sequence[str] = (),
    components: Sequence[Component] = (),
) -> SearchParameter:
    """A parameter of this kind that reads dotted paths; `.` is the record itself."""
    return SearchParameter(
        TYPES[type_name],
        "asked",
        ParameterNumber(1),
        kind,
        Source.ELEMENTS,
        tuple(map(path, paths)),
        tuple(targets),
        tuple(components),
    )


def path(dotted: str) -> Path:
    """The steps of a dotted path."""
    return () if dotted == "." else tuple(dotted.split("."))


def matches(asked: SearchParameter, tree: dict[str, Any], *values: str, modifier: str | None = None) -> bool:
    """Whether a record matches one of the values."""
    return matcher(asked, modifier, values, CONTEXT)(tree)
