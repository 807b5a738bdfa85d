"""A list that is bound arrives as it is, whatever stands in it.

https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.statements import ADAPTERS, Prepared
from tests.databases import Server

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
HOSTILE = st.sampled_from(
    ["NULL", "null", "{}", "{", '"', "\\", '\\"', ",", " ", "", "a,b", "'", "\n", "%s", "$1"]
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    datetime.fromisoformat("0001-01-03"), datetime.fromisoformat("9999-12-29"), timezones=OFFSETS
)


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.superuser_url, autocommit=True, context=ADAPTERS) as opened:
        opened.execute("SET TIME ZONE 'UTC'")
        yield opened


def _arrived(connection: psycopg.Connection[Any], kind: str, given_: list[Any]) -> list[Any]:
    prepared = Prepared(f"SELECT %(given)s::{kind}[] AS arrived", {})
    row = (
        psycopg.RawCursor(connection).execute(prepared.numbered, prepared.bound({"given": given_})).fetchone()
    )
    assert row is not None
    arrived: list[Any] = row[0]
    return arrived


@given(st.lists(TEXTS | HOSTILE | st.none(), max_size=8))
def test_texts_arrive_as_they_are(connection: psycopg.Connection[Any], texts: list[str | None]) -> None:
    assert _arrived(connection, "text", texts) == texts


@given(st.lists(MOMENTS | st.none(), max_size=8))
def test_instants_arrive_to_the_microsecond(
    connection: psycopg.Connection[Any], moments: list[datetime | None]
) -> None:
    expected = [None if each is None else each.astimezone(UTC) for each in moments]
    assert _arrived(connection, "timestamptz", moments) == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=8))
def test_whole_numbers_arrive_as_they_are(
    connection: psycopg.Connection[Any], numbers: list[int | None]
) -> None:
    assert _arrived(connection, "bigint", numbers) == numbers


@given(st.lists(st.booleans() | st.none(), max_size=8))
def test_booleans_arrive_as_they_are(connection: psycopg.Connection[Any], truths: list[bool | None]) -> None:
    assert _arrived(connection, "boolean", truths) == truths
