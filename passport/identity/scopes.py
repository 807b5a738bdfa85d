"""SMART scopes, version 2: they narrow what a session may do; consent decides.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

A session without scopes may do nothing. Scopes with search arguments are refused when they are asked for: a
narrowing that is not carried out must not be shown as granted.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from fhirstore.types import types_of
from passport.outcomes import Invalid, Refused
from passport.subjects import Kind

Right = Literal["c", "r", "u", "d", "s"]
"""create; read, vread and history of one; update; delete; search and history of a type."""

_SCOPE: Final = re.compile(r"(patient|user|system)/([A-Za-z]+|\*)\.(c?r?u?d?s?)")

_CONTEXTS: Final[Mapping[Kind, frozenset[str]]] = {
    "patient": frozenset({"patient", "user"}),
    "proxy": frozenset({"patient", "user"}),
    "practitioner": frozenset({"user"}),
    "service": frozenset({"system"}),
    "device": frozenset({"system"}),
    "operator": frozenset({"user"}),
    "auditor": frozenset({"user"}),
    "clerk": frozenset({"user"}),
}

SCOPES_MAX: Final = 64

_EVERYTHING: Final[Mapping[Kind, str]] = {
    "patient": "patient/*.cruds",
    "proxy": "user/*.cruds",
    "practitioner": "user/*.cruds",
    "service": "system/*.cruds",
    "device": "system/*.cruds",
    "operator": "user/*.cruds",
    "auditor": "user/*.rs",
    "clerk": "user/*.rs",
}


class UnusableScope(Invalid):
    """A scope is not one that this kind of caller can be given."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"got scope `{scope[:80]}`, expected such as `user/Observation.rs` in the caller's own context",
            ("scope",),
        )


def contexts(kind: Kind) -> frozenset[str]:
    """In which contexts this kind of caller asks for records."""
    return _CONTEXTS[kind]


def everything(kind: Kind) -> frozenset[str]:
    """The scopes of a session that is narrowed by nothing: consent alone decides."""
    return frozenset({_EVERYTHING[kind]})


def read(text: str, kind: Kind, *, sandbox: bool = False) -> frozenset[str]:
    """Return the scopes in a space-separated list; an empty one asks for everything.

    Raises:
        UnusableScope: one of them is none, has search arguments, or belongs to another kind of caller.
    """
    return checked(text.split(), kind, sandbox=sandbox) or everything(kind)


def checked(scopes: Iterable[str], kind: Kind, *, sandbox: bool = False) -> frozenset[str]:
    """Return scopes that this kind of caller can be given; `sandbox` tells which types are held.

    Raises:
        UnusableScope: one of them is none, has search arguments, or belongs to another kind of caller.
    """
    listed = frozenset(scopes)
    if len(listed) > SCOPES_MAX:
        raise UnusableScope("…")
    held = types_of(sandbox=sandbox)
    for scope in listed:
        match = _SCOPE.fullmatch(scope)
        if match is None or not match[3] or match[1] not in _CONTEXTS[kind]:
            raise UnusableScope(scope)
        if match[2] != "*" and match[2] not in held:
            raise UnusableScope(scope)
    return listed


def within(scopes: Iterable[str], allowed: Iterable[str]) -> bool:
    """Return whether each of `scopes` gives no right that `allowed` does not give."""
    given = frozenset(allowed)
    return all(_covered(scope, given) for scope in scopes)


def allows(scopes: Iterable[str], type_name: str, right: Right) -> bool:
    """Return whether a session with `scopes` may use `right` on a type; an unreadable scope gives nothing."""
    return any(
        match is not None and match[2] in {"*", type_name} and right in match[3]
        for match in map(_SCOPE.fullmatch, scopes)
    )


def require(scopes: Iterable[str], right: Right, *types: str) -> None:
    """Let a session through whose `scopes` allow `right` on one of `types`.

    Raises:
        Refused: they do not.
    """
    if not any(allows(scopes, type_name, right) for type_name in types):
        raise Refused("the session's scopes do not allow this")


def _covered(scope: str, allowed: frozenset[str]) -> bool:
    match = _SCOPE.fullmatch(scope)
    if match is None:
        return False
    same_context = [known for known in allowed if known.partition("/")[0] == match[1]]
    rights: tuple[Right, ...] = ("c", "r", "u", "d", "s")
    return all(allows(same_context, match[2], right) for right in rights if right in match[3])
