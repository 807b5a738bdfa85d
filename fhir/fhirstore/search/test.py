"""One search parameter with its values: the structure that its SQL depends on, and the values bound to it.

http://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from fhirstore.errors import FhirStoreError

Condition = Callable[[FromClause], ColumnElement[bool]]


class SearchError(FhirStoreError):
    """A search that cannot be answered as it was asked; `parameter` is the offending part."""

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(text)
        self.parameter = parameter


class UnknownParameter(SearchError):
    """The type has no such parameter."""

    def __init__(self, name: str, type_name: str, known: list[str]) -> None:
        super().__init__(
            name,
            f"got search parameter `{name[:64]}`, expected one that {type_name} has: {', '.join(known)}",
        )


class UnknownModifier(SearchError):
    """The parameter has no such modifier."""

    def __init__(self, name: str, modifier: str) -> None:
        super().__init__(name, f"got modifier `:{modifier[:64]}` on `{name}`, expected none")


class BadValue(SearchError):
    """The value is not of the parameter's type; the text never repeats it."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(name, f"got an unreadable value of `{name}`, expected {expected}")


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on a record.

    Two tests of the same `structure` have the same SQL, whatever their values: it is what a compiled
    statement is kept by. `index` names the index rows (parameter, bound value) that may drive the search.
    """

    __test__ = False

    structure: Hashable
    condition: Condition
    params: Mapping[str, Any]
    index: tuple[int, str] | None = None
