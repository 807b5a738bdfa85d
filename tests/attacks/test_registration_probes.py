"""What an operator learns of a registration by writing it: its labels and its version, and nothing that it says.

https://www.rfc-editor.org/rfc/rfc6902#section-4.6
http://hl7.org/fhir/R4/fhirpatch.html
"""

from typing import Any, Final

import orjson
import pytest
from httpx import Response

from tests.cast import Cast
from tests.town import Town, Voice, answered, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

JSON_PATCH: Final = "application/json-patch+json"
SECRET: Final = "架空の秘密町"
BORN: Final = "1970-02-03"


def fhirpath_patch(path: str) -> Json:
    parts: list[Json] = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": path},
        {"name": "value", "valueBoolean": True},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


PROBES: Final[tuple[Any, ...]] = (
    [{"op": "replace", "path": "/active", "value": True}],
    [{"op": "test", "path": "/birthDate", "value": BORN}],
    [{"op": "test", "path": "/birthDate", "value": "1971-02-03"}],
    [{"op": "copy", "from": "/name", "path": "/name"}],
    [{"op": "add", "path": "/name/1", "value": {"text": "架空"}}],
    [{"op": "add", "path": "/gender", "value": "female"}],
    [{"op": "remove", "path": "/identifier"}],
    fhirpath_patch(f"Patient.where(birthDate = '{BORN}').active"),
    fhirpath_patch("Patient.where(birthDate = '1971-02-03').active"),
)


@pytest.fixture
async def resident(town: Town) -> Voice:
    return await town.resident(birthDate=BORN, active=True, address=[{"text": SECRET}])


async def patched(town: Town, reference: str, probe: Any) -> Response:
    kind = JSON_PATCH if isinstance(probe, list) else "application/fhir+json"
    headers = {"Content-Type": kind}
    return await town.operator.call("PATCH", reference, content=orjson.dumps(probe), headers=headers)


async def test_no_patch_of_an_operator_tells_what_a_registration_says(town: Town, resident: Voice) -> None:
    before = await resident.read(resident.reference)
    expected = await patched(town, resident.reference, PROBES[0])
    outcome(expected, 403, "forbidden")
    for probe in PROBES:
        for reference in (resident.reference, "Patient/unknown"):
            answer = await patched(town, reference, probe)
            assert answered(answer)[0::2] == answered(expected)[0::2]
    assert await resident.read(resident.reference) == before


async def test_no_patch_of_a_bundle_does_either(town: Town, resident: Voice) -> None:
    found = set()
    for kind in ("batch", "transaction"):
        for day in (BORN, "1971-02-03"):
            probe = fhirpath_patch(f"Patient.where(birthDate = '{day}').active")
            entry = {"resource": probe, "request": {"method": "PATCH", "url": resident.reference}}
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
            answer = await town.operator.call("POST", "/fhir", content=orjson.dumps(bundle))
            status = answer.json()["entry"][0]["response"]["status"] if kind == "batch" else "403"
            found.add((kind, answer.status_code, status, answer.content))
            assert status.startswith("403")
    assert len(found) == 2


async def test_an_operator_is_answered_the_labels_of_a_registration_and_no_content(
    town: Town, resident: Voice
) -> None:
    labelled = {
        **await resident.read(resident.reference),
        "meta": {"tag": [{"system": "urn:a", "code": "b"}]},
    }
    labelled["meta"]["security"] = [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    ]
    await town.operator.replace(resident.reference, labelled)
    mine = {"resourceType": "Patient", "active": True}
    answer = await town.operator.put(resident.reference, mine)
    told = answer.json()
    assert answer.status_code == 200
    assert told.keys() == {"resourceType", "id", "meta"}
    assert told["meta"].keys() == {"versionId", "lastUpdated", "security", "tag"}
    assert (told["meta"]["versionId"], told["meta"]["security"][0]["code"]) == ("3", "R")
    assert told["meta"]["tag"][0]["code"] == "SUBSETTED"
    # What came back is no registration, and does not become one.
    assert (await town.operator.put(resident.reference, told)).status_code == 422
    assert (await resident.read(resident.reference))["active"] is True


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_a_bundle_answers_no_content_either(town: Town, resident: Voice, kind: str) -> None:
    tree = {
        "resourceType": "Patient",
        "id": resident.reference.partition("/")[2],
        "address": [{"text": SECRET}],
    }
    entry = {"resource": tree, "request": {"method": "PUT", "url": resident.reference}}
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
    headers = {"Prefer": "return=representation"}
    answer = await town.operator.call("POST", "/fhir", content=orjson.dumps(bundle), headers=headers)
    (entry,) = answer.json()["entry"]
    assert entry["response"]["status"].startswith("200")
    assert entry["resource"].keys() == {"resourceType", "id", "meta"}


async def test_a_tag_of_an_operator_shows_the_labels_alone(town: Town, resident: Voice) -> None:
    tree = await resident.read(resident.reference)
    await town.operator.replace(resident.reference, {**tree, "meta": {"profile": ["urn:secret-profile"]}})
    tag = {"name": "meta", "valueMeta": {"tag": [{"system": "urn:a", "code": "b"}]}}
    change = orjson.dumps({"resourceType": "Parameters", "parameter": [tag]})
    answer = await town.operator.call("POST", f"{resident.reference}/$meta-add", content=change)
    assert answer.status_code == 200
    assert "urn:secret-profile" not in answer.text
    assert (await resident.read(resident.reference))["meta"]["tag"][0]["code"] == "b"


async def test_a_clinic_that_may_correct_a_registration_patches_it_as_ever(
    town: Town, resident: Voice, cast: Cast
) -> None:
    await resident.grant(permit(cast.role_a, types=["Patient"], actions=["access", "correct"]))
    headers = {"Content-Type": JSON_PATCH}
    content = orjson.dumps(PROBES[1] + PROBES[0])
    answer = await cast.a.call("PATCH", resident.reference, content=content, headers=headers)
    assert (answer.status_code, answer.json()["birthDate"]) == (200, BORN)


async def test_who_registers_somebody_is_answered_what_they_said(town: Town) -> None:
    created = await town.operator.post({"resourceType": "Patient", "birthDate": BORN})
    assert created.json()["birthDate"] == BORN


async def test_no_profile_that_an_operator_claims_for_a_registration_is_held_against_it(
    town: Town, resident: Voice
) -> None:
    profile = {
        "name": "meta",
        "valueMeta": {"profile": ["http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Patient_eCS"]},
    }
    change = orjson.dumps({"resourceType": "Parameters", "parameter": [profile]})
    for reference in (resident.reference, "Patient/unknown"):
        outcome(await town.operator.call("POST", f"{reference}/$meta-add", content=change), 403, "forbidden")
