"""What was compiled is kept: versions replace each other, shapes are shared, memberships follow the directory."""

import json
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from consent.compile import compile_consent
from consent.errors import ShapeCollision
from consent.model import Consent
from consent.store import GRANT_TABLES, load_shapes, replace, replace_memberships, shape_rows
from tests.databases import Database
from tests.unit.consent.enforcement import KEYS
from tests.unit.consent.words import (
    DR_A,
    DR_B,
    ORG_H,
    TOKYO,
    Json,
    allow,
    consent_json,
    consents,
    deny,
    permit,
    read,
)

pytestmark = pytest.mark.anyio

PATIENT_KEY = 7
CONSENT_KEY = KEYS.reference("Consent/1")
ROOT = permit(DR_A, ORG_H, types=["Observation"], period={"start": "2026", "end": "2027"}, but=[deny(DR_B)])
TREE = deny(but=[permit(DR_A), permit("Group/g", but=[deny(but=[allow()])])])

Connection = psycopg.AsyncConnection[Any]


@pytest.fixture
async def connection(module_database: Database) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(module_database.superuser_url) as opened:
        yield opened
        await opened.rollback()


async def keep(
    connection: Connection, root: Json, status: str = "active", patient_key: int = PATIENT_KEY
) -> None:
    found = read(consent_json(root, status=status))
    assert isinstance(found, Consent)
    compiled = compile_consent(found, KEYS)
    await replace(connection, compiled, patient_key=patient_key, consent_key=CONSENT_KEY)


async def rows(connection: Connection, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return await (await connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3, 4")).fetchall()


async def counts(connection: Connection) -> list[int]:
    return [len(await rows(connection, table)) for table in GRANT_TABLES]


async def test_a_consent_is_kept_as_grants_nodes_and_recipients(connection: Connection) -> None:
    await keep(connection, ROOT)
    assert await counts(connection) == [1, 2, 2]
    assert await rows(
        connection, "consent_grant", "patient_key, consent_key, ordinal, consent_ref, effect"
    ) == [(PATIENT_KEY, CONSENT_KEY, 0, "Consent/1/_history/1", 1)]
    (root, exception) = await rows(
        connection,
        "consent_node",
        "node, granting, actors, chained, purposes, actions, starts::text, ends::text",
    )
    assert root[:6] == (0, True, sorted(map(KEYS.reference, (DR_A, ORG_H))), True, 1, 1)
    assert [str(end).startswith("202") for end in root[6:]] == [True, True]
    assert exception == (1, False, [KEYS.reference(DR_B)], True, None, None, None, None)


async def test_a_new_version_replaces_the_old_one(connection: Connection) -> None:
    await keep(connection, ROOT)
    await keep(connection, TREE)
    assert await counts(connection) == [3, 5 + 2 + 4, 2]
    await keep(connection, ROOT)
    assert await counts(connection) == [1, 2, 2]


@pytest.mark.parametrize("status", ["inactive", "proposed", "entered-in-error"])
async def test_a_version_that_does_not_count_withdraws_the_consent(
    connection: Connection, status: str
) -> None:
    await keep(connection, TREE)
    await keep(connection, TREE, status=status)
    assert await counts(connection) == [0, 0, 0]


async def test_another_patients_consent_stays(connection: Connection) -> None:
    await keep(connection, ROOT, patient_key=8)
    await keep(connection, ROOT)
    await keep(connection, ROOT, status="inactive")
    assert await counts(connection) == [1, 2, 2]


async def test_shapes_are_shared_and_come_back_whole(connection: Connection) -> None:
    await keep(connection, ROOT)
    await keep(connection, ROOT, patient_key=8)
    (one,) = consents(ROOT)
    (grant,) = compile_consent(one, KEYS).grants
    assert await load_shapes(connection, [grant.shape_key, 404]) == {grant.shape_key: grant.shape}


async def test_whoever_keeps_a_new_shape_holds_off_others_and_nobody_else_does(
    connection: Connection,
) -> None:
    async def held() -> list[tuple[Any, ...]]:
        found = await connection.execute(
            "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        return await found.fetchall()

    (one,) = consents(ROOT)
    kept = json.dumps(shape_rows(compile_consent(one, KEYS)))
    await connection.execute(
        "INSERT INTO consent_shape SELECT * FROM jsonb_populate_recordset(NULL::consent_shape, %s::jsonb)",
        [kept],
    )
    await keep(connection, ROOT)
    assert await held() == []
    await keep(connection, TREE)
    assert await held() == [(1, 0)]


async def test_a_shape_that_cannot_be_enforced_is_not_loaded(connection: Connection) -> None:
    await connection.execute("""INSERT INTO consent_shape VALUES (1, '{"version": 9}')""")
    assert await load_shapes(connection, [1]) == {}


async def test_a_shape_never_stands_for_another_with_its_key(connection: Connection) -> None:
    (one,) = consents(ROOT)
    (grant,) = compile_consent(one, KEYS).grants
    await connection.execute("INSERT INTO consent_shape VALUES (%s, '{}')", [grant.shape_key])
    with pytest.raises(ShapeCollision):
        await keep(connection, ROOT)


def role(**elements: Any) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": "r",
        "practitioner": {"reference": DR_A},
        "organization": {"reference": ORG_H},
        **elements,
    }


async def test_memberships_follow_the_directory(connection: Connection) -> None:
    ours = "PractitionerRole/r"
    key = KEYS.reference(ours)

    async def kept() -> tuple[list[Any], list[Any]]:
        steps = await rows(connection, "membership", "kind, member, container, origin")
        return [step[:3] for step in steps], await rows(
            connection, "collective", "actor_key, resolvable, 1, 1"
        )

    await replace_memberships(connection, ours, role(), KEYS, zone=TOKYO)
    steps = [(1, key, key), (2, key, KEYS.reference(DR_A)), (3, key, KEYS.reference(ORG_H))]
    assert await kept() == (steps, [(key, True, 1, 1)])
    await replace_memberships(connection, ours, role(active=False), KEYS, zone=TOKYO)
    assert await kept() == ([], [(key, True, 1, 1)])
    await replace_memberships(connection, ours, role(organization={}), KEYS, zone=TOKYO)
    assert await kept() == (steps[:2], [(key, False, 1, 1)])
    await replace_memberships(connection, ours, None, KEYS, zone=TOKYO)
    assert await kept() == ([], [])


async def test_a_membership_keeps_its_period(connection: Connection) -> None:
    period = {"start": "2026-01-01", "end": "2026-06-30"}
    await replace_memberships(connection, "PractitionerRole/r", role(period=period), KEYS, zone=TOKYO)
    kept = await connection.execute("SELECT DISTINCT starts, ends FROM membership")
    assert [tuple(instant.isoformat() for instant in row) for row in await kept.fetchall()] == [
        ("2025-12-31T15:00:00+00:00", "2026-06-30T15:00:00+00:00")
    ]
