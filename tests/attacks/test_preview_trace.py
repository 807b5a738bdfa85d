"""A look at what consents do leaves nothing but its own row in the log, and its cost is no matter of their number.

https://www.postgresql.org/docs/current/explicit-locking.html
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from httpx import Response
from psycopg import sql

from tests import resources as made
from tests.attacks.work import work_of
from tests.cast import Cast
from tests.explaining import edit, sent
from tests.town import Town, Voice
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

Ask = Callable[[], Awaitable[Response]]
LOCKED: Final = ("consent_grant", "consent_node", "consent_actor", "consent_shape", "resource")


def rows(town: Town) -> dict[str, Counter[str]]:
    """Every row of every table, whoever may see it."""
    with psycopg.connect(town.database.superuser_url) as connection:
        named = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in named.fetchall()]
        return {
            name: Counter(
                row
                for (row,) in connection.execute(
                    sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(name))
                )
            )
            for name in tables
        }


@pytest.fixture
async def looks(cast: Cast, hanako: Voice) -> dict[str, Ask]:
    """Each kind of look, by its name, at a passport in which something is shared."""
    pressure = await hanako.create(made.pressure(hanako.reference))
    await hanako.create(made.allergy(hanako.reference))
    granted, _ = await hanako.grant(permit(cast.clinic), deny(cast.dr_b, types=["Encounter"]))
    await cast.a.get(pressure)
    log = await hanako.get("AuditEvent", ("_sort", "-date"), ("_count", "1"))
    access = log.json()["entry"][0]["resource"]["id"]
    drafts = edit(
        hanako, permit(cast.hospital, codes=[made.BLOOD_PRESSURE]), deny(cast.dr_b), replaces=[granted]
    )
    look = {**drafts, "actor": cast.role_a, "purpose": "TREAT"}
    return {
        "preview": lambda: sent(hanako, "/sharing/preview", look),
        "changes": lambda: sent(hanako, "/sharing/changes", drafts),
        "explain a record": lambda: hanako.get("/sharing/explain", ("record", pressure)),
        "explain an access": lambda: hanako.get("/sharing/explain", ("access", access)),
    }


async def test_a_look_leaves_its_own_row_of_the_log_and_nothing_else(
    cast: Cast, hanako: Voice, looks: dict[str, Ask]
) -> None:
    town = cast.town
    for name, ask in looks.items():
        before, shapes = rows(town), set(town.runtime.shapes)
        answer = await ask()
        assert answer.status_code == 200, answer.text
        after = rows(town)
        changed = {table: after[table] - before[table] for table in after if after[table] != before[table]}
        assert set(changed) == {"audit_event"}, name
        assert not before["audit_event"] - after["audit_event"]
        (row,) = changed["audit_event"].elements()
        assert hanako.reference in row
        assert cast.dr_a not in row
        assert cast.role_a not in row
        # What a draft says of records is not kept in the process either.
        kept = {key for (key,) in town.rows("SELECT shape_key FROM consent_shape")}
        assert set(town.runtime.shapes) - shapes <= kept


async def test_a_look_waits_for_nobody_who_writes_consents(cast: Cast, looks: dict[str, Ask]) -> None:
    with psycopg.connect(cast.town.database.superuser_url) as connection:
        for table in LOCKED:
            # Whoever writes one of these, or locks a row of it, waits from here on.
            connection.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(sql.Identifier(table)))
        for name, ask in looks.items():
            answer = await ask()
            assert answer.status_code == 200, (name, answer.text)


async def test_a_look_that_fails_leaves_its_refusal_in_the_log(cast: Cast, hanako: Voice) -> None:
    await hanako.read(hanako.reference)
    before = rows(cast.town)
    answer = await sent(
        hanako, "/sharing/changes", edit(hanako, permit(cast.hospital), replaces=["Consent/nobody"])
    )
    assert answer.status_code == 422
    after = rows(cast.town)
    assert {table for table in after if after[table] != before[table]} == {"audit_event"}


async def test_the_next_request_stands_behind_its_own_wall(
    cast: Cast, hanako: Voice, looks: dict[str, Ask]
) -> None:
    """What a look supposes ends with it: no connection goes on with what was set for it."""
    for ask in looks.values():
        await ask()
        for pool in (cast.town.runtime.pool, cast.town.runtime.reading):
            assert pool is not None
            async with pool.connection() as connection:
                setting = await connection.execute("SELECT current_setting('passport.patients', true)")
                assert await setting.fetchone() in ((None,), ("",))
        assert await cast.a.found("Observation", ("patient", hanako.reference)) == []


async def test_a_look_costs_the_same_statements_however_many_consents_there_are(
    cast: Cast, hanako: Voice, looks: dict[str, Ask], tmp_path: Path
) -> None:
    town = cast.town
    few: dict[str, Any] = {}
    for name, ask in looks.items():
        await ask()
        few[name] = (await work_of(town, ask, tmp_path / "few")).statements
    further: list[Json] = [
        root
        for at in range(12)
        for root in (
            permit(cast.clinic, codes=[("http://loinc.org", f"{at}-0")], but=[deny(labels=["R"])]),
            deny(cast.dr_b, types=["Condition"], codes=[("http://hl7.org/fhir/sid/icd-10", f"A0{at}")]),
        )
    ]
    await hanako.grant(*further)
    for name, ask in looks.items():
        await ask()
        work = await work_of(town, ask, tmp_path / "many")
        assert work.answer.status_code == 200
        assert work.statements == few[name], name
