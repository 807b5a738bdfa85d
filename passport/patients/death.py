"""The death of a patient: what their Patient says of it, and what becomes of grants and sessions.

http://hl7.org/fhir/R4/patient-definitions.html#Patient.deceased_x_

The row that is left here is all there is of it: grants, openings and sessions end because every request asks for
it, and come back when it is taken back. Nothing is rewritten, so nothing can be left half done.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fhirstore.rows import RecordRow
from fhirstore.times import interval_at
from passport.admission import Desk
from passport.audit.actions import DEATH_RECORDED, DEATH_TAKEN_BACK
from passport.authority import Basis
from passport.decision import decide
from passport.identity import tokens
from passport.notices import Kind, tell
from passport.outcomes import Refused
from passport.patients import store
from passport.sql import start


def died(tree: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant from which a Patient is dead, None who is not said to be.

    A date stands for its end, and nobody has died later than it is told: what is not known ends nothing too early
    by more than it has to, and what is known to have happened ends at once.
    """
    told = tree.get("deceasedDateTime")
    if told is None:
        return now if tree.get("deceasedBoolean") is True else None
    interval = interval_at(told, zone)
    return now if interval is None else min(interval.end, now)


async def carry_death(desk: Desk, row: RecordRow, tree: Mapping[str, Any], on: Basis) -> None:
    """Let what a written Patient says of a death count; call it in the transaction of the write.

    A deleted Patient says nothing, and takes nothing back: who is dead stays so until a Patient is written that
    says otherwise.

    Raises:
        Refused: it changes whether the person has died, and its writer is no operator and under no policy.
    """
    if row.deleted:
        return
    since = died(tree, desk.now, desk.runtime.settings.zone)
    if since is None and row.version == 1:
        return
    params = {"patient_key": row.patient_key, "now": desk.now, "since": since}
    statement = store.TAKE_DEATH_BACK if since is None else store.STATE_DEATH
    # A write is sent as a pipeline: the rows have to be waited for.
    cursor = await start(desk.connection, statement, params)
    changed = [one.patient_key for one in await cursor.fetchall() if one.news]
    if not changed:
        return
    if on is not Basis.OFFICE:
        await _check_policy(desk)
    kind: Kind = DEATH_TAKEN_BACK if since is None else DEATH_RECORDED
    await desk.audit(*(desk.row(patient, action=kind, record_keys=[row.record_key]) for patient in changed))
    for patient in changed:
        about = {"patient": f"Patient/{row.id}", "by": desk.subject.actor}
        notice_id = tokens.random_uuid(desk.runtime)
        await tell(desk.connection, patient, kind, about, notice_id=notice_id, now=desk.now)


async def _check_policy(desk: Desk) -> None:
    """A consent of the person's own lets nobody declare them dead.

    Raises:
        Refused: no policy lets the caller write every Patient.
    """
    action = desk.request.action
    standing = await desk.standing_for(action)
    decision = await decide(desk.runtime, desk.connection, standing, action)
    if not decision.covers("Patient"):
        raise Refused
