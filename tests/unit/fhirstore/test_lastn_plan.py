"""The last of each kind by the index rows of codes: the same as by looking at everything, without looking at it.

http://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from random import Random
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import ColumnElement, FromClause, literal_column, true

from fhirstore.compartment.lastn import lastn
from fhirstore.compartment.newest import CODE
from fhirstore.search.criteria import Criteria
from fhirstore.search.test import Test
from fhirstore.types import TYPES
from passport.sql import prepare
from tests.databases import Database
from tests.unit.fhirstore.plans import MODES, Bound, rows_read

ASKED: Final = 3
KINDS: Final = 6
BARE: Final = 1_000
"""Added to a coding it is the key of its code without the system."""

OBSERVATION: Final = TYPES["Observation"]
RECORD: Final = """
    INSERT INTO resource (patient_key, record_key, last_updated, source, starts, version, type, codec, deleted, parts,
        owned_otherwise, id, body, refs, codes, status, confidentiality)
    VALUES (%s, %s, '2026-10-01', 0, %s, 1, %s, 0, %s, false, false, 'x', '', '{}', %s, %s, %s)
"""
ROW: Final = """
    INSERT INTO resource_token (patient_key, parameter, value, starts, record_key) VALUES (%s, %s, %s, %s, %s)
"""
MANY: Final = """
    INSERT INTO resource (patient_key, record_key, last_updated, source, starts, version, type, codec, deleted, parts,
        owned_otherwise, id, body, refs, codes, confidentiality)
    SELECT %(asked)s, n, '2026-10-01', 0, '2020-01-01'::timestamptz + n * interval '1 min', 1, %(type)s, 0, false,
        false, false, n::text, '', '{}', ARRAY[n %% %(kinds)s]::bigint[], 2
    FROM generate_series(1, %(records)s) AS n
"""
MANY_ROWS: Final = """
    INSERT INTO resource_token (patient_key, parameter, value, starts, record_key)
    SELECT %(asked)s, %(code)s, n %% %(kinds)s, '2020-01-01'::timestamptz + n * interval '1 min', n
    FROM generate_series(1, %(records)s) AS n
"""
BOUND: Final[Bound] = {
    "asked": ("bigint", ASKED),
    "type": ("smallint", int(OBSERVATION.number)),
    "limit": ("int", 2**31 - 1),
    "texted": ("bigint[]", []),
    "texted_groups": ("bigint[]", []),
}


def final() -> Test:
    def condition(record: FromClause) -> ColumnElement[bool]:
        wanted: ColumnElement[bool] = record.c.status == literal_column("1")
        return wanted

    return Test(("final",), condition, {})


def coded(value: int) -> Test:
    def condition(record: FromClause) -> ColumnElement[bool]:
        wanted: ColumnElement[bool] = record.c.codes.overlap(literal_column(f"'{{{value}}}'::bigint[]"))
        return wanted

    return Test((CODE, "token", "one"), condition, {"code": value})


def permit(record: FromClause) -> ColumnElement[bool]:
    allowed: ColumnElement[bool] = record.c.confidentiality == literal_column("2")
    return allowed


def found(
    connection: psycopg.Connection[Any], most: int, *tests: Test, by_code: bool
) -> list[tuple[Any, ...]]:
    """Group, time and record of all that is shown, in their order."""
    criteria = Criteria(types=(OBSERVATION,), patients=("Patient/3",), held="lies", tests=tests)
    statement = lastn(
        criteria, permit, lambda _: literal_column("'{}'::int[]"), reach=lambda _: true(), by_code=by_code
    )
    prepared = prepare(statement)
    codes = [value for test in tests for value in test.params.values()]
    bound = {name: value for name, (_, value) in BOUND.items()} | {"most": most, "codes": codes}
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(prepared.text.encode(), {**prepared.constants, **bound})
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    # What is asked for by one code is of one group, whatever that is called.
    of_code = any(test.params for test in tests)
    told = [(row["newest"], 0 if of_code else row["bucket"], row["time"], row["record_key"]) for row in rows]
    assert not of_code or len({row["bucket"] for row in rows}) <= 1
    return sorted(told, key=lambda one: (-one[0].timestamp(), one[1], -one[2].timestamp(), one[3]))


def fill(connection: psycopg.Connection[Any], draw: Random, records: int) -> None:
    for key in range(records):
        start = f"2026-10-{draw.randint(1, 9):02d}"
        codes = draw.sample(range(1, KINDS + 1), draw.choice((1, 1, 1, 1, 2, 3)))
        # Codings of odd numbers are of unusual systems, and are found by their code alone as well.
        rows = [*codes, *(BARE + code // 3 for code in codes if code % 2)]
        patient, deleted = draw.choice((ASKED, ASKED, ASKED, 4)), draw.random() < 0.1
        connection.execute(
            RECORD,
            [
                patient,
                key,
                start,
                OBSERVATION.number,
                deleted,
                codes,
                draw.choice((1, 1, 2)),
                draw.choice((2, 2, 3)),
            ],
        )
        for value in () if deleted else dict.fromkeys(rows):
            connection.execute(ROW, [patient, CODE, value, start, key])


def test_codes_one_by_one_find_what_all_records_together_find(each_database: Database) -> None:
    sizes = set()
    with psycopg.connect(each_database.superuser_url) as connection:
        for seed in range(20):
            fill(connection, Random(seed), records=5 + 3 * seed)
            for most in (1, 2, 5):
                for tests in ((), (final(),), (coded(2),), (coded(3), final())):
                    by_code = found(connection, most, *tests, by_code=True)
                    assert by_code == found(connection, most, *tests, by_code=False), (seed, most, tests)
                    sizes.add(len(by_code))
            connection.rollback()
    assert len(sizes) > 10


@pytest.mark.parametrize("mode", MODES)
def test_no_more_records_are_looked_at_than_each_kind_has_to_show(each_database: Database, mode: str) -> None:
    records, kinds, most = 5_000, 10, 3
    with psycopg.connect(each_database.superuser_url, autocommit=True) as connection:
        drawn = {
            "asked": ASKED,
            "type": int(OBSERVATION.number),
            "code": CODE,
            "kinds": kinds,
            "records": records,
        }
        for filling in (MANY, MANY_ROWS):
            connection.execute(filling, drawn)
        connection.execute("VACUUM ANALYZE")
        connection.execute(f"SET plan_cache_mode = {mode}")
        criteria = Criteria(types=(OBSERVATION,), patients=("Patient/3",), held="lies")
        statement = lastn(
            criteria,
            permit,
            lambda _: literal_column("'{}'::int[]"),
            reach=lambda _: true(),
            by_code=True,
        )
        known = {**BOUND, "most": ("int", most)}
        # Each is found, classified by one record of it, and fetched once more to be shown.
        assert kinds * most <= rows_read(connection, statement, known) <= kinds * (3 * most + 5)
