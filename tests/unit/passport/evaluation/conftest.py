"""A trial on a real server, of which nothing but the server is used."""

from collections.abc import Iterator

import pytest

from passport.evaluation.store import connected
from passport.evaluation.trial import Trial
from tests.databases import Server
from tests.unit.consent.words import TOKYO


@pytest.fixture(scope="module")
def trial(server: Server) -> Iterator[Trial]:
    """Decides worlds."""
    with connected(server.superuser_url) as connection:
        yield Trial(connection, b"a secret of the tests alone", TOKYO)
