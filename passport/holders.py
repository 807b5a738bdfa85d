"""Whose record it is: the patient under whom a record is stored, and the others whom it names.

http://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Callable, Mapping, Sequence
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

    def owner(
        self,
        desk: Desk,
        facts: Facts,
        on: Basis,
        beside: Owner | None = None,
        hoped: Callable[[int], bool] = lambda _: True,
    ) -> Owner:
        """Under whom a record is stored; `beside` is the owner of the record that it follows.

        Who is not `hoped` to permit anything (a patient_key) is taken for somebody who is not here.

        Raises:
            Refused: it names a patient who is not here; nothing could have permitted it.
        """
        if on is Basis.OFFICE and not facts.type.is_patient and not facts.follows:
            return Owner(NOBODY, self.nobody)
        named = facts.patients if beside else (*facts.follows[:1], *facts.patients)
        if not named and beside is None:
            return Owner(NOBODY, self.nobody)
        present = [holder if holder and hoped(holder[0]) else None for holder in self._present(desk, named)]
        if None in present and on is Basis.PROPOSAL:
            # Asking someone who has no passport is answered like asking someone who has one.
            return Owner(NOBODY, self.nobody)
        owners = [Owner(*holder) for holder in present if holder is not None]
        if len(owners) < len(present):
            raise Refused
        first = beside or owners.pop(0)
        return first.with_others((*first.others, *(owner.patient_key for owner in owners)))

    def registered(self, desk: Desk, facts: Facts, patient_key: int, body_key: bytes) -> Owner:
        """Whose record a Patient is that is stored for the first time: its own, and of those whom it names.

        Raises:
            Refused: it names a patient who is not here.
        """
        present = self._present(desk, facts.patients[1:])
        others = [holder[0] for holder in present if holder is not None]
        if len(others) < len(present):
            raise Refused
        return Owner(patient_key, body_key).with_others(others)

    def _present(self, desk: Desk, named: Sequence[str]) -> list[tuple[int, bytes] | None]:
        return [self.known.get(desk.runtime.keys.reference(reference)) for reference in named]


def check_held(desk: Desk, facts: Facts, on: Basis) -> None:
    """Refuse what is nobody's, or holds what does not say whose it is; what is stored plays no part.

    Raises:
        Invalid: it is of a patient's type and names no patient, or something in it is bound to nothing.
    """
    if desk.runtime.settings.sandbox:
        return
    name = facts.type.name
    if (
        not facts.patients
        and not facts.follows
        and facts.holder is Holder.NO_PATIENT
        and on is not Basis.OFFICE
    ):
        text = (
            f"got a resource `{name}` that names no patient, expected one: a passport holds nothing of nobody"
        )
    elif facts.loose:
        text = f"got a resource `{name}` with bytes of no record, expected a `securityContext` of each Binary"
    else:
        return
    raise Invalid([Problem("error", "required", facts.type.holding, text)], status=422)


def wanted(desk: Desk, all_facts: Sequence[Facts]) -> list[int]:
    """The keys of the records whose holders have to be looked up."""
    keys = desk.runtime.keys
    return sorted(
        {keys.reference(name) for facts in all_facts for name in (*facts.patients, *facts.follows[:1])}
    )


def holders_of(desk: Desk, rows: Sequence[Row], hoped: Callable[[Row], bool] = lambda _: True) -> Holders:
    """Read what the look-up of `wanted` found; no key is opened of whom nothing is `hoped`."""
    ring = desk.runtime.ring
    known: dict[int, tuple[int, bytes]] = {}
    nobody = b""
    for row in rows:
        if row.patient_key != NOBODY and not hoped(row):
            continue
        key = ring.unwrap(row.patient_key, row.wrapped_key)
        if row.patient_key == NOBODY:
            nobody = key
        if row.record_key is not None:
            known[row.record_key] = (row.patient_key, key)
    return Holders(known, nobody)


def medication_codes(trees: Mapping[str, Tree]) -> dict[str, tuple[Code, ...]]:
    """The codes of Medications, as the directory has them now."""
    return {name: codes_in(values_at(tree, TYPES["Medication"].codes)) for name, tree in trees.items()}
