"""Matters of the city desk: one clerk enters, another one decides, and the service writes what follows.

http://hl7.org/fhir/R4/consent.html

A clerk sees what was entered while it waits, since a second one has to compare it with the paper on the desk. From the
decision on nobody at the desk sees it again, apart from the receipt that is printed there and then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from fhirstore.parse import parse, serialise
from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.desk import store
from passport.identity.store import PATIENT_KEY
from passport.keys import open_sealed, seal
from passport.outcomes import NotFound, Refused
from passport.records import written_instant
from passport.sql import Row, fetch

Outcome = Literal["confirmed", "declined"]

AT_DESK: Final = ("consent", "withdrawal", "guardian", "sign-in", "statement", "recovery")
"""The kinds of matters that clerks enter and decide; those of other offices are none of their business."""

SHOWN: Final = 200
"""Matters that one answer holds, the oldest."""

PAGE: Final = "page"
"""The member of what was entered that names the Binary of its scan."""

RECEIPT: Final = timedelta(hours=1)
"""How long the desk may print a receipt after the decision."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a clerk entered of a patient, and what became of it; None where nobody decided yet."""

    id: UUID
    patient_key: int
    patient: str
    kind: str
    content: Mapping[str, Any]
    document: str | None
    proposed_by: str
    proposed: datetime
    decided_by: str | None
    decided: datetime | None
    outcome: Outcome | None
    results: tuple[str, ...]

    @property
    def entered(self) -> dict[str, Any]:
        """What a clerk entered, without where the scan of it lies."""
        return {name: value for name, value in self.content.items() if name != PAGE}

    @property
    def waits(self) -> bool:
        """Whether a second clerk has to decide."""
        return self.decided is None

    def as_json(self) -> dict[str, Any]:
        """The matter without what was entered; times are RFC 3339 in UTC."""
        return {
            "id": str(self.id),
            "kind": self.kind,
            "patient": self.patient,
            "document": self.document,
            "proposed_by": self.proposed_by,
            "proposed": written_instant(self.proposed),
            "outcome": self.outcome,
            "decided_by": self.decided_by,
            "decided": None if self.decided is None else written_instant(self.decided),
        }


def check_clerk(desk: Desk) -> None:
    """The desk is the clerks'.

    Raises:
        Refused: it is somebody else.
    """
    if desk.subject.kind != "clerk":
        raise Refused("expected a clerk of the city desk")


async def put(
    desk: Desk,
    patient_key: int,
    matter_id: UUID,
    kind: str,
    content: Mapping[str, Any],
    document: str | None,
) -> None:
    """Keep what a clerk entered, sealed with the patient's key."""
    (row,) = await fetch(desk.connection, PATIENT_KEY, {"patient_key": patient_key})
    ring = desk.runtime.ring
    key = ring.unwrap(patient_key, row.wrapped_key)
    entered = {
        "patient_key": patient_key,
        "matter_id": matter_id,
        "kind": kind,
        "content": seal(key, serialise(dict(content)), _place(matter_id), random=ring.random),
        "document": document,
        "proposed_by": desk.subject.reference,
        "now": desk.now,
    }
    await fetch(desk.connection, store.PROPOSE, entered)


async def waiting(desk: Desk) -> Sequence[Matter]:
    """What waits for a second clerk, the oldest first."""
    asked = {"kinds": list(AT_DESK), "limit": SHOWN}
    return [_matter(desk, row) for row in await fetch(desk.connection, store.WAITING, asked)]


async def of_kind(desk: Desk, kind: str, matter_id: UUID | None, limit: int) -> Sequence[Matter]:
    """The newest matters of a kind, whatever became of them; or the one of this id."""
    asked = {"kind": kind, "matter_id": matter_id, "limit": limit}
    return [_matter(desk, row) for row in await fetch(desk.connection, store.OF_KIND, asked)]


async def one(desk: Desk, matter_id: UUID, *, held: bool = False, kinds: Sequence[str] = AT_DESK) -> Matter:
    """One matter of these kinds; `held` until the transaction ends.

    Raises:
        NotFound: there is none of this id.
    """
    asked = {"matter_id": matter_id, "kinds": list(kinds)}
    rows = await fetch(desk.connection, store.HOLD if held else store.ONE, asked)
    if not rows:
        raise NotFound("no such matter")
    return _matter(desk, rows[0])


async def decided(desk: Desk, matter: Matter, outcome: Outcome, results: Sequence[str]) -> None:
    """Say what became of a matter."""
    row = {
        "patient_key": matter.patient_key,
        "matter_id": matter.id,
        "decided_by": desk.subject.reference,
        "now": desk.now,
        "outcome": outcome,
        "results": list(results),
    }
    await fetch(desk.connection, store.DECIDE, row)


async def tell_logs(desk: Desk, matters: Sequence[Matter]) -> None:
    """An audit row for everybody whose matters were looked at."""
    told = {matter.patient_key for matter in matters} or {NOBODY}
    await desk.audit(*(desk.row(patient) for patient in sorted(told)))


def _matter(desk: Desk, row: Row) -> Matter:
    key = desk.runtime.ring.unwrap(row.patient_key, row.wrapped_key)
    return Matter(
        id=row.matter_id,
        patient_key=row.patient_key,
        patient=f"Patient/{row.patient_id}",
        kind=row.kind,
        content=parse(open_sealed(key, row.content, _place(row.matter_id))),
        document=row.document,
        proposed_by=row.proposed_by,
        proposed=row.proposed_at,
        decided_by=row.decided_by,
        decided=row.decided_at,
        outcome=row.outcome,
        results=tuple(row.results),
    )


def _place(matter_id: UUID) -> bytes:
    """What sealed content is bound to."""
    return b"matter " + matter_id.bytes
