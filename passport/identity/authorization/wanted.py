"""The scopes that a client asks a person for: those of records, in either version, and those beside them.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

Version 1 is read as what it means in version 2, and granted and shown as that. What could not be carried out is
refused with the reason: a narrowing that nothing enforces must not be shown as granted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from passport.identity.authorization.profiles import CREDENTIALS, GrantType
from passport.identity.record_scopes import RIGHTS, RecordScope, record_scope, without_needless
from passport.identity.scopes import SCOPES_MAX, expected_in, unheld
from passport.outcomes import Invalid

OPENID: Final = "openid"
FHIR_USER: Final = "fhirUser"
LAUNCH: Final = "launch"
LAUNCH_PATIENT: Final = "launch/patient"
LAUNCH_ENCOUNTER: Final = "launch/encounter"
OFFLINE: Final = "offline_access"

BESIDE: Final = frozenset({OPENID, FHIR_USER, LAUNCH, LAUNCH_PATIENT, LAUNCH_ENCOUNTER, OFFLINE})
"""Scopes that open no record."""


class ScopeRefused(Invalid):
    """A scope that is not granted, and why."""

    def __init__(self, scope: str, reason: str) -> None:
        # What was asked for is repeated in an OAuth answer, which is ASCII without quotes and backslashes.
        shown = re.sub(r"[^\x21\x23-\x5b\x5d-\x7e]", "?", scope[:80])
        super().__init__(f"got scope `{shown}`, {reason}", ("scope",))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Scopes that were asked for, or that somebody may have."""

    records: frozenset[RecordScope]
    beside: frozenset[str]

    @property
    def texts(self) -> frozenset[str]:
        """All of them as they are written."""
        return frozenset(map(str, self.records)) | self.beside


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
    scope = record_scope(text)
    if scope is None or scope.context not in contexts:
        raise ScopeRefused(text, expected_in(contexts))
    if reason := unheld(scope, sandbox=sandbox):
        raise ScopeRefused(text, reason)
    return scope


def left_of(asked: Iterable[RecordScope], allowed: Iterable[str]) -> frozenset[RecordScope]:
    """What of the scopes that were asked for remains under `allowed`, whatever the context of these."""
    limits = [limit for limit in map(record_scope, allowed) if limit is not None]
    parts = (scope.within(limit) for scope in asked for limit in limits)
    return without_needless([part for part in parts if part is not None])


def contexts_of(grant_types: Iterable[GrantType]) -> frozenset[str]:
    """Whose records a client of these grants may ask for."""
    types = frozenset(grant_types)
    of_itself = {"system"} if CREDENTIALS in types else set()
    return frozenset(of_itself | ({"patient", "user"} if types - {CREDENTIALS} else set()))


def everything_for(contexts: Iterable[str]) -> frozenset[str]:
    """What a client may ask for if its registration names no scopes."""
    named = frozenset(contexts)
    return frozenset(f"{context}/*.{''.join(RIGHTS)}" for context in named) | (
        BESIDE if "user" in named else set()
    )
