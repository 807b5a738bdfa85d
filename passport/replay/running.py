"""Replaying a row: on one snapshot of the database, behind an open wall, and with a row of the log of its own.

https://profiles.ihe.net/ITI/BALP/

Whoever looks into what was decided about a person has looked into that person's log: it says so, in the same
transaction, before anything is told.
"""

from datetime import datetime
from typing import Final
from uuid import uuid4

from fhirstore.tables import NOBODY
from passport.audit.actions import REPLAY
from passport.audit.record import AuditRow, record
from passport.installation.parts import open_runtime
from passport.replay import store
from passport.replay.examining import examined
from passport.replay.past import Past
from passport.replay.report import Report
from passport.replay.row import Row, row_of, zone_of
from passport.runtime import Runtime
from passport.settings import Settings
from passport.sql import fetch
from passport.subjects import OPERATOR

PURPOSE: Final = "HOPERAT"


async def replay(settings: Settings, id_: str) -> Report:
    """The report of the row of the log that has this id.

    Args:
        settings: of the installation, with the address of its running database.
        id_: of an AuditEvent, or the UUID at its end.

    Raises:
        NoSuchRow: the log has no such row.
    """
    async with open_runtime(settings) as runtime:
        return await replayed(runtime, id_)


async def replayed(runtime: Runtime, id_: str) -> Report:
    """The same on a runtime that is open."""
    async with runtime.pool.connection() as connection, connection.transaction():
        await fetch(connection, store.ONE_SNAPSHOT, {})
        await fetch(connection, store.OPEN_WALL, {})
        row = await row_of(connection, id_)
        report = await examined(Past(runtime, connection, row, zone_of(row, runtime.settings.zone)))
        await record(connection, [_looked(row, runtime.clock(), report)])
    return report


def _looked(row: Row, now: datetime, report: Report) -> AuditRow:
    """The look in the log of whom the row is about; of somebody who was erased in nobody's."""
    return AuditRow(
        patient_key=NOBODY if report.forgotten else row.patient_key,
        audit_id=uuid4(),
        recorded=now,
        action=REPLAY,
        kind=OPERATOR,
        outcome="success",
        subject=OPERATOR,
        purpose=PURPOSE,
        query=f"passport consent replay {row.place.id}",
        detail=report.outcome,
    )
