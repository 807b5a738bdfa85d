"""Who is told of a count, and by which grants, whatever was counted; on a real database."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import text

from passport.audit.disclosed import MOST_TOLD, parameters, recording
from passport.database import Connection, open_pool
from passport.decision import granted, ruled
from passport.disclosure.recorded import counted_before, counted_params
from passport.sql import fetch, prepare
from passport.subjects import Subject
from tests.databases import Database

pytestmark = pytest.mark.anyio

CALLER: Final = Subject(
    "service", "Organization/o", None, None, None, None, "PUBHLTH", frozenset(), None, None
)
NOTHING_SHOWN: Final = """
SELECT NULL::bigint AS patient_key, NULL::bigint[] AS others, NULL::bigint AS record_key, NULL::int AS version,
    NULL::bigint[] AS relied WHERE false
"""


class Counted:
    """Records of one patient that were counted; `relied` are the numbers of grants."""

    def __init__(self, patient_key: int, relied: Sequence[int], others: Sequence[int] | None = None) -> None:
        self.patient_key, self.relied, self.others = patient_key, relied, others


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    async with open_pool(database.service_url, size=1) as pool, pool.connection() as one:
        yield one


async def told(
    connection: Connection, counted: Sequence[Counted], grants: Sequence[tuple[int, str]]
) -> dict[int, list[str]]:
    """The grants that each log names."""
    shown = text(NOTHING_SHOWN).columns().cte("shown")
    statement = text("SELECT count(*) AS rows FROM audited").columns()
    written = statement.add_cte(shown, counted_before(), recording(counted=True))
    values: dict[str, Any] = {
        **parameters(
            CALLER,
            verb="search",
            query="GET Observation",
            told=[0],
            grants=tuple(grants),
            one=False,
            now=datetime(2026, 11, 1, tzinfo=UTC),
        ),
        **counted_params(counted),
    }
    await fetch(connection, prepare(written), values)
    rows = await (await connection.execute("SELECT patient_key, grants FROM audit_event")).fetchall()
    return dict(rows)


async def test_each_is_told_by_their_own_grants(connection: Connection) -> None:
    grants = [
        (granted(patient, place), f"Consent/{patient}-{place}") for patient in (7, 8) for place in (0, 1)
    ]
    counted = [
        Counted(7, [granted(7, 0)]),
        Counted(7, [granted(7, 0), granted(7, 1)]),
        Counted(8, [granted(8, 1), granted(7, 1)], [7]),
    ]
    assert await told(connection, counted, grants) == {
        0: [],
        7: ["Consent/7-0", "Consent/7-1"],
        8: ["Consent/8-1"],
    }


async def test_a_policy_that_reaches_everybody_is_named_to_each(connection: Connection) -> None:
    counted = [Counted(7, [ruled(0)]), Counted(8, [ruled(1)], [9])]
    named = await told(connection, counted, [(ruled(0), "Consent/p"), (ruled(1), "Consent/q")])
    assert named == {0: [], 7: ["Consent/p"], 8: ["Consent/q"], 9: ["Consent/q"]}


async def test_who_is_counted_by_no_grant_is_told_as_well(connection: Connection) -> None:
    assert await told(connection, [Counted(7, [])], []) == {0: [], 7: []}


@pytest.mark.parametrize("beyond", [0, 1])
async def test_a_count_of_very_many_stands_in_nobodys_log(connection: Connection, beyond: int) -> None:
    people = range(1, MOST_TOLD + beyond + 1)
    grants = [(granted(patient, 0), f"Consent/{patient:05d}") for patient in people]
    named = await told(connection, [Counted(patient, [granted(patient, 0)]) for patient in people], grants)
    if beyond:
        assert named == {0: [ref for _, ref in grants][:MOST_TOLD]}
    else:
        assert named == {0: []} | {patient: [f"Consent/{patient:05d}"] for patient in people}
