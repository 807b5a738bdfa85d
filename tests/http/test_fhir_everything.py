"""`Patient/[id]/$everything`: what it shows, in which order, in pages, and to whom.

http://hl7.org/fhir/R4/patient-operation-everything.html
"""

from itertools import chain
from typing import Any

import orjson
import pytest
from httpx import Response

from fhirstore.subset import SUBSETTED
from tests import resources as made
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, link, outcome, references
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

UNKNOWN = "Patient/00000000-0000-4000-8000-000000000000"


async def bundle_of(voice: Voice, patient: str, *params: tuple[str, str]) -> Json:
    answer = await voice.get(f"{patient}/$everything", *params)
    assert answer.status_code == 200, answer.text
    bundle: Json = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    return bundle


async def posted(voice: Voice, patient: str, body: Any) -> Response:
    return await voice.call("POST", f"{patient}/$everything", content=orjson.dumps(body))


def by_mode(bundle: Json, mode: str) -> list[str]:
    entries = [entry for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]
    return references({"entry": entries})


async def matches(voice: Voice, patient: str, *params: tuple[str, str]) -> list[str]:
    return by_mode(await bundle_of(voice, patient, *params), "match")


async def walk(voice: Voice, patient: str, *params: tuple[str, str]) -> list[list[str]]:
    bundle = await bundle_of(voice, patient, *params)
    pages = [by_mode(bundle, "match")]
    while (further := link(bundle, "next")) is not None:
        answer = await voice.get(further.removeprefix(BASE_URL))
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        pages.append(by_mode(bundle, "match"))
    return pages


async def write_some(voice: Voice) -> list[str]:
    """Records of several types, in the order in which the operation shows them."""
    trees = [
        made.weight(voice.reference, time="2026-10-01"),
        made.weight(voice.reference, time="2026-10-02"),
        made.prescription(voice.reference, made.AMLODIPINE),
        made.immunization(voice.reference),
        made.allergy(voice.reference),
        made.condition(voice.reference),
    ]
    return [await voice.create(tree) for tree in trees]


async def test_a_patient_sees_all_their_records_the_patient_first(hanako: Voice) -> None:
    written = await write_some(hanako)
    bundle = await bundle_of(hanako, hanako.reference)
    assert references(bundle) == [hanako.reference, *written]
    assert "total" not in bundle
    assert link(bundle, "next") is None
    assert link(bundle, "self") == f"{BASE_URL}/fhir/{hanako.reference}/$everything"


async def test_a_physician_sees_what_is_permitted(hanako: Voice, cast: Cast) -> None:
    written = await write_some(hanako)
    await hanako.grant(
        permit(cast.hospital, codes=[made.BODY_WEIGHT]), permit(cast.hospital, types=["Condition"])
    )
    assert await matches(cast.a, hanako.reference) == [*written[:2], written[-1]]
    outcome(await cast.a_at_k.get(f"{hanako.reference}/$everything"), 404, "not-found")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 50])
async def test_pages_show_each_record_once_in_one_order(hanako: Voice, size: int) -> None:
    written = [hanako.reference, *await write_some(hanako)]
    pages = await walk(hanako, hanako.reference, ("_count", str(size)))
    assert list(chain.from_iterable(pages)) == written
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)


async def test_records_that_lie_with_another_patient_are_among_them(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    by_hanako = await hanako.create(made.weight(hanako.reference, time="2026-10-01"))
    await hanako.grant(permit(taro.reference, purposes=["PATRQT"], actions=["collect"]))
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital))
    names_both = [made.reference(hanako.reference)]
    shared = [
        await taro.create(made.weight(taro.reference, time=time, performer=names_both))
        for time in ("2026-09-01", "2026-10-02")
    ]
    await taro.create(made.weight(taro.reference))
    later = await hanako.create(made.condition(hanako.reference))
    expected = [hanako.reference, by_hanako, *shared, later]
    for size in (1, 2, 3, 50):
        pages = await walk(cast.a, hanako.reference, ("_count", str(size)))
        assert list(chain.from_iterable(pages)) == expected
    assert await matches(hanako, hanako.reference, ("_type", "Observation,Condition")) == [by_hanako, later]


async def test_what_the_records_refer_to_comes_along_once(hanako: Voice, cast: Cast) -> None:
    for time in ("2026-10-01", "2026-10-02"):
        await hanako.create(made.weight(hanako.reference, time=time, performer=[made.reference(cast.role_a)]))
    bundle = await bundle_of(hanako, hanako.reference)
    assert sorted(by_mode(bundle, "include")) == sorted([cast.role_a, cast.dr_a, cast.ward, cast.hospital])
    assert references(bundle)[0] == hanako.reference


async def test_nothing_comes_along_for_records_that_are_not_shown(hanako: Voice, cast: Cast) -> None:
    await hanako.create(made.pressure(hanako.reference, performer=[made.reference(cast.role_b)]))
    shown = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    assert references(await bundle_of(cast.a, hanako.reference)) == [shown]


async def test_types_narrow_what_is_shown_and_what_comes_along(hanako: Voice, cast: Cast) -> None:
    weight = await hanako.create(made.weight(hanako.reference, performer=[made.reference(cast.role_a)]))
    condition = await hanako.create(made.condition(hanako.reference))
    for params, expected in (
        ((("_type", "Observation"),), [weight]),
        ((("_type", "Observation,Condition"),), [weight, condition]),
        ((("_type", "Condition"), ("_type", "Observation")), [weight, condition]),
        ((("_type", "Observation,Practitioner"),), [weight, cast.dr_a]),
        ((("_type", "Group"),), []),
    ):
        assert references(await bundle_of(hanako, hanako.reference, *params)) == expected


async def test_care_dates_narrow_what_has_a_time(hanako: Voice) -> None:
    days = {
        day: await hanako.create(made.weight(hanako.reference, time=f"2026-10-0{day}")) for day in (1, 2, 3)
    }
    undated = await hanako.create(made.allergy(hanako.reference))
    always = ("_type", "Observation,AllergyIntolerance")
    for params, expected in (
        ((("start", "2026-10-02"),), [days[2], days[3]]),
        ((("end", "2026-10-02"),), [days[1], days[2]]),
        ((("start", "2026-10-02"), ("end", "2026-10-02")), [days[2]]),
        ((("start", "2026-10"), ("end", "2026")), list(days.values())),
        ((("start", "2027"),), []),
    ):
        assert await matches(hanako, hanako.reference, always, *params) == [*expected, undated]


async def test_only_what_was_written_since_is_shown(hanako: Voice, town: Town) -> None:
    first = await hanako.create(made.weight(hanako.reference))
    second = await hanako.create(made.weight(hanako.reference))
    since = (await hanako.read(second))["meta"]["lastUpdated"]
    await hanako.replace(first, {**made.weight(hanako.reference, 63.0), "id": first.partition("/")[2]})
    found = await matches(hanako, hanako.reference, ("_since", since))
    assert sorted(found) == sorted([first, second])
    assert await matches(hanako, hanako.reference, ("_since", "2099-01-01T00:00:00Z")) == []


async def test_deleted_records_are_gone(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    await hanako.remove(reference)
    assert await matches(hanako, hanako.reference) == [hanako.reference]


async def test_parts_of_the_records_are_shown(hanako: Voice) -> None:
    await hanako.create(made.weight(hanako.reference))
    bundle = await bundle_of(hanako, hanako.reference, ("_elements", "subject"))
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert all(tree["meta"]["tag"] == [SUBSETTED] for tree in resources)
    assert [sorted(tree) for tree in resources] == [
        ["id", "meta", "resourceType"],
        ["code", "id", "meta", "resourceType", "status", "subject"],
    ]


async def test_the_parameters_may_come_in_a_body(hanako: Voice) -> None:
    written = await write_some(hanako)
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueCode": "Observation"},
            {"name": "start", "valueDate": "2026-10-01"},
            {"name": "_count", "valueInteger": 1},
        ],
    }
    answer = await posted(hanako, hanako.reference, body)
    assert references(answer.json()) == written[:1]
    assert await walk(
        hanako, hanako.reference, ("_type", "Observation"), ("start", "2026-10-01"), ("_count", "1")
    ) == [written[:1], written[1:2]]
    further = (await hanako.get((link(answer.json(), "next") or "").removeprefix(BASE_URL))).json()
    assert references(further) == written[1:2]
    empty = await hanako.call("POST", f"{hanako.reference}/$everything")
    assert references(empty.json()) == [hanako.reference, *written]


@pytest.mark.parametrize(
    "params",
    [
        (("_type", "Nonsense"),),
        (("_type", "AuditEvent"),),
        (("_type", "Practitioner"),),
        (("_type", ""),),
        (("_count", "0"),),
        (("_count", "many"),),
        (("_count", "1"), ("_count", "2")),
        (("start", "yesterday"),),
        (("end", ""),),
        (("_since", "2026-10-01"),),
        (("_summary", "count"),),
        (("_cursor", "AAAA"),),
        (("code", "29463-7"),),
        (("_elements", "nonsense"),),
    ],
)
async def test_what_the_operation_does_not_have_is_refused(
    hanako: Voice, params: tuple[tuple[str, str], ...]
) -> None:
    for patient in (hanako.reference, UNKNOWN):
        outcome(await hanako.get(f"{patient}/$everything", *params), 400, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Bundle"},
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": [1]},
        {"resourceType": "Parameters", "parameter": [{"name": "start"}]},
        {"resourceType": "Parameters", "parameter": [{"valueDate": "2026"}]},
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "start", "valueDate": "2026", "valueCode": "x"}],
        },
        {"resourceType": "Parameters", "parameter": [{"name": "start", "valueCoding": {"code": "x"}}]},
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "start", "resource": {"resourceType": "Patient"}}],
        },
        {"resourceType": "Parameters", "parameter": [{"name": "start", "part": [{"name": "x"}]}]},
    ],
)
async def test_a_body_of_another_form_is_refused(hanako: Voice, body: Any) -> None:
    outcome(await posted(hanako, hanako.reference, body), 400, "invalid")


async def test_one_who_shares_nothing_and_one_who_is_unknown_are_answered_alike(
    hanako: Voice, cast: Cast
) -> None:
    await write_some(hanako)
    answers = [await cast.a_at_k.get(f"{patient}/$everything") for patient in (hanako.reference, UNKNOWN)]
    texts = {
        answer.text.replace(patient, "")
        for answer, patient in zip(answers, (hanako.reference, UNKNOWN), strict=True)
    }
    assert len(texts) == 1
    for answer in answers:
        outcome(answer, 404, "not-found")


async def test_whoever_could_read_the_patient_is_shown_that_there_is_nothing(
    hanako: Voice, cast: Cast
) -> None:
    nothing = ("_type", "Condition")
    assert await matches(hanako, hanako.reference, nothing) == []
    outcome(await cast.a_at_k.get(f"{hanako.reference}/$everything", nothing), 404, "not-found")
    await hanako.grant(permit(cast.hospital, types=["Patient"]))
    assert await matches(cast.a, hanako.reference, nothing) == []
    outcome(await cast.a.get(f"{UNKNOWN}/$everything", nothing), 404, "not-found")


async def test_the_log_says_whether_there_was_nobody_or_nothing(hanako: Voice, cast: Cast) -> None:
    nothing = ("_type", "Condition")
    await cast.a.get(f"{hanako.reference}/$everything", nothing)
    await hanako.grant(permit(cast.hospital, types=["Patient"]))
    await cast.a.get(f"{hanako.reference}/$everything", nothing)
    answer = await hanako.get("/audit/accesses", ("patient", hanako.reference))
    looks = [look for look in orjson.loads(answer.content) if "$everything" in look["query"]]
    assert [(look["outcome"], look["records"]) for look in looks] == [("success", []), ("not-found", [])]


async def test_whoever_could_not_read_the_patient_is_shown_what_there_is(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, types=["Observation"]))
    outcome(await cast.a.get(f"{hanako.reference}/$everything"), 404, "not-found")
    written = await write_some(hanako)
    assert await matches(cast.a, hanako.reference) == written[:2]
    outcome(await cast.a.get(f"{hanako.reference}/$everything", ("_type", "Condition")), 404, "not-found")


async def test_a_session_that_does_not_reach_the_patient_is_not_told_whether_there_is_one(
    hanako: Voice, cast: Cast, town: Town
) -> None:
    narrowed = town.as_(cast.a.reference, purpose="TREAT", scope="user/Observation.rs")
    for patient in (hanako.reference, UNKNOWN):
        assert await matches(narrowed, patient, ("_type", "Observation")) == []


async def test_a_cursor_is_for_its_caller_patient_and_question_alone(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await write_some(hanako)
    await hanako.grant(permit(cast.hospital))
    bundle = await bundle_of(hanako, hanako.reference, ("_count", "2"))
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    outcome(await cast.a.get(further), 400, "invalid")
    outcome(await hanako.get(further.replace(hanako.reference, taro.reference)), 400, "invalid")
    outcome(await hanako.get(further.replace("_count=2", "_count=3")), 400, "invalid")


async def test_every_page_is_on_record_with_its_grants(hanako: Voice, cast: Cast, town: Town) -> None:
    written = await write_some(hanako)
    (consent,) = await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    await walk(cast.a, hanako.reference, ("_count", "1"))
    answer = await hanako.get("/audit/accesses", ("patient", hanako.reference))
    looks = [look for look in orjson.loads(answer.content) if "$everything" in look["query"]]
    assert [look["records"] for look in looks] == [[written[1]], [written[0]]]
    assert all(look["grants"] == [f"{consent}/_history/1"] and look["outcome"] == "success" for look in looks)


async def test_scopes_narrow_it(hanako: Voice, town: Town) -> None:
    written = await write_some(hanako)
    narrowed = town.as_(hanako.reference, scope="patient/Observation.rs")
    assert await matches(narrowed, hanako.reference) == written[:2]
    outcome(await narrowed.get(f"{hanako.reference}/$everything", ("_type", "Condition")), 403)
    outcome(await narrowed.get(f"{hanako.reference}/$everything", ("_type", "Observation,Condition")), 403)


async def test_an_operation_asks_for_a_token(town: Town, hanako: Voice) -> None:
    outcome(await town.http.get(f"/fhir/{hanako.reference}/$everything"), 401)
