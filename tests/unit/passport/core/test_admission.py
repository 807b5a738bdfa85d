"""Admission: a request is one transaction; what is refused leaves its row and nothing else."""

from hashlib import sha256

import pytest

from consent.model import Action
from passport.admission import Request, admitted
from passport.outcomes import NotFound, Refused, Unauthenticated
from passport.subjects import Bearer
from tests.cast import Cast
from tests.town import Town, Voice

pytestmark = pytest.mark.anyio

READ = Request(Action.ACCESS, "read", "GET x")
WRITE = Request(Action.COLLECT, "create", "POST x", isolation="write")


async def caller_of(voice: Voice) -> Bearer:
    token = await voice.town.token(voice.reference, voice.purpose, voice.scope)
    return Bearer(sha256(token.encode()).digest())


async def mark(
    town: Town, voice: Voice, failing: BaseException | None = None, request: Request = WRITE
) -> None:
    """Write something that only a commit makes last."""
    async with admitted(town.runtime, await caller_of(voice), request) as desk:
        await desk.connection.execute("INSERT INTO copatient VALUES (-5, -6)")
        if failing is not None:
            raise failing


def marked(town: Town) -> bool:
    return bool(town.rows("DELETE FROM copatient WHERE patient_key = -5 RETURNING 1"))


def last_row(town: Town) -> tuple[object, ...]:
    (row,) = town.rows(
        "SELECT action, kind, subject, purpose, query, outcome, detail FROM audit_event ORDER BY recorded DESC LIMIT 1"
    )
    return tuple(row)


async def test_what_a_block_did_lasts_when_it_ends(town: Town, hanako: Voice) -> None:
    await mark(town, hanako)
    assert marked(town)


@pytest.mark.parametrize(
    ("failing", "outcome", "detail"),
    [
        (Refused(), "refused", "forbidden"),
        (NotFound(), "not-found", "not-found"),
        (ZeroDivisionError(), "error", "exception"),
    ],
)
async def test_what_a_block_did_is_undone_when_it_fails_and_the_row_says_why(
    town: Town, hanako: Voice, failing: Exception, outcome: str, detail: str
) -> None:
    with pytest.raises(type(failing)):
        await mark(town, hanako, failing)
    assert not marked(town)
    assert last_row(town) == ("create", "patient", hanako.reference, "PATRQT", "POST x", outcome, detail)


async def test_a_caller_without_a_good_token_leaves_a_row_of_nobody(town: Town) -> None:
    with pytest.raises(Unauthenticated):
        async with admitted(town.runtime, Bearer(bytes(32)), READ):
            pass
    assert last_row(town) == ("read", "", None, None, "GET x", "refused", "login")


async def test_a_refusal_stands_in_the_log_of_the_patient_who_was_asked_about(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    asked = Request(Action.ACCESS, "read", "GET x", about=hanako.reference)
    with pytest.raises(Refused):
        async with admitted(town.runtime, await caller_of(cast.a), asked):
            raise Refused
    found = town.rows(
        "SELECT subject, outcome FROM audit_event JOIN patient USING (patient_key) WHERE patient_id = %s "
        "ORDER BY recorded DESC LIMIT 1",
        hanako.reference.partition("/")[2],
    )
    assert [tuple(row) for row in found] == [(cast.dr_a, "refused")]


async def test_a_connection_goes_back_clean_after_a_failure(town: Town, hanako: Voice) -> None:
    for _ in range(town.runtime.pool.max_size + 2):
        with pytest.raises(Refused):
            await mark(town, hanako, Refused())
    await mark(town, hanako)
    assert marked(town)
    assert town.runtime.pool.get_stats().get("requests_errors", 0) == 0


async def test_a_read_sees_one_snapshot_and_a_write_what_was_committed_meanwhile(
    town: Town, hanako: Voice
) -> None:
    for request, expected in ((READ, False), (WRITE, True)):
        async with admitted(town.runtime, await caller_of(hanako), request) as desk:
            town.rows("INSERT INTO copatient VALUES (-5, -6) RETURNING 1")
            cursor = await desk.connection.execute("SELECT FROM copatient WHERE patient_key = -5")
            assert bool(await cursor.fetchall()) is expected
        assert marked(town)


async def test_a_standing_for_another_action_is_read_in_the_same_transaction(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    asked = Request(Action.ACCESS, "read", "GET x", about=hanako.reference)
    async with admitted(town.runtime, await caller_of(cast.a), asked) as desk:
        other = await desk.standing_for(Action.COLLECT)
        assert other.asked == desk.standing.asked
        assert other.subject == desk.subject
