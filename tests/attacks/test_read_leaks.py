"""What reading could tell of records that the reader may not see, one way after the other.

http://hl7.org/fhir/R4/security.html
"""

from datetime import timedelta

import pytest

from tests import resources as made
from tests.attacks.twins import DAYS, Twins, masked, twins_of
from tests.cast import Cast
from tests.town import Town, Voice, answered, outcome
from tests.unit.consent.words import deny, permit

pytestmark = pytest.mark.anyio

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
async def twins(town: Town, cast: Cast) -> Twins:
    return await twins_of(town, cast)


async def test_a_denied_id_reads_like_an_unknown_one(twins: Twins) -> None:
    for answer in await twins.as_unknown(lambda voice, reference: voice.get(reference)):
        outcome(answer, 404, "not-found")


async def test_a_denied_record_that_was_deleted_is_not_gone_but_unknown(twins: Twins) -> None:
    deleted = twins.full.hidden["deleted"]
    outcome(await twins.full.patient.get(deleted), 410, "deleted")
    outcome(await twins.physician.get(deleted), 404, "not-found")


@pytest.mark.parametrize("path", ["_history", "_history/1", "_history/2", "_history/3", "_history?_count=1"])
async def test_versions_of_a_denied_record_are_those_of_an_unknown_one(twins: Twins, path: str) -> None:
    for answer in await twins.as_unknown(lambda voice, reference: voice.get(f"{reference}/{path}")):
        outcome(answer, 404, "not-found")


async def test_a_version_that_was_visible_once_is_unknown_when_the_record_is_not_visible(
    twins: Twins,
) -> None:
    once = twins.full.hidden["visible once"]
    assert (await twins.full.patient.get(f"{once}/_history/1")).status_code == 200
    for path in ("", "/_history", "/_history/1", "/_history/2"):
        outcome(await twins.physician.get(once + path), 404, "not-found")


async def test_a_version_of_before_a_withdrawal_is_unknown_after_it(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    (consent,) = await hanako.grant(permit(cast.clinic))
    assert (await cast.a_at_k.get(f"{reference}/_history/1")).status_code == 200
    await hanako.remove(consent)
    for path in ("/_history/1", "/_history"):
        outcome(await cast.a_at_k.get(reference + path), 404, "not-found")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-None-Match", 'W/"1"'),
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Sun, 22 Nov 2099 00:00:00 GMT"),
        ("Range", "bytes=0-1"),
        ("Prefer", "return=minimal"),
    ],
)
async def test_a_condition_on_a_denied_record_is_answered_404_never_304(
    twins: Twins, name: str, value: str
) -> None:
    for answer in await twins.as_unknown(lambda voice, reference: voice.get(reference, **{name: value})):
        outcome(answer, 404, "not-found")


async def test_scopes_refuse_a_denied_id_like_an_unknown_one(twins: Twins, cast: Cast) -> None:
    narrow = cast.town.as_(cast.role_a, scope="user/Immunization.rs")
    for reference in twins.full.hidden.values():
        unknown = f"{reference.partition('/')[0]}/{UNKNOWN}"
        assert answered(await narrow.get(reference)) == answered(await narrow.get(unknown))


@pytest.mark.parametrize("operation", ["$everything", "$lastn", "$export", "$validate", "_history", "$graph"])
async def test_operations_on_a_denied_patient_are_those_on_an_unknown_one(
    twins: Twins, operation: str
) -> None:
    denied = await twins.colleague.get(f"{twins.full.patient.reference}/{operation}")
    assert masked(denied) == masked(await twins.colleague.get(f"Patient/{UNKNOWN}/{operation}"))
    assert denied.status_code in (200, 400, 404)
    assert "entry" not in denied.json()


@pytest.mark.parametrize("path", ["Observation/$lastn", "$export", "Observation/$export", "$graphql"])
async def test_operations_across_everybodys_records_are_not_there(twins: Twins, path: str) -> None:
    for voice in (twins.physician, twins.colleague, twins.full.patient):
        assert (await voice.get(path)).status_code in (400, 404, 405)


async def test_why_something_is_denied_is_told_to_the_patient_alone(twins: Twins) -> None:
    texts = {(await twins.physician.get(reference)).text for reference in twins.full.hidden.values()}
    assert len(texts) == 1
    assert "no such resource" in texts.pop()


async def test_a_consent_that_names_what_is_hidden_is_shown_only_where_it_was_shared(
    hanako: Voice, cast: Cast
) -> None:
    secret = await hanako.create(made.pressure(hanako.reference))
    naming, _ = await hanako.grant(
        permit(cast.clinic, but=[deny(data=[("instance", secret)])]), permit(cast.clinic)
    )
    for path in (naming, f"{naming}/_history", f"{naming}/_history/1"):
        outcome(await cast.a_at_k.get(path), 404, "not-found")
    assert naming not in await cast.a_at_k.found("Consent")


async def test_no_answer_is_kept_on_its_way(twins: Twins) -> None:
    shown, hidden = twins.full.shown[0], next(iter(twins.full.hidden.values()))
    for path in (shown, hidden, "Observation", f"{shown}/_history", f"{shown}/_history/1", "AuditEvent"):
        answer = await twins.physician.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert "etag" not in answer.headers or answer.status_code == 200


async def test_an_expired_grant_reads_like_none(town: Town, hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(cast.clinic, period={"end": "2026-11-30"}))
    with town.later(timedelta(days=60)):
        town.sessions.clear()
        denied = await cast.a_at_k.get(reference)
        assert answered(denied) == answered(await cast.a_at_k.get(f"Observation/{UNKNOWN}"))
    town.sessions.clear()


async def test_the_log_shows_a_caller_nothing_of_others_requests(twins: Twins) -> None:
    for answer in await twins.alike(
        lambda voice, twin: voice.get(
            "AuditEvent", ("patient", twin.patient.reference), ("_total", "accurate")
        )
    ):
        assert answer.json()["total"] == 0


@pytest.mark.parametrize("day", DAYS)
async def test_both_residents_look_alike_day_by_day(twins: Twins, day: str) -> None:
    of_physician, of_colleague = await twins.alike(
        lambda voice, twin: voice.get(
            "Observation", ("patient", twin.patient.reference), ("date", day), ("_total", "accurate")
        )
    )
    assert (of_physician.json()["total"], of_colleague.json()["total"]) == (1, 0)
