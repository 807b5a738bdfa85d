"""Fills a database with residents, readings and consents, as fast as the store takes them.

http://hl7.org/fhir/R4/http.html#create

The rows are those that the service's own writing makes, sealed and indexed; only the decision whether they may be
written is left out, since nobody's request writes them.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, Final

import psycopg

from bench.residents import observations, shared_with
from consent.compile import compile_consent
from consent.model import Consent
from consent.read import read_consent
from consent.store import grant_rows, shape_rows
from fhirstore import store
from fhirstore.facts import completed, gathered
from fhirstore.keys import KeyMaker
from fhirstore.rows import RecordRow
from passport.database import Connection, open_pool
from passport.demo.consents import Tree
from passport.dictionaries import open_dictionaries
from passport.keys import KeyRing
from passport.labelling import labelled
from passport.records import Draft, Owner, sealed_row
from passport.runtime import Runtime
from passport.settings import Settings

SEED: Final = 20_261_122
LOINC, BLOOD_PRESSURE = "http://loinc.org", "85354-9"
_CHUNK: Final = 2_000
_POPULATE: Final = "INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s::jsonb)"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured against."""

    patients: int
    observations: int


@dataclass(frozen=True, slots=True)
class Filled:
    """Who was made, and some of their Observations' ids."""

    patients: tuple[str, ...]
    observation_ids: tuple[str, ...]


async def fill(settings: Settings, superuser_url: str, size: Size, institutions: Sequence[str]) -> Filled:
    """Store the residents; `institutions` are the Organizations that they share with."""
    chance = Random(SEED)
    async with filling(settings, superuser_url) as under_way:
        return await under_way.fill(
            size.patients,
            lambda patient: observations(patient, size.observations, chance),
            lambda patient: shared_with(patient, list(institutions)),
            sample=KeyMaker(KeyRing.load(settings.key_file).index_secret).code(LOINC, BLOOD_PRESSURE),
        )


@asynccontextmanager
async def filling(settings: Settings, superuser_url: str) -> AsyncIterator["Filling"]:
    """Fill as the superuser, since the wall binds the service's role; tidied up when the block ends."""
    ring = KeyRing.load(settings.key_file)
    async with open_pool(superuser_url, size=1) as pool:
        runtime = Runtime(settings, pool, ring, KeyMaker(ring.index_secret))
        await open_dictionaries(runtime)
        async with pool.connection() as connection:
            yield Filling(runtime, connection)
    with psycopg.connect(superuser_url, autocommit=True) as server:
        server.execute("VACUUM ANALYZE")
        server.execute("CHECKPOINT")


Told = Callable[[str], Iterable[Tree]]
"""What there is of one resident, by their reference."""


class Filling:
    """One filling under way; `runtime` is one whose connection the wall does not bind."""

    def __init__(self, runtime: Runtime, connection: Connection) -> None:
        self._runtime = runtime
        self._connection = connection
        self._now = runtime.clock()

    async def fill(
        self, patients: int, records: Told, consents: Told, *, sample: int | None = None
    ) -> Filled:
        """Register so many residents with their records and consents.

        `sample` is the key of a code: of some Observations that have it the ids are told.
        """
        owners = await self._register(patients)
        ids: list[str] = []
        pending: Iterator[RecordRow] = (
            row for name, owner in owners.items() for row in self._rows(name, owner, records)
        )
        while rows := list(islice(pending, _CHUNK)):
            await self._save(rows)
            found = [row.id for row in rows if sample in (row.facts["codes"] or ())]
            ids += found[:: len(found) // 20 or 1]
        for some in _chunks(list(owners.items()), 50):
            await self._share(some, consents)
        return Filled(tuple(owners), tuple(ids))

    async def _register(self, patients: int) -> dict[str, Owner]:
        ring, owners = self._runtime.ring, {}
        async with self._connection.transaction():
            for _ in range(patients):
                wrapped: list[bytes] = []

                def new_key(patient_key: int, kept: list[bytes] = wrapped) -> bytes:
                    kept.append(ring.new_wrapped_key(patient_key))
                    return kept[0]

                id_ = self._runtime.new_id()
                patient_key = await store.allot_patient(self._connection, id_, new_key, self._now)
                owners[f"Patient/{id_}"] = Owner(patient_key, ring.unwrap(patient_key, wrapped[0]))
        return owners

    def _rows(self, patient: str, owner: Owner, records: Told) -> Iterator[RecordRow]:
        person: Tree = {"resourceType": "Patient", "name": [{"text": "計測 太郎"}], "gender": "unknown"}
        yield record_row(self._runtime, person, owner, id_=patient.partition("/")[2])
        for tree in records(patient):
            yield record_row(self._runtime, tree, owner)

    async def _save(self, rows: Sequence[RecordRow]) -> None:
        async with self._connection.transaction(), self._connection.pipeline():
            await store.save(self._connection, rows)

    async def _share(self, owners: Iterable[tuple[str, Owner]], consents: Told) -> None:
        """Store the consents of these residents, and the grants that they become."""
        records: list[RecordRow] = []
        tables: dict[str, list[dict[str, object]]] = {}
        shapes: dict[object, dict[str, object]] = {}
        for patient, owner in owners:
            for tree in consents(patient):
                row = record_row(self._runtime, tree, owner)
                records.append(row)
                compiled = compile_consent(_read(tree, row, self._runtime.settings), self._runtime.keys)
                shapes |= {shape["shape_key"]: shape for shape in shape_rows(compiled)}
                for table, rows in grant_rows(compiled, row.patient_key, row.record_key).items():
                    tables.setdefault(table, []).extend(rows)
        await self._save(records)
        known = "ON CONFLICT DO NOTHING"
        await self._connection.execute(
            f"{_POPULATE.format('consent_shape')} {known}", [json.dumps(list(shapes.values()))]
        )
        for table, found in tables.items():
            await self._connection.execute(_POPULATE.format(table), [json.dumps(found)])


def record_row(runtime: Runtime, tree: Tree, owner: Owner, *, id_: str | None = None) -> RecordRow:
    """The first version of a record as it is stored, labels included."""
    named = id_ or runtime.new_id()
    tree, facts = labelled(tree, gathered({**tree, "id": named}, zone=runtime.settings.zone))
    return sealed_row(runtime, Draft(named, 1, tree, completed(facts)), owner, source=0, now=runtime.clock())


def _read(tree: Tree, row: RecordRow, settings: Settings) -> Consent:
    found = read_consent(tree, reference=f"Consent/{row.id}", version=1, zone=settings.zone)
    assert isinstance(found, Consent), found
    return found


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))
