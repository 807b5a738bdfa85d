"""What a page of one code over many people costs the database, on every supported server: the records of a page.

http://hl7.org/fhir/R4/search.html#sort
"""

from typing import Final

import psycopg
import pytest
from sqlalchemy import literal_column, true

from fhirstore.keys import KeyMaker
from fhirstore.parameters import parameters_of
from fhirstore.search.query import Query
from fhirstore.search.sort import SortKey
from fhirstore.search.statement import page
from fhirstore.search.token import token_test
from fhirstore.types import TYPES
from tests.databases import Database
from tests.unit.fhirstore.plans import FILL, MODES, Bound, rows_read

LIMIT: Final = 11
KEYS: Final = KeyMaker(b"k" * 32)
OBSERVATION: Final = TYPES["Observation"]
CODED: Final = token_test(parameters_of("Observation")["code"], ["urn:x|1"], "code", KEYS)
PARAMETER: Final = parameters_of("Observation")["code"].number
INDEXED: Final = """
    INSERT INTO resource_token (patient_key, parameter, value, starts, record_key)
    SELECT patient_key, %s, %s, starts, record_key FROM resource WHERE type = %s
"""
BOUND: Final[Bound] = {
    "parameter_1": ("smallint", int(PARAMETER)),
    "type": ("smallint", int(OBSERVATION.number)),
    "code": ("bigint", CODED.params["code"]),
    "limit": ("int", LIMIT),
    "after_0": ("timestamptz", "2020-01-10T00:00:00Z"),
    "after_key": ("bigint", 5),
}


@pytest.mark.parametrize("mode", MODES)
def test_a_page_over_all_who_share_looks_at_no_more_records_than_it_shows(
    each_database: Database, mode: str
) -> None:
    asked = Query(
        types=(OBSERVATION,),
        patients=None,
        held="lies",
        order=(SortKey("time", descending=True),),
        count=LIMIT - 1,
        total="none",
        only_count=False,
        cursor=None,
        echo=(),
        tests=(CODED,),
    )
    with psycopg.connect(each_database.superuser_url, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute(INDEXED, [PARAMETER, CODED.params["code"], int(OBSERVATION.number)])
        connection.execute("ANALYZE resource, resource_token")
        connection.execute(f"SET plan_cache_mode = {mode}")
        for after in (False, True):
            select = page(
                asked,
                lambda _: true(),
                lambda _: literal_column("'{}'::int[]"),
                reach=lambda _: true(),
                after_cursor=after,
            )
            assert rows_read(connection, select, BOUND) == LIMIT, (mode, after)
