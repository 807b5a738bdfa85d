"""The records of a world: what is read of them, once as the reference takes it and once as rows hold it.

http://hl7.org/fhir/R4/consent.html

Both begin with the facts of each resource, read where it stands. From there on they go apart: the reference is given
a record with its parts and what it follows as a tree, and lets parts take what they lack from their container
itself; the rows are those that a write would store.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent.model import Record
from fhirstore.elements import Code, References
from fhirstore.errors import UnknownType
from fhirstore.facts import Facts
from fhirstore.facts.reading import read
from fhirstore.facts.wholes import completed
from fhirstore.keys import KeyMaker
from fhirstore.parse import Tree
from fhirstore.parts import placed
from fhirstore.types import TYPES
from passport.holders import medication_codes
from passport.reference_records import DEEPEST, record_of, stands_lower

Row = dict[str, Any]
PatientKeys = Callable[[str | None], int]
"""The patient_key of a patient, and of nobody."""

_HERE: Final = References()


@dataclass(frozen=True)
class Records:
    """What a world holds: `asked` by the names of the answer, and `known`, all that can be followed, by reference."""

    asked: Mapping[str, Facts]
    known: Mapping[str, Facts]

    @cached_property
    def reached(self) -> tuple[tuple[str, Facts], ...]:
        """All of which rows are needed, each with a name of its own: what is asked about, and what that follows."""
        found = dict(self.asked)
        standing = {facts.reference for facts in found.values()}
        new = list(found.values())
        while new:
            targets = {name: self._target(name) for facts in new for name in facts.follows}
            new = [facts for name, facts in targets.items() if facts is not None and name not in standing]
            standing |= targets.keys()
            found |= {str(facts.reference): facts for facts in new}
        return tuple(found.items())

    def record(self, facts: Facts) -> Record:
        """A record as the reference takes it, with what it follows, and for everybody whom any of it names."""
        return replace(
            record_of(facts),
            patients=self.patients(facts),
            follows=tuple(self._followed(facts, name) for name in facts.follows),
        )

    def patients(self, facts: Facts) -> frozenset[str]:
        """Everybody whom a record, its parts, and what it follows name."""
        return frozenset(self._patients(completed(facts), DEEPEST))

    def _target(self, reference: str) -> Facts | None:
        # Whoever is named is registered, whether the world shows the Patient or not.
        return self.known.get(reference) or _patient(reference)

    def _patients(self, facts: Facts, deeper: int) -> Iterator[str]:
        yield from facts.patients
        for name in facts.follows if deeper else ():
            if (target := self._target(name)) is not None:
                yield from self._patients(completed(target), deeper - 1)

    def _followed(self, facts: Facts, reference: str) -> Record | None:
        target = self._target(reference)
        if target is None or not stands_lower(target.type.name, facts.type.name):
            return None
        return self.record(target)


def read_records(world: Mapping[str, Tree], directory: Mapping[str, Tree], zone: ZoneInfo) -> Records:
    """Read the facts of a world's records; one of a type that R4 does not have is left out.

    Args:
        world: the records that are asked about, by name.
        directory: what stands beside them: Medications whose codes count, and what may be followed.
        zone: the passport's time zone, in which days begin and end.
    """
    named = (*directory.items(), *world.items())
    medications = medication_codes(
        {name: one for name, one in named if one.get("resourceType") == "Medication"}
    )
    asked = dict(_read_all(world, zone, medications))
    beside = dict(_read_all(directory, zone, medications))
    known = {str(facts.reference): facts for facts in (*beside.values(), *asked.values()) if facts.reference}
    return Records(asked, known)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of records and of their parts, and the names of the records by their keys."""

    whole: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)


def record_rows(records: Records, keys: KeyMaker, patient_key: PatientKeys) -> Rows:
    """The rows that a write of these records would store."""
    rows = Rows()
    for name, facts in records.reached:
        flat = completed(facts)
        first, *others = sorted(map(patient_key, records.patients(facts))) or [patient_key(None)]
        place = {"patient_key": first, "record_key": keys.reference(facts.reference or name), "version": 1}
        rows.names[place["record_key"]] = name
        rows.whole.append(
            {
                **place,
                **_facts(flat, keys),
                "deleted": False,
                "parts": bool(flat.parts),
                "others": others or None,
                "follows": list(map(keys.reference, facts.follows)) or None,
                "source": None,
            }
        )
        for part in flat.parts:
            own = None if part.reference is None else keys.reference(part.reference)
            rows.parts.append({**place, **_facts(part, keys), "part_key": own})
    return rows


def _read_all(
    trees: Mapping[str, Tree], zone: ZoneInfo, medications: Mapping[str, Sequence[Code]]
) -> Iterator[tuple[str, Facts]]:
    for name, tree in trees.items():
        try:
            yield name, read(placed(tree, _HERE), zone, medications)
        except UnknownType:
            continue


def _patient(reference: str) -> Facts | None:
    kind, _, id_ = reference.partition("/")
    if kind != "Patient" or not id_:
        return None
    return Facts(type=TYPES[kind], reference=reference, patients=(reference,))


def _facts(facts: Facts, keys: KeyMaker) -> Row:
    columns = facts.columns(keys)
    return {
        "type": columns.type,
        "confidentiality": columns.confidentiality,
        "labels": columns.labels or None,
        "codes": columns.codes or None,
        "code_systems": columns.code_systems or None,
        "categories": columns.categories or None,
        "starts": columns.starts,
        "ends": columns.ends,
        "authors": columns.authors or None,
        "refs": columns.refs,
    }
