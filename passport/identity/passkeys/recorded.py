"""What is kept in the log of attempts to sign in by a passkey, and to come back without one.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import tokens
from passport.runtime import Runtime
from passport.sql import Connection


@dataclass(frozen=True, slots=True)
class Tried:
    """What somebody tried, by which request, and when."""

    action: Literal["sign-in", "recovery"]
    query: str
    at: datetime


async def audit(
    runtime: Runtime,
    connection: Connection,
    tried: Tried,
    outcome: Literal["success", "refused"],
    detail: str,
    *,
    who: Any | None = None,
    patient_key: int | None = None,
) -> None:
    """Keep what became of an attempt.

    `who` has `kind`, `subject` and `role` of whoever it was, None where nobody knows; `patient_key` says in whose log
    it stands, None in nobody's.
    """
    audited = AuditRow(
        patient_key=NOBODY if patient_key is None else patient_key,
        audit_id=tokens.random_uuid(runtime),
        recorded=tried.at,
        action=tried.action,
        kind=who.kind if who else "",
        outcome=outcome,
        subject=who.subject if who else None,
        role=who.role if who else None,
        query=tried.query,
        detail=detail,
    )
    await record(connection, [audited])
