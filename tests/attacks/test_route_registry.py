"""The registry of routes is whole: a route that nobody looked at could show what is hidden."""

from pathlib import Path
from typing import Literal, get_args

import pytest
from fastapi import APIRouter

from passport.installation import initialise
from passport.main import create_app
from passport.routes.needed import NEEDED
from passport.settings import Mode
from tests.attacks.routes import ROUTES, TELLING, Silent, routes_of


@pytest.mark.parametrize("mode", get_args(Mode))
def test_every_route_is_held_and_each_that_is_held_is_there(
    tmp_path: Path, mode: Literal["production", "demo", "sandbox"]
) -> None:
    served = list(routes_of(create_app(initialise(tmp_path / mode, mode))))
    assert len(served) == len(set(served))
    assert sorted(set(served) - ROUTES.keys()) == [], "routes without an entry"
    if mode == "demo":
        assert sorted(ROUTES.keys() - set(served)) == [], "entries without a route"


@pytest.mark.parametrize("mode", get_args(Mode))
def test_every_address_says_what_a_session_needs(
    tmp_path: Path, mode: Literal["production", "demo", "sandbox"]
) -> None:
    served = {
        (method, path)
        for method, path in routes_of(create_app(initialise(tmp_path / mode, mode)))
        if method != "MOUNT" and not f"{path}/".startswith("/fhir/")
    }
    assert sorted(served - NEEDED.keys()) == [], "routes of which nothing is said"
    if mode == "demo":
        assert sorted(NEEDED.keys() - served) == [], "entries without a route"


def test_a_new_route_is_found_wherever_it_is_taken_in(tmp_path: Path) -> None:
    app = create_app(initialise(tmp_path / "state", "demo"))
    before = set(routes_of(app))
    inner, outer = APIRouter(prefix="/inner"), APIRouter(prefix="/outer")
    inner.add_api_route("/{id_}", lambda id_: id_, methods=["GET", "PUT"])
    outer.include_router(inner)
    app.include_router(outer)
    assert set(routes_of(app)) - before == {("GET", "/outer/inner/{id_}"), ("PUT", "/outer/inner/{id_}")}


def test_what_is_silent_says_why() -> None:
    silent = [entry for entry in ROUTES.values() if isinstance(entry, Silent)]
    assert all(len(entry.reason) > 20 for entry in silent)
    assert len(TELLING) + len(silent) == len(ROUTES)
