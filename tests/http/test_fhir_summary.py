"""`Patient/[id]/$summary`: the document, what goes into it, and for whom.

http://hl7.org/fhir/uv/ips/
"""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from fhirmap.ips.document import BUNDLE_PROFILE
from fhirmap.ips.narrative import NO_INFORMATION
from fhirstore.parse import parse
from fhirstore.validate import validate
from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, outcome, references
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

UNKNOWN = "Patient/00000000-0000-4000-8000-000000000000"
ALLERGIES, MEDICINES, PROBLEMS, IMMUNIZATIONS, VITALS = "48765-2", "10160-0", "11450-4", "11369-6", "8716-3"


async def summary_of(voice: Voice, patient: str, *params: tuple[str, str]) -> Json:
    answer = await voice.get(f"{patient}/$summary", *params)
    assert answer.status_code == 200, answer.text
    bundle: Json = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "document")
    return bundle


def sections(bundle: Json) -> dict[str, list[str]]:
    """The references in each section."""
    composition = bundle["entry"][0]["resource"]
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    found = {}
    for section in composition["section"]:
        entries = [entry["reference"] for entry in section.get("entry", [])]
        assert set(entries) <= urls
        assert ("emptyReason" in section) is not bool(entries)
        listed = references({"entry": [{"fullUrl": url} for url in entries]})
        found[section["code"]["coding"][0]["code"]] = listed
    return found


async def write_one_of_each(voice: Voice) -> dict[str, list[str]]:
    trees = {
        ALLERGIES: made.allergy(voice.reference),
        MEDICINES: made.prescription(voice.reference, made.AMLODIPINE, time="2026-10-01"),
        PROBLEMS: made.condition(voice.reference),
        IMMUNIZATIONS: made.immunization(voice.reference),
        VITALS: made.pressure(voice.reference),
    }
    return {code: [await voice.create(tree)] for code, tree in trees.items()}


async def test_a_patient_gets_the_summary_of_what_is_recorded(hanako: Voice) -> None:
    written = await write_one_of_each(hanako)
    bundle = await summary_of(hanako, hanako.reference)
    assert sections(bundle) == written
    assert bundle["entry"][1]["fullUrl"].endswith(hanako.reference)


async def test_the_document_is_valid(hanako: Voice, cast: Cast) -> None:
    await write_one_of_each(hanako)
    await hanako.create(made.weight(hanako.reference, performer=[made.reference(cast.role_a)]))
    answer = await hanako.get(f"{hanako.reference}/$summary")
    validate(parse(answer.content))


async def test_numbers_stay_as_they_were_written(hanako: Voice) -> None:
    category = made.pressure(hanako.reference)["category"]
    tree = orjson.dumps(made.weight(hanako.reference, category=category)).replace(b"62.5", b"62.500")
    await hanako.call("POST", "Observation", content=tree)
    answer = await hanako.get(f"{hanako.reference}/$summary")
    assert b'"value":62.500' in answer.content
    assert "62.500 kg" in answer.text


async def test_without_records_no_section_says_that_there_is_nothing(hanako: Voice) -> None:
    bundle = await summary_of(hanako, hanako.reference)
    composition = bundle["entry"][0]["resource"]
    assert all(listed == [] for listed in sections(bundle).values())
    for section in composition["section"]:
        assert section["emptyReason"]["coding"][0]["code"] == "unavailable"
        assert NO_INFORMATION in section["text"]["div"]


async def test_only_the_newest_of_each_vital_sign_is_in_it(hanako: Voice) -> None:
    pressures = [
        await hanako.create(made.pressure(hanako.reference, time=day))
        for day in ("2026-10-02", "2026-10-03", "2026-10-01")
    ]
    category = made.pressure(hanako.reference)["category"]
    weight = await hanako.create(made.weight(hanako.reference, time="2026-09-01", category=category))
    await hanako.create(made.weight(hanako.reference, time="2026-11-01"))
    wrong = made.pressure(hanako.reference, time="2026-11-01")
    await hanako.create({**wrong, "status": "entered-in-error"})
    assert sections(await summary_of(hanako, hanako.reference))[VITALS] == [pressures[1], weight]


async def test_medicines_of_long_ago_are_in_it_only_while_they_are_taken(hanako: Voice) -> None:
    def statement(status: str, time: str, **elements: Any) -> Json:
        tree = made.statement(hanako.reference, made.AMLODIPINE, time=time, **elements)
        return {**tree, "status": status}

    taken = await hanako.create(statement("active", "1999"))
    recent = await hanako.create(statement("completed", "2026-10-01"))
    lasting = await hanako.create(statement("unknown", "", effectivePeriod={"start": "2001-01-01"}))
    await hanako.create(statement("completed", "1999"))
    await hanako.create(statement("not-taken", "2026-10-01"))
    assert sections(await summary_of(hanako, hanako.reference))[MEDICINES] == [recent, lasting, taken]


async def test_what_is_over_is_left_out(hanako: Voice) -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    over = {"coding": [{"system": system, "code": "resolved"}]}
    await hanako.create(made.condition(hanako.reference, clinicalStatus=over))
    await hanako.create({**made.immunization(hanako.reference), "status": "not-done"})
    found = sections(await summary_of(hanako, hanako.reference))
    assert (found[PROBLEMS], found[IMMUNIZATIONS]) == ([], [])


async def test_a_physician_gets_the_summary_of_what_is_permitted(hanako: Voice, cast: Cast) -> None:
    written = await write_one_of_each(hanako)
    await hanako.grant(permit(cast.hospital), deny(types=["AllergyIntolerance"]))
    found = sections(await summary_of(cast.a, hanako.reference))
    assert found == {**written, ALLERGIES: []}


async def test_without_the_patient_there_is_no_summary(hanako: Voice, cast: Cast) -> None:
    await write_one_of_each(hanako)
    await hanako.grant(permit(cast.hospital, types=["Observation", "Condition"]))
    read = await cast.a.get(UNKNOWN)
    for voice in (cast.a, cast.a_at_k):
        for patient in (hanako.reference, UNKNOWN):
            answer = await voice.get(f"{patient}/$summary")
            assert (answer.status_code, answer.content) == (404, read.content)


async def test_what_the_records_refer_to_comes_along(hanako: Voice, cast: Cast) -> None:
    await hanako.create(made.pressure(hanako.reference, performer=[made.reference(cast.role_a)]))
    found = references({"entry": [entry for entry in (await summary_of(hanako, hanako.reference))["entry"]
                                  if not entry["fullUrl"].startswith("urn:")]})  # fmt: skip
    assert {cast.role_a, cast.dr_a, cast.ward, cast.hospital} <= set(found)


async def test_the_profile_may_be_named_and_no_other(hanako: Voice) -> None:
    await summary_of(hanako, hanako.reference, ("profile", BUNDLE_PROFILE))
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "profile", "valueCanonical": BUNDLE_PROFILE}],
    }
    answer = await hanako.call("POST", f"{hanako.reference}/$summary", content=orjson.dumps(body))
    assert answer.json()["type"] == "document"
    for params in ((("profile", "http://example.test/other"),), (("_count", "3"),), (("identifier", "x"),)):
        outcome(await hanako.get(f"{hanako.reference}/$summary", *params), 400, "invalid")


async def test_a_session_that_leaves_a_section_out_is_refused(hanako: Voice, town: Town) -> None:
    for scope in ("patient/Observation.rs", "patient/Patient.rs patient/Condition.rs"):
        outcome(await town.as_(hanako.reference, scope=scope).get(f"{hanako.reference}/$summary"), 403)
    outcome(await town.stranger.get(f"{hanako.reference}/$summary"), 401)


async def test_a_summary_is_on_record(hanako: Voice, cast: Cast, town: Town) -> None:
    written = await write_one_of_each(hanako)
    (consent,) = await hanako.grant(permit(cast.hospital))
    await summary_of(cast.a, hanako.reference)
    looks = orjson.loads((await hanako.get("/audit/accesses", ("patient", hanako.reference))).content)
    look = looks[0]
    assert look["query"] == f"GET {hanako.reference}/$summary"
    assert sorted(look["records"]) == sorted(
        [hanako.reference, *(one for listed in written.values() for one in listed)]
    )
    assert (look["grants"], look["outcome"]) == ([f"{consent}/_history/1"], "success")
    await cast.a_at_k.get(f"{hanako.reference}/$summary")
    look = orjson.loads((await hanako.get("/audit/accesses", ("patient", hanako.reference))).content)[0]
    assert (look["records"], look["outcome"]) == ([], "not-found")


async def test_a_medicine_that_is_no_longer_taken_leaves_it_with_time(hanako: Voice, town: Town) -> None:
    await hanako.create(made.dispense(hanako.reference, made.AMLODIPINE, time="2026-11-01"))
    assert sections(await summary_of(hanako, hanako.reference))[MEDICINES]
    with town.later(timedelta(days=400)):
        later = town.as_(hanako.reference, scope="patient/*.rs")
        assert sections(await summary_of(later, hanako.reference))[MEDICINES] == []
