"""A row of the audit log with what its decision was made on.

https://profiles.ihe.net/ITI/BALP/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from passport.audit.question import Place, place_of
from passport.audit.rules import Rules
from passport.replay import store
from passport.replay.errors import NoSuchRow
from passport.sql import Connection, fetch


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `rules` are None where it was written before there were any.

    `patient` is whose log it is in, None for nobody's or one that was erased. `scopes` are those of its session, None
    where there was none; `opened` is the patient of an emergency opening.
    """

    place: Place
    patient_key: int
    patient: str | None
    action: str
    kind: str
    subject: str | None
    role: str | None
    client: str | None
    purpose: str | None
    query: str
    outcome: str
    shown: tuple[tuple[int, int], ...]
    grants: tuple[str, ...]
    rests: tuple[str, ...]
    scopes: frozenset[str] | None
    opened: str | None
    opened_key: int | None
    rules: Rules | None
    seen: Mapping[str, Any]

    @property
    def at(self) -> datetime:
        """The instant of the request."""
        return self.place.recorded

    @property
    def actor(self) -> str | None:
        """The reference that the chain of actors starts at."""
        return self.role or self.subject


async def row_of(connection: Connection, id_: str) -> Row:
    """The row of this id: that of its AuditEvent, or the part of it that names the row.

    Raises:
        NoSuchRow: there is none.
    """
    place = place_of(id_)
    audit_id = place.audit_id if place else _uuid(id_)
    asked = {"audit_id": audit_id, "recorded": place.recorded if place else None}
    rows = await fetch(connection, store.AUDITED, asked) if audit_id else []
    if not rows:
        raise NoSuchRow
    return _row(rows[0])


def zone_of(row: Row, now: ZoneInfo) -> ZoneInfo:
    """The time zone in which the row was decided, that of now where it does not say."""
    return now if row.rules is None else ZoneInfo(row.rules.zone)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _row(found: Any) -> Row:
    return Row(
        place=Place(found.recorded, found.audit_id),
        patient_key=found.patient_key,
        patient=f"Patient/{found.patient_id}" if found.patient_id else None,
        action=found.action,
        kind=found.kind,
        subject=found.subject,
        role=found.role,
        client=found.client,
        purpose=found.purpose,
        query=found.query,
        outcome=found.outcome,
        shown=tuple(zip(found.record_keys, found.versions, strict=False)),
        grants=tuple(found.grants),
        rests=tuple(found.rests or ()),
        scopes=None if found.scopes is None else frozenset(found.scopes),
        opened=f"Patient/{found.opened}" if found.opened else None,
        opened_key=found.opened_patient_key,
        rules=None if found.rules is None else Rules.read(found.rules),
        seen={
            "recorded": found.recorded,
            "written_in": found.written_in,
            "seen": found.seen,
            "cluster": found.cluster,
        },
    )
