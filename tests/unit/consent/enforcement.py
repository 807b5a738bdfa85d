"""The enforcement on real PostgreSQL: consents through their own storage, records as rows of facts."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import ClauseElement, MetaData, SmallInteger, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from consent.compile import ACTION_BITS, PURPOSE_BITS, compile_consent
from consent.grants import StandingGrant
from consent.model import Coding, Consent, Purpose, Record, Request
from consent.shape import Shape
from consent.sql import Sight, visible, whose
from consent.standing import GRANTS
from consent.store import GRANT_TABLES, grant_rows
from consent.systems import READ
from fhirstore.keys import KeyMaker
from fhirstore.statements import DIALECT
from fhirstore.tables import resource, resource_part
from fhirstore.types import TYPE_NUMBERS

KEYS: Final = KeyMaker(b"a secret of the tests alone")
NOBODY: Final = 0

Row = dict[str, Any]
Empty = Callable[[], list[int] | None]
"""What an absent fact looks like in a row: nothing in it, or NULL."""

_METADATA: Final = MetaData()
RECORDS: Final = resource.to_metadata(_METADATA, name="probe_record")
PARTS: Final = resource_part.to_metadata(_METADATA, name="probe_part")

_FACTS: Final = tuple(column.name for column in PARTS.columns)
_GRANTS: Final = f"""
WITH asked (patient_key) AS (SELECT unnest(%(patients)s::bigint[])),
facets AS (
    SELECT %(actors)s::bigint[] AS actors, %(client)s::bigint AS client,
        %(unresolved)s::boolean AS unresolved, %(purpose)s::integer AS purpose,
        %(action)s::integer AS action, %(at)s::timestamptz AS at
)
{GRANTS}
"""


def no_facts() -> list[int] | None:
    """Absent facts as the store writes them."""
    return []


class Enforcement:
    """One connection whose temporary tables hold the records in question."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        for probe, real in ((RECORDS, "resource"), (PARTS, "resource_part")):
            connection.execute(
                sql.SQL("CREATE TEMP TABLE {} AS SELECT * FROM {} WITH NO DATA").format(
                    sql.Identifier(probe.name), sql.Identifier(real)
                )
            )
        connection.commit()

    def visible(
        self,
        consents: Sequence[Consent],
        records: Sequence[Record],
        request: Request,
        *,
        empty: Empty = no_facts,
        implied: frozenset[Coding] = frozenset(),
        within: frozenset[str] | None = None,
        forgotten: frozenset[int] = frozenset(),
    ) -> set[str]:
        """The references of the records that the SQL shows.

        `within` asks for these types alone. `forgotten` are shapes that this process does not know.
        """
        with self.connection.transaction(force_rollback=True):
            patients = patients_of(consents, records, request)
            shapes = self._write(consents, records, patients, empty, implied)
            sight, bound = self._sight(
                request, patients, {k: v for k, v in shapes.items() if k not in forgotten}
            )
            keys = self._select(sight, bound, within)
        return {one.reference for one in records if one.reference and KEYS.reference(one.reference) in keys}

    def keep(self, records: Sequence[Record]) -> None:
        """Hold records of one patient for `run`, until the connection is closed."""
        patients = patients_of((), records, None)
        self._insert("probe_record", [row_of(one, patients, no_facts, frozenset()) for one in records])

    def standing(self, consents: Sequence[Consent], request: Request) -> list[StandingGrant]:
        """The grants of one patient's consents as they stand for a request."""
        with self.connection.transaction(force_rollback=True):
            patients = patients_of(consents, (), request)
            shapes = self._write(consents, (), patients, no_facts, frozenset())
            sight, _ = self._sight(request, patients, shapes)
        return list(sight.groups[-1])

    def _write(
        self,
        consents: Sequence[Consent],
        records: Sequence[Record],
        patients: Mapping[str | None, int],
        empty: Empty,
        implied: frozenset[Coding],
    ) -> dict[int, Shape]:
        written: dict[str, list[Row]] = {table: [] for table in GRANT_TABLES}
        shapes = {}
        for number, consent in enumerate(consents):
            compiled = compile_consent(consent, KEYS)
            shapes.update({grant.shape_key: grant.shape for grant in compiled.grants})
            rows = grant_rows(compiled, patients[consent.patient], number)
            for table in GRANT_TABLES:
                written[table] += rows[table]
        known = {one.reference: one for one in _all(records)}
        written["probe_record"] = [row_of(one, patients, empty, implied) for one in known.values()]
        written["probe_part"] = [
            row for one in known.values() for row in part_rows_of(one, patients, empty, implied)
        ]
        with self.connection.pipeline():
            for table, found in written.items():
                self._insert(table, found)
        return shapes

    def _insert(self, table: str, rows: list[Row]) -> None:
        if rows:
            statement = sql.SQL(
                "INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, %s::jsonb)"
            )
            self.connection.execute(statement.format(sql.Identifier(table)), [json.dumps(rows)])

    def _sight(
        self, q: Request, patients: Mapping[str | None, int], shapes: Mapping[int, Shape]
    ) -> tuple[Sight, Row]:
        standing: dict[int, list[StandingGrant]] = {patient: [] for patient in patients.values()}
        facets = {
            "patients": list(patients.values()),
            "actors": [KEYS.reference(actor) for actor in q.actors],
            "client": q.client and KEYS.reference(q.client),
            "unresolved": q.unresolved,
            "purpose": PURPOSE_BITS[q.purpose],
            "action": ACTION_BITS[q.action],
            "at": q.at,
        }
        self._insert(
            "collective", [{"actor_key": KEYS.reference(one), "resolvable": True} for one in q.resolvable]
        )
        for row in self.connection.execute(_GRANTS, facets).fetchall():
            patient, _, _, _, effect, shape, t_bits, f_bits = row
            standing[patient].append(StandingGrant(effect, shapes.get(shape), int(t_bits), int(f_bits)))
        opened = set(patients.values())
        if q.purpose is Purpose.BTG:
            opened = {patients[name] for name in q.opened}
        groups = [standing[key] + (standing[NOBODY] if key else []) for key in sorted(opened)]
        # Both ways of asking for a patient are held against the definition.
        many = len(groups) % 2 == 0
        bound = whose([[key] for key in sorted(opened)], many=many)
        own = [patients[name] for name in q.own]
        return (
            Sight(
                groups,
                own=len(own) == 1,
                owns=len(own) > 1,
                directory=q.action == "access",
                many=many,
            ),
            {**bound, "own_patient": own[0] if own else None, "own_patients": own},
        )

    def _select(self, sight: Sight, bound: Row, within: frozenset[str] | None) -> set[int]:
        condition = visible(sight, RECORDS, parts=PARTS, targets=RECORDS, types=TYPE_NUMBERS, within=within)
        numbers = [TYPE_NUMBERS[name] for name in within] if within else list(TYPE_NUMBERS.values())
        of_types = RECORDS.c.type == any_(literal(numbers, ARRAY(SmallInteger)))
        statement = select(RECORDS.c.record_key).where(condition, of_types)
        return {key for (key,) in self.run(statement, bound)}

    def run(self, statement: ClauseElement, bound: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement of SQLAlchemy Core."""
        compiled = statement.compile(dialect=DIALECT)
        return self.connection.execute(str(compiled), {**compiled.params, **bound}).fetchall()


def patients_of(
    consents: Sequence[Consent], records: Sequence[Record], request: Request | None
) -> dict[str | None, int]:
    """A patient_key for everybody who is named anywhere; nobody is 0."""
    named = {name for record in _all(records) for name in _named(record)} | {one.patient for one in consents}
    named |= request.own | request.opened if request else set()
    return {None: NOBODY, **{name: place for place, name in enumerate(sorted(filter(None, named)), 1)}}


def _all(records: Iterable[Record]) -> Iterator[Record]:
    """The records and what they follow, to the last."""
    for record in records:
        yield record
        yield from _all(filter(None, record.follows))


def _named(record: Record) -> set[str]:
    return set(record.patients).union(*(_named(part) for part in record.parts))


def row_of(
    record: Record, patients: Mapping[str | None, int], empty: Empty, implied: frozenset[Coding]
) -> Row:
    """A record as the store keeps it."""
    first, *others = sorted(patients[name] for name in _named(record)) or [NOBODY]
    return {
        **_facts(record, empty, implied),
        "patient_key": first,
        "record_key": KEYS.reference(record.reference or ""),
        "version": 1,
        "deleted": False,
        "others": others or empty(),
        "parts": bool(record.parts),
        "source": record.source and KEYS.reference(record.source),
        "follows": [KEYS.reference(one.reference or "") if one else 404 for one in record.follows] or empty(),
    }


def part_rows_of(
    record: Record, patients: Mapping[str | None, int], empty: Empty, implied: frozenset[Coding]
) -> list[Row]:
    """The parts of a record as the store keeps them."""
    whole = row_of(record, patients, empty, implied)
    place = {name: whole[name] for name in ("patient_key", "record_key", "version")}
    return [
        {
            **_facts(part, empty, implied),
            **place,
            "part": number,
            "part_key": part.reference and KEYS.reference(part.reference),
        }
        for number, part in enumerate(_filled(record))
    ]


def _filled(container: Record) -> list[Record]:
    """Its parts at any depth, as the store keeps them: with the container's facts where they have none."""
    found = []
    for part in container.parts:
        labelled = part.confidentiality is not None or part.sensitivities
        filled = replace(
            part,
            reference=part.reference or container.reference,
            confidentiality=part.confidentiality if labelled else container.confidentiality,
            sensitivities=part.sensitivities if labelled else container.sensitivities,
            references=part.references or container.references,
        )
        if part.type in READ:
            filled = replace(
                filled,
                codes=part.codes or container.codes,
                categories=part.categories or container.categories,
                time=part.time or container.time,
                authors=part.authors or container.authors,
            )
        found += [filled, *_filled(filled)]
    return found


def _facts(record: Record, empty: Empty, implied: frozenset[Coding]) -> Row:
    time = record.time

    def keys(found: Iterable[int]) -> list[int] | None:
        return list(found) or empty()

    return {
        "type": TYPE_NUMBERS[record.type],
        "confidentiality": record.confidentiality,
        "labels": keys(KEYS.label(*one) for one in record.sensitivities),
        "codes": keys(KEYS.code(*one) for one in record.codes),
        "code_systems": keys({KEYS.system(one.system) for one in record.codes if one.system}),
        "categories": keys(
            KEYS.implied_category(*one) if one in implied else KEYS.category(*one)
            for one in record.categories
        ),
        "starts": None if time is None else (time.start.isoformat() if time.start else "-infinity"),
        "ends": None if time is None else (time.end.isoformat() if time.end else "infinity"),
        "authors": keys(KEYS.reference(one) for one in record.authors),
        "refs": keys(KEYS.reference(one) for one in record.references),
    }
