"""Patching a record: both formats, the rules of an update, and what a patch never changes.

http://hl7.org/fhir/R4/http.html#patch
"""

from typing import Any

import orjson
import pytest
from httpx import Response

from tests.cast import Cast
from tests.resources import BODY_WEIGHT, practitioner, weight
from tests.town import Town, Voice, answered, outcome
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio

JSON_PATCH = "application/json-patch+json"


async def patch(voice: Voice, reference: str, *operations: Any, **headers: str) -> Response:
    content = orjson.dumps(list(operations))
    return await voice.call(
        "PATCH", reference, content=content, headers={"Content-Type": JSON_PATCH, **headers}
    )


def replaced(path: str, value: Any) -> Any:
    return {"op": "replace", "path": path, "value": value}


async def test_a_json_patch_makes_the_next_version(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    answer = await patch(hanako, reference, replaced("/valueQuantity/value", 61))
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert (await hanako.read(reference))["valueQuantity"]["value"] == 61
    assert (await hanako.get(f"{reference}/_history/1")).json()["valueQuantity"]["value"] == 62.5


async def test_a_fhirpath_patch_makes_the_next_version(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Observation.value.value"},
        {"name": "value", "valueDecimal": 61.50},
    ]
    document = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    content = orjson.dumps(document).replace(b"61.5", b"61.50")
    answer = await hanako.call("PATCH", reference, content=content)
    assert answer.status_code == 200, answer.text
    assert b'"value":61.50,' in (await hanako.get(reference)).content


async def test_what_a_patch_leaves_alone_stays_as_it_was_written(hanako: Voice) -> None:
    written = orjson.dumps(weight(hanako.reference)).replace(b"62.5", b"72.50")
    reference = f"Observation/{(await hanako.call('POST', 'Observation', content=written)).json()['id']}"
    await patch(hanako, reference, replaced("/status", "amended"))
    assert b'"value":72.50,' in (await hanako.get(reference)).content


async def test_a_patch_names_the_version_that_it_was_made_for(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    status = replaced("/status", "amended")
    outcome(await patch(hanako, reference, status, **{"If-Match": 'W/"2"'}), 412, "conflict")
    assert (await patch(hanako, reference, status, **{"If-Match": 'W/"1"'})).status_code == 200
    failing = {"op": "test", "path": "/status", "value": "final"}
    outcome(await patch(hanako, reference, failing, **{"If-Match": 'W/"1"'}), 412, "conflict")


async def test_a_test_that_fails_changes_nothing(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    failing = {"op": "test", "path": "/status", "value": "amended"}
    tree = outcome(await patch(hanako, reference, failing, replaced("/status", "amended")), 422, "processing")
    assert tree["issue"][0]["expression"] == ["[0]"]
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


async def test_what_a_patch_makes_is_validated_whole(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    tree = outcome(
        await patch(hanako, reference, replaced("/status", "perhaps"), {"op": "remove", "path": "/code"}), 422
    )
    assert len(tree["issue"]) >= 2
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(("path", "value"), [("/id", "other"), ("/resourceType", "Condition")])
async def test_a_patch_changes_neither_id_nor_type(hanako: Voice, path: str, value: str) -> None:
    reference = await hanako.create(weight(hanako.reference))
    outcome(await patch(hanako, reference, replaced(path, value)), 422)
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


async def test_the_version_stays_the_services_own(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    answer = await patch(hanako, reference, replaced("/meta/versionId", "9"))
    assert (answer.json()["meta"]["versionId"], answer.headers["etag"]) == ("2", 'W/"2"')


async def test_a_patch_moves_no_record_to_another_patient(hanako: Voice, taro: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    outcome(await patch(hanako, reference, replaced("/subject/reference", taro.reference)), 403, "forbidden")


async def test_a_patch_needs_what_an_update_needs(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT]))
    reference = await hanako.create(weight(hanako.reference))
    outcome(await patch(cast.a, reference, replaced("/status", "amended")), 403, "forbidden")
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["correct"]))
    assert (await patch(cast.a, reference, replaced("/status", "amended"))).status_code == 200
    away = replaced("/code/coding/0/code", "85354-9")
    outcome(await patch(cast.a, reference, away), 403, "forbidden")


async def test_denied_deleted_and_unknown_ids_have_one_answer(hanako: Voice, cast: Cast) -> None:
    denied = await hanako.create(weight(hanako.reference))
    deleted = await hanako.create(weight(hanako.reference))
    await hanako.remove(deleted)
    operation = {"op": "test", "path": "/status", "value": "final"}
    answers = [await patch(cast.a, one, operation) for one in (denied, deleted, "Observation/unknown")]
    outcome(answers[0], 404, "not-found")
    assert len({str(answered(answer)) for answer in answers}) == 1


@pytest.mark.parametrize(
    "content", [b"{}", b"[1]", b"", b'[{"op":"add"}]', b"[" * 1000, b'[{"op":"a","op":"b"}]']
)
async def test_what_is_no_patch_is_told_before_the_id_is_looked_at(hanako: Voice, content: bytes) -> None:
    reference = await hanako.create(weight(hanako.reference))
    headers = {"Content-Type": JSON_PATCH}
    answers = [
        await hanako.call("PATCH", one, content=content, headers=headers)
        for one in (reference, "Observation/unknown")
    ]
    outcome(answers[0], 400)
    assert answered(answers[0]) == answered(answers[1])


async def test_an_operator_patches_the_directory(town: Town) -> None:
    reference = await town.operator.create(practitioner("架空 四郎"))
    answer = await patch(town.operator, reference, {"op": "add", "path": "/active", "value": False})
    assert answer.json()["active"] is False


async def test_a_patch_by_condition_changes_the_one_that_matches(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    where = f"Observation?code=29463-7&patient={hanako.reference}"
    answer = await patch(hanako, where, replaced("/status", "amended"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["location"].endswith(f"{reference}/_history/2")
    await hanako.create(weight(hanako.reference))
    outcome(await patch(hanako, where, replaced("/status", "final")), 412, "conflict")
    outcome(await patch(hanako, f"{where}&date=1999", replaced("/status", "final")), 404, "not-found")


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json", "text/plain", ""])
async def test_a_patch_of_another_format_is_told_which_there_are(hanako: Voice, media_type: str) -> None:
    reference = await hanako.create(weight(hanako.reference))
    content = orjson.dumps({"resourceType": "Observation", "status": "amended"})
    for path in (reference, f"Observation?_id={reference.partition('/')[2]}"):
        answer = await hanako.call("PATCH", path, content=content, headers={"Content-Type": media_type})
        (issue,) = outcome(answer, 415, "not-supported")["issue"]
        assert issue["diagnostics"].endswith(
            "expected `application/json-patch+json` or `application/fhir+json`"
        )
        assert answer.headers["accept-patch"] == "application/json-patch+json, application/fhir+json"
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


async def test_what_was_deleted_is_not_patched_and_only_its_readers_are_told(
    hanako: Voice, taro: Voice
) -> None:
    reference = await hanako.create(weight(hanako.reference))
    await hanako.remove(reference)
    change = replaced("/status", "amended")
    outcome(await patch(hanako, reference, change), 410, "deleted")
    outcome(await patch(taro, reference, change), 404, "not-found")
    assert (await hanako.get(f"{reference}/_history")).json()["total"] == 2


async def test_a_json_patch_that_is_said_to_be_another_is_told_its_media_type(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    answer = await hanako.call(
        "PATCH", reference, content=b' [{"op": "test", "path": "/status", "value": "final"}]'
    )
    (issue,) = outcome(answer, 400, "invalid")["issue"]
    assert "`application/json-patch+json`" in issue["diagnostics"]


async def test_a_path_that_leads_nowhere_is_repeated(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    answer = await patch(hanako, reference, {"op": "remove", "path": "/note/0/te~1xt"})
    (issue,) = outcome(answer, 422, "processing")["issue"]
    assert issue["diagnostics"] == "got `remove` at `/note/0/te~1xt`, which is not there"
    assert issue["expression"] == ["[0]"]
