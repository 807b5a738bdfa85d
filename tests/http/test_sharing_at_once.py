"""Many at once: a code is redeemed by one organization, a request is answered once, nobody asks more than they may.

https://www.postgresql.org/docs/current/transaction-iso.html
"""

import asyncio
from collections import Counter
from typing import Final

import pytest

from passport.intake import PROPOSALS_PER_HOUR
from tests import resources as made
from tests.cast import Cast
from tests.sharing import CARD, ask, asking, code_of, done, sent, shown, told
from tests.town import Town, Voice

pytestmark = pytest.mark.anyio

MANY: Final = 50


@pytest.fixture(scope="module")
async def services(town: Town) -> list[Voice]:
    """As many organizations as come at once, each signed in."""
    write = town.operator.create
    voices = [town.as_(await write(made.organization(f"架空{at}"))) for at in range(MANY)]
    for voice in voices:
        await town.token(voice.reference, voice.purpose)
    return voices


async def test_of_fifty_organizations_at_once_one_gets_what_a_code_shares(
    hanako: Voice, services: list[Voice]
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    code = {"user_code": (await code_of(hanako))["user_code"]}
    answers = await asyncio.gather(*(sent(voice, "redemptions", code) for voice in services))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 404: MANY - 1}
    (redeemed,) = [answer.json() for answer in answers if answer.status_code == 201]
    (given,) = await told(hanako, "grants")
    assert given["consent"] == redeemed["consent"]
    seeing = [voice.reference for voice in services if await voice.sees(pressure)]
    assert seeing == [redeemed["organization"]]


async def test_of_fifty_of_one_organization_at_once_all_get_one_and_the_same(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    write = town.operator.create
    roles = [
        await write(made.role(await write(made.practitioner(f"架空 {at}")), cast.clinic))
        for at in range(MANY)
    ]
    code = {"user_code": (await code_of(hanako))["user_code"]}
    answers = await asyncio.gather(*(sent(town.as_(role), "redemptions", code) for role in roles))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: MANY - 1}
    assert len({answer.json()["consent"] for answer in answers}) == 1
    assert len(await told(hanako, "grants")) == 1


async def test_wrong_codes_at_once_are_counted_each(cast: Cast) -> None:
    wrong = [{"user_code": f"0000-0000-{at:04}"} for at in range(MANY)]
    answers = await asyncio.gather(*(sent(cast.e, "redemptions", tree) for tree in wrong))
    assert Counter(answer.status_code for answer in answers) == {404: 10, 429: MANY - 10}


async def test_requests_at_once_are_bounded_as_those_in_turn(services: list[Voice]) -> None:
    tree = asking(identifier=f"{CARD}|NOBODY")
    answers = await asyncio.gather(
        *(sent(services[0], "requests", tree) for _ in range(PROPOSALS_PER_HOUR + 10))
    )
    assert Counter(answer.status_code for answer in answers) == {202: PROPOSALS_PER_HOUR, 429: 10}


async def test_a_request_that_is_granted_and_declined_at_once_is_one_of_both(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    said = await shown(town)
    for _ in range(5):
        code = await code_of(hanako, "request")
        request = await ask(cast.a, user_code=code["user_code"])
        answers = await asyncio.gather(
            sent(hanako, f"requests/{request}/grant", said), sent(hanako, f"requests/{request}/decline")
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        granted = answers[0].status_code == 200
        assert await cast.a.sees(pressure) is granted
        assert (await told(cast.a, f"requests/{request}"))["state"] == ("active" if granted else "declined")
        if granted:
            await done(hanako, f"grants/{request}/withdraw")


async def test_of_codes_made_at_once_one_is_good(hanako: Voice, cast: Cast) -> None:
    codes = await asyncio.gather(*(code_of(hanako) for _ in range(8)))
    texts = [{"user_code": code["user_code"]} for code in codes]
    statuses = [(await sent(cast.a, "redemptions", text)).status_code for text in texts]
    assert Counter(statuses) == {201: 1, 404: 7}


async def test_a_code_that_is_taken_back_while_it_is_redeemed_is_one_of_both(
    hanako: Voice, services: list[Voice]
) -> None:
    redeemed_ones = 0
    for voice in services[1:11]:
        code = await code_of(hanako)
        redeemed, back = await asyncio.gather(
            sent(voice, "redemptions", {"user_code": code["user_code"]}),
            sent(hanako, f"codes/{code['id']}", method="DELETE"),
        )
        assert (redeemed.status_code, back.status_code) in {(201, 404), (404, 204)}
        redeemed_ones += redeemed.status_code == 201
    assert len(await told(hanako, "grants")) == redeemed_ones
