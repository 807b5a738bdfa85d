"""What became of a consent, version by version: asked for, given, given anew, withdrawn.

https://w3id.org/dpv#ConsentStatus
https://www.iso.org/standard/80392.html (ISO/IEC TS 27560:2023, 6.3.7)

A receipt is about one version: that by which the consent was given, or that by which it was taken back. What the
versions say is all that it is made of, so the same versions always make the same receipt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from fhirstore.parse import Tree


class State(StrEnum):
    """What a version of a consent did, by the terms of the Data Privacy Vocabulary."""

    REQUESTED = "ConsentRequested"
    REFUSED = "ConsentRefused"
    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    WITHDRAWN = "ConsentWithdrawn"
    INVALIDATED = "ConsentInvalidated"


RECEIVED: Final = frozenset({State.GIVEN, State.RENEWED, State.WITHDRAWN, State.INVALIDATED})
"""What there is a receipt of."""

_UNGRANTED: Final = {"proposed": State.REQUESTED, "rejected": State.REFUSED}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a consent; `tree` is None where it deletes the consent, `body` its JSON as it is shown.

    `by` is who wrote it, as the log has it: what a version says of that wrote whoever asked for it. `shown` tells that
    our own code put into it what the person was shown.
    """

    number: int
    written: datetime
    tree: Tree | None
    body: bytes = b""
    by: str | None = None
    shown: bool = False

    @property
    def active(self) -> bool:
        """Whether it grants anything to anyone."""
        return self.tree is not None and self.tree.get("status") == "active"

    @property
    def digest(self) -> str:
        """The SHA-256 of its JSON, in hexadecimal."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Event:
    """What one version did; `by` is who did it, None where that is not known any more."""

    state: State
    version: Version
    by: str | None


def events(versions: Sequence[Version]) -> Iterator[Event]:
    """What the versions of one consent did, in their order; one that changed nothing for anyone is left out."""
    granted: Version | None = None
    for version in versions:
        state = _state(version, granted)
        if state is not None:
            yield Event(state, version, version.by)
        granted = version if version.active else None


def _state(version: Version, granted: Version | None) -> State | None:
    if version.active:
        return State.GIVEN if granted is None else State.RENEWED
    status = version.tree.get("status") if version.tree is not None else None
    if granted is None:
        return _UNGRANTED.get(str(status))
    return State.INVALIDATED if status == "entered-in-error" else State.WITHDRAWN
