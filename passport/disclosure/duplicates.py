"""Registrations that may be of one person: those whose Patients share an identifier.

http://hl7.org/fhir/R4/patient-operation-match.html

Identifiers lie encrypted; equal ones have equal keys in the blind index, which is all that the database compares.
What it finds is opened here, and only the systems of the identifiers leave: an operator learns that two
registrations may be of one person, and neither who that is nor by which number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from consent.model import Action
from fhirstore.keys import KeyMaker
from fhirstore.parse import parse
from fhirstore.search.cursor import open_cursor, seal_cursor
from fhirstore.tables import NOBODY
from fhirstore.types import TYPE_NUMBERS
from passport.admission import Desk, Request, admitted
from passport.audit.actions import DUPLICATES
from passport.audit.query import recorded
from passport.disclosure.cursors import cursor_context
from passport.patients.office import check_operator
from passport.patients.store import HOLDERS
from passport.records import opened_body
from passport.runtime import Runtime
from passport.sql import Prepared, Row, fetch
from passport.subjects import Caller

PAGE: Final = 200
"""Keys of identifiers that one request looks into."""

MOST_SHARING: Final = 10
"""Registrations with one identifier: what more of them share is no identifier, but a word or a system."""

_QUESTION: Final = b"identity/duplicates"

EVERYONE: Final = Prepared("SELECT set_config('passport.everyone', %(open)s, true)", {})
"""Open the wall to every registration, or close it again."""

_SHARED: Final = Prepared(
    """
SELECT i.value, array_agg(i.patient_key ORDER BY i.patient_key) AS patient_keys
FROM patient AS p
JOIN resource AS r ON r.patient_key = p.patient_key AND r.type = %(type)s AND NOT r.deleted
JOIN identifier_index AS i ON i.patient_key = r.patient_key AND i.record_key = r.record_key
WHERE i.value > %(after)s
GROUP BY i.value HAVING count(*) BETWEEN 2 AND %(most)s
ORDER BY i.value LIMIT %(limit)s
""",
    {},
)
"""Keys that some Patients share; equal keys are equal identifiers, or no more than equal values or systems."""

_PATIENTS: Final = Prepared(
    """
SELECT r.patient_key, r.id, r.version, r.codec, r.body, r.type, p.wrapped_key,
    ARRAY (SELECT other_key FROM patient_link AS l WHERE l.patient_key = r.patient_key) AS linked
FROM resource AS r JOIN patient AS p USING (patient_key)
WHERE r.patient_key = ANY (%(patient_keys)s::bigint[]) AND r.type = %(type)s AND NOT r.deleted
""",
    {},
)
"""The Patients of some registrations."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two registrations that share identifiers of these systems."""

    patients: tuple[str, str]
    systems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The JSON of it."""
        return {"patients": list(self.patients), "systems": list(self.systems)}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of pairs; `cursor` leads to the next one, if there is one."""

    pairs: tuple[Pair, ...]
    cursor: str | None


async def duplicates(runtime: Runtime, caller: Caller, cursor: str | None) -> Found:
    """Pairs of registrations that are not merged and share an identifier; each named on both is told in its log.

    Raises:
        Refused: the caller is no operator.
        BadCursor: the cursor is not of this caller.
    """
    request = Request(Action.ACCESS, DUPLICATES, recorded("GET", "identity/duplicates"))
    async with admitted(runtime, caller, request) as desk:
        check_operator(desk)
        desk.require("s", "Patient")
        context = cursor_context(desk, _QUESTION)
        after = -(2**63) if cursor is None else open_cursor(runtime.ring.cursor_secret, context, cursor)[1]
        await fetch(desk.connection, EVERYONE, {"open": "on"})
        type_ = TYPE_NUMBERS["Patient"]
        params = {"type": type_, "after": after, "most": MOST_SHARING, "limit": PAGE + 1}
        shared = await fetch(desk.connection, _SHARED, params)
        keys = sorted({key for row in shared[:PAGE] for key in row.patient_keys})
        patients = await fetch(desk.connection, _PATIENTS, {"patient_keys": keys, "type": type_})
        await fetch(desk.connection, EVERYONE, {"open": "off"})
        pairs = _pairs(runtime, shared[:PAGE], patients)
        await _tell(desk, pairs)
    further = None
    if len(shared) > PAGE:
        further = seal_cursor(runtime.ring.cursor_secret, context, [], shared[PAGE - 1].value)
    return Found(tuple(pairs), further)


def _pairs(runtime: Runtime, shared: Sequence[Row], patients: Sequence[Row]) -> list[Pair]:
    rows = {row.patient_key: row for row in patients}
    systems = {key: dict(_systems(runtime, row)) for key, row in rows.items()}
    found: dict[tuple[int, int], set[str]] = {}
    for row in shared:
        for one, other in combinations(row.patient_keys, 2):
            system = systems.get(one, {}).get(row.value)
            same = system is not None and systems.get(other, {}).get(row.value) == system
            if same and system is not None and other not in rows[one].linked:
                found.setdefault((one, other), set()).add(system)
    return [
        Pair((f"Patient/{rows[one].id}", f"Patient/{rows[other].id}"), tuple(sorted(named)))
        for (one, other), named in sorted(found.items())
    ]


def _systems(runtime: Runtime, row: Row) -> Iterator[tuple[int, str]]:
    """The system of each identifier of a Patient, by the key of the identifier; without a system it says nothing."""
    tree: Mapping[str, Any] = parse(
        opened_body(row, runtime.ring.unwrap(row.patient_key, row.wrapped_key), row.type)
    )
    keys: KeyMaker = runtime.keys
    for identifier in tree.get("identifier", ()):
        system, value = identifier.get("system"), identifier.get("value")
        if isinstance(system, str) and isinstance(value, str):
            yield keys.identifier(system, value), system


async def _tell(desk: Desk, pairs: Sequence[Pair]) -> None:
    """Whoever was named has it in their log; where nobody was, it is kept with nobody."""
    named = {reference for pair in pairs for reference in pair.patients}
    keys = [desk.runtime.keys.reference(reference) for reference in named]
    rows = await fetch(desk.connection, HOLDERS, {"record_keys": keys})
    told = {row.patient_key for row in rows} or {NOBODY}
    await desk.audit(*(desk.row(patient) for patient in sorted(told)))
