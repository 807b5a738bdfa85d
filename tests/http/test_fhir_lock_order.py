"""Transactions that touch the same records in opposite order: each waits for the other, and none for ever.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest

from passport.intake import current
from passport.sql import Connection, Prepared, fetch
from tests import resources as made
from tests.http.bundles import asked, created, send
from tests.town import Town, Voice
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

ROUNDS = 25


@pytest.fixture(scope="module")
async def laboratory(town: Town) -> AsyncIterator[Voice]:
    """Whom a policy lets write every Observation, under ids of its own."""
    reference = await town.operator.create(made.organization("架空検査室"))
    root = permit(reference, types=["Observation", "Provenance"], actions=["access", "collect", "correct"])
    policy = await town.policy(consent_json(root, None))
    yield town.as_(reference)
    await town.operator.remove(policy)


def update(reference: str, tree: Json) -> Json:
    return asked("PUT", reference, {**tree, "id": reference.partition("/")[2]})


async def opposed(voice: Voice, entries: Sequence[Json]) -> list[int]:
    """The statuses of the transaction and of the same in opposite order, sent at the same moment."""
    answers = await asyncio.gather(
        send(voice, "transaction", *entries), send(voice, "transaction", *reversed(entries))
    )
    return [answer.status_code for answer in answers]


async def test_records_are_updated_in_one_order(hanako: Voice) -> None:
    references = [await hanako.create(made.weight(hanako.reference)) for _ in range(12)]
    for at in range(ROUNDS):
        tree = made.weight(hanako.reference, 50.0 + at)
        assert await opposed(hanako, [update(one, tree) for one in references]) == [200, 200]
    assert (await hanako.read(references[0]))["meta"]["versionId"] == str(1 + 2 * ROUNDS)


async def test_records_are_created_under_chosen_ids_in_one_order(hanako: Voice, laboratory: Voice) -> None:
    tree = made.weight(hanako.reference)
    for _ in range(5):
        references = [f"Observation/{uuid4()}" for _ in range(400)]
        statuses = await opposed(laboratory, [update(one, tree) for one in references])
        # Whoever comes second updates what is there, or finds the ids taken at that moment.
        assert sorted(statuses) in ([200, 200], [200, 405])


async def test_what_others_follow_is_not_waited_for(hanako: Voice, laboratory: Voice) -> None:
    first, second = [await laboratory.create(made.weight(hanako.reference)) for _ in range(2)]
    tree = made.weight(hanako.reference, 61.0)
    for _ in range(ROUNDS):
        answers = await asyncio.gather(
            *(
                send(
                    laboratory,
                    "transaction",
                    update(changed, tree),
                    created(made.provenance(other, agent=laboratory.reference)),
                )
                for changed, other in ((first, second), (second, first))
            )
        )
        assert [answer.status_code for answer in answers] == [200, 200]


async def test_consents_that_say_something_new_are_written_in_one_order(hanako: Voice) -> None:
    for at in range(ROUNDS):
        roots = [
            permit(f"Practitioner/{uuid4()}", codes=[("http://example.test/new", f"{at}-{number}")])
            for number in range(8)
        ]
        entries = [created(hanako.consent(root)) for root in roots]
        assert await opposed(hanako, entries) == [200, 200]


async def test_an_update_locks_once_and_in_the_order_of_keys(
    hanako: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def fetched(connection: Connection, prepared: Prepared, params: Mapping[str, object]) -> Any:
        sent.append(prepared.text)
        return await fetch(connection, prepared, params)

    reference = await hanako.create(made.weight(hanako.reference))
    monkeypatch.setattr(current, "fetch", fetched)
    await hanako.replace(reference, made.weight(hanako.reference, 61.0))
    (statement,) = sent
    assert re.search(r"ORDER BY r\.record_key\s+FOR UPDATE OF r$", statement)
