"""Which requests a case names, and whose log it was used for: each of them is told, once.

http://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from passport.admission import Desk
from passport.cases import store
from passport.identity import tokens
from passport.notices import tell
from passport.sql import fetch

NOTICE: Final = "audit-case-opened"


@dataclass(frozen=True, slots=True)
class Case:
    """What an open case reaches: requests in one patient's log, by one agent, or both, within a period."""

    id: UUID
    patient_key: int | None
    agent: str | None
    starts: datetime
    ends: datetime

    def covers(self, patient_key: int, recorded: datetime, agents: Collection[str | None]) -> bool:
        """Whether a request is one of them: in whose log it is, when it was, and who had a part in it."""
        return (
            self.patient_key in {None, patient_key}
            and (self.agent is None or self.agent in agents)
            and self.starts <= recorded < self.ends
        )


async def open_cases(desk: Desk) -> Sequence[Case]:
    """The cases by which an auditor sees more now."""
    rows = await fetch(
        desk.connection, store.OPEN_NOW, {"opened_by": desk.subject.reference, "now": desk.now}
    )
    return [Case(row.case_id, row.patient_key, row.agent, row.starts, row.ends) for row in rows]


async def tell_opened(desk: Desk, used: Iterable[tuple[int, UUID]]) -> None:
    """Tell each patient whose log a case opened that it did, unless they know."""
    pairs = sorted(set(used))
    if not pairs:
        return
    params = {
        "patient_keys": [patient for patient, _ in pairs],
        "case_ids": [case for _, case in pairs],
        "now": desk.now,
    }
    for row in await fetch(desk.connection, store.TELL, params):
        await tell(
            desk.connection,
            row.patient_key,
            NOTICE,
            {"case": str(row.case_id), "by": desk.subject.reference},
            notice_id=tokens.random_uuid(desk.runtime),
            now=desk.now,
        )
