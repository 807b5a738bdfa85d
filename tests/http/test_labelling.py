"""Labels of records: given when they are written, raised by those who may change them, lowered by their patient.

http://hl7.org/fhir/R4/security-labels.html
"""

from typing import Any, Final

import orjson
import pytest

from consent.systems import ACT_CODE, ATC, CONFIDENTIALITY
from fhirstore.facts import CONFIDENTIALITIES
from tests import resources as made
from tests.cast import Cast
from tests.http.bundles import asked, created, done
from tests.labelled import change, confidentiality, labels_of, raise_labels, relabelled, take_labels
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, coding, concept, deny, permit

pytestmark = pytest.mark.anyio

ICD: Final = "http://hl7.org/fhir/sid/icd-10"
JSON_PATCH: Final = "application/json-patch+json"
UNKNOWN: Final = "Observation/00000000-0000-4000-8000-000000000000"
EVERYTHING: Final = ["access", "collect", "correct"]
HIV, PSY, SDV = (coding(ACT_CODE, code) for code in ("HIV", "PSY", "SDV"))


def level(code: str) -> Json:
    return coding(CONFIDENTIALITY, code)


def diagnosed(voice: Voice, code: str, **elements: Any) -> Json:
    return made.condition(voice.reference, code=concept((ICD, code)), **elements)


async def patched(voice: Voice, reference: str, *operations: Json) -> Any:
    headers = {"Content-Type": JSON_PATCH}
    return await voice.call("PATCH", reference, content=orjson.dumps(operations), headers=headers)


def unlabelled(town: Town) -> list[Any]:
    """What lies with patients, or is put to one, and bears no confidentiality."""
    return town.rows("SELECT type, id FROM resource WHERE patient_key <> 0 AND confidentiality IS NULL")


# When a record is written


async def test_a_record_is_labelled_by_its_codes(hanako: Voice, town: Town) -> None:
    restricted = await hanako.create(diagnosed(hanako, "B20"))
    normal = await hanako.create(made.pressure(hanako.reference))
    assert await labels_of(hanako, restricted) == [level("R"), HIV]
    assert await labels_of(hanako, normal) == [level("N")]
    assert await hanako.found("Condition", ("_security", f"{ACT_CODE}|HIV")) == [restricted]
    assert await hanako.found("Observation", ("_security", "R")) == []
    for reference, expected in ((restricted, "R"), (normal, "N")):
        key = town.runtime.keys.reference(reference)
        ((column,),) = town.rows("SELECT confidentiality FROM resource WHERE record_key = %s", key)
        assert CONFIDENTIALITIES[column] == expected


async def test_what_a_source_states_only_rises(hanako: Voice) -> None:
    low = await hanako.create(diagnosed(hanako, "F20", meta=made.labelled("N", (ACT_CODE, "SDV"))))
    assert await labels_of(hanako, low) == [level("R"), SDV, PSY]
    high = await hanako.create(diagnosed(hanako, "F20", meta=made.labelled("V")))
    assert await labels_of(hanako, high) == [level("V"), PSY]
    little = await hanako.create(made.weight(hanako.reference, meta=made.labelled("L")))
    assert await labels_of(hanako, little) == [level("L")]


async def test_of_words_alone_nothing_is_known_until_somebody_says_it(hanako: Voice, cast: Cast) -> None:
    words = {"text": "架空の病名"}
    diagnosis = await hanako.create(made.condition(hanako.reference, code=words))
    medicine = await hanako.create(made.statement(hanako.reference))
    allergy = await hanako.create(made.allergy(hanako.reference))
    seen = [diagnosis, medicine, allergy]
    assert [await labels_of(hanako, one) for one in seen] == [[], [], [level("N")]]
    await hanako.grant(permit(cast.hospital, labels=["N"]), permit(cast.clinic))
    assert [await cast.a_at_k.sees(one) for one in seen] == [True, True, True]
    await hanako.grant(deny(labels=["R"]))
    for voice in (cast.a, cast.a_at_k):
        assert [await voice.sees(one) for one in seen] == [False, False, True]
    await raise_labels(hanako, diagnosis, "N")
    await hanako.replace(medicine, made.statement(hanako.reference, (ATC, "C09CA06")))
    for voice in (cast.a, cast.a_at_k):
        assert [await voice.sees(one) for one in seen] == [True, True, True]


async def test_a_code_that_is_left_out_later_takes_no_label_along(hanako: Voice) -> None:
    diagnosis = await hanako.create(diagnosed(hanako, "F20"))
    await hanako.replace(diagnosis, made.condition(hanako.reference, code={"text": "架空の病名"}))
    assert await labels_of(hanako, diagnosis) == [level("R"), PSY]


async def test_the_answer_to_a_write_shows_the_labels(hanako: Voice) -> None:
    answer = await hanako.post(diagnosed(hanako, "B24"))
    assert answer.json() == await hanako.read(f"Condition/{answer.json()['id']}")
    assert answer.json()["meta"]["security"] == [level("R"), HIV]


async def test_whoever_writes_and_however_it_is_labelled(hanako: Voice, cast: Cast, town: Town) -> None:
    await hanako.grant(permit(cast.hospital, actions=EVERYTHING))
    medicine = made.prescription(hanako.reference, (ATC, "N06AX11"))
    by_a = await cast.a.create(medicine)
    entries = await done(hanako, "transaction", created(diagnosed(hanako, "O80")), asked("GET", by_a))
    in_transaction = "/".join(entries[0]["response"]["location"].split("/")[-4:-2])
    entries = await done(hanako, "batch", created(diagnosed(hanako, "G10")))
    in_batch = "/".join(entries[0]["response"]["location"].split("/")[-4:-2])
    conditional = await hanako.call(
        "PUT",
        "Condition",
        params=[("identifier", "http://example.test|none")],
        content=orjson.dumps(diagnosed(hanako, "F10.2")),
    )
    by_condition = f"Condition/{conditional.json()['id']}"
    expected = {by_a: "PSY", in_transaction: "SEX", in_batch: "GDIS", by_condition: "ETH"}
    for reference, sensitivity in expected.items():
        assert await labels_of(hanako, reference) == [level("R"), coding(ACT_CODE, sensitivity)]
    assert unlabelled(town) == []


async def test_a_registration_and_a_consent_are_labelled_and_the_directory_is_not(
    hanako: Voice, cast: Cast, town: Town
) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    assert await labels_of(hanako, hanako.reference) == [level("N")]
    assert await labels_of(hanako, consent) == [level("N")]
    naming = await hanako.create(hanako.consent(permit(cast.hospital, codes=[(ICD, "B20")])))
    assert await labels_of(hanako, naming) == [level("R"), HIV]
    medication = await town.operator.create({"resourceType": "Medication", "code": concept((ATC, "J05AR20"))})
    assert await labels_of(hanako, medication) == []
    by_reference = {**made.prescription(hanako.reference), "medicationReference": made.reference(medication)}
    del by_reference["medicationCodeableConcept"]
    assert await labels_of(hanako, await hanako.create(by_reference)) == [level("R"), HIV]


async def test_a_whole_bears_what_stands_inside_of_it(hanako: Voice) -> None:
    tree = made.bundle(made.pressure(hanako.reference), diagnosed(hanako, "B20"))
    document = await hanako.create(tree)
    assert await labels_of(hanako, document) == [level("R"), HIV]
    assert (await hanako.read(document))["entry"] == tree["entry"]
    inside = {"resourceType": "Medication", "id": "m", "code": concept((ATC, "J05AR20"))}
    holding = {**made.prescription(hanako.reference), "contained": [inside]}
    del holding["medicationCodeableConcept"]
    reference = await hanako.create({**holding, "medicationReference": made.reference("#m")})
    assert await labels_of(hanako, reference) == [level("R"), HIV]


# What consents make of it


async def test_who_withholds_the_restricted_withholds_what_the_table_calls_sensitive(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital), deny(labels=["R"]))
    await taro.grant(permit(cast.hospital, labels=["N"]))
    for voice in (hanako, taro):
        assert await cast.a.sees(await voice.create(made.pressure(voice.reference)))
        assert not await cast.a.sees(await voice.create(diagnosed(voice, "B20")))
        stated = await voice.create(diagnosed(voice, "B20", meta=made.labelled("N")))
        assert not await cast.a.sees(stated)


async def test_a_sensitivity_is_withheld_by_name(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital), deny(labels=[(ACT_CODE, "PSY")]))
    assert not await cast.a.sees(await hanako.create(diagnosed(hanako, "F32.1")))
    assert await cast.a.sees(await hanako.create(diagnosed(hanako, "B20")))


async def test_who_may_not_write_what_is_restricted_does_not_write_it_unlabelled(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"], actions=EVERYTHING))
    outcome(await cast.a.post(diagnosed(hanako, "B20")), 403, "forbidden")
    reference = await cast.a.create(diagnosed(hanako, "I10"))
    outcome(await cast.a.put(reference, diagnosed(hanako, "B20")), 403, "forbidden")


async def test_labels_of_records_of_before_are_unknown_until_they_are_written_again(
    hanako: Voice, cast: Cast, town: Town
) -> None:
    await hanako.grant(permit(cast.hospital), deny(labels=["R"]))
    reference = relabelled(town, await hanako.create(made.pressure(hanako.reference)))
    assert await labels_of(hanako, reference) == []
    assert not await cast.a.sees(reference)
    await hanako.replace(reference, made.pressure(hanako.reference, 130))
    assert await labels_of(hanako, reference) == [level("N")]
    assert await cast.a.sees(reference)


async def test_what_is_deleted_is_labelled_as_it_goes(hanako: Voice, cast: Cast, town: Town) -> None:
    await hanako.grant(permit(cast.hospital), deny(labels=["R"]))
    for code, status in (("I10", 410), ("B20", 404)):
        reference = relabelled(town, await hanako.create(diagnosed(hanako, code)))
        await hanako.remove(reference)
        assert (await cast.a.get(reference)).status_code == status


# When it is changed


async def test_an_update_keeps_the_labels_that_it_leaves_out(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference, meta=made.labelled("V", (ACT_CODE, "SDV"))))
    for meta in ({}, {"meta": made.labelled("N")}, {"meta": {"tag": [coding("urn:t", "t")]}}):
        answer = await hanako.replace(reference, made.weight(hanako.reference, 60.0, **meta))
        assert confidentiality(answer.json()["meta"]["security"]) == "V"
        assert SDV in answer.json()["meta"]["security"]
    assert await labels_of(hanako, reference) == (await hanako.read(reference))["meta"]["security"]


async def test_a_sensitivity_stays_when_the_code_that_gave_it_is_gone(hanako: Voice) -> None:
    reference = await hanako.create(diagnosed(hanako, "B20"))
    await hanako.replace(reference, diagnosed(hanako, "I10"))
    assert await labels_of(hanako, reference) == [level("R"), HIV]
    assert (await take_labels(hanako, reference, "R", (ACT_CODE, "HIV")))["security"] == [level("N")]


async def test_an_update_raises_labels(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(cast.hospital, labels=["N"], actions=EVERYTHING))
    assert await cast.a.sees(reference)
    await hanako.replace(reference, made.weight(hanako.reference, meta=made.labelled("R")))
    assert await labels_of(hanako, reference) == [level("R")]
    assert not await cast.a.sees(reference)


async def test_a_patch_raises_labels_and_takes_none_away(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference, meta=made.labelled("R", (ACT_CODE, "SDV"))))
    path = "/meta/security/0"
    for operation in (
        {"op": "remove", "path": path},
        {"op": "remove", "path": "/meta/security/1"},
        {"op": "replace", "path": path, "value": level("N")},
        {"op": "replace", "path": "/meta", "value": {"tag": [coding("urn:t", "t")]}},
    ):
        told = outcome(await patched(hanako, reference, operation), 422, "business-rule")
        assert "$meta-delete" in told["issue"][0]["diagnostics"]
        assert told["issue"][0]["expression"] == ["Observation.meta.security"]
    assert await labels_of(hanako, reference) == [level("R"), SDV]
    higher = {"op": "replace", "path": path, "value": level("V")}
    assert (await patched(hanako, reference, higher)).status_code == 200
    assert await labels_of(hanako, reference) == [level("V"), SDV]


# $meta-add


async def test_who_may_correct_a_record_adds_labels_to_it(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(cast.hospital))
    outcome(await change(cast.a, "meta-add", reference, made.labelled("R")), 403, "forbidden")
    await hanako.grant(permit(cast.hospital, actions=["correct"]))
    meta = await raise_labels(cast.a, reference, "R", (ACT_CODE, "PSY"))
    assert meta == (await hanako.read(reference))["meta"]
    assert (meta["versionId"], meta["security"]) == ("2", [level("R"), PSY])
    again = await raise_labels(cast.a, reference, (ACT_CODE, "PSY"), "N")
    assert again["security"] == [level("R"), PSY]


async def test_the_patient_adds_labels_to_what_others_wrote_and_it_stays_theirs(
    hanako: Voice, cast: Cast
) -> None:
    collecting = permit(cast.hospital, actions=["collect"])
    await hanako.grant(collecting, permit(cast.hospital))
    reference = await cast.a.create(made.weight(hanako.reference))
    assert (await raise_labels(hanako, reference, "R"))["security"] == [level("R")]
    outcome(await hanako.put(reference, made.weight(hanako.reference, 1.0)), 403, "forbidden")
    outcome(await change(hanako, "meta-add", reference, {"tag": [coding("urn:t", "t")]}), 403, "forbidden")
    # Still the source's own: it may write it again without `correct`.
    assert (await cast.a.put(reference, made.weight(hanako.reference, 63.0))).status_code == 200
    assert await labels_of(hanako, reference) == [level("R")]


async def test_a_patient_adds_labels_to_the_registration_and_to_a_consent(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    told = len((await hanako.get("/notifications")).json())
    for reference in (hanako.reference, consent):
        assert (await raise_labels(hanako, reference, "R"))["security"] == [level("R")]
    assert len((await hanako.get("/notifications")).json()) == told
    assert await cast.a.sees(await hanako.create(made.weight(hanako.reference)))


async def test_profiles_and_tags_are_added_and_taken_away_by_who_may_write_the_record(hanako: Voice) -> None:
    profile, tag = "http://example.test/StructureDefinition/weight", coding("urn:t", "t")
    reference = await hanako.create(made.weight(hanako.reference))
    added = await change(hanako, "meta-add", reference, {"profile": [profile], "tag": [tag]})
    assert added.headers["etag"] == 'W/"2"'
    meta = (await hanako.read(reference))["meta"]
    assert (meta["profile"], meta["tag"], meta["security"]) == ([profile], [tag], [level("N")])
    taken = await change(
        hanako, "meta-delete", reference, {"profile": [profile], "tag": [{**tag, "display": "other words"}]}
    )
    assert taken.status_code == 200
    assert set((await hanako.read(reference))["meta"]) == {"versionId", "lastUpdated", "security"}
    assert await hanako.found("Provenance") == []


@pytest.mark.parametrize("verb", ["meta-add", "meta-delete"])
async def test_a_change_says_what_it_is_about(hanako: Voice, verb: str) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    metas: list[Any] = [
        {},
        {"security": []},
        {"security": [{}]},
        {"security": [{"coding": [level("R")]}]},
        {"security": ["R"]},
        {"profile": [1]},
        {"tag": "x"},
        {"lastUpdated": "2026-01-01T00:00:00Z"},
        [],
    ]
    for meta in metas:
        outcome(await change(hanako, verb, reference, meta), 400, "invalid")
    for tree in (
        {"resourceType": "Parameters"},
        {"resourceType": "Parameters", "parameter": [{"name": "tags", "valueMeta": made.labelled("R")}]},
        made.weight(hanako.reference),
    ):
        answer = await hanako.call("POST", f"{reference}/${verb}", content=orjson.dumps(tree))
        outcome(answer, 400, "invalid")
    assert (await hanako.read(reference))["meta"]["versionId"] == "1"


async def test_a_change_is_made_for_a_version(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    refused = await change(hanako, "meta-add", reference, made.labelled("R"), **{"If-Match": 'W/"9"'})
    outcome(refused, 412, "conflict")
    fine = await change(hanako, "meta-add", reference, made.labelled("R"), **{"If-Match": 'W/"1"'})
    assert fine.status_code == 200


async def test_a_label_that_is_none_is_refused(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    outcome(await change(hanako, "meta-add", reference, made.labelled("X")), 422)
    assert await labels_of(hanako, reference) == [level("N")]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ({"code": "R"}, "without system or code"),
        (coding("http://hl7.org/fhir/v3/Confidentiality", "R"), f"expected `{CONFIDENTIALITY}`"),
    ],
)
async def test_a_label_that_would_protect_nothing_is_refused(hanako: Voice, label: Json, said: str) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    answers = [
        await change(hanako, "meta-add", reference, {"security": [label]}),
        await hanako.post(made.weight(hanako.reference, meta={"security": [label]})),
    ]
    for answer in answers:
        assert said in outcome(answer, 422)["issue"][0]["diagnostics"]
    assert await labels_of(hanako, reference) == [level("N")]


# $meta-delete


async def test_the_patient_takes_labels_away_and_a_provenance_says_so(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, types=["Provenance"]))
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    reference = await cast.a.create(made.weight(hanako.reference, meta=made.labelled("V", (ACT_CODE, "SDV"))))
    meta = await take_labels(hanako, reference, "V", (ACT_CODE, "SDV"))
    assert (meta["versionId"], meta["security"]) == ("2", [level("N")])
    (told,) = await hanako.found("Provenance", ("target", reference))
    provenance = await hanako.read(told)
    assert provenance["agent"] == [{"who": {"reference": hanako.reference}}]
    assert provenance["activity"]["text"] == "labels taken away"
    assert provenance["recorded"] == meta["lastUpdated"]
    assert "SDV" not in str(provenance)
    assert await cast.a.sees(told)


async def test_nobody_takes_away_what_the_codes_demand(hanako: Voice) -> None:
    reference = await hanako.create(diagnosed(hanako, "B20", meta=made.labelled("V", (ACT_CODE, "SDV"))))
    for labels in (["N"], [(ACT_CODE, "HIV")], ["V", (ACT_CODE, "HIV")]):
        if labels == ["N"]:
            # It is no error to take away what is not there.
            assert (await take_labels(hanako, reference, "N"))["security"] == [level("V"), SDV, HIV]
            continue
        told = outcome(
            await change(hanako, "meta-delete", reference, made.labelled(*labels)), 422, "business-rule"
        )
        assert told["issue"][0]["expression"] == ["Condition.meta.security"]
    assert (await take_labels(hanako, reference, "V", (ACT_CODE, "SDV")))["security"] == [level("R"), HIV]
    outcome(await change(hanako, "meta-delete", reference, made.labelled("R")), 422, "business-rule")
    assert await labels_of(hanako, reference) == [level("R"), HIV]
    normal = await hanako.create(made.weight(hanako.reference))
    outcome(await change(hanako, "meta-delete", normal, made.labelled("N")), 422, "business-rule")


async def test_only_the_patient_takes_labels_away(hanako: Voice, taro: Voice, cast: Cast, town: Town) -> None:
    relative = await hanako.create(made.related_person(hanako.reference))
    proxy = town.as_(relative)
    await hanako.grant(
        permit(cast.hospital, actions=EVERYTHING),
        permit(relative, purposes=["FAMRQT"], actions=EVERYTHING),
    )
    reference = await cast.a.create(made.weight(hanako.reference, meta=made.labelled("V")))
    for voice in (cast.a, proxy):
        outcome(await change(voice, "meta-delete", reference, made.labelled("V")), 403, "forbidden")
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], actions=EVERYTHING))
    both = await hanako.create(
        made.weight(hanako.reference, performer=[made.reference(taro.reference)], meta=made.labelled("V"))
    )
    outcome(await change(hanako, "meta-delete", both, made.labelled("V")), 403, "forbidden")
    assert await labels_of(hanako, reference) == [level("V")]


async def test_a_hidden_record_and_an_unknown_one_are_answered_alike(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"], actions=EVERYTHING))
    hidden = await hanako.create(made.weight(hanako.reference, meta=made.labelled("R")))
    for verb in ("meta-add", "meta-delete"):
        answers = [
            await change(cast.a, verb, reference, made.labelled("R")) for reference in (hidden, UNKNOWN)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content


async def test_a_scope_that_writes_is_needed_and_one_for_the_provenance_is_not(
    hanako: Voice, town: Town
) -> None:
    reference = await hanako.create(made.weight(hanako.reference, meta=made.labelled("R")))
    reading = town.as_(hanako.reference, scope="patient/Observation.rs")
    writing = town.as_(hanako.reference, scope="patient/Observation.u")
    for verb in ("meta-add", "meta-delete"):
        outcome(await change(reading, verb, reference, made.labelled("R")), 403, "forbidden")
    # Who does not read the record is told which version they made, and none of its labels.
    assert "security" not in await take_labels(writing, reference, "R")
    assert await labels_of(hanako, reference) == [level("N")]


async def test_the_log_is_no_record_to_label(hanako: Voice) -> None:
    for verb in ("meta-add", "meta-delete"):
        answer = await change(hanako, verb, "AuditEvent/1", made.labelled("R"))
        outcome(answer, 405, "not-supported")


async def test_the_directory_keeps_what_its_operator_says(town: Town, cast: Cast) -> None:
    tree = made.organization("れいじ医院", meta=made.labelled("R"))
    reference = await town.operator.create(tree)
    assert await labels_of(town.operator, reference) == [level("R")]
    answer = await change(town.operator, "meta-delete", reference, made.labelled("R"))
    assert answer.status_code == 200
    assert await labels_of(town.operator, reference) == []
    outcome(await change(cast.a, "meta-add", reference, made.labelled("R")), 403, "forbidden")


async def test_each_change_of_labels_is_in_the_log(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    await raise_labels(hanako, reference, "R")
    await take_labels(hanako, reference, "R")
    listed = [each for each in (await hanako.get("/audit/accesses")).json() if reference in str(each)]
    assert [each["query"] for each in listed[:2]] == [
        f"POST {reference}/$meta-delete",
        f"POST {reference}/$meta-add",
    ]
    assert all(each["records"] for each in listed)
    events = await hanako.search("AuditEvent", ("patient", hanako.reference), ("_count", "3"))
    # The newest is that this log was read.
    shown = [entry["resource"] for entry in events["entry"]][1:]
    assert [event["action"] for event in shown] == ["U", "U"]
    assert [event["subtype"][-1]["code"] for event in shown] == ["meta-delete", "meta-add"]
