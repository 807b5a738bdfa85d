"""Python and PostgreSQL answer the same of any two intervals."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from fhirstore.matching.date import COMPARISONS
from fhirstore.statements import DIALECT
from fhirstore.times import Interval
from tests.databases import Server
from tests.examples import examples

NAMES = ("start", "ending", "low", "high")
# Few moments, so that ends meet often.
MOMENTS = st.integers(0, 5).map(lambda days: datetime(2024, 6, 1, tzinfo=UTC) + timedelta(days=days))
INTERVALS = (
    st.tuples(MOMENTS, MOMENTS)
    .filter(lambda ends: ends[0] < ends[1])
    .map(lambda ends: Interval(ends[0], ends[1]))
)


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.superuser_url) as opened:
        yield opened


def in_sql(connection: psycopg.Connection, record: Interval, sought: Interval) -> dict[str, bool]:
    bound = [bindparam(name, type_=TIMESTAMP(timezone=True)) for name in NAMES]
    compared = [compare(*bound).label(name) for name, compare in COMPARISONS.items()]
    statement = str(select(*compared).compile(dialect=DIALECT))
    values = (record.start, record.end, sought.start, sought.end)
    cursor = connection.execute(statement, dict(zip(NAMES, values, strict=True)))
    row = cursor.fetchone()
    assert row is not None
    assert cursor.description is not None
    return dict(zip((column.name for column in cursor.description), row, strict=True))


@examples(150)
@given(record=INTERVALS, sought=INTERVALS)
def test_both_sides_answer_alike(connection: psycopg.Connection, record: Interval, sought: Interval) -> None:
    answered = in_sql(connection, record, sought)
    for prefix, compare in COMPARISONS.items():
        expected = compare(record.start, record.end, sought.start, sought.end)
        assert answered[prefix] is expected
