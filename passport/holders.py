"""Whose record it is: the patient under whom a record is stored, and the others whom it names.

http://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fhirstore.elements import Code, codes_in, values_at
from fhirstore.errors import Problem
from fhirstore.facts import Facts, Holder
from fhirstore.parse import Tree
from fhirstore.tables import NOBODY
from fhirstore.types import TYPES
from passport.admission import Desk
from passport.authority import Basis
from passport.outcomes import Invalid, Refused
from passport.records import Owner
from passport.sql import Row


@dataclass(frozen=True, slots=True)
class Holders:
    """Those who hold the records that a write refers to, by record key; nobody's key opens the directory."""

    known: Mapping[int, tuple[int, bytes]]
    nobody: bytes

    def owner(self, desk: Desk, facts: Facts, on: Basis) -> Owner:
        """Under whom a record is stored.

        Raises:
            Refused: it names a patient who is not here; nothing could have permitted it.
            Invalid: it is of a patient's type and names no patient.
        """
        if on is Basis.OFFICE and not facts.type.is_patient:
            return Owner(NOBODY, self.nobody)
        named = facts.follows[:1] if facts.type.follows else facts.patients
        found = [self.known.get(desk.runtime.keys.reference(reference)) for reference in named]
        if not named:
            return self._of_nobody(desk, facts)
        present = [holder for holder in found if holder is not None]
        if len(present) < len(found):
            if on is Basis.PROPOSAL:
                # Asking someone who has no passport is answered like asking someone who has one.
                return Owner(NOBODY, self.nobody)
            raise Refused
        (patient_key, key), *others = present
        further = sorted({other for other, _ in others} - {patient_key})
        return Owner(patient_key, key, tuple(further))

    def _of_nobody(self, desk: Desk, facts: Facts) -> Owner:
        if facts.holder is Holder.DIRECTORY or desk.runtime.settings.mode == "sandbox":
            return Owner(NOBODY, self.nobody)
        text = (
            f"got a {facts.type.name} that names no patient, expected one: a passport holds nothing of nobody"
        )
        place = (
            ".".join((facts.type.name, *facts.type.patients[0])) if facts.type.patients else facts.type.name
        )
        raise Invalid([Problem("error", "required", place, text)], status=422)


def wanted(desk: Desk, all_facts: Sequence[Facts]) -> list[int]:
    """The keys of the records whose holders have to be looked up."""
    keys = desk.runtime.keys
    return sorted(
        {keys.reference(name) for facts in all_facts for name in (*facts.patients, *facts.follows[:1])}
    )


def holders_of(desk: Desk, rows: Sequence[Row]) -> Holders:
    """Read what the look-up of `wanted` found."""
    ring = desk.runtime.ring
    known: dict[int, tuple[int, bytes]] = {}
    nobody = b""
    for row in rows:
        key = ring.unwrap(row.patient_key, row.wrapped_key)
        if row.patient_key == NOBODY:
            nobody = key
        if row.record_key is not None:
            known[row.record_key] = (row.patient_key, key)
    return Holders(known, nobody)


def medication_codes(trees: Mapping[str, Tree]) -> dict[str, tuple[Code, ...]]:
    """The codes of Medications, as the directory has them now."""
    return {name: codes_in(values_at(tree, TYPES["Medication"].codes)) for name, tree in trees.items()}
