"""A served town for imports, and a counter in it with a new pharmacy and a new resident."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import Database
from tests.http.device_town import Town, served
from tests.http.import_counter import Counter


@pytest.fixture(scope="module")
async def import_town(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as running:
        yield running


@pytest.fixture
async def counter(import_town: Town, module_database: Database) -> Counter:
    tree = {"resourceType": "Patient", "name": [{"text": "見本 花子"}], "birthDate": "1955-07-03"}
    hanako = await import_town.create("operator", tree)
    pharmacy = {"resourceType": "Organization", "name": "れいじ薬局（架空）"}
    return Counter(import_town, module_database, hanako, await import_town.create("operator", pharmacy))
