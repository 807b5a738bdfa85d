"""The offices of the city run the passport and read no health data: each of them, on every route.

https://owasp.org/www-project-application-security-verification-standard/
"""

from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any, Final

import orjson
import pytest

from fhirstore.types import TYPES
from tests.attacks.routes import TELLING, Route
from tests.attacks.scene import Scene
from tests.attacks.worlds import Pens, World, world
from tests.databases import Database
from tests.town import APPROVER, AUDITOR, CLERK, OPERATOR
from tests.unit.passport.devices.signing import es256

pytestmark = pytest.mark.anyio

OFFICES: Final = (OPERATOR, AUDITOR, CLERK, APPROVER)

NO_HEALTH_DATA: Final = frozenset(
    {"AuditEvent", "Bundle", "CapabilityStatement", "Consent", "OperationOutcome", "Parameters", "Patient"}
)
"""What an office may be shown beside the directory: the log for auditors, policies, registrations without records."""

MEMBERS: Final = frozenset(
    {
        "attachment", "clinicalStatus", "component", "dosage", "dosageInstruction", "effectiveDateTime",
        "hasMember", "medicationCodeableConcept", "medicationReference", "onsetDateTime", "reaction",
        "valueCodeableConcept", "valueQuantity", "vaccineCode",
    }
)  # fmt: skip
"""What health data is said with, wherever it stands."""


@pytest.fixture(scope="module")
async def told(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, Scene]]:
    pens = Pens(es256(), es256())
    async with world(module_database, tmp_path_factory.mktemp("state"), hides=True, pens=pens) as found:
        yield found, found.scene(pens.hanakos)


def is_health(tree: dict[str, Any]) -> bool:
    kind = TYPES.get(tree["resourceType"])
    return tree["resourceType"] not in NO_HEALTH_DATA and (kind is None or not kind.directory)


def within(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in an answer."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from within(each)


def health_in(answer: bytes) -> set[str]:
    """What of health data stands in an answer: records, or parts of them."""
    try:
        objects = list(within(orjson.loads(answer)))
    except orjson.JSONDecodeError:
        return set()
    records = {one["resourceType"] for one in objects if "resourceType" in one and is_health(one)}
    return records | {name for one in objects for name in MEMBERS & one.keys()}


@pytest.mark.parametrize("route", sorted(TELLING), ids=" ".join)
async def test_no_office_is_shown_health_data(told: tuple[World, Scene], route: Route) -> None:
    place, scene = told
    for office in OFFICES:
        voice, draw = place.town.as_(office), Random(" ".join((office, *route)))
        for _ in range(2 if route[0] == "GET" else 1):
            asked = TELLING[route](draw, scene)
            if asked.signed:
                continue
            answer = await place.ask(voice, asked)
            assert answer.status_code < 500, (office, asked)
            assert health_in(answer.content) == set(), (office, asked)


async def test_whose_records_they_are_is_shown_them(told: tuple[World, Scene]) -> None:
    """Otherwise the proof would prove nothing."""
    place, scene = told
    found: set[str] = set()
    for route in sorted(TELLING):
        asked = TELLING[route](Random(" ".join(route)), scene)
        if asked.method == "GET":
            answer = await place.ask(place.hanako, asked)
            found |= {route[1]} if health_in(answer.content) else set()
    assert len(found) > 3


@pytest.mark.parametrize("office", OFFICES)
async def test_an_office_does_its_own_work_and_no_others(told: tuple[World, Scene], office: str) -> None:
    """Which of the offices gets through where only one of them may."""
    place, _ = told
    model = {"manufacturer": "星見計器（架空）", "display": "x", "readings": ["body-weight"]}
    own: dict[str, tuple[Route, Any]] = {
        OPERATOR: (("POST", "/fhir/Organization"), {"resourceType": "Organization", "name": "架空"}),
        AUDITOR: (("GET", "/emergencies/reviews"), None),
        CLERK: (("GET", "/desk/matters"), None),
        APPROVER: (("PUT", "/devices/models/offices-1"), model),
    }
    for whose, ((method, path), tree) in own.items():
        kind = "application/fhir+json" if path.startswith("/fhir") else "application/json"
        content = None if tree is None else orjson.dumps(tree)
        answer = await place.town.as_(office).call(
            method, path, content=content, headers={"Content-Type": kind}
        )
        assert (answer.status_code in {200, 201}) is (office == whose), (office, whose, answer.text)
