"""The walk over a tree: every element against its type, all problems at once.

http://hl7.org/fhir/R4/json.html
http://hl7.org/fhir/R4/validation.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fhirstore.elements import codes_in
from fhirstore.errors import Problem
from fhirstore.types import PART_TYPES, TYPES
from fhirstore.validate.bindings import CODES, CONCEPTS, Concepts, grammar
from fhirstore.validate.invariants import RULES, SIMPLE_QUANTITIES, Rule
from fhirstore.validate.primitives import CHECKS, OWN_CHECKS, Check, got
from fhirstore.validate.references import (
    containment_problems,
    fragment_problem,
    inside,
    reference_problem,
    type_problem,
)
from fhirstore.validate.schema import RESOURCE, Element, may_be_inside, shape

MOST_PROBLEMS: Final = 100

Path = tuple["Path | None", str, int | None]
"""The way from the root, as a chain of its last step and place; written out only where there is a problem."""

_ELEMENT_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9_]{0,63}")
_PLAIN_CODE: Final = re.compile(r"[A-Za-z0-9.+\-_]{1,40}")
_MAY_BE_FRAGMENT: Final = frozenset({"uri", "url", "canonical"})
_TYPE_NAME: Final = "resourceType"
_EMPTY: Final = "ele-1: expected a value or children"
_WITHOUT_EXTENSION: Final = frozenset({"id", _TYPE_NAME})
_ANY_TYPE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Step:
    """What there is to check of one element, with what is asked at every node spelt out."""

    element: Element
    check: Check | None
    codes: frozenset[str] | None
    concepts: Concepts | None
    below: str
    many: bool
    choice: str | None
    may_be_fragment: bool
    simple: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """What there is to check of one type."""

    steps: Mapping[str, _Step]
    required: tuple[str, ...]
    required_choices: tuple[str, ...]
    rules: tuple[Rule, ...]


@cache
def _plan(type_name: str) -> _Plan:
    of_type = shape(type_name)
    steps = {name: _step(type_name, element) for name, element in of_type.elements.items()}
    if type_name in PART_TYPES:
        steps[_TYPE_NAME] = _step(type_name, Element(_TYPE_NAME, "code"))
    return _Plan(
        steps=steps,
        required=tuple(element.name for element in of_type.required),
        required_choices=tuple(name for name, required in of_type.choices.items() if required),
        rules=RULES.get(type_name, ()),
    )


def _step(type_name: str, element: Element) -> _Step:
    return _Step(
        element=element,
        check=_check(type_name, element) if element.primitive else None,
        codes=CODES.get((type_name, element.name)) or element.codes or None,
        concepts=CONCEPTS.get((type_name, element.name)),
        below=f".{element.name}",
        many=element.many,
        choice=element.choice,
        may_be_fragment=element.type in _MAY_BE_FRAGMENT,
        simple=(type_name, element.name) in SIMPLE_QUANTITIES,
    )


def _check(type_name: str, element: Element) -> Check:
    own = grammar(type_name, element.name) or OWN_CHECKS.get((type_name, element.name))
    return own or CHECKS[element.type]


class Walk:
    """One validation; `problems` are in the order of the tree."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._fragments: dict[str, list[tuple[Path, frozenset[str]]]] = {}

    def resource(self, node: Mapping[str, Any], path: Path | None = None, *, contained: bool = False) -> None:
        """Check a resource and what it holds."""
        name = node.get(_TYPE_NAME)
        if not isinstance(name, str) or not (name in TYPES if path is None else may_be_inside(name)):
            shown = f"`{name}`" if isinstance(name, str) and name.isalpha() and len(name) < 64 else "none"
            expected = (
                "one that this store holds" if path is None else "one of R4 that may be inside of a record"
            )
            self._report(
                "not-supported", path or (None, "", None), f"got resource type {shown}, expected {expected}"
            )
            return
        here = path or (None, name, None)
        outer, self._fragments = self._fragments, self._fragments if contained else {}
        self._node(node, _plan(name), here)
        if not contained:
            for code, below, text in containment_problems(node, self._fragments):
                self._report(code, (here, below, None), text)
            self._lead_somewhere(inside(node) if self._fragments else {})
            self._fragments = outer

    def _lead_somewhere(self, there: Mapping[str, object]) -> None:
        """Check the `#id` references of a container: each leads to what it contains, and to one of its types."""
        for fragment, places in self._fragments.items():
            for place, targets in places:
                if (problem := fragment_problem(fragment, targets, there)) is not None:
                    self._report(problem[0], place, problem[1])

    def _node(self, node: Mapping[str, Any], plan: _Plan, path: Path) -> None:
        # The loop that every element goes through: the common case is decided here, the rest is handed on.
        steps = plan.steps
        chosen: dict[str, str] = {}
        for name, value in node.items():
            step = steps.get(name)
            if step is None:
                self._beside(name, value, node, steps, chosen, path)
                continue
            if step.choice is not None:
                self._choose(step.choice, name, chosen, path)
            check = step.check
            if check is None:
                self._complex(value, step, path)
            elif step.many:
                self._primitives(value, node.get(f"_{name}"), step, check, path)
            elif check(value) is not None or (step.codes is not None and value not in step.codes):
                self._value(value, step, check, (path, step.below, None))
            elif step.may_be_fragment and value[0] == "#":
                self._refers(value, (path, step.below, None))
        self._presence(node, plan, chosen, path)

    def _beside(
        self,
        name: str,
        value: object,
        node: Mapping[str, Any],
        steps: Mapping[str, _Step],
        chosen: dict[str, str],
        path: Path,
    ) -> None:
        """Check what stands under no element's name: the extension of a value, or nothing that R4 knows."""
        base = name[1:] if name[:1] == "_" else ""
        step = steps.get(base)
        if step is None or step.check is None or base in _WITHOUT_EXTENSION:
            self._unknown(name, path)
            return
        if step.choice is not None:
            self._choose(step.choice, base, chosen, path)
        self._primitive_extension(value, node.get(base), step, path, name)

    def _choose(self, choice: str, name: str, chosen: dict[str, str], path: Path) -> None:
        if chosen.setdefault(choice, name) != name:
            self._report("structure", path, f"got several of {choice}[x], expected one")

    def _unknown(self, name: str, path: Path) -> None:
        if _ELEMENT_NAME.fullmatch(name):
            self._report(
                "structure", (path, f".{name}", None), f"got element `{name}`, expected one of its type"
            )
        else:
            self._report("structure", path, "got an element of another name, expected one of its type")

    def _presence(self, node: Mapping[str, Any], plan: _Plan, chosen: Mapping[str, str], path: Path) -> None:
        for name in plan.required:
            if name not in node and f"_{name}" not in node:
                self._report("required", (path, f".{name}", None), f"got no {name}, expected one")
        for choice in plan.required_choices:
            if choice not in chosen:
                self._report("required", path, f"got no {choice}[x], expected one")
        for rule in plan.rules:
            if not rule.kept(node):
                self._report("invariant", path, f"{rule.key}: {rule.expects}")

    def _complex(self, value: object, step: _Step, path: Path) -> None:
        if not step.many:
            self._child(value, step, (path, step.below, None))
        elif not isinstance(value, list) or not value:
            self._report(
                "structure", (path, step.below, None), f"{got(value)}, expected an array that is not empty"
            )
        else:
            for index, item in enumerate(value):
                self._child(item, step, (path, step.below, index))
        if step.concepts is not None:
            self._concepts(value, step.concepts, (path, step.below, None))

    def _child(self, value: object, step: _Step, path: Path) -> None:
        if not isinstance(value, dict) or not value:
            self._report("structure", path, f"{got(value)}, expected an object that is not empty")
            return
        kind = step.element.type
        if kind == RESOURCE:
            self.resource(value, path, contained=step.element.name == "contained")
            return
        if len(value) == 1 and "id" in value:
            self._report("invariant", path, _EMPTY)
        self._node(value, _plan(kind), path)
        if kind == "Reference":
            self._reference(value, step.element.targets, path)
        elif step.simple and ("comparator" in value or "_comparator" in value):
            self._report("invariant", path, "sqty-1: expected no comparator")

    def _reference(self, node: Mapping[str, Any], targets: frozenset[str], path: Path) -> None:
        reason = reference_problem(node, targets)
        if reason is not None:
            self._report("value", (path, ".reference", None), reason)
        elif "type" in node and (reason := type_problem(node, targets)) is not None:
            self._report("value", (path, ".type", None), reason)
        reference = node.get("reference")
        if isinstance(reference, str) and reference.startswith("#"):
            self._refers(reference, (path, ".reference", None), targets)

    def _concepts(self, value: object, concepts: Concepts, path: Path) -> None:
        codes = codes_in(value if isinstance(value, list) else [value])
        unknown = [
            code for code in codes if code.system == concepts.system and code.code not in concepts.codes
        ]
        bound = any(code.system == concepts.system for code in codes)
        if unknown or (concepts.required and not bound):
            expected = ", ".join(sorted(concepts.codes))
            self._report("code-invalid", path, f"expected one of {expected} in {concepts.system}")

    def _primitives(self, value: object, extension: object, step: _Step, check: Check, path: Path) -> None:
        if not isinstance(value, list) or not value:
            self._report(
                "structure", (path, step.below, None), f"{got(value)}, expected an array that is not empty"
            )
            return
        beside = extension if isinstance(extension, list) else []
        for index, item in enumerate(value):
            if item is not None or index >= len(beside) or beside[index] is None:
                self._value(item, step, check, (path, step.below, index))

    def _value(self, value: object, step: _Step, check: Check, path: Path) -> None:
        reason = check(value)
        if reason is not None:
            self._report(
                "value", path, f"{got(value)}, {reason}" if reason.startswith("expected") else reason
            )
        elif step.codes is not None and value not in step.codes:
            shown = f"`{value}`" if _PLAIN_CODE.fullmatch(str(value)) else "another code"
            self._report(
                "code-invalid", path, f"got {shown}, expected one of {', '.join(sorted(step.codes))}"
            )
        elif step.may_be_fragment and str(value).startswith("#"):
            self._refers(str(value), path)

    def _refers(self, fragment: str, path: Path, targets: frozenset[str] = _ANY_TYPE) -> None:
        self._fragments.setdefault(fragment, []).append((path, targets))

    def _primitive_extension(self, value: object, beside: object, step: _Step, path: Path, name: str) -> None:
        if not step.element.many:
            self._extended(value, (path, step.below, None), alone=beside is None)
            return
        if not isinstance(value, list) or not any(value):
            self._report(
                "structure", path, f"{got(value)}, expected {name} to be an array of objects and nulls"
            )
            return
        if isinstance(beside, list) and len(beside) != len(value):
            self._report("structure", path, f"expected {name} to be as long as {step.element.name}")
        for index, item in enumerate(value):
            if item is not None:
                said = beside[index] if isinstance(beside, list) and index < len(beside) else None
                self._extended(item, (path, step.below, index), alone=said is None)

    def _extended(self, value: object, path: Path, *, alone: bool) -> None:
        if not isinstance(value, dict) or not value:
            self._report(
                "structure",
                path,
                f"{got(value)}, expected the extension of a value to be an object that is not empty",
            )
            return
        if alone and len(value) == 1 and "id" in value:
            self._report("invariant", path, _EMPTY)
        self._node(value, _plan("Element"), path)

    def _report(self, code: str, path: Path, text: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem("error", code, _expression(path), text))


def _expression(path: Path) -> str:
    steps: list[str] = []
    at: Path | None = path
    while at is not None:
        at, name, index = at
        steps.append(name if index is None else f"{name}[{index}]")
    return "".join(reversed(steps))
