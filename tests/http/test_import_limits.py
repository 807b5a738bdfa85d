"""How much one source may have waiting, and what becomes of files that fail, come twice, or outlive a session."""

import asyncio
from typing import Any

import psycopg
import pytest

from passport.imports import handover
from passport.imports.carry import TRIES
from passport.outbox import claim
from tests.http.handbooks import handbook
from tests.http.import_counter import Counter
from workers.attempt import attempt
from workers.tasks import HANDLERS

pytestmark = pytest.mark.anyio

LONG = handbook("20260401") + b"\r\n" * 2 * handover.UNPACED_BYTES


def rows(counter: Counter, statement: str, *values: object) -> list[Any]:
    with psycopg.connect(counter.database.superuser_url) as connection:
        return connection.execute(statement, values).fetchall()


def delegated(counter: Counter, source: str) -> int:
    """How many sessions of a source go on with which no token but a task acts."""
    goes_on = "subject = %s AND ended_at IS NULL AND expires_at - issued_at > interval '29 days'"
    return int(rows(counter, f"SELECT count(*) FROM session WHERE {goes_on}", source)[0][0])


async def test_a_source_has_so_many_files_waiting_and_is_told_when_to_come_back(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "MOST_WAITING", 2)
    await counter.consent()
    first = await counter.hand_over(handbook("20260401"))
    await counter.hand_over(handbook("20260402"))
    beyond = await counter.hand_over(handbook("20260403"))
    assert (beyond.status_code, beyond.headers["Retry-After"]) == (429, str(handover.RETRY_SECONDS))
    assert (await counter.hand_over(handbook("20260401"))).headers["Location"] == first.headers["Location"]
    assert (await counter.hand_over(handbook("20260403"), who=counter.patient)).status_code == 202
    assert delegated(counter, counter.pharmacy) == 2
    await counter.work()
    assert (await counter.hand_over(handbook("20260403"))).status_code == 202
    await counter.work()


async def test_a_long_file_is_taken_while_few_others_wait(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "MOST_WAITING_BEFORE_LONG", 1)
    assert (await counter.hand_over(LONG, who=counter.patient)).status_code == 202
    assert (await counter.hand_over(LONG + b"\r\n", who=counter.patient)).status_code == 429
    assert (await counter.hand_over(handbook("20260402"), who=counter.patient)).status_code == 202
    await counter.work()


async def test_long_files_of_one_source_are_due_one_after_another_and_nobody_elses_wait(
    counter: Counter,
) -> None:
    for at in range(3):
        await counter.hand_over(LONG + b"\r\n" * at, who=counter.patient)
    await counter.hand_over(handbook("20260401"), who=counter.patient)
    await counter.consent()
    await counter.hand_over(LONG)
    found = rows(counter, "SELECT due_at - created_at FROM outbox WHERE done_at IS NULL ORDER BY created_at")
    pauses = [pause.total_seconds() for (pause,) in found]
    assert pauses[0] == pauses[3] == pauses[4] == 0
    assert pauses[2] == pytest.approx(2 * pauses[1], abs=0.01)
    assert pauses[1] >= handover.UNPACED_BYTES * handover.PACE_SECONDS_A_BYTE
    await counter.work()


async def test_the_same_file_many_times_at_once_is_one_import_with_one_session(counter: Counter) -> None:
    await counter.consent()
    answers = await asyncio.gather(*(counter.hand_over(handbook("20260401")) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(counter.waiting()) == 1
    assert delegated(counter, counter.pharmacy) == 1
    await counter.work()
    assert delegated(counter, counter.pharmacy) == 0


async def test_a_file_that_kills_its_workers_is_refused_after_few_tries_and_kept(counter: Counter) -> None:
    await counter.consent()
    location = (await counter.hand_over(handbook("20260401"))).headers["Location"]
    ((patient_key, outbox_id),) = counter.waiting()
    async with counter.town.runtime.pool.connection() as connection:
        for _ in range(TRIES):
            assert await claim(connection, patient_key, outbox_id, now=counter.town.runtime.clock())
    await counter.work()
    status = (await counter.status(location)).json()
    assert (status["status"], status["reason"], status["created"]) == ("refused", "failed", [])
    assert counter.waiting() == []
    assert delegated(counter, counter.pharmacy) == 0
    import_id = location.rpartition("/")[2]
    (sealed,) = rows(counter, "SELECT length(content) FROM import_job WHERE import_id = %s", import_id)
    assert sealed[0] > len(handbook("20260401"))
    assert (await counter.imported(handbook("20260401")))["status"] == "finished"


async def test_two_workers_at_files_of_one_source_write_each_medicine_once(counter: Counter) -> None:
    await counter.consent()
    for days in (["20260401"], ["20260402", "20260401"]):
        await counter.hand_over(handbook(*days))
    waiting = counter.waiting()
    runtime = counter.town.runtime
    await asyncio.gather(*(attempt(runtime, HANDLERS, *row, limit_seconds=20) for row in waiting))
    ids = [outbox_id for _, outbox_id in waiting]
    assert rows(counter, "SELECT DISTINCT attempts, failure FROM outbox WHERE outbox_id = ANY (%s)", ids) == [
        (1, None)
    ]
    assert len(await counter.stored("MedicationDispense")) == 2


@pytest.mark.parametrize("own", [True, False])
async def test_a_file_is_carried_in_though_its_source_signed_out_meanwhile(
    counter: Counter, own: bool
) -> None:
    await counter.consent()
    source = counter.patient if own else counter.pharmacy
    location = (await counter.hand_over(handbook("20260401"), who=source)).headers["Location"]
    assert (await counter.town.call(source, "POST", "/auth/sign-out")).is_success
    del counter.town.tokens[source]
    await counter.work()
    assert (await counter.status(location, who=source)).json()["status"] == "finished"
    assert delegated(counter, source) == 0


async def test_a_file_of_a_source_all_of_whose_sessions_were_ended_is_refused(counter: Counter) -> None:
    await counter.consent()
    location = (await counter.hand_over(handbook("20260401"))).headers["Location"]
    ended = "UPDATE session SET ended_at = issued_at WHERE subject = %s RETURNING 1"
    assert len(rows(counter, ended, counter.pharmacy)) > 1
    del counter.town.tokens[counter.pharmacy]
    await counter.work()
    status = (await counter.status(location)).json()
    assert (status["status"], status["reason"]) == ("refused", "session-ended")
    assert await counter.stored("MedicationDispense") == []
