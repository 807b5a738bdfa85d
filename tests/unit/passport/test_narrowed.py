"""The short way to a route leads to the same one as the framework's way.

https://www.starlette.io/routing/
"""

from itertools import product
from pathlib import Path

import pytest
from starlette.convertors import StringConvertor
from starlette.routing import BaseRoute, Match, Route

from passport.main import create_app
from passport.routes.narrowed import Narrowed
from passport.settings import Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
PARTS = (
    "fhir",
    "Observation",
    "Patient",
    "x",
    "$everything",
    "$lastn",
    "_history",
    "_search",
    "devices",
    "1",
    "",
)


@pytest.fixture(scope="module")
def routes() -> list[BaseRoute]:
    return list(create_app(Settings(state=Path("none"), key_file=Path("none"))).router.routes)


def _first(routes: list[BaseRoute], method: str, path: str) -> object:
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return next(
        (
            scope_["endpoint"]
            for route in routes
            for match, scope_ in [route.matches(scope)]
            if match is Match.FULL
        ),
        None,
    )


def test_no_parameter_of_a_path_holds_a_slash(routes: list[BaseRoute]) -> None:
    for route in routes:
        if isinstance(route, Route):
            assert not route.path_format.startswith("/{")
            assert all(isinstance(each, StringConvertor) for each in route.param_convertors.values())


def test_every_address_has_the_route_that_the_framework_finds(routes: list[BaseRoute]) -> None:
    narrowed, *others = routes
    assert isinstance(narrowed, Narrowed)
    found = 0
    tails = [parts for length in range(4) for parts in product(PARTS, repeat=length)]
    addresses = {"/" + "/".join((first, *parts)) for first in ("fhir", "auth") for parts in tails}
    addresses |= {route.path for route in others if isinstance(route, Route)}
    for method, address in product(METHODS, sorted(addresses)):
        expected = _first(others, method, address)
        found += expected is not None
        assert _first([narrowed], method, address) is expected, (method, address)
    assert found > 100
