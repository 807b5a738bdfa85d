"""Writes that name their record by a search: none, one, several, and two at the same moment.

http://hl7.org/fhir/R4/http.html#ccreate
http://hl7.org/fhir/R4/http.html#cond-update
"""

import asyncio
from typing import Any

import orjson
import pytest
from httpx import Response

from tests.cast import Cast
from tests.http.bundles import asked, done, send
from tests.resources import BODY_WEIGHT, identifiers, organization, weight
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

SYSTEM = "http://example.test/scales"


def weighed(voice: Voice, value: str, **elements: Any) -> Json:
    return weight(voice.reference, identifier=identifiers((SYSTEM, value)), **elements)


def where(value: str) -> str:
    return f"identifier={SYSTEM}|{value}"


async def ensured(voice: Voice, value: str, patient: Voice | None = None) -> Response:
    return await voice.post(weighed(patient or voice, value), **{"If-None-Exist": where(value)})


async def put(voice: Voice, value: str, tree: Json, **headers: str) -> Response:
    return await voice.call("PUT", f"Observation?{where(value)}", content=orjson.dumps(tree), headers=headers)


async def test_a_conditional_creation_creates_once(hanako: Voice) -> None:
    first, second = await ensured(hanako, "1"), await ensured(hanako, "1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["location"] == first.headers["location"]
    assert second.json() == first.json()
    assert len(await hanako.found("Observation")) == 1


async def test_a_conditional_creation_of_what_is_there_twice_is_refused(hanako: Voice) -> None:
    for _ in range(2):
        await hanako.create(weighed(hanako, "2"))
    outcome(await ensured(hanako, "2"), 412, "conflict")
    assert len(await hanako.found("Observation")) == 2


async def test_the_header_may_name_the_type_or_begin_with_a_question_mark(hanako: Voice) -> None:
    for prefix in ("", "?", "Observation?"):
        answer = await hanako.post(weighed(hanako, "3"), **{"If-None-Exist": prefix + where("3")})
        assert answer.status_code in (200, 201)
    assert len(await hanako.found("Observation")) == 1
    other = await hanako.post(weighed(hanako, "3"), **{"If-None-Exist": f"Patient?{where('3')}"})
    outcome(other, 400, "invalid")


@pytest.mark.parametrize("prefix", ["", "?", "Observation?"])
async def test_a_question_mark_in_a_value_is_part_of_it(hanako: Voice, prefix: str) -> None:
    tree = weight(hanako.reference, identifier=identifiers((f"{SYSTEM}?identifier=4", "5")))
    condition = f"{prefix}identifier={SYSTEM}?identifier=4|5"
    answers = [await hanako.post(tree, **{"If-None-Exist": condition}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]


@pytest.mark.parametrize(
    "condition", ["", "?", "_count=1", "spam=1", "_sort=date", "_include=Observation:subject"]
)
async def test_a_condition_that_names_no_record_is_refused(hanako: Voice, condition: str) -> None:
    answer = await hanako.post(weight(hanako.reference), **{"If-None-Exist": condition})
    outcome(answer, 400 if condition.strip("?") else 412)
    assert await hanako.found("Observation") == []


async def test_creations_under_one_condition_at_the_same_moment_create_one_record(hanako: Voice) -> None:
    answers = await asyncio.gather(*(ensured(hanako, "4") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(await hanako.found("Observation")) == 1


async def test_updates_under_one_condition_at_the_same_moment_create_one_record(hanako: Voice) -> None:
    answers = await asyncio.gather(*(put(hanako, "5", weighed(hanako, "5")) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert sorted(answer.headers["etag"] for answer in answers) == [f'W/"{at}"' for at in (1, 2, 3, 4)]


async def test_a_condition_does_not_see_what_its_caller_may_not_read(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["collect"]))
    await hanako.create(weighed(hanako, "6"))
    assert (await ensured(cast.a, "6", hanako)).status_code == 201
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT]))
    outcome(await ensured(cast.a, "6", hanako), 412, "conflict")


async def test_a_conditional_update_follows_the_number_of_matches(hanako: Voice) -> None:
    created = await put(hanako, "7", weighed(hanako, "7"))
    assert (created.status_code, created.headers["etag"]) == (201, 'W/"1"')
    id_ = created.json()["id"]
    for tree in (weighed(hanako, "7"), {**weighed(hanako, "7"), "id": id_}):
        answer = await put(hanako, "7", tree)
        assert (answer.status_code, answer.json()["id"]) == (200, id_)
    (issue,) = outcome(await put(hanako, "7", {**weighed(hanako, "7"), "id": "other"}), 400, "invalid")[
        "issue"
    ]
    assert issue["diagnostics"] == (
        f"got id `other` in the resource, expected `{id_}` of the record that matches, or none"
    )
    outcome(await put(hanako, "7", weighed(hanako, "7"), **{"If-Match": 'W/"1"'}), 412, "conflict")
    await hanako.create(weighed(hanako, "7"))
    (issue,) = outcome(await put(hanako, "7", weighed(hanako, "7")), 412, "conflict")["issue"]
    assert issue["diagnostics"] == (
        "got a condition that several records match, expected one that matches no more than one; "
        "nothing was written"
    )


async def test_a_conditional_update_under_a_chosen_id_needs_what_an_update_of_it_needs(
    hanako: Voice, town: Town
) -> None:
    outcome(await put(hanako, "8", {**weighed(hanako, "8"), "id": "chosen"}), 405)
    system = "http://example.test/facilities"
    tree = organization("選択病院", id="chosen-hospital", identifier=identifiers((system, "8")))
    path = f"Organization?identifier={system}|8"
    answer = await town.operator.call("PUT", path, content=orjson.dumps(tree))
    assert (answer.status_code, answer.json()["id"]) == (201, "chosen-hospital")


async def test_a_conditional_deletion_deletes_the_one_that_matches(hanako: Voice) -> None:
    reference = await hanako.create(weighed(hanako, "9"))
    answer = await hanako.call("DELETE", f"Observation?{where('9')}")
    assert (answer.status_code, answer.headers["etag"]) == (204, 'W/"2"')
    outcome(await hanako.get(reference), 410, "deleted")


async def test_a_conditional_deletion_of_nothing_is_done(hanako: Voice) -> None:
    path = f"Observation?{where('none')}"
    answer = await hanako.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "etag" not in answer.headers
    told = await hanako.call("DELETE", path, headers={"Prefer": "return=OperationOutcome"})
    assert (told.status_code, told.json()["resourceType"]) == (200, "OperationOutcome")
    for named in ("*", 'W/"1"'):
        outcome(await hanako.call("DELETE", path, headers={"If-Match": named}), 412, "conflict")
    for kind in ("batch", "transaction"):
        (entry,) = await done(hanako, kind, asked("DELETE", path))
        assert entry["response"]["status"] == "204 No Content"


async def test_who_may_delete_nothing_deletes_nothing_by_condition_either(hanako: Voice) -> None:
    reader = hanako.town.as_(hanako.reference, scope="patient/Observation.rs")
    path = f"Observation?{where('none')}"
    outcome(await reader.call("DELETE", path), 403, "forbidden")
    outcome(await send(reader, "transaction", asked("DELETE", path)), 403, "forbidden")


async def test_a_conditional_deletion_tells_no_denied_record_from_none(hanako: Voice, cast: Cast) -> None:
    await hanako.create(weighed(hanako, "hidden"))
    denied, absent = [await cast.a.call("DELETE", f"Observation?{where(v)}") for v in ("hidden", "absent")]
    assert (denied.status_code, denied.content) == (absent.status_code, absent.content)
    assert denied.headers.keys() == absent.headers.keys()
    assert len(await hanako.found("Observation")) == 1


async def test_a_conditional_deletion_of_several_deletes_none(hanako: Voice) -> None:
    for _ in range(2):
        await hanako.create(weighed(hanako, "10"))
    outcome(await hanako.call("DELETE", f"Observation?{where('10')}"), 412, "conflict")
    outcome(await hanako.call("DELETE", "Observation"), 412, "conflict")
    assert len(await hanako.found("Observation")) == 2


async def test_a_condition_may_look_into_the_record(hanako: Voice) -> None:
    """A parameter that no index answers serves a condition as well."""
    reference = await hanako.create(weighed(hanako, "11", kilograms=71))
    await hanako.create(weighed(hanako, "12"))
    path = f"Observation?patient={hanako.reference}&value-quantity=71"
    assert (await hanako.call("DELETE", path)).status_code == 204
    outcome(await hanako.get(reference), 410, "deleted")


async def test_what_was_found_is_on_the_record(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["access", "collect"]))
    known = await hanako.create(weighed(hanako, "13"))
    answer = await ensured(cast.a, "13", hanako)
    assert answer.status_code == 200
    assert answer.headers["location"] == f"{BASE_URL}/fhir/{known}/_history/1"
    (told,) = hanako.town.rows(
        "SELECT action, outcome, cardinality(record_keys) FROM audit_event WHERE role = %s "
        "ORDER BY recorded DESC LIMIT 1",
        cast.role_a,
    )
    assert told == ("read", "success", 1)


async def test_a_session_that_may_not_search_writes_under_no_condition(hanako: Voice) -> None:
    narrow = hanako.town.as_(hanako.reference, scope="patient/Observation.cu")
    outcome(await ensured(narrow, "14", hanako), 403, "forbidden")


async def test_an_operators_condition_makes_no_second_registration_unnoticed(town: Town) -> None:
    card = ("http://example.test/cards", "4711")
    tree = {
        "resourceType": "Patient",
        "name": [{"text": "見本 二葉（架空）"}],
        "identifier": identifiers(card),
    }
    condition = f"identifier={'|'.join(card)}"
    one = {"request": {"method": "POST", "url": "Patient", "ifNoneExist": condition}, "resource": tree}
    for answer in (
        await town.operator.post(tree, **{"If-None-Exist": condition}),
        await town.operator.call("PUT", f"/fhir/Patient?{condition}", content=orjson.dumps(tree)),
        await town.operator.call("DELETE", f"/fhir/Patient?{condition}"),
        await send(town.operator, "transaction", one),
    ):
        assert "/identity/duplicates" in outcome(answer, 403, "forbidden")["issue"][0]["diagnostics"]
    assert (await town.operator.post(tree)).status_code == 201
