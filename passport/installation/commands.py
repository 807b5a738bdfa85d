"""What a command of the machine did, on the record: by nobody who signs in, and of nobody's passport.

https://profiles.ihe.net/ITI/BALP/
"""

from datetime import datetime

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity.tokens import random_uuid
from passport.runtime import Runtime
from passport.sql import Connection


async def record_command(
    runtime: Runtime, connection: Connection, action: str, command: str, now: datetime, *, detail: str = ""
) -> None:
    """Write the row that tells of a command; `detail` is whom it is about, where it is about somebody."""
    row = AuditRow(
        patient_key=NOBODY,
        audit_id=random_uuid(runtime),
        recorded=now,
        action=action,
        kind="",
        outcome="success",
        query=command,
        detail=detail,
    )
    await record(connection, [row])
