"""A hospital's record: each further type through its life, whose it is, and who must permit it.

http://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from typing import Any, Final

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.hospital import QUESTIONNAIRE, TERMINOLOGY, device_metric, records_of
from tests.http.bundles import created, done, reference, statuses
from tests.http.test_fhir_types import ends, lives
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

OF_PATIENTS: Final = tuple(records_of("Patient/x"))
# What a permit without class never covers, and what follows another record.
APART: Final = frozenset({"Subscription", "Binary"})
SEVERAL: Final = (
    "Appointment",
    "List",
    "Group",
    "Task",
    "Communication",
    "Coverage",
    "Composition",
    "Person",
)


def shared(type_name: str, one: str, other: str) -> Json:
    """A record of `one` that names `other` as well."""
    who = made.reference(other)
    if type_name == "Group":
        return made.group(one, other)
    tree = records_of(one)[type_name]
    added: dict[str, dict[str, Any]] = {
        "Appointment": {"participant": [*tree.get("participant", []), {"actor": who, "status": "tentative"}]},
        "List": {"entry": [{"item": who}]},
        "Task": {"restriction": {"recipient": [who]}},
        "Communication": {"recipient": [who]},
        "Coverage": {"subscriber": who},
        "Composition": {"attester": [{"mode": "personal", "party": who}]},
        "Person": {"link": [*tree.get("link", []), {"target": who}]},
    }
    return {**tree, **added[type_name]}


@pytest.mark.parametrize("type_name", OF_PATIENTS)
async def test_a_resident_keeps_a_hospitals_records(hanako: Voice, cast: Cast, type_name: str) -> None:
    reference = await lives(hanako, records_of(hanako.reference)[type_name])
    outcome(await cast.a.get(reference), 404, "not-found")
    await ends(hanako, reference)


@pytest.mark.parametrize("type_name", OF_PATIENTS)
async def test_a_hospital_reads_what_it_was_granted_and_no_other_type(
    hanako: Voice, cast: Cast, type_name: str
) -> None:
    reference = await hanako.create(records_of(hanako.reference)[type_name])
    await hanako.grant(permit(cast.clinic, types=["Encounter"]))
    assert not await cast.a_at_k.sees(reference)
    followed = ["Patient"] if type_name == "Binary" else [type_name]
    await hanako.grant(permit(cast.hospital, types=followed))
    assert await cast.a.sees(reference)
    await hanako.grant(deny(types=[type_name]))
    assert not await cast.a.sees(reference)


@pytest.mark.parametrize("type_name", [name for name in OF_PATIENTS if name not in APART])
async def test_a_permit_without_a_class_covers_a_hospitals_records(
    hanako: Voice, cast: Cast, type_name: str
) -> None:
    reference = await hanako.create(records_of(hanako.reference)[type_name])
    await hanako.grant(permit(cast.hospital))
    assert await cast.a.sees(reference)


@pytest.mark.parametrize("type_name", SEVERAL)
async def test_everybody_whom_a_record_names_permits_it(
    hanako: Voice, taro: Voice, cast: Cast, type_name: str
) -> None:
    grants = (
        permit(cast.hospital, types=[type_name]),
        permit(cast.hospital, types=[type_name], actions=["collect"]),
    )
    tree = shared(type_name, hanako.reference, taro.reference)
    await hanako.grant(*grants)
    outcome(await cast.a.post(tree), 403, "forbidden")
    await taro.grant(*grants)
    reference = await cast.a.create(tree)
    assert await cast.a.sees(reference)
    for voice in (hanako, taro):
        (ended,) = await voice.grant(deny(cast.hospital, types=[type_name]))
        assert not await cast.a.sees(reference)
        await voice.remove(ended)
    assert await cast.a.sees(reference)


async def test_a_binary_is_seen_where_the_record_of_its_context_is(hanako: Voice, cast: Cast) -> None:
    document = await hanako.create(records_of(hanako.reference)["DocumentReference"])
    await hanako.grant(
        permit(cast.hospital, types=["DocumentReference"]),
        permit(cast.hospital, actions=["collect"]),
    )
    context = made.reference(document)
    binary = await cast.a.create({**records_of(hanako.reference)["Binary"], "securityContext": context})
    assert await cast.a.sees(binary)
    assert await hanako.sees(binary)
    (hidden,) = await hanako.grant(deny(data=[("instance", document)]))
    assert not await cast.a.sees(binary)
    assert await hanako.sees(binary)
    await hanako.remove(hidden)
    assert await cast.a.sees(binary)
    await hanako.remove(document)
    assert not await cast.a.sees(binary)


async def test_a_provenance_of_a_binary_is_seen_where_the_binary_is(hanako: Voice, cast: Cast) -> None:
    document = await hanako.create(records_of(hanako.reference)["DocumentReference"])
    await hanako.grant(
        permit(cast.hospital, types=["DocumentReference"]),
        permit(cast.hospital, actions=["collect"]),
    )
    context = {"securityContext": made.reference(document)}
    binary = await cast.a.create({**records_of(hanako.reference)["Binary"], **context})
    origin = await cast.a.create(made.provenance(binary, agent=cast.dr_a))
    assert await cast.a.sees(origin)
    await hanako.grant(deny(data=[("instance", document)]))
    assert not await cast.a.sees(origin)


async def test_a_device_metric_lies_with_its_device(hanako: Voice, cast: Cast) -> None:
    device = await hanako.create(made.device(hanako.reference))
    await hanako.grant(
        permit(cast.hospital, types=["Device"]),
        permit(cast.hospital, types=["DeviceMetric"], actions=["collect"]),
    )
    metric = await cast.a.create(device_metric(device))
    assert not await cast.a.sees(metric)
    assert await hanako.sees(metric)
    await hanako.grant(permit(cast.hospital, types=["DeviceMetric"]))
    assert await cast.a.sees(metric)
    outcome(await cast.a.post(device_metric("Device/unknown")), 403, "forbidden")


async def test_the_operator_keeps_questionnaires_and_everyone_reads_them(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    reference = await lives(town.operator, QUESTIONNAIRE)
    for voice in (hanako, cast.a):
        assert await voice.sees(reference)
    await ends(town.operator, reference)


@pytest.mark.parametrize("tree", TERMINOLOGY, ids=lambda tree: str(tree["resourceType"]))
async def test_terminology_is_unknown_outside_of_a_sandbox(town: Town, tree: Json) -> None:
    unknown = outcome(await town.operator.post({**tree, "resourceType": "ImagingStudy"}), 404)
    known = outcome(await town.operator.post(tree), 404)
    assert str(known).replace(tree["resourceType"], "ImagingStudy") == str(unknown)


async def test_a_binary_inside_of_a_document_says_whose_it_is(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "5p625qyq"}
    weight = made.weight(f"{BASE_URL}/fhir/{hanako.reference}")
    loose = made.bundle(weight, binary)
    for voice in (hanako, cast.a, cast.a_at_k):
        told = outcome(await voice.post(loose), 422, "required")
        assert told["issue"][0]["expression"] == ["Bundle"]
    bound = {**binary, "securityContext": made.reference("urn:uuid:00000000-0000-4000-8000-000000000000")}
    assert (await hanako.post(made.bundle(weight, bound))).status_code == 201


@pytest.mark.parametrize("type_name", ["Observation", "Group", "Device", "DeviceMetric", "Binary", "Bundle"])
async def test_what_names_nobody_is_told_so_whoever_granted_what(
    hanako: Voice, cast: Cast, type_name: str
) -> None:
    elements: dict[str, Json] = {
        "Observation": {"status": "final", "code": {"text": "架空"}},
        "Group": {"type": "person", "actual": True},
        "DeviceMetric": {"type": {"text": "架空"}, "category": "measurement"},
        "Binary": {"contentType": "text/plain"},
        "Bundle": {"type": "collection"},
    }
    tree = {"resourceType": type_name, **elements.get(type_name, {})}
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    told = [outcome(await voice.post(tree), 422) for voice in (cast.a, cast.a_at_k)]
    assert told[0] == told[1]
    assert "a passport holds nothing of nobody" in told[0]["issue"][0]["diagnostics"]


async def test_a_resident_keeps_what_belongs_to_records_of_theirs(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    device = await hanako.create(made.device(hanako.reference))
    document = await hanako.create(records_of(hanako.reference)["DocumentReference"])
    binary = records_of(hanako.reference)["Binary"]
    await lives(hanako, device_metric(device))
    kept = await lives(hanako, {**binary, "securityContext": made.reference(document)})
    assert not await taro.sees(kept)
    for about in (device, document, "Observation/unknown"):
        outcome(await taro.post({**binary, "securityContext": made.reference(about)}), 403, "forbidden")
    for about in (device, "Device/unknown"):
        outcome(await taro.post(device_metric(about)), 403, "forbidden")
        mine = {**made.weight(taro.reference), "id": "w"}
        linked = {"extension": [{"url": "http://city.example/w", "valueReference": made.reference("#w")}]}
        outcome(await taro.post({**device_metric(about), **linked, "contained": [mine]}), 403, "forbidden")


async def test_nothing_is_kept_with_a_record_that_somebody_else_shared(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    """Seeing a record is not owning it."""
    weight = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(taro.reference, purposes=["PATRQT"]))
    assert await taro.sees(weight)
    binary = {**records_of(taro.reference)["Binary"], "securityContext": made.reference(weight)}
    outcome(await taro.post(binary), 403, "forbidden")


async def test_what_follows_is_written_beside_what_it_follows(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect"]))
    urls = {name: f"urn:uuid:00000000-0000-4000-8000-00000000000{at}" for at, name in enumerate("pbdmv")}
    trees = {
        "p": made.provenance(urls["b"], agent=cast.dr_a),
        "b": {**records_of(hanako.reference)["Binary"], "securityContext": made.reference(urls["d"])},
        "d": records_of(hanako.reference)["DocumentReference"],
        "m": device_metric(urls["v"]),
        "v": made.device(hanako.reference),
    }
    for order in ("pbdmv", "vmdbp", "bpmdv"):
        entries = await done(cast.a, "transaction", *(created(trees[name], urls[name]) for name in order))
        assert statuses(entries) == [201] * 5
        for entry in entries:
            assert await cast.a.sees(reference(entry))
            assert await hanako.sees(reference(entry))


async def test_a_questionnaire_holds_the_list_of_its_answers(town: Town, hanako: Voice) -> None:
    listed = {"resourceType": "ValueSet", "id": "answers", "status": "active"}
    tree = {
        **QUESTIONNAIRE,
        "contained": [listed],
        "item": [{"linkId": "1", "type": "choice", "answerValueSet": "#answers"}],
    }
    kept = await lives(town.operator, tree)
    assert await hanako.sees(kept)
    inside = {**made.weight(hanako.reference), "id": "answers"}
    outcome(await town.operator.post({**tree, "contained": [inside]}), 403, "forbidden")


def document(patient: str, **study: Any) -> Json:
    """A document with an examination by images, of which no element but labels is read."""
    who = made.reference(f"{BASE_URL}/fhir/{patient}")
    composition = {**records_of(patient)["Composition"], "subject": who}
    images = {"resourceType": "ImagingStudy", "status": "available", "subject": who, **study}
    return made.bundle(
        composition,
        images,
        kind="document",
        identifier={"system": "http://city.example/documents", "value": "1"},
        timestamp="2026-09-01T10:00:00+09:00",
    )


@pytest.mark.parametrize(
    "hiding",
    [
        deny(types=["ImagingStudy"]),
        deny(codes=[made.AMLODIPINE]),
        deny(labels=["R"]),
    ],
    ids=["class", "code", "label"],
)
async def test_a_document_is_hidden_with_what_may_be_inside_of_it(
    hanako: Voice, cast: Cast, hiding: Json
) -> None:
    await hanako.grant(permit(cast.hospital))
    label = {"meta": made.labelled("R")}
    whole = await hanako.create(document(hanako.reference, **label))
    assert await cast.a.sees(whole)
    (ended,) = await hanako.grant(hiding)
    assert not await cast.a.sees(whole)
    for path in (f"{whole}/_history", f"{whole}/_history/1"):
        outcome(await cast.a.get(path), 404)
    assert await hanako.sees(whole)
    await hanako.remove(ended)
    assert await cast.a.sees(whole)


async def test_whom_an_unread_part_refers_to_permits_the_document_too(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    grants = permit(cast.hospital), permit(cast.hospital, actions=["collect"])
    await hanako.grant(*grants)
    told = made.reference(f"{BASE_URL}/fhir/{taro.reference}")
    series = {"uid": "1.2.3", "modality": {"code": "CT"}, "performer": [{"actor": told}]}
    tree = document(hanako.reference, series=[series])
    outcome(await cast.a.post(tree), 403, "forbidden")
    await taro.grant(*grants)
    whole = await cast.a.create(tree)
    assert await cast.a.sees(whole)
    await taro.grant(deny(types=["ImagingStudy"]))
    assert not await cast.a.sees(whole)
    outcome(await cast.a.get("ImagingStudy"), 404, "not-supported")
