"""Fixtures: a served town for the tests of one module, who works in it, and two who were given a passport."""

from collections.abc import AsyncIterator

import pytest

from tests.cast import Cast, cast_of
from tests.databases import Database
from tests.town import Town, Voice, served


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The running application on a database of the module's own."""
    async with served(module_database, tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture(scope="module")
async def cast(town: Town) -> Cast:
    """The directory."""
    return await cast_of(town)


@pytest.fixture
async def hanako(town: Town) -> Voice:
    """A resident of this test alone."""
    return await town.resident("見本 花子")


@pytest.fixture
async def taro(town: Town) -> Voice:
    """Another resident of this test alone."""
    return await town.resident("見本 太郎")
