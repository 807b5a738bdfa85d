"""A birth date that was corrected moves the end of a guardian's office, in the transaction that corrects it.

http://hl7.org/fhir/R4/patient-definitions.html#Patient.birthDate

Of an office that is not over yet an operator corrects it either way, and the child is told of a later end; what is over
two clerks begin anew. Whoever else may correct a Patient by somebody's consent moves the end forward at
most: a guardian lets nobody make the child younger. Where a birth date is taken away, the end stays.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from fhirstore.parse import parse
from passport.admission import Desk
from passport.authority import Basis
from passport.family import store
from passport.family.age import of_age
from passport.family.grants import ending
from passport.identity import tokens
from passport.notices import Kind, tell
from passport.notices.store import TELL_AT
from passport.pieces import Write, Written
from passport.records import written_instant
from passport.sql import Row, fetch

Guardians = Mapping[str, Sequence[Row]]
"""The guardians of each Patient by its reference."""


async def guardians_of(desk: Desk, writes: Sequence[Write]) -> Guardians:
    """The guardians of those whose Patient is written anew, held until the transaction ends; nearly always nobody."""
    ids = [
        one.id for one in writes if one.type == "Patient" and one.method == "update" and one.id is not None
    ]
    if not ids:
        return {}
    found: dict[str, list[Row]] = {}
    for row in await fetch(desk.connection, store.GUARDIANS, {"patient_ids": ids, "now": desk.now}):
        found.setdefault(f"Patient/{row.patient_id}", []).append(row)
    return found


async def moved(desk: Desk, written: Sequence[Written], guardians: Guardians) -> list[Write]:
    """Move the ends that other birth dates give, and return what has to be written for it."""
    writes: list[Write] = []
    for one in written:
        for row in guardians.get(one.reference, ()):
            until = _until(desk, parse(one.body).get("birthDate"), row.until)
            if until != row.until:
                await _move(desk, row, until)
                if until > row.until:
                    await _tell(desk, row)
                writes += await _writes(desk, row, until)
    return writes


def _until(desk: Desk, birth_date: object, before: datetime) -> datetime:
    until = of_age(birth_date, desk.runtime.settings.zone)
    if until is None:
        return before
    return until if desk.subject.kind == "operator" else min(until, before)


async def _move(desk: Desk, row: Row, until: datetime) -> None:
    place = {"patient_key": row.patient_key, "proxy_key": row.proxy_key, "until": until}
    await fetch(desk.connection, store.MOVE, place)
    await fetch(
        desk.connection, store.SHORTEN_SESSIONS, {"proxy": f"RelatedPerson/{row.proxy_id}", "until": until}
    )
    await desk.widen(row.patient_key)
    told = {"patient_key": row.patient_key, "notice_ids": row.notices, "at": until, "now": desk.now}
    await fetch(desk.connection, TELL_AT, told)


async def _tell(desk: Desk, row: Row) -> None:
    """Tell the child that a guardian acts longer than it was said before."""
    about = {"guardian": f"RelatedPerson/{row.proxy_id}", "by": desk.subject.actor}
    notice_id = tokens.random_uuid(desk.runtime)
    kind: Kind = "guardian-stays-longer"
    await tell(desk.connection, row.patient_key, kind, about, notice_id=notice_id, now=desk.now)


async def _writes(desk: Desk, row: Row, until: datetime) -> list[Write]:
    """The Consents of a guardian that count, with their new end."""
    reference = desk.runtime.keys.reference
    keys = {reference(consent): consent.partition("/")[2] for consent in row.consents}
    asked = {"patient_key": row.patient_key, "consent_keys": list(keys)}
    patch = partial(ending, until=written_instant(until))
    return [
        Write("update", "Consent", id=keys[one.consent_key], patch=patch, on=Basis.DESK)
        for one in await fetch(desk.connection, store.IN_FORCE, asked)
    ]
