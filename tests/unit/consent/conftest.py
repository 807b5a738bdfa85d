"""The evaluations that have to agree: the reference, what explains it, and the SQL on a migrated PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest

from consent.explain import explain
from consent.model import Consent, Record, Request
from consent.reference import decide
from tests.databases import Database
from tests.unit.consent.enforcement import Enforcement

Decides = Callable[[Sequence[Consent], Record, Request], bool]


@pytest.fixture(scope="module")
def enforcement(module_database: Database) -> Iterator[Enforcement]:
    """The SQL over rows of facts."""
    with psycopg.connect(module_database.superuser_url) as connection:
        yield Enforcement(connection)


def explained(consents: Sequence[Consent], record: Record, asked: Request) -> bool:
    """Whether the explanation of a decision says that it is a permit."""
    return explain(consents, record, asked).permitted


@pytest.fixture(params=["reference", "explained", "sql"])
def permits(request: pytest.FixtureRequest) -> Decides:
    """Whether consents permit a request on a record, by each evaluation."""
    if request.param != "sql":
        return decide if request.param == "reference" else explained
    enforcement: Enforcement = request.getfixturevalue("enforcement")

    def enforced(consents: Sequence[Consent], record: Record, asked: Request) -> bool:
        return record.reference in enforcement.visible(consents, [record], asked)

    return enforced
