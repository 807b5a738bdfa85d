"""Every resource type that the passport holds, through its whole life.

http://hl7.org/fhir/R4/resourcelist.html
"""

from collections.abc import Callable
from typing import Final

import pytest

from fhirstore.parameters import parameters_of
from fhirstore.types import types_of
from passport.identity.scopes import UnusableScope
from tests import resources as made
from tests.cast import Cast
from tests.http.bundles import created, send
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, concept, permit

pytestmark = pytest.mark.anyio

Build = Callable[[str, Cast], Json]

OF_PATIENTS: Final[dict[str, Build]] = {
    "CareTeam": lambda patient, cast: made.care_team(patient, cast.role_a),
    "RelatedPerson": lambda patient, cast: made.related_person(patient),
    "Device": lambda patient, cast: made.device(patient),
    "Group": lambda patient, cast: made.group(patient),
    "Observation": lambda patient, cast: made.pressure(patient),
    "MedicationRequest": lambda patient, cast: made.prescription(patient, made.CANDESARTAN),
    "MedicationDispense": lambda patient, cast: made.dispense(patient, made.CANDESARTAN),
    "MedicationStatement": lambda patient, cast: made.statement(patient, made.CANDESARTAN),
    "Immunization": lambda patient, cast: made.immunization(patient),
    "AllergyIntolerance": lambda patient, cast: made.allergy(patient),
    "Condition": lambda patient, cast: made.condition(patient),
    "Encounter": lambda patient, cast: made.encounter(patient),
    # Entries with a `urn:` stand on no base: they name a patient of ours by the absolute address.
    "Bundle": lambda patient, cast: made.bundle(made.pressure(f"{BASE_URL}/fhir/{patient}")),
}
OF_THE_DIRECTORY: Final[dict[str, Build]] = {
    "Practitioner": lambda _, cast: made.practitioner("架空 四郎"),
    "PractitionerRole": lambda _, cast: made.role(cast.dr_b, cast.clinic),
    "Organization": lambda _, cast: made.organization("架空薬局"),
    "Location": lambda _, cast: {"resourceType": "Location", "status": "active", "name": "架空の待合室"},
    "Medication": lambda _, cast: {"resourceType": "Medication", "code": concept(made.CANDESARTAN)},
}
CITYS_OWN: Final[dict[str, Build]] = {
    "Group": lambda _, cast: made.group(cast.dr_a, kind="practitioner"),
    "Device": lambda _, cast: {"resourceType": "Device", "deviceName": [{"name": "架空", "type": "other"}]},
}


async def lives(voice: Voice, tree: Json) -> str:
    """Create, read, change, find; return the reference."""
    type_name = tree["resourceType"]
    reference = await voice.create(tree)
    first = await voice.read(reference)
    assert {**first, **tree} == first
    assert (await voice.put(reference, {**tree, "language": "ja"})).status_code == 200
    assert (await voice.read(reference))["language"] == "ja"
    assert (await voice.get(f"{reference}/_history/1")).json() == first
    history = (await voice.get(f"{reference}/_history")).json()
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]] == ["2", "1"]
    assert await voice.found(type_name, ("_id", reference.partition("/")[2])) == [reference]
    return reference


async def ends(voice: Voice, reference: str) -> None:
    assert (await voice.delete(reference)).status_code == 204
    outcome(await voice.get(reference), 410, "deleted")
    assert await voice.found(reference.partition("/")[0], ("_id", reference.partition("/")[2])) == []


@pytest.mark.parametrize("type_name", OF_PATIENTS)
async def test_a_resident_keeps_records_of_each_type(hanako: Voice, cast: Cast, type_name: str) -> None:
    reference = await lives(hanako, OF_PATIENTS[type_name](hanako.reference, cast))
    outcome(await cast.a.get(reference), 404, "not-found")
    outcome(await hanako.town.operator.get(reference), 404, "not-found")
    await ends(hanako, reference)


@pytest.mark.parametrize("type_name", OF_THE_DIRECTORY)
async def test_the_operator_keeps_the_directory_and_everyone_reads_it(
    town: Town, hanako: Voice, cast: Cast, type_name: str
) -> None:
    reference = await lives(town.operator, OF_THE_DIRECTORY[type_name]("", cast))
    for voice in (hanako, cast.a, cast.a_at_k, town.as_("auditor"), town.as_(cast.pharmacy)):
        assert await voice.sees(reference)
    outcome(await town.stranger.get(reference), 401, "login")
    await ends(town.operator, reference)


@pytest.mark.parametrize("type_name", CITYS_OWN)
async def test_the_operator_keeps_what_is_the_citys_own_and_no_caller_reads_it(
    town: Town, hanako: Voice, cast: Cast, type_name: str
) -> None:
    reference = await lives(town.operator, CITYS_OWN[type_name]("", cast))
    for voice in (hanako, cast.a):
        assert not await voice.sees(reference)
    await ends(town.operator, reference)


async def test_a_patient_is_registered_by_the_operator_and_read_by_the_person_alone(
    town: Town, cast: Cast
) -> None:
    registered = await town.operator.post({"resourceType": "Patient", "name": [{"text": "見本（架空）"}]})
    assert registered.status_code == 201
    reference = f"Patient/{registered.json()['id']}"
    for voice in (town.operator, cast.a, town.as_("auditor")):
        assert not await voice.sees(reference)
    assert await town.as_(reference).sees(reference)


async def test_a_patient_is_changed_under_a_grant_to_correct_it(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(
        permit(cast.hospital, types=["Patient"]),
        permit(cast.hospital, types=["Patient"], actions=["correct"]),
    )
    tree = await cast.a.read(hanako.reference)
    assert (await cast.a.put(hanako.reference, {**tree, "birthDate": "1955-07-03"})).status_code == 200
    assert (await hanako.read(hanako.reference))["birthDate"] == "1955-07-03"
    assert (await hanako.get(f"{hanako.reference}/_history")).json()["entry"][0]["request"]["method"] == "PUT"


async def test_a_person_is_registered_once(town: Town, hanako: Voice) -> None:
    tree = await hanako.read(hanako.reference)
    corrected = await town.operator.put(hanako.reference, {**tree, "gender": "female"})
    assert (corrected.status_code, corrected.headers["etag"]) == (200, 'W/"2"')
    assert (await hanako.read(hanako.reference))["gender"] == "female"


async def test_a_consent_is_kept_by_its_patient(hanako: Voice, cast: Cast) -> None:
    reference = await lives(hanako, hanako.consent(permit(cast.hospital)))
    outcome(await cast.a.get(reference), 404, "not-found")
    await ends(hanako, reference)


async def test_a_provenance_is_written_under_a_grant_and_lies_with_its_target(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(
        permit(cast.hospital),
        permit(cast.hospital, actions=["collect", "correct"]),
    )
    target = await hanako.create(made.pressure(hanako.reference))
    reference = await lives(cast.a, made.provenance(target, agent=cast.dr_a))
    assert await hanako.found("Provenance", ("patient", hanako.reference)) == [reference]
    await ends(cast.a, reference)


@pytest.mark.parametrize("kind", ["patient", "operator", "auditor", "physician"])
async def test_audit_events_are_written_by_the_service_alone(
    town: Town, hanako: Voice, cast: Cast, kind: str
) -> None:
    voices = {
        "patient": hanako,
        "operator": town.operator,
        "auditor": town.as_("auditor"),
        "physician": cast.a,
    }
    tree = {
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "recorded": "2026-10-01T09:00:00Z",
        "agent": [{"requestor": True, "who": made.reference(hanako.reference)}],
        "source": {"observer": made.reference(cast.hospital)},
    }
    voice = voices[kind]
    listed = (await hanako.search("AuditEvent", ("patient", hanako.reference)))["entry"]
    reference = f"AuditEvent/{listed[0]['resource']['id']}"
    for answer in (
        await voice.post(tree),
        await voice.put(reference, tree),
        await voice.delete(reference),
        await voice.put("AuditEvent/unknown", tree),
    ):
        outcome(answer, 405, "not-supported")
        assert answer.headers["allow"] == "GET"


async def test_elsewhere_terminology_is_a_type_that_is_not_held(town: Town, hanako: Voice) -> None:
    def unlike(tree: Json) -> list[str]:
        return [issue["diagnostics"].replace("ValueSet", "Nothing") for issue in tree["issue"]]

    value_set = {"resourceType": "ValueSet", "status": "draft"}
    for path in ("{}/x", "{}", "{}/_history", "{}/x/_history/1", "{}/$meta"):
        for voice in (hanako, town.operator):
            answers = [await voice.get(path.format(name)) for name in ("ValueSet", "Nothing")]
            assert answers[0].status_code == answers[1].status_code
            assert unlike(answers[0].json()) == unlike(answers[1].json())
    written = [
        await town.operator.post({**value_set, "resourceType": name}) for name in ("ValueSet", "Nothing")
    ]
    assert written[0].status_code == written[1].status_code == 404
    sent = [
        await send(town.operator, "transaction", created({**value_set, "resourceType": name}))
        for name in ("ValueSet", "Nothing")
    ]
    assert sent[0].status_code == sent[1].status_code
    assert unlike(sent[0].json()) == unlike(sent[1].json())
    with pytest.raises(UnusableScope):
        await town.token(hanako.reference, "PATRQT", "patient/ValueSet.rs")


async def test_the_capability_statement_is_readable_by_anyone_and_tells_what_is_there(town: Town) -> None:
    answer = await town.stranger.get("metadata")
    assert answer.status_code == 200
    statement = answer.json()
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    told = {row["type"]: row for row in statement["rest"][0]["resource"]}
    assert set(told) == set(types_of(sandbox=False))
    for name, row in told.items():
        codes = {interaction["code"] for interaction in row["interaction"]}
        assert ({"create", "update", "delete"} <= codes) is (name != "AuditEvent")
        assert {"read", "search-type"} <= codes
        assert [one["name"] for one in row["searchParam"]] == list(parameters_of(name))
