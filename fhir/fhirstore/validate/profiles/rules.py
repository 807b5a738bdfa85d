"""What a profile demands beyond R4, as rows of a table: kinds of rules, and how each is checked.

http://hl7.org/fhir/R4/profiling.html#differential

A path is dotted from the resource's root; each place that it reaches is checked for itself, so a demand on a
child of an optional element holds only where that element stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fhirstore.elements import UCUM, Code, codes_in
from fhirstore.errors import Problem, Severity

Place = tuple[Mapping[str, Any], str]
"""A node and its FHIRPath expression."""


class Demand(Protocol):
    """One row."""

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield what does not meet the demand."""
        ...


@dataclass(frozen=True, slots=True)
class Required:
    """Elements that must stand at `path`; `value[x]` means any of its types."""

    path: str
    names: tuple[str, ...]
    severity: Severity = "error"

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the names that are missing."""
        for node, where in places(tree, self.path):
            for name in self.names:
                if not _stands(node, name):
                    yield Problem(self.severity, "required", f"{where}.{name}", f"expected {name}")


@dataclass(frozen=True, slots=True)
class Fixed:
    """The values that an element may have where it stands."""

    path: str
    name: str
    values: tuple[object, ...]

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the values that are others."""
        for node, where in places(tree, self.path):
            yield from _others(node, where, self.name, self.values)


@dataclass(frozen=True, slots=True)
class Of:
    """Among the elements `name` one must be of these systems, with all of `needs` beside the system.

    Where `most` is one, further ones of the systems are refused; `codes` are those that it may have.
    """

    path: str
    name: str
    systems: tuple[str, ...]
    needs: tuple[str, ...] = ()
    most: int = 0
    codes: tuple[str, ...] = ()
    severity: Severity = "error"

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield what is missing of the systems, or too many of them."""
        shown = " or ".join(f"`{system}`" for system in self.systems)
        for node, where in places(tree, self.path):
            found = [each for each in _listed(node, self.name) if each.get("system") in self.systems]
            if self.codes:
                found = [each for each in found if each.get("code") in self.codes]
                shown = f"{' or '.join(self.codes)} of {shown}"
            if not found:
                yield Problem(self.severity, "required", f"{where}.{self.name}", f"expected one of {shown}")
            elif self.most and len(found) > self.most:
                yield Problem(
                    self.severity, "structure", f"{where}.{self.name}", f"expected one of {shown} alone"
                )
            for each in found:
                for need in self.needs:
                    if need not in each:
                        yield Problem(
                            self.severity, "required", f"{where}.{self.name}", f"expected {need} with {shown}"
                        )


@dataclass(frozen=True, slots=True)
class Some:
    """Among the concepts at `path` one must carry this code; at most `most` of them, where that is not 0."""

    path: str
    system: str
    code: str
    most: int = 0

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield that none carries it, or too many do."""
        root = str(tree.get("resourceType", ""))
        found = sum(Code(self.system, self.code) in codes_in((node,)) for node, _ in places(tree, self.path))
        expected = f"expected `{self.code}` of `{self.system}`"
        if not found:
            yield Problem("error", "required", f"{root}.{self.path}", expected)
        elif self.most and found > self.most:
            yield Problem("error", "structure", f"{root}.{self.path}", f"{expected} at most {self.most}")


@dataclass(frozen=True, slots=True)
class Measured:
    """A value at `path`, where its `code` is this one, is a quantity in one of these UCUM units."""

    path: str
    system: str
    code: str
    units: tuple[str, ...]

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield what the quantity lacks, or has in another unit."""
        for node, where in places(tree, self.path):
            value = node.get("valueQuantity")
            if not isinstance(value, dict) or Code(self.system, self.code) not in codes_in(
                (node.get("code"),)
            ):
                continue
            for name in ("value", "unit", "system", "code"):
                if name not in value:
                    yield Problem("error", "required", f"{where}.valueQuantity.{name}", f"expected {name}")
            for name, allowed in (("system", (UCUM,)), ("code", self.units)):
                yield from _others(value, f"{where}.valueQuantity", name, allowed)


@dataclass(frozen=True, slots=True)
class Valued:
    """A value, or why there is none, at `path`; nothing where one of `unless` stands."""

    path: str
    unless: tuple[str, ...] = ()

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the places with neither."""
        for node, where in places(tree, self.path):
            if any(_stands(node, name) for name in ("value[x]", "dataAbsentReason", *self.unless)):
                continue
            yield Problem("error", "required", f"{where}.value[x]", "expected value[x] or dataAbsentReason")


@dataclass(frozen=True, slots=True)
class Dated:
    """A dateTime at `path` that says the day."""

    path: str
    name: str

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the times that are less precise."""
        for node, where in places(tree, self.path):
            if self.name in node and len(str(node[self.name])) < len("2026-01-01"):
                yield Problem("error", "value", f"{where}.{self.name}", "expected the day at least")


@dataclass(frozen=True, slots=True)
class Extended:
    """An extension that must stand once at `path`, with a value."""

    path: str
    url: str

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the places without the extension."""
        for node, where in places(tree, self.path):
            found = [each for each in _listed(node, "extension") if each.get("url") == self.url]
            if len(found) != 1:
                yield Problem("error", "required", f"{where}.extension", f"expected `{self.url}` once")


@dataclass(frozen=True, slots=True)
class Types:
    """The types of a choice element that may stand."""

    path: str
    choice: str
    types: tuple[str, ...]

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the types that are not allowed."""
        allowed = {f"{self.choice}{kind}" for kind in self.types}
        for node, where in places(tree, self.path):
            for name in node:
                if _is_choice(name, self.choice) and name not in allowed:
                    yield Problem(
                        "error", "structure", f"{where}.{name}", f"expected {' or '.join(sorted(allowed))}"
                    )


@dataclass(frozen=True, slots=True)
class AtMost:
    """How often an element may stand."""

    path: str
    name: str
    most: int = 1

    def problems(self, tree: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the places with more than that."""
        for node, where in places(tree, self.path):
            if len(_listed(node, self.name)) > self.most:
                yield Problem("error", "structure", f"{where}.{self.name}", f"expected at most {self.most}")


def places(tree: Mapping[str, Any], path: str) -> list[Place]:
    """Return the nodes that a dotted path reaches, lists walked through; the empty path is the root."""
    reached: list[Place] = [(tree, str(tree.get("resourceType", "")))]
    for name in path.split(".") if path else ():
        reached = [place for node, where in reached for place in _children(node, name, where)]
    return reached


def _children(node: Mapping[str, Any], name: str, where: str) -> Iterator[Place]:
    value = node.get(name)
    if isinstance(value, dict):
        yield value, f"{where}.{name}"
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, dict):
                yield each, f"{where}.{name}[{index}]"


def _listed(node: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = node.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _others(node: Mapping[str, Any], where: str, name: str, values: tuple[object, ...]) -> Iterator[Problem]:
    if name in node and node[name] not in values:
        expected = " or ".join(f"`{value}`" for value in values)
        yield Problem("error", "value", f"{where}.{name}", f"expected {expected}")


def _stands(node: Mapping[str, Any], name: str) -> bool:
    # A primitive may stand for its extensions alone, as for why it is not known.
    if name.endswith("[x]"):
        return any(_is_choice(each.removeprefix("_"), name[:-3]) for each in node)
    return name in node or f"_{name}" in node


def _is_choice(name: str, choice: str) -> bool:
    return name.startswith(choice) and name[len(choice) : len(choice) + 1].isupper()
