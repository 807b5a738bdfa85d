"""One element of a resource while it is read: its value, its FHIRPath, and the list its faults go to.

http://hl7.org/fhir/R4/json.html, http://hl7.org/fhirpath/

Reading never stops at a fault: a refused consent comes back with everything that is wrong with it. An
element that is present but empty is a fault too, since an absent one would mean something else.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from consent.model import Coding

_REFERENCE: Final = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})")
_CODING: Final = {"id", "system", "code", "display", "userSelected"}
_CONCEPT: Final = {"id", "coding", "text"}

_Choice = TypeVar("_Choice", bound=StrEnum)


class Issue(NamedTuple):
    """One reason why a consent cannot be enforced: where, as FHIRPath, and what was expected there."""

    expression: str
    text: str


@dataclass(frozen=True, slots=True)
class Element:
    """A JSON value at its place."""

    value: object
    path: str
    issues: list[Issue]

    def fault(self, text: str) -> None:
        """Note what is wrong here."""
        self.issues.append(Issue(self.path, text))

    def members(self, known: Collection[str]) -> Mapping[str, object]:
        """The members of an object; each one that is not `known` is a fault."""
        if not isinstance(self.value, Mapping) or not self.value:
            self.fault("got no element with content, expected one")
            return {}
        for name in self.value:
            if name not in known:
                place = Element(None, f"{self.path}.{name[:64]}", self.issues)
                place.fault(f"got an element that is not evaluated, expected {', '.join(sorted(known))}")
        return self.value

    def child(self, name: str) -> "Element | None":
        """The member of that name, or None where it is absent."""
        if not isinstance(self.value, Mapping) or name not in self.value:
            return None
        return Element(self.value[name], f"{self.path}.{name}", self.issues)

    def items(self, name: str) -> Iterator["Element"]:
        """The entries of the list of that name; none where it is absent."""
        found = self.child(name)
        if found is None:
            return
        if not isinstance(found.value, list) or not found.value:
            found.fault("got no list with entries, expected one")
            return
        for index, entry in enumerate(found.value):
            yield Element(entry, f"{found.path}[{index}]", self.issues)

    def choice(self, choices: type[_Choice]) -> _Choice | None:
        """The value as one of a closed list of codes."""
        if isinstance(self.value, str) and self.value in choices.__members__.values():
            return choices(self.value)
        self.fault(f"got {quoted(self.value)}, expected one of {', '.join(choices)}")
        return None

    def coding(self) -> Coding | None:
        """The value as a Coding that can be compared: with system and code, without a version."""
        members = self.members(_CODING)
        system, code = members.get("system"), members.get("code")
        if isinstance(system, str) and system and isinstance(code, str) and code:
            return Coding(system, code)
        self.fault("got a coding without system or code, expected both")
        return None

    def concept(self) -> Iterator[tuple["Element", Coding]]:
        """The codings of a CodeableConcept, each with its place."""
        members = self.members(_CONCEPT)
        if members and "coding" not in members:
            self.fault("got a concept without coding, expected a code that can be compared")
        for entry in self.items("coding"):
            if (coding := entry.coding()) is not None:
                yield entry, coding

    def reference(self, types: Collection[str]) -> str | None:
        """The value as a literal reference `Type/id` to one of the types."""
        members = self.members({"id", "reference", "type", "display"})
        text, stated = members.get("reference"), members.get("type")
        parts = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
        if parts is None:
            self.fault("got no reference in the form `Type/id`, expected one")
        elif parts[1] not in types or stated not in {None, parts[1]}:
            self.fault(f"got a reference to {quoted(parts[1])}, expected one to {', '.join(sorted(types))}")
        else:
            return parts[0]
        return None


def quoted(value: object) -> str:
    """User input for a message: short text in backticks, anything else by its kind."""
    if isinstance(value, str):
        return f"`{value[:64]}`"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else "true or false"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a number"
