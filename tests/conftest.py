"""What every test may ask for: migrated databases on real PostgreSQL.

`database` and `module_database` lie on the embedded PostgreSQL 18. A test of migrations or of SQL takes
`each_server` or `each_database` and runs on every supported server at hand.
"""

import gc
import signal
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.databases import POSTGRESQL_18, Database, Server, Servers, labels
from tests.ordering import order

# A shell that runs us in the background has SIGINT ignored, and every process that a test starts would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A soak draws ten times as much, always anew, however busy the machine: `--hypothesis-profile=soak`.
settings.register_profile(
    "soak",
    max_examples=1_000,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
# The whole run tells of a change, so it draws the same on every machine and every day. What is run alone, and the soak,
# draws anew.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
# Whether an example fails is all that mutation testing asks, not which is the smallest.
settings.register_profile(
    "mutants", phases=(Phase.explicit, Phase.reuse, Phase.generate), report_multiple_bugs=False
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for each server once on each."""
    if "server_label" in metafunc.fixturenames:
        metafunc.parametrize("server_label", labels(), scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Leave what is collected out of every later search for garbage: it stays until the end."""
    gc.disable()
    try:
        collected = yield
        gc.freeze()
        return collected
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, let each begin with the longest."""
    if isinstance(worker := getattr(config, "workerinput", None), dict):
        places = order([item.nodeid for item in items], worker["workercount"])
        items[:] = [items[place] for place in places]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of this test process, by label."""
    started = Servers(tmp_path_factory.mktemp("servers"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def server(servers: Servers) -> Server:
    """The embedded PostgreSQL 18."""
    return servers.get(POSTGRESQL_18)


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A migrated database for one test."""
    with server.database() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_database(server: Server) -> Iterator[Database]:
    """A migrated database for the tests of one module, which must not disturb each other."""
    with server.database() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def each_server(servers: Servers, server_label: str) -> Server:
    """The embedded 18, the wheel's 16, and the server that the environment names, one after the other."""
    return servers.get(server_label)


@pytest.fixture
def each_database(each_server: Server) -> Iterator[Database]:
    """A migrated database for one test, on each server."""
    with each_server.database() as fresh:
        yield fresh
