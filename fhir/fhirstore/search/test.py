"""One search parameter with its values: the structure that its SQL depends on, and the values bound to it.

http://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, false, func, not_, or_

from fhirstore.errors import FhirStoreError

Condition = Callable[[FromClause], ColumnElement[bool]]


class SearchError(FhirStoreError):
    """A search that cannot be answered as it was asked; `parameter` is the offending part."""

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(text)
        self.parameter = parameter


class Unknown(SearchError):
    """A part of a search that this service does not know; a lenient caller has it left out."""


class UnknownParameter(Unknown):
    """The type has no such parameter."""

    def __init__(self, name: str, type_name: str, known: list[str]) -> None:
        super().__init__(
            name,
            f"got search parameter `{name[:64]}`, expected one that {type_name} has: {', '.join(known)}",
        )


class LeadsNowhere(Unknown):
    """A chain begins with a reference to types of which no record is held."""

    def __init__(self, name: str, head: str) -> None:
        super().__init__(
            name,
            f"got search parameter `{name[:64]}`, where `{head[:64]}` leads to no type that is held here",
        )


class NotCommon(Unknown):
    """Not every type that is searched has the parameter, or not all of them mean one kind of value by it."""

    def __init__(self, name: str, lacking: str | None, known: Sequence[str]) -> None:
        why = "is not of one kind in all types" if lacking is None else f"{lacking} does not have"
        super().__init__(
            name,
            f"got search parameter `{name[:64]}`, which {why}; expected one that all searched types have: "
            f"{', '.join(known)}",
        )


class UnknownModifier(Unknown):
    """The parameter has no such modifier."""

    def __init__(self, name: str, modifier: str, known: str = "one that it has") -> None:
        super().__init__(name, f"got modifier `:{modifier[:64]}` on `{name}`, expected {known}")


class UnknownPrefix(Unknown):
    """The value begins with a prefix that no parameter has."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, f"got an unknown prefix in `{name}`, expected one of {', '.join(known)}")


class BadValue(SearchError):
    """The value is not of the parameter's type; the text never repeats it."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(name, f"got an unreadable value of `{name}`, expected {expected}")


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on a record.

    Two tests of the same `kind` ask the same, each with its own values. `index` names the index rows
    (parameter, bound value) that may drive the search.
    """

    __test__ = False

    kind: Hashable
    condition: Condition
    params: Mapping[str, Any]
    index: tuple[int, str] | None = None

    @property
    def structure(self) -> Hashable:
        """Which SQL it is, whatever its values: what a compiled statement is kept by."""
        # The text of a statement holds the names of what is bound.
        return (self.kind, *self.params)

    def same(self, other: "Test") -> bool:
        """Whether both ask the same, by whatever names their values are bound."""
        return self.kind == other.kind and [*self.params.values()] == [*other.params.values()]

    def only_of(self, type_number: int) -> "Test":
        """The same, asked of records of one type alone; records of others pass."""
        return Test(
            ("only-of", type_number, self.kind),
            lambda record: or_(record.c.type != type_number, self.condition(record)),
            self.params,
        )


def negated(test: Test) -> Test:
    """The condition is not so: also where the record says nothing of it."""
    return Test(
        ("not", test.kind),
        lambda record: not_(func.coalesce(test.condition(record), false())),
        test.params,
    )
