"""What writing could tell of records that the writer may not see, one way after the other.

http://hl7.org/fhir/R4/http.html#update
"""

from base64 import b64encode
from pathlib import Path

import orjson
import pytest
from httpx import Response

from tests import resources as made
from tests.attacks.twins import Twin, Twins, masked, twins_of
from tests.attacks.work import work_of
from tests.cast import Cast
from tests.http.bundles import asked, created, send
from tests.town import Town, Voice, answered, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
async def twins(town: Town, cast: Cast) -> Twins:
    return await twins_of(town, cast)


@pytest.fixture(scope="module")
async def writing(twins: Twins, cast: Cast) -> Twins:
    """The physician may also write weights for both."""
    for twin in (twins.full, twins.bare):
        await twin.patient.grant(
            permit(cast.hospital, codes=[made.BODY_WEIGHT], labels=["N"], actions=["collect", "correct"])
        )
    return twins


def body(reference: str, patient: str) -> Json:
    tree = made.weight(patient) if reference.startswith("Observation/") else made.prescription(patient)
    return {**tree, "meta": made.labelled("N")}


async def unchanged(twins: Twins) -> dict[str, str]:
    answers = {name: await twins.full.patient.get(name) for name in twins.full.hidden.values()}
    return {name: answer.headers.get("etag", "") for name, answer in answers.items()}


@pytest.mark.parametrize("if_match", [None, 'W/"1"', 'W/"2"', 'W/"9"'])
async def test_a_put_to_a_denied_id_is_one_to_an_unknown_id(writing: Twins, if_match: str | None) -> None:
    before = await unchanged(writing)
    patient = writing.full.patient.reference
    for answer in await writing.as_unknown(
        lambda voice, reference: voice.put(reference, body(reference, patient), if_match=if_match)
    ):
        outcome(answer, 405, "not-supported")
    assert await unchanged(writing) == before


@pytest.mark.parametrize("if_match", [None, 'W/"1"', 'W/"9"'])
async def test_a_deletion_of_a_denied_id_is_one_of_an_unknown_id(
    writing: Twins, if_match: str | None
) -> None:
    before = await unchanged(writing)
    for answer in await writing.as_unknown(
        lambda voice, reference: voice.delete(reference, if_match=if_match)
    ):
        outcome(answer, 404, "not-found")
    assert await unchanged(writing) == before


async def test_a_broken_body_is_told_apart_before_the_id_is_looked_at(writing: Twins) -> None:
    broken = {"status": "perhaps"}
    patient = writing.full.patient.reference
    for answer in await writing.as_unknown(
        lambda voice, reference: voice.put(reference, body(reference, patient) | broken)
    ):
        outcome(answer, 422)


@pytest.mark.parametrize("value", ["final", "amended"])
async def test_a_test_in_a_patch_of_a_denied_record_tells_nothing_of_it(writing: Twins, value: str) -> None:
    before = await unchanged(writing)
    patch = orjson.dumps([{"op": "test", "path": "/status", "value": value}])
    headers = {"Content-Type": "application/json-patch+json"}
    for answer in await writing.as_unknown(
        lambda voice, reference: voice.call("PATCH", reference, content=patch, headers=headers)
    ):
        outcome(answer, 404, "not-found")
    assert await unchanged(writing) == before


@pytest.mark.parametrize("condition", ["code=85354-9", "identifier=urn:x|1", "date=2026-10-01", "_id=x"])
async def test_a_conditional_creation_matches_what_its_caller_may_read(
    writing: Twins, condition: str
) -> None:
    for answer in await writing.alike(
        lambda voice, twin: voice.post(
            body("Observation/", twin.patient.reference),
            **{"If-None-Exist": f"{condition}&patient={twin.patient.reference}"},
        )
    ):
        assert answer.status_code in (200, 201, 403, 412)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("condition", ["code=85354-9", "code=27113001", "status=final&code=85354-9"])
async def test_conditional_changes_match_what_their_caller_may_read(
    writing: Twins, method: str, condition: str
) -> None:
    before = await unchanged(writing)
    patch = [{"op": "test", "path": "/status", "value": "final"}]

    async def send(voice: Voice, twin: Twin) -> Response:
        tree = body("Observation/", twin.patient.reference)
        content = {"PUT": orjson.dumps(tree), "PATCH": orjson.dumps(patch)}.get(method)
        headers = {"Content-Type": "application/json-patch+json"} if method == "PATCH" else {}
        return await voice.call(
            method,
            f"Observation?{condition}&patient={twin.patient.reference}",
            content=content,
            headers=headers,
        )

    for answer in await writing.alike(send):
        assert answer.status_code in (201, 204, 403, 404)
    assert await unchanged(writing) == before


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_an_entry_about_a_denied_record_is_one_about_an_unknown_record(
    writing: Twins, kind: str, method: str
) -> None:
    before = await unchanged(writing)
    patient = writing.full.patient.reference
    patch = orjson.dumps([{"op": "test", "path": "/status", "value": "final"}])
    trees = {
        "PATCH": {
            "resourceType": "Binary",
            "contentType": "application/json-patch+json",
            "data": b64encode(patch).decode(),
        }
    }

    async def ask(voice: Voice, target: str) -> Response:
        tree = (
            {**body(target, patient), "id": target.partition("/")[2]}
            if method == "PUT"
            else trees.get(method)
        )
        beside = created(body("Observation/", patient))
        return await send(voice, kind, asked(method, target, tree), beside)

    for answer in await writing.as_unknown(ask):
        assert answer.status_code in (200, 403, 404, 405)
    assert await unchanged(writing) == before


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_what_a_bundle_refuses_does_not_depend_on_what_is_hidden(writing: Twins, kind: str) -> None:
    async def ask(voice: Voice, twin: Twin) -> Response:
        patient = twin.patient.reference
        return await send(
            voice,
            kind,
            created(
                body("Observation/", patient), ifNoneExist=f"patient={patient}&code=85354-9&status=final"
            ),
            created(body("MedicationRequest/", patient)),
            asked("DELETE", f"MedicationRequest?patient={patient}"),
            asked("GET", f"MedicationRequest?patient={patient}&_summary=count"),
        )

    for answer in await writing.alike(ask):
        assert answer.status_code in (200, 403)


async def test_entries_for_a_patient_who_shared_nothing_are_ones_for_an_unknown_patient(
    hanako: Voice, taro: Voice, cast: Cast, tmp_path: Path
) -> None:
    await hanako.grant(permit(cast.clinic, actions=["access", "collect"]))
    for kind in ("batch", "transaction"):
        costs = []
        for patient in (taro.reference, f"Patient/{UNKNOWN}"):
            entries = [created(made.weight(hanako.reference)), created(made.weight(patient))]

            async def ask(kind: str = kind, entries: list[Json] = entries) -> Response:
                return await send(cast.a_at_k, kind, *entries)

            for _ in range(3):
                await ask()
            costs.append(await work_of(hanako.town, ask, tmp_path / "trace"))
        known, unknown = costs
        assert masked(known.answer) == masked(unknown.answer)
        assert known.statements == unknown.statements
        assert known.cryptography == unknown.cryptography


async def test_an_identifier_that_a_denied_record_has_is_no_conflict(hanako: Voice, cast: Cast) -> None:
    identifier = made.identifiers(("http://example.test/unique", "1"))
    await hanako.create(made.pressure(hanako.reference, identifier=identifier))
    await hanako.grant(permit(cast.clinic, codes=[made.BODY_WEIGHT], actions=["access", "collect"]))
    answer = await cast.a_at_k.post(made.weight(hanako.reference, identifier=identifier))
    assert answer.status_code == 201


async def test_a_write_for_a_patient_who_shared_nothing_is_one_for_an_unknown_patient(
    hanako: Voice, cast: Cast
) -> None:
    for build in (made.weight, made.prescription, made.allergy, made.group, made.immunization):
        known, unknown = [
            await cast.a_at_k.post(build(patient)) for patient in (hanako.reference, f"Patient/{UNKNOWN}")
        ]
        outcome(known, 403, "forbidden")
        assert answered(known) == answered(unknown)


async def test_a_target_of_a_reference_is_never_checked_for_existence(hanako: Voice, cast: Cast) -> None:
    hidden = await hanako.create(made.pressure(hanako.reference))
    await hanako.grant(permit(cast.clinic, codes=[made.BODY_WEIGHT], actions=["access", "collect"]))
    answers = [
        await cast.a_at_k.post(made.weight(hanako.reference, hasMember=[made.reference(target)]))
        for target in (hidden, f"Observation/{UNKNOWN}", "Observation/other-server")
    ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert masked(answers[0]) == masked(answers[1])


async def test_versions_count_per_record(writing: Twins) -> None:
    """No number in an answer grows with what others write."""
    for answer in await writing.alike(
        lambda voice, twin: voice.post(body("Observation/", twin.patient.reference))
    ):
        assert answer.status_code in (201, 403)
        if answer.status_code == 201:
            assert answer.json()["meta"]["versionId"] == "1"


async def test_a_refused_write_tells_nothing_of_the_consents_behind_it(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT], actions=["access", "collect"]))
    refused = [
        await cast.a.post(made.pressure(hanako.reference)),
        await cast.a.post(made.pressure(taro.reference)),
        await cast.a.post(made.pressure(f"Patient/{UNKNOWN}")),
    ]
    assert len({str(answered(answer)) for answer in refused}) == 1
