"""SMART scopes, version 2: they narrow what a session may do; consent decides.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

A session without scopes may do nothing. A scope may be narrowed by search arguments, and those of a session in the
context of one patient by whom they are about. What is narrowed is carried out by a condition on each record
(`passport.narrowing`), and opens no way that carries no such condition: there `allows` asks for the whole type.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from fhirstore.search.scoped import arguments_of, check_values
from fhirstore.search.test import BadValue
from fhirstore.types import types_of
from passport.identity.record_scopes import (
    ALL_TYPES,
    DECIDING,
    RecordScope,
    Right,
    covered,
    record_scope,
    record_scopes,
)
from passport.outcomes import Invalid, OutOfScope
from passport.subjects import Kind

_CONTEXTS: Final[Mapping[Kind, frozenset[str]]] = {
    "patient": frozenset({"patient", "user"}),
    "proxy": frozenset({"patient", "user"}),
    "practitioner": frozenset({"user"}),
    "service": frozenset({"system"}),
    "device": frozenset({"system"}),
    "operator": frozenset({"user"}),
    "auditor": frozenset({"user"}),
    "clerk": frozenset({"user"}),
    "approver": frozenset({"user"}),
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
    "approver": "user/*.rs",
}

_ONE_PATIENT: Final = "patient="
"""So begins what a session names beside its scopes: a patient_key to which those of `patient/` are bound."""

_ONE_PASSPORT: Final = "passport="
"""The same for a resident, or whoever acts for them: addresses of that passport alone take such a scope as whole."""

_BOUND: Final = (_ONE_PATIENT, _ONE_PASSPORT)


class UnusableScope(Invalid):
    """A scope is not one that this kind of caller can be given."""

    def __init__(self, scope: str, reason: str) -> None:
        super().__init__(f"got scope `{scope[:80]}`, {reason}", ("scope",))


def expected_in(contexts: Iterable[str]) -> str:
    """What a scope of records has to look like where one of these contexts can be asked for."""
    return "expected such as " + ", ".join(f"`{context}/Observation.rs`" for context in sorted(contexts))


def contexts(kind: Kind, *, launched: bool = False) -> frozenset[str]:
    """In which contexts this kind of caller asks for records; `launched` tells that there is one patient's."""
    further = {"patient"} if launched and kind == "practitioner" else set()
    return _CONTEXTS[kind] | further


def everything(kind: Kind) -> frozenset[str]:
    """The scopes of a session that is narrowed by nothing: consent alone decides."""
    every = _EVERYTHING[kind]
    context = every.partition("/")[0]
    named = (
        {f"{context}/{name}.cruds" for name in DECIDING}
        if kind != "device" and every.endswith(".cruds")
        else set()
    )
    return frozenset({every, *named})


def read(text: str, kind: Kind, *, sandbox: bool = False) -> frozenset[str]:
    """Return the scopes in a space-separated list; an empty one asks for everything.

    Raises:
        UnusableScope: one of them is none, has arguments that nothing enforces, or belongs to another kind of caller.
    """
    return checked(text.split(), kind, sandbox=sandbox) or everything(kind)


def checked(scopes: Iterable[str], kind: Kind, *, sandbox: bool = False) -> frozenset[str]:
    """Return scopes that this kind of caller can be given; `sandbox` tells which types are held.

    Raises:
        UnusableScope: one of them is none, has arguments that nothing enforces, or belongs to another kind of caller.
    """
    listed = frozenset(scopes)
    if len(listed) > SCOPES_MAX:
        raise UnusableScope("…", f"expected at most {SCOPES_MAX} scopes")
    found = set()
    for text in listed:
        scope = record_scope(text)
        if scope is None or scope.context not in _CONTEXTS[kind]:
            raise UnusableScope(text, expected_in(_CONTEXTS[kind]))
        if reason := unheld(scope, sandbox=sandbox):
            raise UnusableScope(text, reason)
        found.add(str(scope))
    return frozenset(found)


def unheld(scope: RecordScope, *, sandbox: bool) -> str:
    """Why a scope cannot be carried out: its type is not held, or an argument not enforced; empty where it can."""
    if scope.type != ALL_TYPES and scope.type not in types_of(sandbox=sandbox):
        return "expected a type of records that is held here"
    known = arguments_of(scope.type)
    for argument in scope.arguments:
        if argument.name not in known:
            names = ", ".join(sorted(known))
            expected = f"expected search arguments of {names}" if names else "expected no search arguments"
            return f"{expected} for this type: nothing enforces others, so they are not granted"
        try:
            check_values(known[argument.name], argument.values)
        except BadValue as error:
            return str(error)
    return ""


def within(scopes: Iterable[str], allowed: Iterable[str]) -> bool:
    """Return whether each of `scopes` gives nothing that `allowed` does not give."""
    given = record_scopes(allowed)
    listed = [record_scope(text) for text in scopes]
    return all(scope is not None and covered(scope, given) for scope in listed)


def of_one_patient(patient_keys: Iterable[int]) -> frozenset[str]:
    """What a session names beside its scopes so that those of `patient/` are for one person alone.

    `patient_keys` are all registrations of that person; where there is none it is for nobody.
    """
    return _bound_to(_ONE_PATIENT, patient_keys)


def of_one_passport(patient_keys: Iterable[int]) -> frozenset[str]:
    """The same for an app of a resident, or of whoever acts for them."""
    return _bound_to(_ONE_PASSPORT, patient_keys)


def _bound_to(mark: str, patient_keys: Iterable[int]) -> frozenset[str]:
    return frozenset(f"{mark}{key}" for key in patient_keys) or frozenset({f"{mark}-1"})


def told(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes themselves, as others are told of them."""
    return frozenset(scope for scope in scopes if not scope.startswith(_BOUND))


def bound(scopes: Iterable[str]) -> frozenset[str]:
    """What a session names beside its scopes."""
    return frozenset(scope for scope in scopes if scope.startswith(_BOUND))


def patients(scopes: Iterable[str]) -> frozenset[int] | None:
    """The patient_keys to which the scopes of `patient/` are bound; None where they are not."""
    return frozenset(int(text.partition("=")[2]) for text in bound(scopes)) or None


def granting(scopes: frozenset[str], right: Right, *types: str, whole: bool = False) -> frozenset[str]:
    """The scopes that give `right` on one of `types`: on some of its records, or with `whole` on all of them."""
    narrowed = any(scope.startswith(_ONE_PATIENT) for scope in scopes)
    return frozenset(
        str(scope)
        for scope in held_by(scopes)
        if any(scope.gives(name, right) for name in types)
        and not (whole and (scope.arguments or (narrowed and scope.context == "patient")))
    )


def allows(scopes: frozenset[str], type_name: str, right: Right) -> bool:
    """Return whether `scopes` give `right` on all records of a type; one that cannot be read gives nothing."""
    return bool(granting(scopes, right, type_name, whole=True))


def require(scopes: frozenset[str], right: Right, *types: str) -> None:
    """Let a session through whose `scopes` allow `right` on all records of one of `types`.

    Raises:
        OutOfScope: they do not.
    """
    if not granting(scopes, right, *types, whole=True):
        raise OutOfScope(missing(right, *types))


def missing(right: Right, *types: str) -> tuple[str, ...]:
    """What a session lacks that may not use `right` on one of `types`, as the log names it."""
    return tuple(f"{name}.{right}" for name in sorted(set(types)))


@lru_cache(1_024)
def held_by(scopes: frozenset[str]) -> tuple[RecordScope, ...]:
    """The scopes of records of a session, in one order."""
    return tuple(record_scopes(scopes))
