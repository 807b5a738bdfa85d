"""The scopes that a client asks a person for: those of records, in either version, and those beside them.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

Version 1 is read as what it means in version 2, and granted and shown as that. What could not be carried out is
refused with the reason: a narrowing that nothing enforces must not be shown as granted.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from fhirstore.types import types_of
from passport.identity.authorization.profiles import CREDENTIALS, GrantType
from passport.identity.scopes import SCOPES_MAX
from passport.outcomes import Invalid

OPENID: Final = "openid"
FHIR_USER: Final = "fhirUser"
LAUNCH: Final = "launch"
LAUNCH_PATIENT: Final = "launch/patient"
OFFLINE: Final = "offline_access"

BESIDE: Final = frozenset({OPENID, FHIR_USER, LAUNCH, LAUNCH_PATIENT, OFFLINE})
"""Scopes that open no record."""

RIGHTS: Final = "cruds"
_VERSION_1: Final[Mapping[str, str]] = MappingProxyType({"read": "rs", "write": "cud", "*": RIGHTS})
_SCOPE: Final = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>[A-Za-z]{1,64}|\*)\.(?P<rights>c?r?u?d?s?|read|write|\*)"
)


class ScopeRefused(Invalid):
    """A scope that is not granted, and why."""

    def __init__(self, scope: str, reason: str) -> None:
        # What was asked for is repeated in an OAuth answer, which is ASCII without quotes and backslashes.
        shown = re.sub(r"[^\x21\x23-\x5b\x5d-\x7e]", "?", scope[:80])
        super().__init__(f"got scope `{shown}`, {reason}", ("scope",))


@dataclass(frozen=True, slots=True, order=True)
class RecordScope:
    """One scope of records as version 2 says it."""

    context: str
    type: str
    rights: str

    def __str__(self) -> str:
        return f"{self.context}/{self.type}.{self.rights}"

    def within(self, other: "RecordScope") -> "RecordScope | None":
        """What of it another one leaves, whatever its context; None for nothing."""
        rights = "".join(right for right in self.rights if right in other.rights)
        if not rights or ("*" not in (self.type, other.type) and self.type != other.type):
            return None
        return RecordScope(self.context, other.type if self.type == "*" else self.type, rights)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Scopes that were asked for, or that somebody may have."""

    records: frozenset[RecordScope]
    beside: frozenset[str]

    @property
    def texts(self) -> frozenset[str]:
        """All of them as they are written."""
        return frozenset(map(str, self.records)) | self.beside


def record_scope(text: str) -> RecordScope | None:
    """Read a scope of records of either version, None for anything else."""
    found = _SCOPE.fullmatch(text)
    if found is None or not found["rights"]:
        return None
    rights = _VERSION_1.get(found["rights"], found["rights"])
    return RecordScope(found["context"], found["type"], rights)


def wanted(listed: Iterable[str], *, contexts: Iterable[str], sandbox: bool) -> Wanted:
    """Read the scopes of a request or a registration.

    Args:
        listed: the scopes, one text each.
        contexts: whose records may be asked for, of `patient`, `user` and `system`.
        sandbox: whether further types of records are held.

    Raises:
        ScopeRefused: one of them cannot be granted to anybody.
    """
    texts = frozenset(listed)
    if len(texts) > SCOPES_MAX:
        raise ScopeRefused("...", f"expected at most {SCOPES_MAX} scopes")
    beside = texts & BESIDE
    records = frozenset(_checked(text, frozenset(contexts), sandbox=sandbox) for text in texts - beside)
    return Wanted(records, beside)


def _checked(text: str, contexts: frozenset[str], *, sandbox: bool) -> RecordScope:
    if "?" in text:
        reason = "expected one without search arguments: nothing enforces them, so they are not granted"
        raise ScopeRefused(text, reason)
    scope = record_scope(text)
    if scope is None or scope.context not in contexts:
        expected = ", ".join(f"`{context}/Observation.rs`" for context in sorted(contexts))
        raise ScopeRefused(text, f"expected such as {expected}")
    if scope.type != "*" and scope.type not in types_of(sandbox=sandbox):
        raise ScopeRefused(text, "expected a type of records that is held here")
    return scope


def left_of(asked: Iterable[RecordScope], allowed: Iterable[str]) -> frozenset[RecordScope]:
    """What of the scopes that were asked for remains under `allowed`, whatever the context of these."""
    limits = [limit for limit in map(record_scope, allowed) if limit is not None]
    parts = (scope.within(limit) for scope in asked for limit in limits)
    return frozenset(part for part in parts if part is not None)


def contexts_of(grant_types: Iterable[GrantType]) -> frozenset[str]:
    """Whose records a client of these grants may ask for."""
    types = frozenset(grant_types)
    of_itself = {"system"} if CREDENTIALS in types else set()
    return frozenset(of_itself | ({"patient", "user"} if types - {CREDENTIALS} else set()))


def everything_for(contexts: Iterable[str]) -> frozenset[str]:
    """What a client may ask for if its registration names no scopes."""
    named = frozenset(contexts)
    return frozenset(f"{context}/*.{RIGHTS}" for context in named) | (BESIDE if "user" in named else set())
