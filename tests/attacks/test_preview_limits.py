"""A look at what consents do costs its caller, and nobody else: what one body may ask, and how many at once.

https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/
"""

from asyncio import gather
from time import perf_counter
from typing import Any, Final

import psycopg
import pytest

from passport.explaining.asked import MOST_ACTORS, MOST_PROVISIONS, MOST_VALUES
from passport.explaining.viewing import AT_ONCE
from tests.cast import Cast
from tests.explaining import edit, sent
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, allow, deny, permit

pytestmark = pytest.mark.anyio

LOINC: Final = "http://loinc.org"
PATHS: Final = ("/sharing/changes", "/sharing/preview")
LOOK: Final = {"actor": "Organization/0-0", "purpose": "TREAT", "count": 0}
MANY: Final = ("TREAT", "ETREAT", "CAREMGT", "HPAYMT", "HOPERAT", "PUBHLTH", "HRESCH", "HMARKT")

SECONDS: Final = 20
"""What the largest body that is taken may cost of this machine, ten times over what it does alone."""


def body(voice: Voice, path: str, *roots: Json) -> Json:
    return edit(voice, *roots, **(LOOK if path.endswith("preview") else {}))


def draft(at: int, actors: int, exceptions: int) -> Json:
    """One of many drafts, each for others and with exceptions of its own."""
    return permit(
        *[f"Organization/{at}-{one}" for one in range(actors)],
        purposes=MANY,
        but=[deny(codes=[(LOINC, f"{at}-{one}")]) for one in range(exceptions)],
    )


def deep() -> Json:
    """Exceptions of exceptions."""
    inner = [deny(but=[allow(), allow()]) for _ in range(90)]
    return permit("Organization/x", but=inner)


TOO_LARGE: Final = {
    "exceptions of many drafts": [draft(at, 5, 110) for at in range(20)],
    "exceptions of one": [draft(0, 1, MOST_PROVISIONS)],
    "exceptions of exceptions": [deep()],
    "actors": [draft(at, MOST_ACTORS // 20 + 1, 0) for at in range(20)],
    "codes": [permit("Organization/x", codes=[(LOINC, str(at)) for at in range(MOST_VALUES)])],
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", TOO_LARGE)
async def test_what_takes_too_long_to_compare_is_refused_before_anything_is_asked(
    hanako: Voice, path: str, name: str
) -> None:
    began = perf_counter()
    answer = await sent(hanako, path, body(hanako, path, *TOO_LARGE[name]))
    issue = outcome(answer, 400, "too-costly")["issue"][0]
    assert issue["expression"] == ["drafts"]
    assert perf_counter() - began < SECONDS / 4


async def test_what_is_no_provision_is_refused_as_ever(hanako: Voice) -> None:
    wrongs: tuple[Any, ...] = (
        1,
        "x",
        [],
        [[[{}]]],
        {"provision": 1},
        {"provision": [None, 1, [[]]]},
        {"actor": {}},
    )
    for wrong in wrongs:
        answer = await sent(hanako, "/sharing/changes", body(hanako, "", wrong))
        assert answer.status_code in {400, 422}, (wrong, answer.text)


LARGEST: Final = {
    "many drafts": [draft(at, 5, 11) for at in range(20)],
    "an exception for each actor": [
        permit(
            *[f"Organization/{at}" for at in range(50)],
            purposes=MANY,
            but=[deny(f"Organization/{at % 50}", codes=[(LOINC, str(at))]) for at in range(50)]
            + [deny(codes=[(LOINC, f"x{at}")]) for at in range(204)],
        )
    ],
}


@pytest.mark.parametrize("name", LARGEST)
async def test_the_largest_body_that_is_taken_costs_seconds_and_lets_others_be_answered(
    cast: Cast, hanako: Voice, name: str
) -> None:
    began = perf_counter()
    answer = await sent(hanako, "/sharing/changes", body(hanako, "", *LARGEST[name]))
    assert answer.status_code == 200, answer.text
    assert perf_counter() - began < SECONDS
    told = answer.json()
    # What one count does not reach is said to be left out.
    assert told["people"]
    assert told["more"]


def kept(town: Town) -> int:
    return len(town.runtime.statements._by_structure)


async def test_what_is_only_supposed_takes_no_place_in_the_memory_of_the_process(
    cast: Cast, hanako: Voice
) -> None:
    for path in PATHS:
        assert (await sent(hanako, path, body(hanako, path, draft(0, 1, 2)))).status_code == 200
    before = kept(cast.town)
    for path in PATHS:
        for at in range(3):
            answer = await sent(hanako, path, body(hanako, path, draft(at, 2, 3 + at)))
            assert answer.status_code == 200, answer.text
    assert kept(cast.town) == before


async def test_a_caller_has_so_many_looks_at_once_and_others_theirs(
    cast: Cast, hanako: Voice, taro: Voice
) -> None:
    roots = [draft(at, 2, 5) for at in range(8)]
    mine = [sent(hanako, PATHS[at % 2], body(hanako, PATHS[at % 2], *roots)) for at in range(8)]
    other = sent(taro, "/sharing/changes", body(taro, "", draft(0, 1, 1)))
    *answers, others = await gather(*mine, other)
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= AT_ONCE
    assert others.status_code == 200
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["Retry-After"]) > 0
    # Whatever came of the looks, the turns are free again.
    assert (await sent(hanako, "/sharing/changes", body(hanako, "", roots[0]))).status_code == 200


async def test_a_look_that_another_process_answers_counts_as_well(town: Town, hanako: Voice) -> None:
    keys = town.runtime.keys
    turns = [keys.token(f"look {at} of {hanako.reference}") for at in range(AT_ONCE)]
    with psycopg.connect(town.database.superuser_url) as connection:
        for turn in turns:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (turn,))
        outcome(await hanako.get("/sharing/explain", ("record", "Observation/x")), 429, "throttled")
        answer = await sent(hanako, "/sharing/changes", body(hanako, "", draft(0, 1, 1)))
        outcome(answer, 429, "throttled")
    assert (await sent(hanako, "/sharing/changes", body(hanako, "", draft(0, 1, 1)))).status_code == 200
