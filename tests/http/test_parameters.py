"""Parameters of addresses beside the FHIR base: each is read or refused, and pages of notifications.

https://www.rfc-editor.org/rfc/rfc6749#section-3.1
"""

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from passport.routes.operations import OPERATIONS
from passport.routes.parameters import FREE
from tests import resources as made
from tests.attacks.routes import ROUTES
from tests.cast import Cast
from tests.town import AUDITOR, Town, Voice, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

TOLD: Final = "/notifications"
LOOKED_UP: Final = ("/audit/accesses",)
"""What names the parameters that it does not know itself."""


def address(template: str) -> str:
    """An address of this form that leads nowhere."""
    return re.sub(r"\{[^}]*\}", "00000000-0000-4000-8000-000000000000", template)


def beside_fhir() -> list[tuple[str, str]]:
    """The routes that the description of the interface tells of, those below the FHIR base left out."""
    return [
        (method, path)
        for method, path in ROUTES
        if (path, method.lower()) in OPERATIONS and not path.startswith("/fhir")
    ]


async def test_a_parameter_that_no_route_reads_is_refused_by_name(town: Town, hanako: Voice) -> None:
    asked = [
        (method, path) for method, path in beside_fhir() if path in LOOKED_UP or (method, path) not in FREE
    ]
    assert len(asked) > 90
    for method, path in asked:
        for who in (hanako,) if path in LOOKED_UP else (hanako, town.stranger):
            answer = await who.call(method, f"{address(path)}?unknown=1")
            assert answer.status_code == 400, (method, path, answer.text)
            (issue,) = answer.json()["issue"]
            assert "`unknown`" in issue["diagnostics"], (method, path)
            assert issue["expression"] == ["unknown"]


async def test_what_oauth_says_is_passed_over_is_no_reason_to_refuse(town: Town) -> None:
    for method, path in FREE - {("GET", path) for path in LOOKED_UP}:
        answer = await town.stranger.call(method, f"{address(path)}?unknown=1")
        assert "unknown" not in answer.text, path


async def test_every_route_whose_parameters_are_free_is_one() -> None:
    assert not FREE - set(beside_fhir())


async def test_an_unknown_parameter_is_refused_with_those_that_there_are(hanako: Voice) -> None:
    for path, expected in ((TOLD, "one of _count, _cursor"), ("/devices", "none")):
        told = outcome(await hanako.get(path, ("foo", "1")), 400, "invalid")
        assert told["issue"][0]["diagnostics"] == f"got parameter `foo`, expected {expected}"


@pytest.fixture
async def told(hanako: Voice, cast: Cast) -> Voice:
    """Somebody who was told three things."""
    for _ in range(3):
        answer = await cast.a.post(hanako.consent(permit(cast.hospital), status="proposed"))
        assert answer.status_code == 201, answer.text
    return hanako


async def pages(reader: Voice, count: int) -> list[list[Json]]:
    """The pages of what somebody was told."""
    path, found = f"{TOLD}?_count={count}", []
    while path:
        answer = await reader.get(path)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        path = answer.links.get("next", {}).get("url", "").removeprefix("http://passport.test")
    return found


@pytest.mark.parametrize(("count", "lengths"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (4, [3])])
async def test_notifications_come_by_pages(told: Voice, count: int, lengths: list[int]) -> None:
    found = await pages(told, count)
    assert [len(page) for page in found] == lengths
    assert [notice for page in found for notice in page] == (await told.get(TOLD)).json()


async def test_what_is_told_between_two_pages_moves_nothing(told: Voice, cast: Cast) -> None:
    before = (await told.get(TOLD)).json()
    first = await told.get(TOLD, ("_count", "2"))
    await cast.b.post(told.consent(permit(cast.hospital), status="proposed"))
    second = await told.get(first.links["next"]["url"].removeprefix("http://passport.test"))
    assert [*first.json(), *second.json()] == before


async def test_a_cursor_of_notifications_opens_for_its_reader_alone(told: Voice, taro: Voice) -> None:
    answer = await told.get(TOLD, ("_count", "1"))
    query = dict(parse_qsl(urlsplit(answer.links["next"]["url"]).query))
    outcome(await taro.get(TOLD, *query.items()), 400, "invalid")
    outcome(await told.get(TOLD, ("_cursor", "x")), 400, "invalid")


@pytest.mark.parametrize("count", ["abc", "0", "-1", "", "1.5"])
async def test_a_count_of_notifications_is_a_number(hanako: Voice, count: str) -> None:
    told = outcome(await hanako.get(TOLD, ("_count", count)), 400, "invalid")
    assert told["issue"][0]["expression"] == ["_count"]


async def test_who_has_no_passport_is_told_who_reads_notifications(town: Town, cast: Cast) -> None:
    for who in (cast.a, town.as_(AUDITOR), town.operator):
        told = outcome(await who.get(TOLD), 403, "forbidden")
        assert "by the person whose passport it is" in told["issue"][0]["diagnostics"]
        assert "proposed" not in told["issue"][0]["diagnostics"]


async def test_a_consent_of_a_resident_that_names_no_patient_is_told_what_it_lacks(
    hanako: Voice, cast: Cast
) -> None:
    tree = hanako.consent(permit(cast.hospital))
    del tree["patient"]
    told = outcome(await hanako.post(tree), 403, "forbidden")
    (issue,) = told["issue"]
    assert "without `Consent.patient`" in issue["diagnostics"]
    assert "which operators write" in issue["diagnostics"]
    assert issue["expression"] == ["Consent.patient"]
    # Whoever else writes one without a patient, or about somebody else, is told what they were.
    assert "whoever acts as patient" in (await hanako.post(made.weight("Patient/nobody"))).text
    for status in ("proposed", "active"):
        answer = await cast.a.post({**tree, "status": status})
        assert answer.status_code in {403, 422}
        assert "with a Consent of status `proposed`" not in answer.text
