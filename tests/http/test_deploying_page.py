"""The first steps of an operator, as the page on deploying shows them, are taken by the service in their order."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.databases import Database
from tests.http.identity_town import city
from tests.unit.house.source import ROOT
from tests.unit.passport.identity.assertions import es384

pytestmark = pytest.mark.anyio

_SENT = re.compile(r"^sent (\w+) (\S+) (\S+) <<< '(.*?)'$", re.MULTILINE | re.DOTALL)


def filled(body: Any, known: dict[str, str], key: dict[str, str]) -> Any:
    """A body with what stands for what was answered before."""
    if isinstance(body, dict):
        if body.get("kty") == "EC":
            # What the page leaves to its reader alone: whatever it shows has to be enough beside it.
            return {**body, "x": key["x"], "y": key["y"]}
        return {name: filled(value, known, key) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(one, known, key) for one in body]
    return known.get(body, body) if isinstance(body, str) else body


async def test_the_first_steps_are_taken_as_they_are_shown(module_database: Database, tmp_path: Path) -> None:
    steps = _SENT.findall((ROOT / "docs/deploying.md").read_text("utf-8"))
    assert [path for _, path, _, _ in steps] == [
        "/fhir/Organization",
        "/fhir/Practitioner",
        "/fhir/PractitionerRole",
        "/fhir/Patient",
        "/auth/sign-in-codes",
        "/auth/sign-in-codes/dr.kaku/confirm",
        "/auth/clients/telemedicine",
        "/auth/clients/telemedicine/approve",
    ]
    known: dict[str, str] = {}
    async with city(module_database, tmp_path) as town:
        for method, path, kind, text in steps:
            body = filled(orjson.loads(text), known, es384().jwk)
            who = "operator/second" if path.endswith(("/approve", "/confirm")) else "operator"
            answer = await town.call(
                who, method, path, content=orjson.dumps(body), headers={"Content-Type": kind}
            )
            assert answer.status_code in {200, 201, 202}, answer.text
            told = answer.json()
            if proposed := (told.get("proposed") or told).get("proposal"):
                known["…"] = proposed
            if "id" in answer.json():
                type_name = answer.json()["resourceType"]
                known[f"{type_name}/…"] = f"{type_name}/{answer.json()['id']}"
        registered = await town.call("operator", "GET", "/auth/clients/telemedicine")
        assert registered.json()["state"] == "active"
