"""Fixtures: a town of its own for the tests of one module, called by references and tokens, and who makes its apps."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import Database
from tests.http.apps import App, app
from tests.http.identity_town import City, city


@pytest.fixture(scope="module")
async def module_city(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    """The running application on a database of the module's own."""
    async with city(module_database, tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture(scope="module")
async def maker(town: City) -> str:
    """The organization behind the apps, in the module's own town."""
    return await town.organization("見本アプリ工房（架空）")


@pytest.fixture(scope="module")
async def phone(town: City, maker: str) -> App:
    """An app that a resident uses."""
    return await app(town, maker)
