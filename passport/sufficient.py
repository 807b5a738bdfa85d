"""Whether a session has what an address outside of `/fhir` needs (`passport.needs`).

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from fhirstore.tables import NOBODY
from passport.identity import scopes as smart
from passport.needs import Kept, Needs, Scoped
from passport.outcomes import NotFound, OutOfScope
from passport.subjects import Kind, Subject

OWN_SESSION: Final = "own-session"
"""What a session lacks, as the log names it, that is not its person's own or is narrowed."""


class NotOwn(OutOfScope):
    """An app, or a narrowed session, where a session of one's own is asked for."""

    def __init__(self) -> None:
        super().__init__((OWN_SESSION,))
        self.text = f"{self.text}, expected one's own session, with no app between and narrowed by nothing"


def check(needs: Needs | None, subject: Subject) -> frozenset[str]:
    """Let a session go on that has what an address needs; the scopes that let it through.

    Raises:
        OutOfScope: it has not, such as no session of its person's own (`NotOwn`).
        NotFound: it has not, and is told nothing.
    """
    if needs is Kept.RECORDS or needs is Kept.ITSELF:
        return frozenset()
    if not isinstance(needs, Scoped):
        if not is_own(subject):
            raise NotOwn
        return frozenset()
    found = smart.granting(subject.scopes, needs.right, *needs.types, whole=needs.whole)
    left_over = needs.left_over and subject.kind == "proxy" and subject.client is None and not subject.scopes
    in_person = needs.in_person and subject.client is None
    if found or left_over or in_person or is_own(subject):
        return found
    raise NotFound if needs.hidden else OutOfScope(smart.missing(needs.right, *needs.types))


def is_own(subject: Subject) -> bool:
    """Whether a session is its person's own, with no app between, and narrowed by nothing."""
    return subject.client is None and _unnarrowed(subject.kind, subject.scopes)


@lru_cache(1_024)
def _unnarrowed(kind: Kind, scopes: frozenset[str]) -> bool:
    return smart.within(smart.everything(kind), scopes)


def check_patients(subject: Subject, by: Iterable[str], abouts: Sequence[str], named: Iterable[int]) -> None:
    """Let an app of a resident go on that asks about the one patient whom it was told.

    `by` are the scopes that let it through, `abouts` what its request is about, and `named` the patients of that.

    Raises:
        NotFound: it asks about another one, or about nobody who is here: that is the same to it.
    """
    patients = smart.patients(subject.scopes)
    if patients is None or not abouts or not all(scope.startswith("patient/") for scope in by):
        return
    found = set(named) - {NOBODY}
    if not found or not found <= patients:
        raise NotFound
