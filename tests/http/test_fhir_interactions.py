"""The interactions on one record: create, read, vread, update, delete, history, and their headers.

http://hl7.org/fhir/R4/http.html
"""

import asyncio
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest

from tests.cast import Cast
from tests.http.bundles import asked, done, send, statuses
from tests.resources import BODY_WEIGHT, observation, organization, pressure, weight
from tests.town import BASE_URL, Town, Voice, answered, link, outcome
from tests.unit.consent.words import concept, permit

pytestmark = pytest.mark.anyio


async def versions(voice: Voice, reference: str, *params: tuple[str, str]) -> list[dict[str, Any]]:
    answer = await voice.get(f"{reference}/_history", *params)
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "history"
    entries: list[dict[str, Any]] = answer.json()["entry"]
    return entries


async def test_a_creation_answers_the_record_with_its_address_and_version(hanako: Voice) -> None:
    answer = await hanako.post(pressure(hanako.reference))
    assert answer.status_code == 201
    tree = answer.json()
    reference = f"Observation/{tree['id']}"
    assert answer.headers["location"] == f"{BASE_URL}/fhir/{reference}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert tree["meta"]["versionId"] == "1"
    assert (await hanako.get(reference)).json() == tree


async def test_the_server_names_a_new_record_whatever_its_body_says(hanako: Voice) -> None:
    body = {**pressure(hanako.reference), "id": "chosen", "meta": {"versionId": "9", "source": "urn:cuff"}}
    tree = (await hanako.post(body)).json()
    assert tree["id"] != "chosen"
    assert tree["meta"]["versionId"] == "1"
    assert tree["meta"]["source"] == "urn:cuff"
    assert (await hanako.get("Observation/chosen")).status_code == 404


async def test_a_read_carries_the_version_and_the_time_of_its_writing(hanako: Voice) -> None:
    reference = await hanako.create(pressure(hanako.reference))
    answer = await hanako.get(reference)
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    told = parsedate_to_datetime(answer.headers["last-modified"])
    written = answer.json()["meta"]["lastUpdated"]
    assert told.strftime("%Y-%m-%dT%H:%M:%S") == written.partition(".")[0]


async def test_decimals_come_back_exactly_as_they_were_written(hanako: Voice) -> None:
    tree = weight(hanako.reference)
    written = orjson.dumps(tree).replace(b"62.5", b"72.50")
    created = await hanako.call("POST", "Observation", content=written)
    assert created.status_code == 201
    reference = f"Observation/{created.json()['id']}"
    listed = await hanako.get("Observation", ("_id", created.json()["id"]))
    for answer in (created, await hanako.get(reference), listed):
        assert b'"value":72.50,' in answer.content
    for lexeme in (b"1.0e2", b"0.000000000000000001", b"-0.0", b"123456789012345678901234567890.10"):
        body = orjson.dumps(tree).replace(b"62.5", lexeme)
        answer = await hanako.call("POST", "Observation", content=body)
        assert b'"value":' + lexeme + b"," in answer.content


async def test_a_text_comes_back_in_the_characters_in_which_it_was_written(hanako: Voice) -> None:
    text = '見本　花子 ﾊﾅｺ 👩‍⚕️ \u2028 \u00e9 e\u0301 𠮷 <b> & \\ " /'
    reference = await hanako.create({**pressure(hanako.reference), "note": [{"text": text}]})
    assert (await hanako.read(reference))["note"] == [{"text": text}]


async def test_an_update_makes_the_next_version_and_keeps_the_one_before(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference, 62.5))
    answer = await hanako.put(reference, weight(hanako.reference, 61.0))
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.headers["location"] == f"{BASE_URL}/fhir/{reference}/_history/2"
    assert (await hanako.read(reference))["valueQuantity"]["value"] == 61.0
    first, second = [await hanako.get(f"{reference}/_history/{number}") for number in (1, 2)]
    assert (first.json()["valueQuantity"]["value"], first.headers["etag"]) == (62.5, 'W/"1"')
    assert (second.json()["valueQuantity"]["value"], second.headers["etag"]) == (61.0, 'W/"2"')


async def test_an_update_that_says_the_same_is_a_version_of_its_own(hanako: Voice) -> None:
    reference = await hanako.create(pressure(hanako.reference))
    answer = await hanako.put(reference, await hanako.read(reference))
    assert answer.json()["meta"]["versionId"] == "2"


async def test_an_update_with_another_version_in_if_match_changes_nothing(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference, 62.5))
    outcome(await hanako.put(reference, weight(hanako.reference, 61.0), if_match='W/"2"'), 412, "conflict")
    assert (await hanako.put(reference, weight(hanako.reference, 61.0), if_match='W/"1"')).status_code == 200
    stale = await hanako.put(reference, weight(hanako.reference, 60.0), if_match='W/"1"')
    assert 'is `W/"2"`, none that' in outcome(stale, 412, "conflict")["issue"][0]["diagnostics"]
    assert (await hanako.read(reference))["valueQuantity"]["value"] == 61.0


async def test_if_match_names_any_version_or_several(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference, 62.5))
    for named, status in (('W/"3", W/"4"', 412), ('W/"1", W/"4"', 200), ("*", 200), ('W/"0"', 412)):
        answer = await hanako.put(reference, weight(hanako.reference, 61.0), if_match=named)
        assert answer.status_code == status, named
    patch = orjson.dumps([{"op": "replace", "path": "/status", "value": "amended"}])
    headers = {"Content-Type": "application/json-patch+json", "If-Match": "*"}
    assert (await hanako.call("PATCH", reference, content=patch, headers=headers)).status_code == 200
    tree = {**weight(hanako.reference), "id": reference.partition("/")[2]}
    answer = await send(hanako, "transaction", asked("PUT", reference, tree, ifMatch="*"))
    assert answer.status_code == 200
    assert (await hanako.delete(reference, if_match="*")).status_code == 204


async def test_conditions_may_stand_on_several_lines(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference, 62.5))
    token = await hanako.town.token(hanako.reference, hanako.purpose, hanako.scope)
    content = orjson.dumps({**weight(hanako.reference, 61.0), "id": reference.partition("/")[2]})

    async def sent(method: str, name: str, *lines: str) -> int:
        headers = [("Authorization", f"Bearer {token}"), *((name, line) for line in lines)]
        if method == "PUT":
            headers.append(("Content-Type", "application/fhir+json"))
        body = content if method == "PUT" else None
        answer = await hanako.town.http.request(method, f"/fhir/{reference}", content=body, headers=headers)
        return answer.status_code

    assert await sent("GET", "If-None-Match", 'W/"8"', 'W/"1"') == 304
    assert await sent("PUT", "If-Match", 'W/"8"', 'W/"9"') == 412
    assert await sent("PUT", "If-Match", 'W/"8"', 'W/"1"') == 200


async def test_if_match_of_any_version_writes_nothing_new(town: Town) -> None:
    path = "Organization/named-by-nobody"
    content = orjson.dumps({**organization("架空病院"), "id": "named-by-nobody"})
    answer = await town.operator.call("PUT", path, content=content, headers={"If-Match": "*"})
    outcome(answer, 412, "conflict")
    outcome(await town.operator.get(path), 404, "not-found")


async def test_an_update_that_may_only_create_leaves_what_is_there(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    content = orjson.dumps({**weight(hanako.reference), "id": reference.partition("/")[2]})
    for headers, status in (
        ({"If-None-Match": "*"}, 412),
        ({"If-None-Match": 'W/"2"'}, 400),
        ({"If-None-Match": "*", "If-Match": 'W/"1"'}, 400),
    ):
        outcome(await hanako.call("PUT", reference, content=content, headers=headers), status)
    outcome(await hanako.call("DELETE", reference, headers={"If-None-Match": "*"}), 412, "conflict")
    absent = await hanako.call(
        "PUT",
        "Observation/absent",
        content=content.replace(reference.partition("/")[2].encode(), b"absent"),
        headers={"If-None-Match": "*"},
    )
    outcome(absent, 405)
    update = asked("PUT", reference, orjson.loads(content), ifNoneMatch="*")
    for kind, status in (("batch", 200), ("transaction", 412)):
        answer = await send(hanako, kind, update)
        assert answer.status_code == status
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "Observation/x", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "Observation/x/_history/1", "GET, HEAD"),
        ("PUT", "Observation/x", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "AuditEvent/x", "GET"),
    ],
)
async def test_a_method_that_an_address_does_not_take_is_told_which_it_takes(
    hanako: Voice, method: str, path: str, allowed: str
) -> None:
    answer = await hanako.call(method, path, content=orjson.dumps({**weight(hanako.reference), "id": "x"}))
    outcome(answer, 405, "not-supported")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("header", ["1x", "1,*", "", 'W/"-1"', 'W/"1",', 'W/"12345678901"'])
async def test_an_if_match_that_names_no_version_is_refused(hanako: Voice, header: str) -> None:
    reference = await hanako.create(weight(hanako.reference))
    outcome(await hanako.put(reference, weight(hanako.reference), if_match=header), 400, "invalid")
    outcome(await hanako.delete(reference, if_match=header), 400, "invalid")
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


async def test_of_updates_at_the_same_time_on_one_version_one_is_carried_out(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    bodies = [weight(hanako.reference, 60.0 + at) for at in range(5)]
    answers = await asyncio.gather(*(hanako.put(reference, body, if_match='W/"1"') for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    assert [entry["response"]["etag"] for entry in await versions(hanako, reference)] == ['W/"2"', 'W/"1"']


async def test_updates_at_the_same_time_without_a_condition_all_become_versions(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    bodies = [weight(hanako.reference, 60.0 + at) for at in range(4)]
    answers = await asyncio.gather(*(hanako.put(reference, body) for body in bodies))
    assert sorted(answer.json()["meta"]["versionId"] for answer in answers) == ["2", "3", "4", "5"]
    assert len(await versions(hanako, reference)) == 5


async def test_a_body_that_names_another_id_or_type_than_the_address_is_refused(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    tree = await hanako.read(reference)
    outcome(
        await hanako.call("PUT", reference, content=orjson.dumps({**organization("x"), "id": tree["id"]})),
        400,
    )
    without = {name: value for name, value in tree.items() if name != "id"}
    for body, got in ((without, "no id"), ({**tree, "id": "another"}, "id `another`")):
        (issue,) = outcome(await hanako.call("PUT", reference, content=orjson.dumps(body)), 400)["issue"]
        assert issue["diagnostics"] == f"got {got} in the resource, expected `{tree['id']}` as in the address"
        assert issue["expression"] == ["Observation.id"]
    outcome(await hanako.call("PUT", reference, content=orjson.dumps({**tree, "id": 7})), 400)
    outcome(await hanako.call("POST", "Condition", content=orjson.dumps(tree)), 400)


async def test_a_record_stays_with_its_patient(hanako: Voice, taro: Voice, town: Town) -> None:
    reference = await hanako.create(weight(hanako.reference))
    outcome(await hanako.put(reference, weight(taro.reference)), 403, "forbidden")
    outcome(await taro.put(reference, weight(taro.reference)), 405)
    assert (await hanako.read(reference))["subject"] == {"reference": hanako.reference}


async def test_a_deletion_leaves_a_tombstone_for_whoever_could_see_the_record(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    answer = await hanako.delete(reference)
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", 'W/"2"')
    outcome(await hanako.get(reference), 410, "deleted")
    assert await hanako.found("Observation") == []
    assert (await hanako.get(f"{reference}/_history/1")).status_code == 200
    outcome(await hanako.get(f"{reference}/_history/2"), 410, "deleted")
    newest, first = await versions(hanako, reference)
    assert newest["request"] == {"method": "DELETE", "url": reference}
    assert newest["response"]["status"] == "204"
    assert "resource" not in newest
    assert first["resource"]["meta"]["versionId"] == "1"


async def test_a_deletion_with_another_version_in_if_match_deletes_nothing(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    outcome(await hanako.delete(reference, if_match='W/"4"'), 412, "conflict")
    assert (await hanako.get(reference)).status_code == 200
    assert (await hanako.delete(reference, if_match='W/"1"')).status_code == 204


async def test_what_was_deleted_is_not_written_again(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    await hanako.remove(reference)
    outcome(await hanako.put(reference, weight(hanako.reference)), 405, "not-supported")


async def test_to_delete_once_more_is_done_already(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    first = await hanako.delete(reference)
    again = await hanako.delete(reference)
    assert (again.status_code, again.headers["etag"]) == (204, first.headers["etag"])
    assert [entry["response"]["status"] for entry in await versions(hanako, reference)] == ["204", "201"]
    outcome(await hanako.delete(reference, if_match='W/"1"'), 412, "conflict")
    outcome(await hanako.get(reference), 410, "deleted")


async def test_a_transaction_deletes_what_is_left_of_what_it_names(hanako: Voice) -> None:
    gone, there = [await hanako.create(weight(hanako.reference)) for _ in range(2)]
    await hanako.remove(gone)
    entries = [asked("DELETE", reference) for reference in (gone, there)]
    for _ in range(2):
        assert statuses(await done(hanako, "transaction", *entries)) == [204, 204]
        assert [len(await versions(hanako, reference)) for reference in (gone, there)] == [2, 2]


async def test_to_delete_what_one_could_not_read_is_the_same_as_to_delete_nothing(
    hanako: Voice, taro: Voice
) -> None:
    reference = await hanako.create(weight(hanako.reference))
    await hanako.remove(reference)
    for each in (reference, f"Observation/{uuid4()}"):
        outcome(await taro.delete(each), 404, "not-found")


async def test_who_may_not_delete_is_refused_whichever_version_they_name(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(weight(hanako.reference))
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT]))
    assert await cast.a.sees(reference)
    for named in ('W/"1"', 'W/"7"', "*"):
        outcome(await cast.a.delete(reference, if_match=named), 403, "forbidden")
        outcome(await cast.a.put(reference, weight(hanako.reference), if_match=named), 403, "forbidden")


async def test_a_history_tells_each_version_newest_first(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    await hanako.replace(reference, weight(hanako.reference, 61.0))
    newest, first = await versions(hanako, reference)
    assert first["request"] == {"method": "POST", "url": "Observation"}
    assert newest["request"] == {"method": "PUT", "url": reference}
    assert [entry["response"]["status"] for entry in (newest, first)] == ["200", "201"]
    for entry, number in ((newest, 2), (first, 1)):
        assert entry["fullUrl"] == f"{BASE_URL}/fhir/{reference}"
        assert entry["response"]["etag"] == f'W/"{number}"'
        assert entry["response"]["lastModified"] == entry["resource"]["meta"]["lastUpdated"]


async def test_the_history_of_a_record_tells_how_many_versions_all_pages_show(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    for kilograms in (61.0, 60.0):
        await hanako.replace(reference, weight(hanako.reference, kilograms))
    first = (await hanako.get(f"{reference}/_history?_count=2")).json()
    further = (link(first, "next") or "").removeprefix(BASE_URL)
    second = (await hanako.get(further)).json()
    assert [(page["total"], len(page["entry"])) for page in (first, second)] == [(3, 2), (3, 1)]
    since = first["entry"][0]["response"]["lastModified"]
    newest = (await hanako.get(f"{reference}/_history?_since={since}")).json()
    assert (newest["total"], len(newest["entry"])) == (1, 1)
    later = (await hanako.get(f"{reference}/_history?_since=2999-01-01")).json()
    assert (later["total"], "entry" in later) == (0, False)
    assert "total" not in (await hanako.get("Observation/_history")).json()


async def test_a_long_history_is_read_in_pages(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    for kilograms in (61.0, 60.0, 59.0, 58.0):
        await hanako.replace(reference, weight(hanako.reference, kilograms))
    address: str | None = f"{reference}/_history?_count=2"
    pages = []
    while address is not None:
        bundle = (await hanako.get(address)).json()
        pages.append([entry["resource"]["meta"]["versionId"] for entry in bundle["entry"]])
        further = link(bundle, "next")
        address = further and further.removeprefix(BASE_URL)
    assert pages == [["5", "4"], ["3", "2"], ["1"]]


@pytest.mark.parametrize(
    "query",
    ["_count=0", "_count=x", "_count=-1", "_before=1", "_at=x", "_since=x", "_count=1&_count=2", "_foo=1"],
)
async def test_a_history_refuses_what_it_cannot_answer(hanako: Voice, query: str) -> None:
    reference = await hanako.create(weight(hanako.reference))
    outcome(await hanako.get(f"{reference}/_history?{query}"), 400, "invalid")


async def test_versions_that_never_were_are_unknown(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    for version in ("0", "01", "2", "x", "-1", "1.0", "99999999999", "１"):
        outcome(await hanako.get(f"{reference}/_history/{version}"), 404, "not-found")
    outcome(await hanako.get("Observation/nobody/_history"), 404, "not-found")


async def test_an_id_is_of_one_type(hanako: Voice) -> None:
    reference = await hanako.create(weight(hanako.reference))
    other = reference.replace("Observation", "Condition")
    outcome(await hanako.get(other), 404, "not-found")
    outcome(await hanako.get(f"{other}/_history"), 404, "not-found")


async def test_denied_and_unknown_ids_have_one_identical_answer(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(weight(hanako.reference))
    unknown = await cast.a.get("Observation/unknown")
    outcome(unknown, 404, "not-found")
    assert answered(await cast.a.get(reference)) == answered(unknown)
    for part in ("/_history", "/_history/1"):
        denied = await cast.a.get(reference + part)
        assert answered(denied) == answered(await cast.a.get(f"Observation/unknown{part}"))


async def test_a_search_without_a_grant_finds_nothing(hanako: Voice, cast: Cast) -> None:
    await hanako.create(weight(hanako.reference))
    bundle = await cast.a.search("Observation", ("patient", hanako.reference), ("_total", "accurate"))
    assert bundle["total"] == 0
    assert "entry" not in bundle
    assert link(bundle, "next") is None


async def test_a_write_without_a_grant_is_refused_before_anything_is_looked_up(
    hanako: Voice, cast: Cast
) -> None:
    denied = await cast.a.post(weight(hanako.reference))
    outcome(denied, 403, "forbidden")
    assert answered(await cast.a.post(weight("Patient/unknown"))) == answered(denied)


async def test_a_put_to_an_id_that_the_caller_cannot_see_is_one_and_the_same_405(
    hanako: Voice, cast: Cast
) -> None:
    denied = await hanako.create(weight(hanako.reference))
    deleted = await hanako.create(weight(hanako.reference))
    await hanako.remove(deleted)
    answers = [
        await cast.a.put(target, weight(hanako.reference))
        for target in (denied, deleted, "Observation/unknown")
    ]
    outcome(answers[0], 405, "not-supported")
    assert len({str(answered(answer)) for answer in answers}) == 1
    assert (await hanako.get(denied)).headers["etag"] == 'W/"1"'


async def test_a_record_that_was_deleted_is_gone_only_for_those_who_could_see_it(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT]))
    seen = await hanako.create(weight(hanako.reference))
    unseen = await hanako.create(pressure(hanako.reference))
    for reference in (seen, unseen):
        await hanako.remove(reference)
    outcome(await cast.a.get(seen), 410, "deleted")
    outcome(await cast.a.get(unseen), 404, "not-found")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_without_a_token_nothing_is_done(hanako: Voice, town: Town, method: str) -> None:
    reference = await hanako.create(weight(hanako.reference))
    path = "Observation" if method == "POST" else reference
    body = orjson.dumps(await hanako.read(reference)) if method in ("POST", "PUT") else None
    answers = [
        await voice.call(method, path, content=body)
        for voice in (town.stranger, Voice(town, "", "", "", bearer="unknown"))
    ]
    for answer in answers:
        outcome(answer, 401, "login")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answers[0].content == answers[1].content
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "bearer", "Token x", "Bearer a b"])
async def test_an_authorization_that_is_no_bearer_token_is_none(town: Town, header: str) -> None:
    outcome(await town.stranger.get("Observation", Authorization=header), 401, "login")


async def test_a_type_that_the_store_does_not_hold_is_named(hanako: Voice) -> None:
    for path in ("Slot", "Slot/1", "observation", "Foo/1/_history", "$everything"):
        answer = await hanako.get(path)
        outcome(answer, 404)
    body = {"resourceType": "Slot", "status": "booked"}
    outcome(await hanako.call("POST", "Slot", content=orjson.dumps(body)), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "Observation/1"),
    ],
)
async def test_interactions_that_are_not_there_are_answered_as_such(
    hanako: Voice, method: str, path: str
) -> None:
    content = None if method == "DELETE" else b"{}"
    outcome(await hanako.call(method, path, content=content), 405, "not-supported")


async def test_a_record_may_name_its_patient_by_the_absolute_address(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect"]))
    absolute = f"{BASE_URL}/fhir/{hanako.reference}"
    for voice in (hanako, cast.a):
        reference = await voice.create(weight(absolute))
        assert (await cast.a.read(reference))["subject"] == {"reference": absolute}
        assert reference in await cast.a.found("Observation", ("patient", absolute))


async def test_an_unusual_but_valid_record_keeps_its_order_and_its_extensions(hanako: Voice) -> None:
    extension = [{"url": "http://example.test/made-up", "valueDecimal": 1}]
    tree = {
        **observation(hanako.reference, code=("http://example.test/codes", "x")),
        "_status": {"extension": extension},
        "code": {**concept(("http://example.test/codes", "x")), "text": "架空"},
    }
    answer = await hanako.get(await hanako.create(tree))
    shown = answer.json()
    assert list(shown)[:3] == ["resourceType", "id", "meta"]
    assert [name for name in shown if name in tree] == list(tree)
    assert shown["_status"] == {"extension": extension}
