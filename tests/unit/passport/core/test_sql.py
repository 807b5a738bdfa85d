"""Statements on a connection: rows are there when they are asked for, in a pipeline as outside of one."""

import pytest

from passport.sql import Prepared, fetch
from tests.town import Town

pytestmark = pytest.mark.anyio

NUMBERS = Prepared("SELECT n FROM generate_series(1, %(most)s::int) AS n", {})


async def test_rows_are_waited_for_inside_of_a_pipeline(town: Town) -> None:
    """None had come yet, and nobody said so: what was found looked like nothing."""
    async with town.runtime.pool.connection() as connection:
        outside = await fetch(connection, NUMBERS, {"most": 3})
        async with connection.pipeline():
            inside = await fetch(connection, NUMBERS, {"most": 3})
    assert [row.n for row in inside] == [row.n for row in outside] == [1, 2, 3]
