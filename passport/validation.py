"""What is checked of a resource when somebody asks, and what they are told.

http://hl7.org/fhir/R4/resource-operation-validate.html

Nothing here looks at stored records, and nothing is decided about what may be stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhirstore.errors import Problem
from fhirstore.parse import Tree
from fhirstore.validate import validate
from fhirstore.validate.profiles import claimed, profile_problems
from fhirstore.validate.units import unit_problems
from passport.outcomes import Invalid

Mode = Literal["create", "update", "delete", "profile"]

_MODES: Final[tuple[Mode, ...]] = ("create", "update", "delete", "profile")
_PROFILE_VALUES: Final = ("valueUri", "valueCanonical", "valueUrl", "valueString")
_MODE_VALUES: Final = ("valueCode", "valueString")

ALL_OK: Final = Problem(
    "information", "informational", "", "All OK: R4 and every profile that is claimed are kept"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be validated, against which further profiles, and as what; `tree` is None where none came."""

    tree: Tree | None
    profiles: tuple[str, ...] = ()
    mode: Mode | None = None


def asked(tree: Tree | None, params: Sequence[tuple[str, str]]) -> Question:
    """Read what was asked, from the body and the address.

    Args:
        tree: the body: the resource itself, or a Parameters with `resource`, `mode` and `profile`.
        params: what stands in the address.

    Raises:
        Invalid: a parameter that the operation does not have, a mode that there is none, several resources.
    """
    given = list(params)
    if tree is not None and tree.get("resourceType") == "Parameters":
        tree, inner = _unwrapped(tree)
        given += inner
    profiles, modes = [], []
    for name, value in given:
        if name == "profile":
            profiles.append(value)
        elif name == "mode":
            modes.append(value)
        elif name not in ("_format", "_pretty"):
            raise Invalid(
                f"got parameter `{name[:64]}`, expected `profile`, `mode` or `resource`", (name[:64],)
            )
    return Question(tree, tuple(profiles), _mode(modes))


def findings(type_name: str, question: Question, id_: str | None = None) -> list[Problem]:
    """Return everything that there is to say of a resource; `ALL_OK` where there is nothing.

    Args:
        type_name: the type at the address.
        question: what was asked, with the resource.
        id_: the id at the address, None where a type was asked.
    """
    tree = question.tree
    if tree is None:
        return [ALL_OK]
    if tree.get("resourceType") != type_name:
        return [Problem("error", "invalid", "", f"expected a resource of type {type_name}")]
    found = validate(tree, confirm=True)
    found += _of_its_mode(type_name, tree, question.mode, id_)
    if not any(problem.severity in ("error", "fatal") for problem in found):
        found += profile_problems(tree, (each for each in claimed(tree) if each not in question.profiles))
        found += profile_problems(tree, question.profiles, unknown="error")
        found += unit_problems(tree)
    return list(dict.fromkeys(found)) or [ALL_OK]


def _of_its_mode(
    type_name: str, tree: Mapping[str, Any], mode: Mode | None, id_: str | None
) -> list[Problem]:
    own = tree.get("id")
    if mode == "update" and own is None:
        return [Problem("error", "required", f"{type_name}.id", "expected the id of what is updated")]
    if id_ is not None and own is not None and own != id_:
        return [Problem("error", "value", f"{type_name}.id", "expected the id at the address")]
    return []


def _mode(modes: Sequence[str]) -> Mode | None:
    if not modes:
        return None
    for known in _MODES:
        if [known] == list(modes):
            return known
    raise Invalid(f"got another mode, expected one of {', '.join(_MODES)}", ("mode",), code="not-supported")


def _unwrapped(tree: Tree) -> tuple[Tree | None, list[tuple[str, str]]]:
    listed = tree.get("parameter", [])
    if not isinstance(listed, list):
        raise Invalid("got no list, expected one", ("Parameters.parameter",))
    resources: list[Tree] = []
    pairs = []
    for at, each in enumerate(listed):
        place = f"Parameters.parameter[{at}]"
        name = each.get("name") if isinstance(each, dict) else None
        if name == "resource" and isinstance(each.get("resource"), dict):
            resources.append(each["resource"])
        elif name == "profile":
            pairs.append(("profile", _plain(each, _PROFILE_VALUES, place)))
        elif name == "mode":
            pairs.append(("mode", _plain(each, _MODE_VALUES, place)))
        else:
            raise Invalid("got another parameter, expected `resource`, `profile` or `mode`", (place,))
    if len(resources) > 1:
        raise Invalid("got several resources, expected one", ("Parameters.parameter",))
    return (resources[0] if resources else None), pairs


def _plain(parameter: Mapping[str, Any], names: Sequence[str], place: str) -> str:
    for name in names:
        if isinstance(value := parameter.get(name), str):
            return value
    raise Invalid(f"got no value, expected {names[0]}", (place,))
