"""What one registration's session gave of another's passport, while the two were taken for one person.

http://hl7.org/fhir/R4/patient.html#merge

A merge lets a person's session share each of their passports. Where the two turn out to be two people, whoever was let
in that way was let in by somebody else: it ends with the merge. What was withdrawn or blocked so stays: it shows less.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from consent.compile import GrantEffect
from fhirstore.parse import Tree
from fhirstore.types import PROPOSABLE, TYPE_NUMBERS
from passport.admission import Desk
from passport.audit.actions import UNMERGE
from passport.audit.names import named
from passport.authority import Basis
from passport.intake import write
from passport.patients import links, store
from passport.pieces import Write
from passport.records import written_instant
from passport.sql import fetch

_ACTIVE: Final = "active"


async def end_what_others_gave(desk: Desk, patient_keys: Sequence[int]) -> None:
    """End the permits of these registrations that a session of one wrote which is linked with them no more.

    Call it after the links were drawn anew; whose consent ends is told, as of any withdrawal.
    """
    keys = desk.runtime.keys
    people = await fetch(desk.connection, store.NAMES, {"patient_keys": list(patient_keys)})
    by = {keys.reference(f"Patient/{row.patient_id}"): row.patient_key for row in people}
    linked: dict[int, set[int]] = defaultdict(set)
    for row in await fetch(
        desk.connection, store.REGISTRATIONS, {"patient_keys": list(patient_keys), "record_keys": []}
    ):
        linked[row.patient_key].add(row.other_key)
    await desk.widen(*patient_keys)
    asked = {
        "patient_keys": list(patient_keys),
        "sources": list(by),
        "type": TYPE_NUMBERS[PROPOSABLE],
        "active": keys.token(_ACTIVE),
        "permit": int(GrantEffect.PERMIT),
    }
    given = [
        row.record_key
        for row in await fetch(desk.connection, store.GIVEN_BY, asked)
        if by[row.source] not in {row.patient_key, *linked[row.patient_key]}
    ]
    if given:
        records = await named(desk.connection, given)
        await write(desk, list(_ended(desk, [record.reference for record in records.values()])))


def _ended(desk: Desk, references: Sequence[str]) -> Iterator[Write]:
    for reference in references:
        told: dict[str, Any] = links.provenance(reference, UNMERGE, None, written_instant(desk.now))
        id_ = reference.partition("/")[2]
        yield Write("update", PROPOSABLE, id=id_, patch=_inactive, on=Basis.DESK)
        yield Write("create", "Provenance", told, on=Basis.DESK)


def _inactive(tree: Tree) -> Tree:
    return {**tree, "status": "inactive"}
