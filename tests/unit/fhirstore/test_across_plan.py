"""What a page of several types costs the database, on every supported server: of each type a page at most.

http://hl7.org/fhir/R4/http.html#vsearch
"""

from typing import Final

import psycopg
import pytest
from sqlalchemy import literal_column, true

from fhirstore.search.criteria import Held
from fhirstore.search.query import Query
from fhirstore.search.sort import SortKey
from fhirstore.search.statement import page
from fhirstore.types import TYPES
from tests.databases import Database
from tests.unit.fhirstore.plans import FILL, MODES, Bound, rows_read

LIMIT: Final = 11
HELD: Final = tuple(row for row in TYPES.values() if 10 <= row.number < 17)
ELSE: Final = tuple(row for row in TYPES.values() if row.number >= 30)
ASKED: Final = 3
LOCATED: Final = "INSERT INTO locator (record_key, patient_key) VALUES (77, %s)"
ASKED_AS: Final[tuple[tuple[Held, bool], ...]] = (("lies", False), ("lies", True), ("owner", False))
BOUND: Final[Bound] = {
    "asked_refs": ("bigint[]", [77]),
    "types": ("smallint[]", [int(row.number) for row in (*HELD, *ELSE)]),
    "limit": ("int", LIMIT),
    "after_0": ("timestamptz", "2020-01-03T00:00:00Z"),
    "after_key": ("bigint", 5),
}


def asked(held: Held) -> Query:
    return Query(
        types=(*HELD, *ELSE),
        patients=("Patient/3",),
        held=held,
        order=(SortKey("time", descending=True),),
        count=LIMIT - 1,
        total="none",
        only_count=False,
        cursor=None,
        echo=(),
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_page_of_several_types_reads_a_page_of_each(each_database: Database, mode: str) -> None:
    with psycopg.connect(each_database.superuser_url, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute(LOCATED, [ASKED])
        connection.execute("ANALYZE resource, locator")
        connection.execute(f"SET plan_cache_mode = {mode}")
        for held, after in ASKED_AS:
            select = page(
                asked(held),
                lambda _: true(),
                lambda _: literal_column("'{}'::int[]"),
                reach=lambda _: true(),
                after_cursor=after,
            )
            read = rows_read(connection, select, BOUND)
            assert LIMIT <= read <= len(HELD) * LIMIT, (mode, held, after, read)
