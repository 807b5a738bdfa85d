"""Writing the audit log: a row per request and patient, in the transaction of what it tells about.

https://profiles.ihe.net/ITI/BALP/

A row that cannot be written undoes what it tells about. Rows are only ever added: the service's role may
neither change nor delete one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passport.audit.tables import audit_event
from passport.sql import Connection, start, written

COLUMNS: Final = tuple(column.name for column in audit_event.columns if column.server_default is None)
"""What a row is told with; the rest the database knows best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """What happened, for one patient; `patient_key` 0 is nobody's: the directory, policies, signing in.

    `action` is one of `passport.audit.actions`, `kind` the caller's (empty where nobody signed in),
    `behalf_of` the Patient for whom a proxy acted. `query` is what `passport.audit.query` makes of a request.
    `versions` holds the version of each record in `record_keys`, `grants` the consents relied on, as
    `Consent/1/_history/2`. `detail` is a code or an id, never health data. `session_id` is of the session, if there
    was one. `rests` says of each record that was written what it rests on: `collect` or `correct` where consents were
    asked, else the rule that lets it stand without; of a disclosure it is `access`. `scopes` are those of the session
    that let it through, or that it was given; or what was missing of them where it was refused for that.
    """

    patient_key: int
    audit_id: UUID
    recorded: datetime
    action: str
    kind: str
    outcome: str
    subject: str | None = None
    role: str | None = None
    client: str | None = None
    behalf_of: str | None = None
    purpose: str | None = None
    query: str = ""
    record_keys: Sequence[int] = ()
    versions: Sequence[int] = ()
    grants: Sequence[str] = ()
    detail: str = ""
    session_id: UUID | None = None
    rests: Sequence[str] = ()
    scopes: Sequence[str] = ()


SQL_TYPES: Final[Mapping[str, str]] = {
    "patient_key": "bigint",
    "audit_id": "uuid",
    "recorded": "timestamptz",
    "session_id": "uuid",
}
# `unnest` would flatten a list of lists, so each row's list travels as the text of its array.
LISTS: Final[Mapping[str, str]] = {
    "record_keys": "bigint[]",
    "versions": "int[]",
    "grants": "text[]",
    "rests": "text[]",
    "scopes": "text[]",
}


def _source() -> str:
    arrays = ", ".join(f"%({name})s::{SQL_TYPES.get(name, 'text')}[]" for name in COLUMNS)
    values = ", ".join(f"{name}::{LISTS[name]}" if name in LISTS else name for name in COLUMNS)
    return f"SELECT {values} FROM unnest({arrays}) AS rows ({', '.join(COLUMNS)})"


INSERT_ROWS: Final = f"INSERT INTO audit_event ({', '.join(COLUMNS)}) {_source()}"
"""Write any number of rows; its parameters are those of `parameters`."""


def parameters(rows: Sequence[AuditRow]) -> dict[str, list[Any]]:
    """Return the parameters with which `INSERT_ROWS` writes `rows`."""
    return {field.name: [_value(row, field.name) for row in rows] for field in fields(AuditRow)}


async def record(connection: Connection, rows: Sequence[AuditRow]) -> None:
    """Write `rows` with one statement, in the open transaction or, without one, in its own."""
    if rows:
        await start(connection, written(INSERT_ROWS), parameters(rows))


def _value(row: AuditRow, name: str) -> object:
    value = getattr(row, name)
    return "{" + ",".join(map(_element, value)) + "}" if name in LISTS else value


def _element(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
