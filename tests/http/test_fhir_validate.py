"""`$validate` over HTTP: everything at once, nothing stored, and no way around consent.

http://hl7.org/fhir/R4/resource-operation-validate.html
"""

from typing import Any

import orjson
import pytest
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, permit

CORE = "http://jpfhir.jp/fhir/core/StructureDefinition/"


async def check(voice: Voice, path: str, tree: Json | None, *params: tuple[str, str]) -> Response:
    content = None if tree is None else orjson.dumps(tree)
    return await voice.call("POST", f"{path}/$validate", content=content, params=params)


def issues(answer: Response) -> list[tuple[str, str, list[str]]]:
    assert answer.status_code == 200, answer.text
    tree = answer.json()
    assert tree["resourceType"] == "OperationOutcome"
    return [(each["severity"], each["code"], each.get("expression", [])) for each in tree["issue"]]


def body(*parameters: dict[str, Any]) -> Json:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


async def test_valid_resource_is_all_ok_and_not_stored(hanako: Voice) -> None:
    answer = await check(hanako, "Observation", made.weight(hanako.reference))
    assert issues(answer) == [("information", "informational", [])]
    assert await hanako.found("Observation") == []


async def test_everything_that_is_wrong_is_told_at_once(hanako: Voice) -> None:
    tree = made.weight(hanako.reference, status="done", effectiveDateTime="yesterday", foo=1)
    assert issues(await check(hanako, "Observation", tree)) == [
        ("error", "code-invalid", ["Observation.status"]),
        ("error", "value", ["Observation.effectiveDateTime"]),
        ("error", "structure", ["Observation.foo"]),
    ]


async def test_profile_may_be_asked_for_in_the_address_and_in_the_body(hanako: Voice) -> None:
    person = {"resourceType": "Patient", "name": [{"text": "見本"}]}
    wanted = [("error", "required", ["Patient.identifier"])]
    assert issues(await check(hanako, "Patient", person, ("profile", f"{CORE}JP_Patient"))) == wanted
    asked = body(
        {"name": "resource", "resource": person}, {"name": "profile", "valueUri": f"{CORE}JP_Patient"}
    )
    assert issues(await check(hanako, "Patient", asked)) == wanted


async def test_a_profile_that_is_asked_for_and_not_known_is_an_error(hanako: Voice) -> None:
    person = {"resourceType": "Patient", "name": [{"text": "見本"}]}
    unknown = "http://x.example/StructureDefinition/p"
    expected = [("error", "not-found", ["Patient"])]
    assert issues(await check(hanako, "Patient", person, ("profile", unknown))) == expected
    claiming = person | {"meta": {"profile": [unknown]}}
    assert issues(await check(hanako, "Patient", claiming, ("profile", unknown))) == expected


async def test_a_profile_that_is_claimed_and_not_known_is_a_warning(hanako: Voice) -> None:
    claiming = {"resourceType": "Patient", "meta": {"profile": ["http://x.example/StructureDefinition/p"]}}
    assert issues(await check(hanako, "Patient", claiming)) == [("warning", "not-found", ["Patient"])]


async def test_types_of_the_directory_and_those_not_writable_here_are_checked_alike(hanako: Voice) -> None:
    answer = await check(hanako, "Organization", {"resourceType": "Organization"})
    assert issues(answer) == [("error", "invariant", ["Organization"])]


async def test_deletion_asks_for_no_resource(hanako: Voice) -> None:
    assert issues(await check(hanako, "Patient", body({"name": "mode", "valueCode": "delete"}))) == [
        ("information", "informational", [])
    ]


@pytest.mark.parametrize(
    ("tree", "params"),
    [
        (body(), ()),
        (body({"name": "resource"}), ()),
        ({"resourceType": "Patient"}, (("mode", "replace"),)),
        ({"resourceType": "Patient"}, (("name", "見本"),)),
    ],
)
async def test_question_that_cannot_be_read_is_refused(
    hanako: Voice, tree: Json, params: tuple[tuple[str, str], ...]
) -> None:
    outcome(await check(hanako, "Patient", tree, *params), 400)


async def test_text_that_is_no_resource_is_refused_with_its_place(hanako: Voice) -> None:
    answer = await hanako.call(
        "POST", "Patient/$validate", content=b'{"resourceType":"Patient","id":"a","id":"b"}'
    )
    assert outcome(answer, 400)["issue"][0]["expression"] == ["Patient.id"]


async def test_stranger_is_not_answered(town: Town) -> None:
    outcome(await check(town.stranger, "Patient", {"resourceType": "Patient"}), 401)


async def test_unknown_type_is_not_served(hanako: Voice) -> None:
    outcome(await check(hanako, "Nothing", {"resourceType": "Nothing"}), 404)


# A record that is stored


async def test_stored_record_is_checked_for_whoever_may_read_it(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    doctor = cast.a
    outcome(await check(doctor, reference, None), 404)
    outcome(await doctor.get(f"{reference}/$validate"), 404)
    await hanako.grant(permit(cast.hospital))
    assert issues(await check(doctor, reference, None)) == [("information", "informational", [])]
    assert issues(await doctor.get(f"{reference}/$validate")) == [("information", "informational", [])]


async def test_denied_record_and_unknown_one_are_answered_alike(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    doctor = cast.a
    tree = made.weight(hanako.reference)
    for sent in (None, tree, tree | {"status": "done"}):
        denied = await check(doctor, reference, sent)
        unknown = await check(doctor, "Observation/unknown", sent)
        assert (denied.status_code, denied.content) == (unknown.status_code, unknown.content)
        assert denied.status_code == 404


async def test_what_is_to_take_a_records_place_is_checked(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    tree = made.weight(hanako.reference, id="another")
    assert issues(await check(hanako, reference, tree)) == [("error", "value", ["Observation.id"])]
    assert issues(await check(hanako, reference, {**tree, "id": reference.partition("/")[2]})) == [
        ("information", "informational", [])
    ]


async def test_log_tells_that_it_was_asked_and_of_no_record(hanako: Voice) -> None:
    await check(hanako, "Observation", made.weight(hanako.reference))
    rows = hanako.town.rows(
        "SELECT patient_key, query, record_keys FROM audit_event WHERE action = 'validate' AND subject = %s",
        hanako.reference,
    )
    assert rows == [(0, "POST Observation/$validate", [])]
