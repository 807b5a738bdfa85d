"""The second wall: whoever speaks as the service and forgets the consent clause still meets row-level security.

https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from consent.model import Action
from passport.admission import Request, admitted
from passport.notices import tell
from passport.sql import Connection
from passport.subjects import Bearer
from tests import resources as made
from tests.cast import Cast
from tests.databases import Database
from tests.town import Town, Voice
from tests.unit.consent.words import consent_json, deny, permit

pytestmark = pytest.mark.anyio

OF_RECORDS: Final = (
    "resource",
    "resource_version",
    "resource_part",
    "resource_token",
    "identifier_index",
)
BESIDE: Final = ("quarantine", "import_job", "import_entry", "notification")
WALLED: Final = (*OF_RECORDS, *BESIDE)


def patient_key(voice: Voice) -> int:
    ((key,),) = voice.town.rows(
        "SELECT patient_key FROM patient WHERE patient_id = %s", voice.reference.partition("/")[2]
    )
    return int(key)


async def furnished(voice: Voice) -> Voice:
    """A resident with a row in every table behind the wall."""
    inside = {**made.weight(voice.reference), "id": "o"}
    container = made.pressure(
        voice.reference,
        contained=[inside],
        hasMember=[made.reference("#o")],
        identifier=made.identifiers(("http://example.test/wall", voice.reference)),
    )
    reference = await voice.create(container)
    await voice.replace(reference, container)
    await voice.create(made.allergy(voice.reference, recordedDate="2026-10-01"))
    key, now, some = patient_key(voice), datetime.now(UTC), uuid4()
    for statement, values in (
        ("quarantine VALUES (%s, %s, 'x', 'x', '', %s)", (key, some, now)),
        (
            "import_job VALUES (%s, %s, 'x', 'x', '', 'x', 'x', '', '', '{}', '{}', %s, %s)",
            (key, some, now, now),
        ),
        ("import_entry VALUES (%s, 'x', 1, 'x')", (key,)),
        ("notification VALUES (%s, %s, 'x', '{}', %s)", (key, some, now)),
    ):
        write(voice.town.database, f"INSERT INTO {statement}", *values)
    return voice


def write(database: Database, statement: str, *values: object) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(statement, values)


async def patients_in(connection: Connection, table: str) -> set[int]:
    """Whose rows an unfiltered statement sees."""
    statement = sql.SQL("SELECT DISTINCT patient_key FROM {}").format(sql.Identifier(table))
    cursor = await connection.execute(statement)
    return {row[0] for row in await cursor.fetchall()}


async def within_sight(voice: Voice, about: str | None = None) -> dict[str, set[int]]:
    """Whose rows a statement without any clause sees in this caller's transaction; nobody's rows apart."""
    token = voice.bearer or await voice.town.token(voice.reference, voice.purpose, voice.scope)
    caller = Bearer(sha256(token.encode()).digest())
    request = Request(Action.ACCESS, "read", "GET x", about=about)
    async with admitted(voice.town.runtime, caller, request) as desk:
        return {table: await patients_in(desk.connection, table) - {0} for table in WALLED}


def everywhere(*voices: Voice) -> dict[str, set[int]]:
    return {table: {patient_key(voice) for voice in voices} for table in WALLED}


async def test_the_wall_stands_before_every_table_that_holds_records(module_database: Database) -> None:
    statement = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        "AND relrowsecurity AND relforcerowsecurity"
    )
    with psycopg.connect(module_database.superuser_url) as connection:
        assert {row[0] for row in connection.execute(statement)} == set(WALLED)


async def test_without_a_setting_the_service_sees_nothing(
    town: Town, hanako: Voice, module_database: Database
) -> None:
    await furnished(hanako)
    with psycopg.connect(module_database.service_url) as connection:
        for table in WALLED:
            assert town.rows(f"SELECT count(*) > 0 FROM {table}") == [(True,)]
            assert connection.execute(f"SELECT FROM {table}").fetchall() == []


@pytest.mark.parametrize("setting", ["", "{}", "{-1}"])
async def test_an_empty_setting_shows_nothing(hanako: Voice, module_database: Database, setting: str) -> None:
    await furnished(hanako)
    with psycopg.connect(module_database.service_url) as connection:
        connection.execute("SELECT set_config('passport.patients', %s, true)", [setting])
        for table in WALLED:
            assert connection.execute(f"SELECT FROM {table}").fetchall() == []


async def test_the_service_cannot_take_the_wall_down(module_database: Database) -> None:
    with psycopg.connect(module_database.service_url, autocommit=True) as connection:
        for attempt in (
            "ALTER TABLE resource DISABLE ROW LEVEL SECURITY",
            "DROP POLICY wall ON resource",
            "ALTER TABLE resource OWNER TO CURRENT_USER",
            "SET ROLE passport_owner",
            "CREATE POLICY hole ON resource USING (true)",
        ):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(attempt)
        (bypass,) = connection.execute(
            "SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchall()
        assert bypass == (False,)


async def test_a_forgotten_clause_shows_no_patient_who_never_shared_with_this_caller(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    third = await furnished(await town.resident("見本 三太"))
    for voice in (hanako, taro):
        await furnished(voice)
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    await third.grant(deny(cast.hospital))
    assert await within_sight(cast.a) == everywhere(hanako)
    assert await within_sight(cast.a, hanako.reference) == everywhere(hanako)
    for stranger in (taro.reference, third.reference, "Patient/unknown", "Observation/unknown"):
        assert await within_sight(cast.a, stranger) == everywhere()
    assert await within_sight(cast.a_at_k) == everywhere()


async def test_a_resident_sees_through_the_wall_only_their_own(hanako: Voice, taro: Voice) -> None:
    for voice in (hanako, taro):
        await furnished(voice)
    for about in (None, hanako.reference):
        assert await within_sight(hanako, about) == everywhere(hanako)
    assert await within_sight(hanako, taro.reference) == everywhere()


async def test_operators_and_auditors_see_nobody_through_the_wall(town: Town, hanako: Voice) -> None:
    await furnished(hanako)
    for who in ("operator", "auditor"):
        for about in (None, hanako.reference):
            assert await within_sight(town.as_(who), about) == everywhere()


async def test_the_wall_closes_when_the_last_consent_is_withdrawn(hanako: Voice, cast: Cast) -> None:
    await furnished(hanako)
    references = await hanako.grant(permit(cast.pharmacy), permit(cast.pharmacy, actions=["collect"]))
    pharmacy = hanako.town.as_(cast.pharmacy)
    assert await within_sight(pharmacy) == everywhere(hanako)
    for reference in references:
        await hanako.replace(reference, hanako.consent(permit(cast.pharmacy), status="inactive"))
    assert await within_sight(pharmacy) == everywhere()


async def test_a_policy_opens_the_wall_for_its_actors_alone(town: Town, hanako: Voice, cast: Cast) -> None:
    await furnished(hanako)
    bureau = await town.operator.create(made.organization("架空衛生局"))
    policy = await town.policy(consent_json(permit(bureau, purposes=["PUBHLTH"]), None))
    assert patient_key(hanako) in (await within_sight(town.as_(bureau, "PUBHLTH")))["resource"]
    assert await within_sight(town.as_(cast.clinic, "PUBHLTH")) == everywhere()
    await town.operator.remove(policy)
    assert await within_sight(town.as_(bureau, "PUBHLTH")) == everywhere()


async def test_an_opening_lets_one_patient_through_the_wall(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    for voice in (hanako, taro):
        await furnished(voice)
    policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    await taro.grant(permit(cast.emergency, purposes=["TREAT", "BTG"]))
    answer = await cast.e.call(
        "POST",
        "/auth/break-glass",
        content=b'{"patient": "%s", "reason": "made-up emergency"}' % hanako.reference.encode(),
        headers={"Content-Type": "application/json"},
    )
    opened = Voice(town, "", "BTG", "", bearer=answer.json()["access_token"])
    assert await within_sight(opened, hanako.reference) == everywhere(hanako)
    assert await within_sight(opened, taro.reference) == everywhere()
    assert (await within_sight(opened))["resource"] <= {patient_key(hanako)}
    await town.operator.remove(policy)


async def test_a_requester_sees_own_proposals_and_nothing_else_of_that_patient(
    hanako: Voice, cast: Cast
) -> None:
    await furnished(hanako)
    await cast.a_at_k.create(hanako.consent(permit(cast.clinic), status="proposed"))
    sight = await within_sight(cast.a_at_k)
    assert {table for table, seen in sight.items() if patient_key(hanako) in seen} == {"resource"}
    token = await hanako.town.token(cast.role_a_at_k, "TREAT")
    caller = Bearer(sha256(token.encode()).digest())
    async with admitted(hanako.town.runtime, caller, Request(Action.ACCESS, "read", "GET x")) as desk:
        cursor = await desk.connection.execute("SELECT DISTINCT type FROM resource WHERE patient_key > 0")
        assert await cursor.fetchall() == [(19,)]


async def test_the_wall_ends_with_its_transaction(town: Town, hanako: Voice) -> None:
    await furnished(hanako)
    assert await within_sight(hanako) == everywhere(hanako)
    seen: list[Any] = []
    for _ in range(town.runtime.pool.max_size):
        async with town.runtime.pool.connection() as connection:
            seen += [await patients_in(connection, table) for table in WALLED]
    assert not any(seen)


async def test_nothing_is_written_past_the_wall(hanako: Voice, taro: Voice, cast: Cast) -> None:
    await furnished(taro)
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    token = await hanako.town.token(cast.role_a, "TREAT")
    caller = Bearer(sha256(token.encode()).digest())
    request = Request(Action.COLLECT, "create", "POST x", about=hanako.reference, isolation="write")
    async with admitted(hanako.town.runtime, caller, request) as desk:
        stolen = await desk.connection.execute(
            "DELETE FROM resource WHERE patient_key = %s", [patient_key(taro)]
        )
        assert stolen.rowcount == 0
        with pytest.raises(InsufficientPrivilege):
            await desk.connection.execute(
                "INSERT INTO resource_token VALUES (%s, 1, 1, now(), 1)", [patient_key(taro)]
            )
        await desk.connection.rollback()
        desk.committed = True


async def test_whoever_tells_a_resident_past_the_wall_sees_nothing_there(hanako: Voice, taro: Voice) -> None:
    await furnished(taro)
    token = await hanako.town.token(hanako.reference, "PATRQT")
    caller = Bearer(sha256(token.encode()).digest())
    request = Request(Action.ACCESS, "read", "GET x", isolation="write")
    async with admitted(hanako.town.runtime, caller, request) as desk:
        key, about = patient_key(taro), {"by": hanako.reference}
        await tell(desk.connection, key, "access-requested", about, notice_id=uuid4(), now=desk.now)
        assert await patients_in(desk.connection, "notification") == set()
        for statement in ("UPDATE notification SET kind = 'x'", "DELETE FROM notification"):
            touched = await desk.connection.execute(f"{statement} WHERE patient_key = %s", [key])
            assert touched.rowcount == 0
        await desk.connection.rollback()
        desk.committed = True


@pytest.mark.parametrize(
    "table",
    ["audit_event", "resource_version", "consent_shape", "opening", "standing_change", "standing_instant"],
)
async def test_history_and_log_are_only_ever_added_to(module_database: Database, table: str) -> None:
    with psycopg.connect(module_database.service_url) as connection:
        asked = (
            "SELECT has_table_privilege(%s, 'INSERT'), has_table_privilege(%s, 'UPDATE, DELETE, TRUNCATE')"
        )
        assert connection.execute(asked, [table, table]).fetchall() == [(True, False)]
