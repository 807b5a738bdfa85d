"""The registrations of one person, wherever a search comes to one of them by another way than by asking about it.

http://hl7.org/fhir/R4/patient.html#merge

Who is registered more than once is found by each of the registrations: where a search names several patients, and
where a link leads to a patient, or from what a patient has. Whether a record is shown is decided by the grants of its
own patient, so a merge adds nothing that its caller could not see before.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from passport.admission import Desk
from passport.patients.store import REGISTRATIONS
from passport.sql import Row, fetch
from passport.standing import Standing


async def acquainted(desk: Desk) -> Standing:
    """The standing, with all registrations of those whom the request names beside the one that it is about."""
    if not desk.request.named:
        return desk.standing
    keys = [desk.runtime.keys.reference(reference) for reference in desk.request.named]
    linked: dict[int, dict[int, str]] = {}
    for row in await _registrations(desk, record_keys=keys):
        linked.setdefault(row.patient_key, {})[row.other_key] = _reference(row)
    return replace(desk.standing, linked={**desk.standing.linked, **linked})


async def with_registrations(desk: Desk, patients: Collection[int]) -> set[int]:
    """These keys of Patients, with those of all registrations of the same people."""
    found = await _registrations(desk, record_keys=sorted(patients)) if patients else ()
    return {*patients, *(desk.runtime.keys.reference(_reference(row)) for row in found)}


async def with_kin(desk: Desk, patient_keys: Collection[int]) -> set[int]:
    """The same of patient_keys."""
    found = await _registrations(desk, patient_keys=sorted(patient_keys)) if patient_keys else ()
    return {*patient_keys, *(row.other_key for row in found)}


async def _registrations(
    desk: Desk, *, patient_keys: Sequence[int] = (), record_keys: Sequence[int] = ()
) -> Sequence[Row]:
    params = {"patient_keys": list(patient_keys), "record_keys": list(record_keys)}
    return await fetch(desk.connection, REGISTRATIONS, params)


def _reference(row: Row) -> str:
    return f"Patient/{row.patient_id}"
