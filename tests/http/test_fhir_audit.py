"""What the log keeps of each FHIR interaction: who, about whom, which records in which version, allowed by what.

https://profiles.ihe.net/ITI/BALP/
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import orjson
import psycopg
import pytest

from tests import resources as made
from tests.cast import Cast
from tests.databases import Database
from tests.hospital import records_of
from tests.http.bundles import asked, done
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import consent_json, deny, permit

pytestmark = pytest.mark.anyio

FACTS: Final = ("action", "outcome", "record_keys", "grants")


@dataclass(frozen=True)
class Log:
    """The rows of one patient that were written since it was opened; by record references."""

    town: Town
    patient: str

    def rows(self) -> list[dict[str, Any]]:
        columns = (*FACTS, "subject", "role", "purpose", "detail", "query", "versions")
        statement = (
            f"SELECT {', '.join(f'audit_event.{name}' for name in columns)} FROM audit_event "
            "JOIN patient USING (patient_key) WHERE patient_id = %s ORDER BY recorded, audit_id"
        )
        found = self.town.rows(statement, self.patient.partition("/")[2])
        return [dict(zip(columns, row, strict=True)) for row in found]

    def last(self) -> dict[str, Any]:
        return self.rows()[-1]

    def key(self, reference: str) -> int:
        return self.town.runtime.keys.reference(reference)


@pytest.fixture
def log(hanako: Voice) -> Log:
    return Log(hanako.town, hanako.reference)


def told(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


async def test_each_interaction_is_one_row_with_its_records_and_versions(
    hanako: Voice, cast: Cast, log: Log
) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", "collect", "correct"]))
    first = len(log.rows())
    reference = await cast.a.create(made.weight(hanako.reference))
    id_ = reference.partition("/")[2]
    await cast.a.replace(reference, made.weight(hanako.reference, 61.0))
    await cast.a.get(reference)
    await cast.a.get(f"{reference}/_history/1")
    await cast.a.get(f"{reference}/_history")
    await cast.a.get("Observation", ("patient", hanako.reference), ("code", "29463-7"))
    await cast.a.remove(reference)
    await cast.a.get(reference)
    rows = log.rows()[first:]
    key = log.key(reference)
    assert [told(row, "action", "outcome", "record_keys", "versions", "query") for row in rows] == [
        ("create", "success", [key], [1], "POST Observation"),
        ("update", "success", [key], [2], f"PUT Observation/{id_}"),
        ("read", "success", [key], [2], f"GET Observation/{id_}"),
        ("vread", "success", [key], [1], f"GET Observation/{id_}/_history/1"),
        ("history", "success", [key, key], [2, 1], f"GET Observation/{id_}/_history"),
        ("search", "success", [key], [2], f"GET Observation?patient={hanako.reference}&code=29463-7"),
        ("delete", "success", [key], [3], f"DELETE Observation/{id_}"),
        ("read", "success", [key], [3], f"GET Observation/{id_}"),
    ]
    assert {told(row, "subject", "role", "purpose") for row in rows} == {(cast.dr_a, cast.role_a, "TREAT")}


async def test_a_row_names_the_grants_that_were_relied_on_in_their_versions(
    hanako: Voice, cast: Cast, log: Log
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    weight = await hanako.create(made.weight(hanako.reference))
    narrow, wide, other = await hanako.grant(
        permit(cast.hospital, codes=[made.BODY_WEIGHT]), permit(cast.dr_a), permit(cast.clinic)
    )
    await hanako.replace(wide, hanako.consent(permit(cast.dr_a)))
    for path, expected in (
        (weight, [f"{narrow}/_history/1", f"{wide}/_history/2"]),
        (pressure, [f"{wide}/_history/2"]),
    ):
        await cast.a.get(path)
        assert log.last()["grants"] == sorted(expected)
    await cast.b.get("Observation", ("patient", hanako.reference))
    assert told(log.last(), "grants", "record_keys") == ([f"{narrow}/_history/1"], [log.key(weight)])
    await cast.a_at_k.get(weight)
    assert log.last()["grants"] == sorted([f"{other}/_history/1", f"{wide}/_history/2"])
    await hanako.get(weight)
    assert log.last()["grants"] == []


async def test_each_of_several_patients_is_told_by_which_of_their_own_grants(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    grants = {}
    for voice in (hanako, taro):
        (grants[voice.reference],) = await voice.grant(permit(cast.hospital, actions=["access", "collect"]))
        await voice.grant(permit(cast.clinic))
    visit = records_of(hanako.reference)["Appointment"]
    both = [*visit["participant"], {"actor": made.reference(taro.reference), "status": "accepted"}]
    reference = await cast.a.create({**visit, "participant": both})
    await cast.a.get(reference)
    await cast.a.get("Appointment", ("patient", taro.reference))
    for patient, grant in grants.items():
        log = Log(hanako.town, patient)
        rows = log.rows()[-3:]
        assert [row["action"] for row in rows] == ["create", "read", "search"]
        assert [row["grants"] for row in rows] == [[f"{grant}/_history/1"]] * 3
        assert [row["record_keys"] for row in rows] == [[log.key(reference)]] * 3


@pytest.mark.parametrize(
    "query",
    [
        [("_summary", "count")],
        [("_summary", "count"), ("code", "29463-7")],
        [("_summary", "count"), ("value-quantity", "gt10")],
        [("_total", "accurate"), ("_count", "1")],
        [("_total", "accurate"), ("_count", "1"), ("value-quantity", "gt10")],
    ],
    ids=str,
)
@pytest.mark.parametrize("of_one", [True, False])
async def test_a_count_tells_whoever_was_counted_and_by_which_grants(
    hanako: Voice, taro: Voice, cast: Cast, query: list[tuple[str, str]], of_one: bool
) -> None:
    grants = {}
    for voice in (hanako, taro):
        weights, _ = await voice.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]), permit(cast.clinic))
        grants[voice.reference] = f"{weights}/_history/1"
        for kilograms in (61.0, 62.0):
            await voice.create(made.weight(voice.reference, kilograms))
        await voice.create(made.pressure(voice.reference))
    asked = [("patient", hanako.reference)] if of_one else []
    logs = {voice.reference: Log(hanako.town, voice.reference) for voice in (hanako, taro)}
    before = {patient: len(log.rows()) for patient, log in logs.items()}
    found = await cast.b.search("Observation", *asked, *query)
    assert found["total"] >= (2 if of_one else 4)
    rows = {patient: log.rows()[before[patient] :] for patient, log in logs.items()}
    assert [row["grants"] for row in rows[hanako.reference]] == [[grants[hanako.reference]]]
    assert [row["grants"] for row in rows[taro.reference]] == ([] if of_one else [[grants[taro.reference]]])


async def test_what_links_lead_through_is_told_with_its_grants(hanako: Voice, cast: Cast, log: Log) -> None:
    weight = await hanako.create(made.weight(hanako.reference))
    await hanako.create(made.observation(hanako.reference, hasMember=[made.reference(weight)]))
    narrow, _, wide = await hanako.grant(
        permit(cast.hospital, codes=[made.BODY_WEIGHT]), permit(cast.clinic), permit(cast.dr_a)
    )
    await cast.a.get("Observation", ("has-member:Observation.code", "29463-7"))
    assert log.last()["grants"] == sorted([f"{narrow}/_history/1", f"{wide}/_history/1"])
    before = len(log.rows())
    assert await cast.b.found("Observation", ("has-member:Observation.code", "29463-7")) == []
    assert [row["grants"] for row in log.rows()[before:]] == [[f"{narrow}/_history/1"]]


async def test_what_a_policy_shows_of_whomever_names_the_policy(hanako: Voice, cast: Cast, log: Log) -> None:
    town = hanako.town
    reference = await hanako.create(made.immunization(hanako.reference))
    policy = await town.policy(
        consent_json(permit(cast.pharmacy, purposes=["PUBHLTH"], types=["Immunization"]), None)
    )
    assert reference in await town.as_(cast.pharmacy, "PUBHLTH").found("Immunization")
    await town.operator.remove(policy)
    action, keys, grants = told(log.last(), "action", "record_keys", "grants")
    assert (action, keys) == ("search", [log.key(reference)])
    assert [ref.partition("/_history/")[0] for ref in grants] == [policy]


async def test_a_write_names_the_grants_that_it_rests_on(hanako: Voice, cast: Cast, log: Log) -> None:
    collect, correct = await hanako.grant(
        permit(cast.hospital, actions=["access", "collect"]),
        permit(cast.dr_b, actions=["access", "correct"]),
    )
    reference = await cast.a.create(made.weight(hanako.reference))
    assert told(log.last(), "action", "grants") == ("create", [f"{collect}/_history/1"])
    await cast.b.replace(reference, made.weight(hanako.reference, 61.0))
    assert told(log.last(), "action", "grants") == ("update", [f"{correct}/_history/1"])


async def test_what_showed_nothing_is_a_row_without_grants(hanako: Voice, cast: Cast, log: Log) -> None:
    reference = await hanako.create(made.pressure(hanako.reference))
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    for path, action, ended in (
        (reference, "read", "not-found"),
        (f"{reference}/_history", "history", "not-found"),
        (f"{reference}/_history/1", "vread", "not-found"),
        (f"Observation?patient={hanako.reference}", "search", "success"),
    ):
        await cast.a.get(path)
        row = log.last()
        assert told(row, "action", "outcome", "grants", "record_keys") == (action, ended, [], [])
        assert row["subject"] == cast.dr_a


@pytest.mark.parametrize("kind", ["alone", "transaction"])
async def test_a_condition_that_left_nothing_to_write_is_a_row(hanako: Voice, kind: str) -> None:
    statement = "SELECT action, outcome, subject FROM audit_event ORDER BY recorded, audit_id"
    await hanako.create(made.pressure(hanako.reference))
    first = len(hanako.town.rows(statement))
    path = "Observation?identifier=http://example.test/scales|none"
    if kind == "alone":
        assert (await hanako.call("DELETE", path)).status_code == 204
    else:
        await done(hanako, kind, asked("DELETE", path))
    action = "delete" if kind == "alone" else kind
    assert hanako.town.rows(statement)[first:] == [(action, "not-found", hanako.reference)]


async def test_refusals_are_rows_with_their_reason(hanako: Voice, cast: Cast, log: Log) -> None:
    reference = await hanako.create(made.pressure(hanako.reference))
    tree = made.pressure(hanako.reference)
    first = len(log.rows())
    await cast.a.post(tree)
    await cast.a.put(reference, tree)
    await cast.a.delete(reference)
    await hanako.put(reference, tree, if_match='W/"7"')
    await hanako.put(reference, {**tree, "status": "perhaps"})
    await hanako.town.as_(cast.role_a, scope="user/Condition.rs").get(reference)
    assert [told(row, "action", "outcome", "detail") for row in log.rows()[first:]] == [
        ("create", "refused", "forbidden"),
        ("update", "refused", "not-supported"),
        ("delete", "not-found", "not-found"),
        ("update", "invalid", "conflict"),
        ("update", "invalid", "invalid"),
        ("read", "refused", "forbidden"),
    ]
    assert all(told(row, "grants", "record_keys") == ([], []) for row in log.rows()[first:])


async def test_a_page_over_several_patients_is_a_row_for_each(
    hanako: Voice, taro: Voice, cast: Cast, log: Log
) -> None:
    code = ("http://example.test/audit", hanako.reference)
    written = []
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, codes=[code]))
        written.append((voice, await voice.create(made.observation(voice.reference, code))))
    await cast.a.get("Observation", ("code", "|".join(code)))
    for voice, reference in written:
        row = Log(voice.town, voice.reference).last()
        assert told(row, "action", "record_keys") == ("search", [log.key(reference)])
        assert len(row["grants"]) == 1


async def test_a_search_that_names_patients_is_a_row_for_each_whatever_it_finds(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await cast.a.get("Observation", ("patient", f"{hanako.reference},{taro.reference}"))
    for voice in (hanako, taro):
        row = Log(voice.town, voice.reference).last()
        assert told(row, "action", "subject", "record_keys") == ("search", cast.dr_a, [])


async def test_a_record_that_names_two_patients_is_a_row_for_both(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    logs = [Log(voice.town, voice.reference) for voice in (hanako, taro)]
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, types=["Group"], actions=["access", "collect"]))
    group = await cast.a.create(made.group(hanako.reference, taro.reference))
    assert [told(log.last(), "action", "record_keys") for log in logs] == [
        ("create", [logs[0].key(group)])
    ] * 2
    await cast.a.get(group)
    assert [told(log.last(), "action", "record_keys") for log in logs] == [("read", [logs[0].key(group)])] * 2


async def test_giving_and_taking_a_consent_are_rows_of_their_own(hanako: Voice, cast: Cast, log: Log) -> None:
    (reference,) = await hanako.grant(permit(cast.hospital))
    await hanako.replace(reference, hanako.consent(deny(cast.dr_b)))
    await hanako.remove(reference)
    rows = [row for row in log.rows() if row["action"] == "consent-change"]
    assert [told(row, "record_keys", "versions") for row in rows] == [
        ([log.key(reference)], [version]) for version in (1, 2, 3)
    ]


async def test_the_directory_is_in_nobodys_log(town: Town, hanako: Voice, cast: Cast, log: Log) -> None:
    before = len(log.rows())
    await cast.a.get(cast.hospital)
    (row,) = town.rows(
        "SELECT subject, patient_key, record_keys FROM audit_event ORDER BY recorded DESC LIMIT 1"
    )
    assert tuple(row) == (cast.dr_a, 0, [log.key(cast.hospital)])
    assert len(log.rows()) == before


async def test_the_log_holds_neither_names_nor_values(town: Town, hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", "collect"]))
    await cast.a.post(
        {**made.pressure(hanako.reference), "note": [{"text": "himitsu-1"}], "bad": "himitsu-2"}
    )
    await cast.a.get("Observation", ("identifier", "himitsu-3"))
    await cast.a.get(f"Observation?name={quote('himitsu-4 見本')}")
    await cast.a.get(f"Observation/{quote('himitsu-5 見本')}")
    await cast.a.call(
        "POST",
        "Observation/_search",
        content=b"identifier=himitsu-6",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert town.rows("SELECT FROM audit_event WHERE strpos(audit_event::text, 'himitsu') > 0") == []


@contextmanager
def full_disk_under_the_log(database: Database) -> Iterator[None]:
    """No audit row can be written while the block runs."""
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
        )
        connection.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON audit_event EXECUTE FUNCTION full_disk()"
        )
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION full_disk CASCADE")


async def test_what_cannot_be_recorded_is_neither_shown_nor_done(
    hanako: Voice, cast: Cast, module_database: Database
) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", "collect", "correct"]))
    reference = await hanako.create(made.weight(hanako.reference))
    await cast.a.get(reference)
    counted = hanako.town.rows("SELECT count(*), sum(version) FROM resource")
    body = orjson.dumps({**made.weight(hanako.reference), "id": reference.partition("/")[2]})
    with full_disk_under_the_log(module_database):
        for method, path, content in (
            ("GET", reference, None),
            ("GET", f"{reference}/_history", None),
            ("GET", f"Observation?patient={hanako.reference}", None),
            ("GET", "Observation/unknown", None),
            ("POST", "Observation", orjson.dumps(made.weight(hanako.reference))),
            ("PUT", reference, body),
            ("DELETE", reference, None),
            ("POST", "Condition", b"{}"),
        ):
            outcome(await cast.a.call(method, path, content=content), 503, "transient")
    assert hanako.town.rows("SELECT count(*), sum(version) FROM resource") == counted
    assert await cast.a.sees(reference)
