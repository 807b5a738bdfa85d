"""What a page of `$everything` costs the database, on every supported server: what it shows, and no more."""

from typing import Final

import psycopg
import pytest
from sqlalchemy import literal_column, true

from fhirstore.compartment.everything import everything
from tests.databases import Database
from tests.unit.fhirstore.plans import FILL, MODES, Bound, rows_read

LIMIT: Final = 51
BOUND: Final[Bound] = {
    "asked": ("bigint", 3),
    "types": ("smallint[]", list(range(1, 40))),
    "limit": ("int", LIMIT),
    "after_type": ("smallint", 12),
    **{f"after_time_{kind}": ("timestamptz", "2020-01-02T00:00:00Z") for kind in (0, 1)},
    **{f"after_key_{kind}": ("bigint", 5) for kind in (0, 1)},
}


@pytest.mark.parametrize("mode", MODES)
def test_a_page_reads_the_rows_of_the_page(each_database: Database, mode: str) -> None:
    with psycopg.connect(each_database.superuser_url, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("ANALYZE resource")
        connection.execute(f"SET plan_cache_mode = {mode}")
        for after in (False, True):
            select = everything(
                (), lambda _: true(), lambda _: literal_column("'{}'::int[]"), proposals=False, after=after
            )
            looked_at = rows_read(connection, select, BOUND)
            assert LIMIT <= looked_at <= 2 * LIMIT, (mode, after, looked_at)
