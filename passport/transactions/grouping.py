"""Creations of a batch, written together as far as they can be.

http://hl7.org/fhir/R4/http.html#brules

Each entry of a batch stands for itself. What may be written is the same together as one by one, since each record is
judged by itself; so they are written in one go, and what fails is left to be asked for alone.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from consent.errors import ConsentError
from fhirstore.errors import FhirStoreError
from passport import intake
from passport.admission import Desk
from passport.outcomes import PassportError
from passport.pieces import InvalidWrites, Write, Written

MOST_ATTEMPTS: Final = 200
"""Parts of a refused group that are tried; what is left then is asked for one by one."""

Group = Mapping[int, tuple[str, Write]]
"""By entry: whom it is about, and what it writes."""


async def write_group(desk: Desk, group: Group) -> dict[int, Written]:
    """Write the group without what cannot be written; what is missing in the answer was not.

    A refusal is mostly one of a patient, so where the whole is refused it is tried patient by patient, and the
    number of tries is bounded.
    """
    valid = dict(group)
    try:
        return await _written(desk, valid)
    except InvalidWrites as error:
        places = list(valid)
        valid = {at: valid[at] for place, at in enumerate(places) if place not in error.failing}
    except (PassportError, FhirStoreError, ConsentError):
        return await _apart(desk, valid)
    try:
        return await _written(desk, valid)
    except (PassportError, FhirStoreError, ConsentError):
        return await _apart(desk, valid)


async def _apart(desk: Desk, group: Group) -> dict[int, Written]:
    """Write the parts of a group that may be written: patient by patient, then by halves."""
    patients: dict[str, dict[int, tuple[str, Write]]] = {}
    for at, (about, write) in group.items():
        patients.setdefault(about, {})[at] = (about, write)
    waiting = list(patients.values()) if len(patients) > 1 else _halves(group)
    written: dict[int, Written] = {}
    for _ in range(MOST_ATTEMPTS):
        if not waiting:
            break
        part = waiting.pop(0)
        try:
            written |= await _written(desk, part)
        except (PassportError, FhirStoreError, ConsentError):
            waiting += _halves(part)
    return written


def _halves(group: Group) -> list[dict[int, tuple[str, Write]]]:
    entries = list(group.items())
    middle = len(entries) // 2
    return [dict(entries[:middle]), dict(entries[middle:])] if middle else []


async def _written(desk: Desk, group: Group) -> dict[int, Written]:
    """Write all of it, or undo it alone."""
    writes: Sequence[Write] = [write for _, write in group.values()]
    if not writes:
        return {}
    async with desk.connection.transaction():
        written = await intake.write(desk, writes)
    return dict(zip(group, written, strict=True))
