"""A standing that was read before is believed as long as nothing has changed that it rests on, and not a moment longer.

http://hl7.org/fhir/R4/consent.html
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import psycopg
import pytest

from passport.remembering.standings import Standings
from passport.remembering.store import HELD
from passport.remembering.tables import DIRECTORY
from passport.standing_statement import CLOSER, STATEMENTS
from tests import resources as made
from tests.attacks.work import trips_of
from tests.cast import Cast
from tests.databases import Database
from tests.identities import merged, sent
from tests.labelled import relabelled
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import consent_json, deny, permit

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Met:
    """A physician who was shown a resident's weight, alone and on a page, and how that came."""

    town: Town
    cast: Cast
    patient: Voice
    physician: Voice
    role: str
    consent: str
    weight: str

    async def looks(self) -> tuple[list[int], list[list[str]]]:
        """What every way of asking shows: by its id, of its patient, and of whoever shared."""
        read = (await self.physician.get(self.weight)).status_code
        if read == 401:
            return [read], []
        pages = (("patient", self.patient.reference), ("_id", self.weight.partition("/")[2]))
        return [read], [await self.physician.found("Observation", page) for page in pages]

    async def sees_it(self) -> bool:
        """Whether it is shown now, the same by all ways, and the same where nothing is remembered."""
        seen = await self.looks()
        self.forget()
        assert await self.looks() == seen
        assert seen in (self.shown, ([404], [[], []]), ([401], []))
        return seen == self.shown

    @property
    def shown(self) -> tuple[list[int], list[list[str]]]:
        return [200], [[self.weight], [self.weight]]

    def forget(self) -> None:
        """What a process that starts now remembers: nothing."""
        object.__setattr__(self.town.runtime, "standings", Standings())


@pytest.fixture
async def met(town: Town, cast: Cast, hanako: Voice) -> Met:
    person = await town.operator.create(made.practitioner("架空 四郎"))
    role = await town.operator.create(made.role(person, cast.ward))
    (consent,) = await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    weight = await hanako.create(made.weight(hanako.reference))
    met = Met(town, cast, hanako, town.as_(role), role, consent, weight)
    for _ in range(3):
        assert await met.looks() == met.shown
    return met


async def test_consents_that_differ_by_a_code_alone_show_each_its_own(met: Met, taro: Voice) -> None:
    await taro.grant(permit(met.cast.hospital, codes=[made.HEART_RATE]))
    shared, kept = (
        await taro.create(made.observation(taro.reference, made.HEART_RATE)),
        await taro.create(made.weight(taro.reference)),
    )
    beside = await met.patient.create(made.observation(met.patient.reference, made.HEART_RATE))
    whose = {met.patient.reference: [met.weight], taro.reference: [shared]}
    for _ in range(3):
        for patient, theirs in whose.items():
            assert await met.physician.found("Observation", ("patient", patient)) == theirs
        for record in (kept, beside):
            assert (await met.physician.get(record)).status_code == 404
        for record in (met.weight, shared):
            assert (await met.physician.get(record)).status_code == 200


async def test_a_withdrawal_and_a_new_grant_count_at_once(met: Met) -> None:
    tree = await met.patient.read(met.consent)
    await met.patient.replace(met.consent, {**tree, "status": "inactive"})
    assert not await met.sees_it()
    await met.patient.replace(met.consent, tree)
    assert await met.sees_it()
    await met.patient.remove(met.consent)
    assert not await met.sees_it()


async def test_a_denial_counts_at_once(met: Met) -> None:
    (denial,) = await met.patient.grant(deny(met.cast.ward))
    assert not await met.sees_it()
    await met.patient.remove(denial)
    assert await met.sees_it()


async def test_a_consent_ends_by_time_alone(met: Met) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    period = {"start": "2020-01-01", "end": end.isoformat(timespec="seconds")}
    tree = met.patient.consent(permit(met.cast.hospital, codes=[made.BODY_WEIGHT], period=period))
    await met.patient.replace(met.consent, tree)
    assert await met.sees_it()
    with met.town.later(timedelta(hours=2)):
        assert not await met.sees_it()
    assert await met.sees_it()


async def test_a_denial_begins_by_time_alone(met: Met) -> None:
    start = datetime.now(UTC) + timedelta(hours=1)
    await met.patient.grant(deny(met.cast.ward, period={"start": start.isoformat(timespec="seconds")}))
    assert await met.sees_it()
    await met.looks()
    with met.town.later(timedelta(hours=2)):
        assert not await met.sees_it()


async def test_a_role_ends_by_time_alone(met: Met) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    tree = await met.town.operator.read(met.role)
    period = {"start": "2020-01-01", "end": end.isoformat(timespec="seconds")}
    await met.town.operator.replace(met.role, {**tree, "period": period})
    assert await met.sees_it()
    with met.town.later(timedelta(hours=2)):
        assert not await met.sees_it()


async def test_a_role_and_what_its_organization_is_part_of_end_at_once(met: Met) -> None:
    operator = met.town.operator
    ward = await operator.read(met.cast.ward)
    await operator.replace(met.cast.ward, {name: each for name, each in ward.items() if name != "partOf"})
    assert not await met.sees_it()
    await operator.replace(met.cast.ward, ward)
    assert await met.sees_it()
    role = await operator.read(met.role)
    await operator.replace(met.role, {**role, "active": False})
    assert not await met.sees_it()


async def test_a_session_ends_at_once_and_by_time_alone(met: Met) -> None:
    with met.town.later(timedelta(hours=13)):
        assert (await met.looks())[0] == [401]
    assert await met.sees_it()
    assert (await met.physician.call("POST", "/auth/sign-out")).status_code == 204
    assert (await met.looks())[0] == [401]
    met.town.sessions.clear()


async def test_who_died_shares_as_the_law_of_the_place_says(met: Met) -> None:
    tree = await met.patient.read(met.patient.reference)
    assert await met.sees_it()
    await met.town.operator.replace(met.patient.reference, {**tree, "deceasedBoolean": True})
    seen = await met.sees_it()
    assert await met.sees_it() is seen
    await met.town.operator.replace(met.patient.reference, {**tree, "deceasedBoolean": False})
    assert await met.sees_it()


async def test_a_merge_shows_no_more_and_no_less_than_it_would_anew(met: Met, taro: Voice) -> None:
    await met.patient.grant(permit(met.cast.hospital, types=["Patient"]))
    hidden = await taro.create(made.weight(taro.reference))
    asked = ("patient", taro.reference)
    for _ in range(2):
        assert await met.physician.found("Observation", asked) == []
        await met.looks()
    await merged(met.patient, taro)
    for _ in range(3):
        assert await met.physician.found("Observation", asked) == [met.weight]
        assert outcome(await met.physician.get(hidden), 404, "not-found")
        assert await met.sees_it()


async def test_an_opening_that_ended_shows_nothing(met: Met) -> None:
    policy = await met.town.policy(consent_json(permit(met.cast.emergency, purposes=["BTG"]), None))
    asking = {"patient": met.patient.reference, "reason": "意識不明で搬送された"}
    opened = await sent(met.cast.e, "/auth/break-glass", asking)
    rescuer = replace(met.cast.e, purpose="BTG", bearer=opened.json()["access_token"])
    for _ in range(3):
        assert await rescuer.sees(met.weight)
    await met.town.operator.remove(policy)
    assert not await rescuer.sees(met.weight)
    await met.town.policy(consent_json(permit(met.cast.emergency, purposes=["BTG"]), None))
    assert await rescuer.sees(met.weight)
    (one,) = (await met.patient.get("/emergencies")).json()
    ended = await sent(met.patient, f"/emergencies/{one['id']}/end")
    assert ended.is_success, ended.text
    assert (await rescuer.get(met.weight)).status_code == 401


async def test_a_policy_counts_at_once_for_whoever_it_names(met: Met, taro: Voice) -> None:
    bureau = await met.town.operator.create(made.organization("架空衛生局"))
    office = met.town.as_(bureau, "PUBHLTH")
    for _ in range(2):
        assert not await office.sees(met.weight)
    policy = await met.town.policy(consent_json(permit(bureau, purposes=["PUBHLTH"]), None))
    for _ in range(3):
        assert await office.sees(met.weight)
    await taro.grant(deny(bureau))
    await met.patient.grant(deny(bureau))
    assert not await office.sees(met.weight)
    await met.town.operator.remove(policy)
    assert not await office.sees(met.weight)


async def test_a_new_label_counts_at_once(met: Met) -> None:
    await met.patient.grant(deny(labels=[(ACT_CODE, "PSY")]))
    assert await met.sees_it()
    await met.looks()
    relabelled(met.town, met.weight, [{"system": ACT_CODE, "code": "PSY"}])
    assert not await met.sees_it()


async def test_what_is_hidden_now_costs_what_is_not_there(met: Met, tmp_path: Path) -> None:
    """Else whoever saw it would learn that it was this record that was hidden, and not the consent withdrawn."""
    await met.patient.grant(deny(labels=[(ACT_CODE, "PSY")]))
    assert await met.sees_it()
    relabelled(met.town, met.weight, [{"system": ACT_CODE, "code": "PSY"}])
    for reference in (met.weight, ABSENT):
        await met.physician.get(reference)
    hidden, absent = [
        await trips_of(met.town, partial(met.physician.get, reference), tmp_path / "trace")
        for reference in (met.weight, ABSENT)
    ]
    assert hidden == absent == (404, 2)


async def test_a_change_counts_in_the_instant_in_which_its_transaction_ends(met: Met) -> None:
    """Neither before, nor because somebody looked while it was under way."""
    key = met.town.runtime.keys.reference(met.consent)
    with standing_still(met.town), psycopg.connect(met.town.database.superuser_url) as other:
        other.execute("DELETE FROM consent_actor WHERE consent_key = %s", [key])
        for _ in range(3):
            assert await met.looks() == met.shown
        met.forget()
        # Read, and remembered, while the change was under way.
        for _ in range(3):
            assert await met.looks() == met.shown
        other.commit()
        assert await met.looks() == ([404], [[], []])
        assert not await met.sees_it()


async def test_what_was_undone_was_never_remembered(met: Met) -> None:
    key = met.town.runtime.keys.reference(met.consent)
    with psycopg.connect(met.town.database.superuser_url) as other:
        other.execute("DELETE FROM consent_actor WHERE consent_key = %s", [key])
        other.rollback()
    assert await met.looks() == met.shown
    assert await met.sees_it()


@contextmanager
def standing_still(town: Town) -> Iterator[None]:
    """Let the service's clock stand still while the block runs."""
    before, now = town.runtime.clock, town.clock()
    object.__setattr__(town.runtime, "clock", lambda: now)
    try:
        yield
    finally:
        object.__setattr__(town.runtime, "clock", before)


_TABLES: Final = re.compile(r"\b(?:FROM|JOIN) (\w+)")
_TOLD: Final = """
    SELECT coalesce(bit_or(tgtype::int), 0) FROM pg_trigger
    WHERE tgrelid = %s::regclass AND starts_with(tgname, 'standing_on_') AND tgenabled = 'A'
"""
_EVENTS: Final = {"insert": 4, "delete": 8, "update": 16, "truncate": 32}
ABSENT: Final = "Observation/00000000-0000-4000-8000-000000000000"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ASKED_ANEW: Final = {"session", "locator"}
"""What is not remembered: whether a token is good, and whose a record is."""


def tables_of(*texts: str) -> set[str]:
    return {name for text in texts for name in _TABLES.findall(text)}


def test_every_table_that_a_standing_is_read_from_tells_of_its_changes(module_database: Database) -> None:
    """A table that joins the statement without a trigger would be believed for good."""
    read = tables_of(*(one.text for one in (*STATEMENTS.values(), *CLOSER.values())))
    with psycopg.connect(module_database.superuser_url) as connection:
        tables = {name for (name,) in connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")}
        fed = (read & tables) - ASKED_ANEW
        assert {"consent_grant", "consent_node", "consent_actor", "membership", "collective"} < fed
        for table in sorted(fed):
            ((told,),) = connection.execute(_TOLD, [table]).fetchall()
            # A Patient that is registered later is linked later, and tells nothing by itself.
            wanted = [bit for event, bit in _EVENTS.items() if (table, event) != ("patient", "insert")]
            assert all(told & bit for bit in wanted), table
    assert tables_of(HELD.text) >= ASKED_ANEW


_ROW: Final = {
    "consent_grant": ("(7, 1, 0, 'Consent/x', 1, 1)", "effect = 2", {7}),
    "consent_node": ("(7, 1, 0, 0, true, NULL, '{}', false, NULL, NULL, NULL, NULL)", "chained = true", {7}),
    "consent_actor": ("(7, 99, 1, 0)", "actor_key = 98", {7, 99}),
    "copatient": ("(7, 8)", "other_key = 9", {7}),
    "patient_link": ("(7, 8)", "other_key = 9", {7}),
    "patient_death": ("(7, 8, now(), now())", "since = now()", {7}),
    "membership": ("(1, 2, 3, 0, 1, NULL, NULL)", "kind = 2", {DIRECTORY}),
    "collective": ("(1, true)", "resolvable = false", {DIRECTORY}),
}
_CHANGED: Final = "SELECT concerns FROM standing_change WHERE written_in = pg_current_xact_id()"


@pytest.mark.parametrize("table", list(_ROW))
def test_each_change_of_a_row_tells_whom_it_concerns(module_database: Database, table: str) -> None:
    row, change, concerned = _ROW[table]
    made_row = f"INSERT INTO {table} VALUES {row}"
    with psycopg.connect(module_database.service_url, autocommit=True) as connection:
        for before, way in (
            (None, made_row),
            (made_row, f"UPDATE {table} SET {change}"),
            (made_row, f"DELETE FROM {table}"),
        ):
            if before is not None:
                connection.execute(before)
            with connection.transaction(force_rollback=True):
                connection.execute(way)
                told = {key for (key,) in connection.execute(_CHANGED)}
            connection.execute(f"DELETE FROM {table}")
            assert told >= concerned, way


def test_instants_at_which_time_alone_changes_a_standing_are_told(module_database: Database) -> None:
    period = "'2030-01-01', '2031-01-01'"
    with psycopg.connect(module_database.service_url) as connection:
        connection.execute(f"INSERT INTO membership VALUES (1, 2, 3, 0, 1, {period})")
        connection.execute(
            f"INSERT INTO consent_node VALUES (7, 1, 0, 0, true, NULL, '{{}}', false, NULL, NULL, {period})"
        )
        told = connection.execute(
            "SELECT concerns, extract(year FROM at)::int FROM standing_instant"
        ).fetchall()
        assert {(DIRECTORY, 2030), (DIRECTORY, 2031), (7, 2030), (7, 2031)} <= set(told)
        connection.rollback()


def test_who_writes_the_same_instants_in_another_order_waits_for_nobody(module_database: Database) -> None:
    """Periods end on round days: two who write would stand in each other's way, and one of them would fail."""
    row = "INSERT INTO membership VALUES (%s, 2, 3, 0, 1, NULL, %s)"
    with (
        psycopg.connect(module_database.service_url, options="-c lock_timeout=2s") as one,
        psycopg.connect(module_database.service_url, options="-c lock_timeout=2s") as other,
    ):
        for connection, member, end in (
            (one, 71, "2032-03-31"),
            (other, 72, "2033-03-31"),
            (one, 73, "2033-03-31"),
            (other, 74, "2032-03-31"),
        ):
            connection.execute(row, [member, end])
        one.commit()
        other.commit()
        one.execute("DELETE FROM membership WHERE member BETWEEN 71 AND 74")


def test_a_table_that_is_emptied_tells_everybody(module_database: Database) -> None:
    with psycopg.connect(module_database.superuser_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("TRUNCATE consent_actor")
        assert {key for (key,) in connection.execute(_CHANGED)} == {DIRECTORY}
        connection.rollback()
