"""Going over what is stored with the table of today: each record that it raises gets its next version.

http://hl7.org/fhir/R4/security-labels.html

A batch is one transaction: the records that are raised, a Provenance for each, the audit rows, and the place up to
which all were gone over. So it may be broken off at any moment and goes on from there; several runs share the work,
for each waits for the batch of another one; and a record is locked and looked at once more before it is written,
so that what others write meanwhile stands.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.errors import DeadlockDetected

from consent.compile import compile_consent
from consent.model import Consent
from consent.read import read_consent
from consent.store import replace
from consent.systems import FOLLOWING
from fhirstore import store, succession
from fhirstore.elements import Code
from fhirstore.facts import Facts, completed, gathered, medications
from fhirstore.parse import Tree, parse
from fhirstore.rows import RecordRow
from fhirstore.tables import NOBODY
from fhirstore.types import TYPES_BY_NUMBER
from passport.audit.actions import RELABEL
from passport.audit.record import AuditRow, record
from passport.holders import medication_codes
from passport.identity.tokens import random_uuid
from passport.labelling import TABLE_VERSION, labelled
from passport.labelling.provenance import RELABELLED, SERVICE, provenance
from passport.labelling.store import Progress, after_patient, keep, open_wall, progress
from passport.outcomes import PassportError
from passport.records import Draft, Owner, opened_body, sealed_row, written_instant
from passport.runtime import Runtime
from passport.sql import Connection

BATCH_RECORDS: Final = 200
BATCH_PATIENTS: Final = 100
MOST_ATTEMPTS: Final = 5
"""How often a batch is begun again that the database broke off because somebody else waited for it."""

SUBJECT: Final = "the passport itself"
QUERY: Final = "passport relabel"


@dataclass(frozen=True, slots=True)
class Count:
    """How many records were looked at, and how many of them raised."""

    looked: int = 0
    raised: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.looked + other.looked, self.raised + other.raised)


class OtherTable(PassportError):
    """Another release has begun to go over the records with another table meanwhile."""

    def __init__(self) -> None:
        super().__init__(409, "conflict", "another release labels with another table: end one of the two")


@dataclass(frozen=True, slots=True)
class _Batch:
    """One open transaction; `keys` open the bodies of the patients whose turn it is, and nobody's."""

    runtime: Runtime
    connection: Connection
    keys: Mapping[int, bytes]

    def opened(self, row: Any) -> Tree:
        return parse(opened_body(row, self.keys[row.patient_key], row.type))

    def facts(self, tree: Tree, codes: Mapping[str, Sequence[Code]]) -> Facts:
        settings = self.runtime.settings
        return gathered(tree, zone=settings.zone, medication_codes=codes, base_urls=(settings.fhir_url,))


@dataclass(frozen=True, slots=True)
class _Risen:
    """A stored row, and the record with the labels that it lacks."""

    row: Any
    tree: Tree
    facts: Facts

    @property
    def reference(self) -> str:
        return f"{self.facts.type.name}/{self.row.id}"


async def relabel(
    runtime: Runtime, *, limit: int = BATCH_RECORDS, again: bool = False
) -> AsyncGenerator[Count, None]:
    """Go over all that is stored, `limit` records in one transaction; yields what each batch came to.

    What was gone over with this table is not gone over `again` unless that is asked for: then there is no batch.

    Raises:
        OtherTable: a run of another release took over.
    """
    if again:
        async with runtime.pool.connection() as connection:
            await keep(connection, Progress.start(TABLE_VERSION))
    begun = again
    while (count := await _attempted(runtime, limit, begun=begun)) is not None:
        begun = True
        yield count


async def _attempted(runtime: Runtime, limit: int, *, begun: bool) -> Count | None:
    for _ in range(MOST_ATTEMPTS - 1):
        try:
            return await _batch(runtime, limit, begun=begun)
        except DeadlockDetected:
            continue
    return await _batch(runtime, limit, begun=begun)


async def _batch(runtime: Runtime, limit: int, *, begun: bool) -> Count | None:
    """The next records; None once there are no more."""
    async with runtime.pool.connection() as connection, connection.transaction():
        await store.claim(connection, runtime.keys.token(QUERY))
        reached = await progress(connection)
        if reached is None or reached.version != TABLE_VERSION:
            if begun:
                raise OtherTable
            reached = Progress.start(TABLE_VERSION)
        if reached.place is None:
            return None
        patients = await succession.patients_after(connection, reached.place[0], BATCH_PATIENTS)
        if not patients:
            await keep(connection, Progress(TABLE_VERSION, None))
            return None
        (nobody,) = await succession.patients_after(connection, NOBODY, 1)
        unwrap = runtime.ring.unwrap
        keys = {each.patient_key: unwrap(each.patient_key, each.wrapped_key) for each in (nobody, *patients)}
        await open_wall(connection, list(keys))
        last = patients[-1].patient_key
        rows = await succession.records_after(connection, reached.place, last, limit)
        raised = await _raised(_Batch(runtime, connection, keys), rows)
        place = (rows[-1].patient_key, rows[-1].record_key) if len(rows) == limit else after_patient(last)
        await keep(connection, Progress(TABLE_VERSION, place))
        return Count(len(rows), raised)


async def _raised(batch: _Batch, rows: Sequence[Any]) -> int:
    """Write the next version of each row that the table raises; returns how many there are."""
    stored = [(row, batch.opened(row)) for row in rows if not TYPES_BY_NUMBER[row.type].directory]
    codes = await _medications(batch, [tree for _, tree in stored])
    wanted = [(row.patient_key, row.record_key) for row, tree in stored if _risen(batch, row, tree, codes)]
    if not wanted:
        return 0
    held = [(row, batch.opened(row)) for row in await succession.hold(batch.connection, wanted)]
    risen = [found for row, tree in held if (found := _risen(batch, row, tree, codes)) is not None]
    # Whoever held them before has written already: the versions follow one another in time too.
    await _store(batch, risen, batch.runtime.clock())
    return len(risen)


async def _medications(batch: _Batch, trees: Iterable[Tree]) -> Mapping[str, Sequence[Code]]:
    """The codes of the Medications of the directory that these records refer to, as they are now."""
    names = {name: batch.runtime.keys.reference(name) for tree in trees for name in medications(tree)}
    rows = await succession.directory_records(batch.connection, list(names.values())) if names else []
    found = {row.record_key: batch.opened(row) for row in rows}
    return medication_codes({name: found[key] for name, key in names.items() if key in found})


def _risen(batch: _Batch, row: Any, stored: Tree, codes: Mapping[str, Sequence[Code]]) -> _Risen | None:
    """The record with the labels that it lacks, None where it lacks none."""
    tree, facts = labelled(stored, batch.facts(stored, codes))
    return None if tree is stored else _Risen(row, tree, completed(facts))


async def _store(batch: _Batch, risen: Sequence[_Risen], now: datetime) -> None:
    """Save the versions, what tells of them, and the grants of consents in their new version."""
    rows = [_next_version(batch, one, now) for one in risen]
    told = [_provenance(batch, one, row) for one, row in zip(risen, rows, strict=True) if _is_told(one)]
    async with batch.connection.pipeline():
        await store.save(batch.connection, [*rows, *told])
        await record(batch.connection, list(_audit_rows(batch, [*rows, *told])))
    for one, row in zip(risen, rows, strict=True):
        await _grants(batch, one, row)


def _next_version(batch: _Batch, one: _Risen, now: datetime) -> RecordRow:
    draft = Draft(one.row.id, one.row.version + 1, one.tree, one.facts, deleted=one.row.deleted)
    # Whoever wrote the record before is still the one who wrote it.
    return sealed_row(batch.runtime, draft, _owner(batch, one.row), source=one.row.source, now=now)


def _owner(batch: _Batch, row: Any) -> Owner:
    return Owner(row.patient_key, batch.keys[row.patient_key], tuple(row.others))


def _is_told(one: _Risen) -> bool:
    """Whether a Provenance says it; of another one, of what was deleted and of nobody's records the log alone does."""
    follows = FOLLOWING.get(one.facts.type.name, 0) >= FOLLOWING["Provenance"]
    return not (follows or one.row.deleted or one.row.patient_key == NOBODY)


def _provenance(batch: _Batch, one: _Risen, row: RecordRow) -> RecordRow:
    """The Provenance of a new version; it lies where its record does."""
    tree = provenance(
        f"{one.reference}/_history/{row.version}",
        activity=RELABELLED,
        agent=SERVICE,
        recorded=written_instant(row.last_updated),
        reason=f"table of sensitive codes, version {TABLE_VERSION}",
    )
    id_ = batch.runtime.new_id()
    tree, facts = labelled(tree, batch.facts({**tree, "id": id_}, {}))
    source = batch.runtime.keys.reference(SUBJECT)
    draft = Draft(id_, 1, tree, completed(facts))
    return sealed_row(batch.runtime, draft, _owner(batch, one.row), source=source, now=row.last_updated)


async def _grants(batch: _Batch, one: _Risen, row: RecordRow) -> None:
    """Let the grants of a consent be those of its new version, which says the same."""
    if one.facts.type.name != "Consent" or row.deleted or row.patient_key == NOBODY:
        return
    zone = batch.runtime.settings.zone
    read = read_consent(one.tree, reference=one.reference, version=row.version, zone=zone)
    if isinstance(read, Consent):
        compiled = compile_consent(read, batch.runtime.keys)
        await replace(batch.connection, compiled, patient_key=row.patient_key, consent_key=row.record_key)


def _audit_rows(batch: _Batch, rows: Sequence[RecordRow]) -> Iterator[AuditRow]:
    """One row for each patient whose record it is, or whom it names."""
    theirs: dict[int, list[RecordRow]] = {}
    for row in rows:
        for patient in (row.patient_key, *row.others):
            theirs.setdefault(patient, []).append(row)
    for patient, written in theirs.items():
        yield AuditRow(
            patient_key=patient,
            audit_id=random_uuid(batch.runtime),
            recorded=written[0].last_updated,
            action=RELABEL,
            kind="",
            outcome="success",
            subject=SUBJECT,
            query=QUERY,
            record_keys=[row.record_key for row in written],
            versions=[row.version for row in written],
            detail=TABLE_VERSION,
        )
