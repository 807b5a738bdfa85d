"""What was decided is decided again on the world of then, whatever happened since; what was forged is found out."""

import json
import os
import sys
from asyncio import gather
from datetime import timedelta
from subprocess import CompletedProcess
from typing import Any, Final

import psycopg
import pytest
from anyio import run_process

from passport.replay.errors import NoSuchRow
from passport.replay.report import Outcome, Report
from passport.replay.running import replayed
from tests import resources as made
from tests.cast import Cast
from tests.identities import merged, separated
from tests.replaying import agreed
from tests.town import Town, Voice
from tests.unit.consent.words import Json, consent_json, deny, permit

pytestmark = pytest.mark.anyio

LAST: Final = """
SELECT audit_id::text FROM audit_event WHERE action <> 'replay' AND (%s::text IS NULL OR action = %s)
ORDER BY written_in::text::bigint DESC, cardinality(record_keys) DESC, patient_key DESC LIMIT 1
"""


async def last(town: Town, action: str | None = None) -> Report:
    """The newest row of the log, or the newest of an action, decided again."""
    return await replayed(town.runtime, last_id(town, action))


def last_id(town: Town, action: str | None = None) -> str:
    ((id_,),) = town.rows(LAST, action, action)
    return str(id_)


def changed(town: Town, statement: str, *values: object) -> None:
    """Change the database behind the service's back, as its owner could."""
    with psycopg.connect(town.database.superuser_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(statement, values)


def told(report: Report) -> list[tuple[str, str, bool]]:
    return [(one.what, one.decided, one.agrees) for one in report.findings]


async def test_what_was_shown_is_permitted_again_after_everything_changed(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    weight = await hanako.create(made.weight(hanako.reference))
    await cast.a.read(weight)
    id_ = last_id(town)
    await hanako.replace(weight, made.pressure(hanako.reference))
    await hanako.replace(consent, {**await hanako.read(consent), "status": "inactive"})
    await hanako.remove(weight)
    await town.operator.replace(cast.ward, made.organization("ひな形病院 内科"))
    report = await replayed(town.runtime, id_)
    assert told(report) == [
        (f"{weight}/_history/1", "the reference permits", True),
        (f"{consent}/_history/1", "in force", True),
    ]
    assert report.findings[0].because == f"{consent}/_history/1"
    assert report.outcome is Outcome.AGREES
    await town.operator.replace(
        cast.ward, made.organization("ひな形病院 内科", partOf=made.reference(cast.hospital))
    )


async def test_what_was_refused_is_denied_again_after_it_was_shared(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    weight = await hanako.create(made.weight(hanako.reference))
    assert (await cast.a.get(weight)).status_code == 404
    denied = last_id(town)
    assert (await cast.a.get("Observation/none")).status_code == 404
    absent = last_id(town)
    await hanako.grant(permit(cast.hospital))
    await cast.a.read(weight)
    assert told(await replayed(town.runtime, denied)) == [(weight, "the reference denies", True)]
    assert told(await replayed(town.runtime, absent)) == [("Observation/none", "it was not there", True)]


async def test_what_scopes_left_out_is_said_of_the_scopes_and_needs_no_session(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital))
    weight = await hanako.create(made.weight(hanako.reference))
    narrow = town.as_(cast.role_a, scope="user/Observation.rs?category=laboratory")
    assert (await narrow.get(weight)).status_code == 404
    hidden = last_id(town)
    await town.as_(cast.role_a, scope="user/Observation.rs?status=final").read(weight)
    shown = last_id(town)
    for _ in range(2):
        assert told(await replayed(town.runtime, hidden)) == [
            (weight, "the session's scopes did not reach it", True)
        ]
        assert (await replayed(town.runtime, shown)).outcome is Outcome.AGREES
        # Whatever is over is removed.
        changed(town, "DELETE FROM session WHERE 'user/Observation.rs?status=final' = ANY (scopes)")
        changed(town, "DELETE FROM session WHERE 'user/Observation.rs?category=laboratory' = ANY (scopes)")


async def test_a_role_that_ended_since_and_one_that_began_since_count_as_they_did(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    role = await town.operator.create(made.role(cast.dr_b, cast.clinic))
    await hanako.grant(permit(cast.clinic))
    weight = await hanako.create(made.weight(hanako.reference))
    voice = town.as_(role)
    await voice.read(weight)
    before = last_id(town)
    await town.operator.replace(role, {**made.role(cast.dr_b, cast.clinic), "active": False})
    assert (await voice.get(weight)).status_code == 404
    after = last_id(town)
    await town.operator.replace(role, made.role(cast.dr_b, cast.clinic))
    assert (await replayed(town.runtime, before)).outcome is Outcome.AGREES
    assert (await replayed(town.runtime, after)).outcome is Outcome.AGREES


async def test_a_write_is_decided_again_on_what_it_replaced_and_on_what_it_said(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    (consent,) = await hanako.grant(
        permit(cast.hospital, codes=[made.BODY_WEIGHT], actions=["access", "collect", "correct"])
    )
    weight = await cast.a.create(made.weight(hanako.reference))
    created = last_id(town, "create")
    await cast.b.replace(weight, made.weight(hanako.reference, 61.0))
    updated = last_id(town, "update")
    await cast.b.remove(weight)
    deleted = last_id(town, "delete")
    await hanako.replace(consent, {**await hanako.read(consent), "status": "inactive"})
    for version, id_ in enumerate((created, updated, deleted), start=1):
        report = await replayed(town.runtime, id_)
        assert told(report)[0] == (f"{weight}/_history/{version}", "the reference permits", True)
        assert report.outcome is Outcome.AGREES


async def test_an_opening_a_merge_and_a_death_are_seen_as_they_stood(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    await hanako.grant(permit(cast.hospital))
    weight = await hanako.create(made.weight(hanako.reference))
    asked = json.dumps({"patient": hanako.reference, "reason": "架空の救急"}).encode()
    answer = await cast.e.call(
        "POST", "/auth/break-glass", content=asked, headers={"Content-Type": "application/json"}
    )
    opened = Voice(town, cast.role_e, "BTG", "", answer.json()["access_token"])
    await opened.read(weight)
    ids = [last_id(town, "read")]
    merge = await merged(taro, hanako)
    assert await taro.found("Observation", ("patient", taro.reference)) == [weight]
    ids.append(last_id(town, "search"))
    patient = {"resourceType": "Patient", "name": [{"text": "見本（架空）"}]}
    await town.operator.put(hanako.reference, {**patient, "deceasedBoolean": True})
    assert (await cast.a.get(weight)).status_code == 404
    ids.append(last_id(town, "read"))
    await town.operator.put(hanako.reference, patient)
    await separated(town, merge)
    await town.operator.remove(policy)
    assert [(await replayed(town.runtime, id_)).outcome for id_ in ids] == [Outcome.AGREES] * 3


async def test_what_follows_a_record_is_decided_again_by_whose_record_that_is(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    weight = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect", "correct"]))
    provenance = await cast.a.create(made.provenance(weight, agent=cast.role_a))
    asked = json.dumps({"patient": hanako.reference, "reason": "架空の救急"}).encode()
    answer = await cast.e.call(
        "POST", "/auth/break-glass", content=asked, headers={"Content-Type": "application/json"}
    )
    opened = Voice(town, cast.role_e, "BTG", "", answer.json()["access_token"])
    await opened.read(provenance)
    assert (await last(town, "read")).outcome is Outcome.AGREES
    await hanako.grant(deny(cast.hospital, types=["Provenance"]))
    assert (await cast.a.get(provenance)).status_code == 404
    assert told(await last(town, "read")) == [(provenance, "the reference denies", True)]
    await town.operator.remove(policy)


async def test_the_deletion_of_a_patient_ended_no_death(town: Town, hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital))
    weight = await hanako.create(made.weight(hanako.reference))
    dead = {"resourceType": "Patient", "name": [{"text": "見本（架空）"}], "deceasedBoolean": True}
    await town.operator.put(hanako.reference, dead)
    await town.operator.remove(hanako.reference)
    assert (await cast.a.get(weight)).status_code == 404
    assert (await last(town, "read")).outcome is Outcome.AGREES


async def test_a_count_names_consents_in_force_and_says_what_it_does_not_keep(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    await hanako.create(made.weight(hanako.reference))
    await cast.a.search("Observation", ("patient", hanako.reference), ("_summary", "count"))
    report = await last(town)
    assert told(report) == [(f"{consent}/_history/1", "in force", True)]
    assert any("not kept" in note for note in report.notes)


async def test_what_nobody_permitted_or_sent_is_said_not_to_be_kept(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    assert (await cast.a.post(made.weight(hanako.reference))).status_code == 403
    report = await last(town)
    assert (report.outcome, [*report.findings]) == (Outcome.NOTHING, [])
    assert report.notes


async def _shown(hanako: Voice, cast: Cast) -> tuple[str, str, str]:
    """A weight that A read and a pressure that was refused; the id of the row of the reading comes last."""
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    weight = await hanako.create(made.weight(hanako.reference))
    pressure = await hanako.create(made.pressure(hanako.reference))
    await cast.a.read(weight)
    return weight, pressure, last_id(hanako.town)


async def test_a_row_that_is_forged_to_name_a_denied_record_is_found_out(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    _, pressure, id_ = await _shown(hanako, cast)
    key = town.runtime.keys.reference(pressure)
    changed(town, "UPDATE audit_event SET record_keys = ARRAY[%s] WHERE audit_id = %s", key, id_)
    report = await replayed(town.runtime, id_)
    assert (f"{pressure}/_history/1", "the reference denies", False) in told(report)
    assert report.outcome is Outcome.DISAGREES
    changed(town, "DELETE FROM audit_event WHERE audit_id = %s", id_)


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        ("versions = ARRAY[9]", "no such version is stored"),
        ("grants = ARRAY['Consent/none/_history/1']", "not in force"),
        ("grants = '{}'", "relied on"),
        ("subject = 'Practitioner/none', role = NULL", "the reference denies"),
        ("purpose = 'HMARKT'", "the reference denies"),
        ("purpose = 'NONE'", "the reference denies"),
        ("recorded = recorded - interval '1 day', seen = NULL", "it had not been written yet"),
        ("session_id = (SELECT session_id FROM session WHERE scopes = '{user/Patient.r}')", "scopes"),
    ],
)
async def test_a_row_that_is_forged_otherwise_is_found_out(
    town: Town, hanako: Voice, cast: Cast, forgery: str, said: str
) -> None:
    await town.as_(cast.role_b, scope="user/Patient.r").get("metadata")
    *_, id_ = await _shown(hanako, cast)
    changed(town, f"UPDATE audit_event SET {forgery} WHERE audit_id = %s", id_)
    report = await replayed(town.runtime, id_)
    assert report.outcome is Outcome.DISAGREES
    assert any(said in one.decided for one in report.findings if not one.agrees)
    changed(town, "DELETE FROM audit_event WHERE audit_id = %s", id_)


async def test_a_row_in_a_log_that_it_does_not_belong_to_is_found_out(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    *_, id_ = await _shown(hanako, cast)
    (key,) = town.rows("SELECT patient_key FROM patient WHERE patient_id = %s", taro.reference[8:])[0]
    changed(town, "UPDATE audit_event SET patient_key = %s WHERE audit_id = %s", key, id_)
    report = await replayed(town.runtime, id_)
    assert "it is of nobody whose log this is" in {one.decided for one in report.findings}
    assert report.outcome is Outcome.DISAGREES
    changed(town, "DELETE FROM audit_event WHERE audit_id = %s", id_)


async def test_a_version_that_was_not_the_current_one_is_found_out(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    weight, _, _ = await _shown(hanako, cast)
    await hanako.replace(weight, made.weight(hanako.reference, 61.0))
    await cast.a.read(weight)
    id_ = last_id(town)
    changed(town, "UPDATE audit_event SET versions = ARRAY[1] WHERE audit_id = %s", id_)
    report = await replayed(town.runtime, id_)
    assert "version 2 was the current one" in {one.decided for one in report.findings}
    changed(town, "DELETE FROM audit_event WHERE audit_id = %s", id_)


ERASURES: Final = {
    "the key": "UPDATE patient SET wrapped_key = '\\x00' WHERE patient_key = %s",
    "the person": "DELETE FROM patient WHERE patient_key = %s",
    "everything": """
        WITH rows AS (DELETE FROM resource WHERE patient_key = %s RETURNING record_key, patient_key),
        old AS (DELETE FROM resource_version WHERE patient_key IN (SELECT patient_key FROM rows)),
        places AS (DELETE FROM locator WHERE record_key IN (SELECT record_key FROM rows))
        DELETE FROM patient WHERE patient_key IN (SELECT patient_key FROM rows)
    """,
}


@pytest.mark.parametrize("erased", ERASURES)
async def test_what_was_erased_can_no_longer_be_told(town: Town, cast: Cast, erased: str) -> None:
    voice = await town.resident("見本 消子")
    *_, id_ = await _shown(voice, cast)
    (key,) = town.rows("SELECT patient_key FROM patient WHERE patient_id = %s", voice.reference[8:])[0]
    changed(town, ERASURES[erased], key)
    report = await replayed(town.runtime, id_)
    assert (report.outcome, list(report.findings)) == (Outcome.FORGOTTEN, [])
    changed(town, "DELETE FROM audit_event WHERE patient_key = %s", key)


async def test_while_sharing_goes_on_and_off_every_look_is_decided_again_as_it_was(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    known = {id_ for (id_,) in town.rows("SELECT audit_id::text FROM audit_event")}
    (consent,) = await hanako.grant(permit(cast.hospital, actions=["access", "collect"]))
    weight = await hanako.create(made.weight(hanako.reference))
    tree = await hanako.read(consent)

    async def share_on_and_off() -> None:
        for at in range(12):
            await hanako.replace(consent, {**tree, "status": ("inactive", "active")[at % 2]})

    async def look() -> None:
        for _ in range(12):
            await cast.a.get(weight)
            await cast.b.get("Observation", ("patient", hanako.reference), ("_total", "accurate"))
            await cast.a.post(made.weight(hanako.reference))

    await gather(share_on_and_off(), look(), look(), look())
    came = await agreed(town, known)
    assert came[Outcome.AGREES] > 60


async def test_rows_of_before_snapshots_were_kept_are_compared_by_their_times(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    *_, id_ = await _shown(hanako, cast)
    changed(
        town, "UPDATE audit_event SET rules = NULL, seen = NULL, written_in = NULL WHERE audit_id = %s", id_
    )
    with town.later(timedelta(hours=1)):
        await hanako.grant(deny(cast.hospital))
    report = await replayed(town.runtime, id_)
    assert report.outcome is Outcome.AGREES
    assert "was not kept" in "\n".join(report.lines())


async def test_rows_of_another_cluster_are_compared_by_their_times(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    *_, id_ = await _shown(hanako, cast)
    # The numbers of the cluster that it was restored into begin anew, and mean nothing here.
    changed(
        town,
        """
        WITH elsewhere AS (
            INSERT INTO rules (digest, content, cluster, since)
            SELECT digest || '\\x00', content, 'elsewhere', since FROM rules WHERE number = (
                SELECT rules FROM audit_event WHERE audit_id = %s)
            RETURNING number)
        UPDATE audit_event SET rules = (SELECT number FROM elsewhere), seen = '3:3:' WHERE audit_id = %s
        """,
        id_,
        id_,
    )
    assert (await replayed(town.runtime, id_)).outcome is Outcome.AGREES


@pytest.mark.parametrize("id_", ["", "x", "0-x", "00000000-0000-4000-8000-000000000000", "1-" + "0" * 36])
async def test_an_id_of_no_row_is_told(town: Town, id_: str) -> None:
    with pytest.raises(NoSuchRow):
        await replayed(town.runtime, id_)


async def invoked(town: Town, *arguments: str) -> CompletedProcess[bytes]:
    settings = town.runtime.settings
    environment = {"PASSPORT_DATABASE_URL": settings.database_url, "PASSPORT_PUBLIC_URL": settings.base_url}
    command = [sys.executable, "-m", "passport.cli", "consent", "replay", "--state", str(settings.state)]
    return await run_process([*command, *arguments], env={**os.environ, **environment}, check=False)


async def test_the_command_prints_references_and_versions_alone_and_its_look_is_in_the_log(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    weight, _, _ = await _shown(hanako, cast)
    bundle = await hanako.search("AuditEvent", ("agent", cast.role_a))
    event: Json = bundle["entry"][0]["resource"]
    done = await invoked(town, event["id"])
    printed = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"{weight}/_history/1: shown; the reference permits" in printed
    assert printed.splitlines()[-1] == "the reference agrees with what was done"
    assert not any(word in printed for word in ("29463-7", "62.5", "架空", "2026-10-01"))
    (newest, *_) = (await hanako.get("/audit/accesses")).json()
    assert (newest["who"], newest["purpose"], newest["records"]) == ("operator", "HOPERAT", [])
    assert event["id"] in newest["query"]


async def test_the_command_tells_a_disagreement_by_its_exit_code(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    *_, id_ = await _shown(hanako, cast)
    changed(town, "UPDATE audit_event SET purpose = 'HMARKT' WHERE audit_id = %s", id_)
    done = await invoked(town, "--json", id_)
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, report["result"]) == (1, "disagrees")
    assert {one["agrees"] for one in report["findings"]} == {True, False}
    changed(town, "DELETE FROM audit_event WHERE audit_id = %s", id_)


async def test_the_command_tells_in_one_line_what_it_cannot_do(town: Town) -> None:
    done = await invoked(town, "none")
    said = b"Error: got an id that no row of the log has, expected that of an AuditEvent\n"
    assert (done.returncode, done.stderr) == (1, said)
