"""Telling a resident: a notification is written in the transaction that gives the reason for it.

http://hl7.org/fhir/R4/communication.html

Whoever asks after the answer reads it; what was rolled back is told to nobody. A notification names records by
reference and quotes none of them; what it says beside that is one sentence per kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from passport.notices import store
from passport.notices.sentences import SENTENCES, Kind
from passport.sql import Connection, fetch, start


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification as the resident reads it; `about` maps a role in the event to a reference."""

    id: UUID
    kind: Kind
    time: datetime
    about: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The JSON of it; `time` is RFC 3339 in UTC."""
        return {
            "id": str(self.id),
            "kind": self.kind,
            "time": self.time.astimezone(UTC).isoformat(timespec="milliseconds"),
            "about": dict(self.about),
            "text": asdict(SENTENCES[self.kind]),
        }


async def tell(
    connection: Connection,
    patient_key: int,
    kind: Kind,
    about: Mapping[str, str],
    *,
    notice_id: UUID,
    now: datetime,
    recipient: str | None = None,
) -> None:
    """Tell a resident something, in the transaction of `connection`; inside of a pipeline nothing waits for it.

    `about` maps words such as `by`, `consent`, `device`, `import` to references. `now` may lie ahead: it is read from
    then on. `recipient` is the RelatedPerson who is told in the resident's place.
    """
    row = {
        "patient_key": patient_key,
        "notice_id": notice_id,
        "kind": kind,
        "about": Jsonb(dict(about)),
        "now": now,
        "recipient": recipient,
    }
    await start(connection, store.TELL, row)


async def read(
    connection: Connection,
    patient_key: int,
    *,
    now: datetime,
    limit: int,
    recipient: str | None = None,
    before: tuple[datetime, UUID] | None = None,
) -> Sequence[Notice]:
    """The newest notifications of a patient, or those for somebody who acts for them, newest first.

    `limit` is how many at most, `before` the place after which they begin.
    """
    at, id_ = before or (None, None)
    asked = {
        "patient_key": patient_key,
        "now": now,
        "recipient": recipient,
        "limit": limit,
        "before": at,
        "before_id": id_,
    }
    rows = await fetch(connection, store.TOLD, asked)
    return [Notice(row.notification_id, row.kind, row.created_at, row.about) for row in rows]
