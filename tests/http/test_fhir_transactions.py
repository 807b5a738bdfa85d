"""Transactions: all or nothing, references between their entries, conditions, order, and their cost.

http://hl7.org/fhir/R4/http.html#trules
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from passport.disclosure import finding
from passport.transactions import whole
from passport.transactions.reads import MOST_READS
from tests.attacks.work import syncs_of, work_of
from tests.cast import Cast
from tests.http.bundles import asked, created, done, reference, send, statuses
from tests.resources import BODY_WEIGHT, bundle, identifiers, pressure, provenance, weight
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

SYSTEM = "http://example.test/scales"
FIRST, SECOND = (
    "urn:uuid:00000000-0000-4000-8000-000000000001",
    "urn:uuid:00000000-0000-4000-8000-000000000002",
)


AMENDING: Final = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "replace"},
                {"name": "path", "valueString": "Observation.status"},
                {"name": "value", "valueCode": "amended"},
            ],
        }
    ],
}


def weighed(voice: Voice, value: str, kilograms: float = 62.5) -> Json:
    return weight(voice.reference, kilograms, identifier=identifiers((SYSTEM, value)))


def where(value: str) -> str:
    return f"identifier={SYSTEM}|{value}"


async def test_a_transaction_carries_out_every_interaction_in_the_order_of_its_entries(hanako: Voice) -> None:
    changed, patched, deleted = [await hanako.create(weight(hanako.reference)) for _ in range(3)]
    update = {**weight(hanako.reference, 60.0), "id": changed.partition("/")[2]}
    entries = await done(
        hanako,
        "transaction",
        asked("GET", changed),
        asked("PUT", changed, update),
        created(pressure(hanako.reference)),
        asked("PATCH", patched, AMENDING),
        asked("DELETE", deleted),
        asked("GET", f"Observation?patient={hanako.reference}&_summary=count"),
    )
    assert statuses(entries) == [200, 200, 201, 200, 204, 200]
    assert entries[0]["resource"]["valueQuantity"]["value"] == 60.0
    assert entries[1]["response"]["location"] == f"{BASE_URL}/fhir/{changed}/_history/2"
    assert entries[1]["response"]["etag"] == 'W/"2"'
    assert entries[1]["response"]["lastModified"].endswith("Z")
    assert "resource" not in entries[2]
    assert (await hanako.read(patched))["status"] == "amended"
    outcome(await hanako.get(deleted), 410)
    assert entries[5]["resource"]["total"] == 3


async def test_references_between_entries_lead_to_what_was_stored(hanako: Voice) -> None:
    panel = pressure(hanako.reference, hasMember=[{"reference": FIRST}, {"reference": SECOND}])
    text = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{FIRST}">x</a></div>'
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": hanako.reference},
        "instantiatesUri": [SECOND, "http://elsewhere.test/plan"],
    }
    entries = await done(
        hanako,
        "transaction",
        created({**panel, "text": {"status": "generated", "div": text}}),
        created(weight(hanako.reference), FIRST),
        created(weight(hanako.reference), SECOND),
        created(plan),
    )
    whole, first, second, planned = [reference(entry) for entry in entries]
    assert (await hanako.read(planned))["instantiatesUri"] == [second, "http://elsewhere.test/plan"]
    tree = await hanako.read(whole)
    assert tree["hasMember"] == [{"reference": first}, {"reference": second}]
    assert f'href="{first}"' in tree["text"]["div"]


async def test_a_temporary_reference_that_no_entry_answers_to_undoes_all(hanako: Voice) -> None:
    panel = pressure(hanako.reference, hasMember=[{"reference": FIRST}, {"reference": SECOND}])
    answer = await send(hanako, "transaction", created(weight(hanako.reference), FIRST), created(panel))
    (issue,) = outcome(answer, 400)["issue"]
    assert issue["expression"] == ["Bundle.entry[1].resource.hasMember[1].reference"]
    assert issue["diagnostics"] == f"got the temporary reference `{SECOND}`, expected the fullUrl of an entry"
    assert await hanako.found("Observation") == []


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_what_is_to_be_carried_out_is_not_stored_in_its_place(hanako: Voice, kind: str) -> None:
    sent = {"resourceType": "Bundle", "type": kind, "entry": [created(weight(hanako.reference))]}
    answers = [
        await hanako.call("POST", "Bundle", content=orjson.dumps(sent)),
        await send(hanako, "transaction", created(sent)),
    ]
    for answer in answers:
        (issue,) = outcome(answer, 422, "business-rule")["issue"]
        assert issue["diagnostics"].endswith("expected it at the base address, which carries it out")
        assert issue["expression"][0].endswith(".type")
    assert await hanako.found("Bundle") == []


async def test_absolute_relative_and_versioned_references_are_resolved(hanako: Voice) -> None:
    base = "http://elsewhere.test/fhir"
    panel = pressure(
        hanako.reference,
        hasMember=[{"reference": f"{base}/Observation/a"}, {"reference": "Observation/a"}],
        derivedFrom=[{"reference": "Observation/a/_history/3"}, {"reference": "Observation/b"}],
    )
    entries = await done(
        hanako,
        "transaction",
        created(weight(hanako.reference), f"{base}/Observation/a"),
        created(panel, f"{base}/Observation/panel"),
    )
    first, whole = [reference(entry) for entry in entries]
    tree = await hanako.read(whole)
    assert [one["reference"] for one in tree["hasMember"]] == [first, first]
    assert [one["reference"] for one in tree["derivedFrom"]] == [first, "Observation/b"]


async def test_a_conditional_reference_leads_to_the_one_that_matches(hanako: Voice) -> None:
    known = await hanako.create(weighed(hanako, "r1"))
    panel = pressure(hanako.reference, hasMember=[{"reference": f"Observation?{where('r1')}"}])
    (entry,) = await done(hanako, "transaction", created(panel))
    assert (await hanako.read(reference(entry)))["hasMember"] == [{"reference": known}]
    for condition in (where("nothing"), "status=final", ""):
        broken = pressure(hanako.reference, hasMember=[{"reference": f"Observation?{condition}x=1"}])
        assert (await send(hanako, "transaction", created(broken))).status_code in (400, 412)
    none = pressure(hanako.reference, derivedFrom=[{"reference": f"Observation?{where('nothing')}"}])
    (issue,) = outcome(await send(hanako, "transaction", created(none)), 412, "conflict")["issue"]
    assert issue["expression"] == ["Bundle.entry[0].resource.derivedFrom[0].reference"]


async def test_no_more_conditional_references_are_followed_than_one_request_may_ask_for(
    hanako: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "MOST_LED_TO", 2)
    for value in ("c1", "c2", "c3"):
        await hanako.create(weighed(hanako, value))
    led = [{"reference": f"Observation?{where(value)}"} for value in ("c1", "c2", "c1", "c2", "c3")]
    await done(hanako, "transaction", created(pressure(hanako.reference, hasMember=led[:-1])))
    answer = await send(hanako, "transaction", created(pressure(hanako.reference, hasMember=led)))
    (issue,) = outcome(answer, 400, "too-costly")["issue"]
    assert issue["expression"] == ["Bundle.entry[0].resource.hasMember[4].reference"]


async def test_all_conditions_of_a_transaction_look_into_no_more_records_than_one_search(
    hanako: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("s1", "s2"):
        await hanako.create(weighed(hanako, value))
    named = f"patient={hanako.reference}&value-quantity:missing=false&{{}}"
    led = [{"reference": f"Observation?{named.format(where(value))}"} for value in ("s1", "s2")]
    monkeypatch.setattr(finding, "MOST_SIFTED", 2)
    await done(hanako, "transaction", created(pressure(hanako.reference, hasMember=led)))
    monkeypatch.setattr(finding, "MOST_SIFTED", 1)
    answer = await send(hanako, "transaction", created(pressure(hanako.reference, hasMember=led)))
    outcome(answer, 400, "too-costly")


async def test_a_conditional_reference_to_what_the_caller_may_not_read_matches_nothing(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["collect"]))
    await hanako.create(weighed(hanako, "r2"))
    answers = []
    for value in ("r2", "nothing"):
        tree = weight(hanako.reference, hasMember=[{"reference": f"Observation?{where(value)}"}])
        answers.append(await send(cast.a, "transaction", created(tree)))
        outcome(answers[-1], 412, "conflict")
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    "broken",
    [
        asked("DELETE", "Observation/unknown"),
        asked("PUT", "Observation/unknown", {**weight("Patient/x"), "id": "unknown"}),
        created({**weight("Patient/x"), "status": "perhaps"}),
        created(weight("Patient/x")),
        asked("POST", "Nothing", {"resourceType": "Nothing"}),
        asked("PATCH", "Observation/unknown", {"resourceType": "Parameters", "parameter": []}),
        asked("POST", "Observation"),
        asked("SPAM", "Observation"),
        asked("DELETE", "../auth/token"),
        {"resource": {}},
        created(weight("Patient/x"), ifNoneExist="spam=1"),
    ],
)
async def test_one_entry_that_cannot_be_carried_out_undoes_all(hanako: Voice, broken: Any) -> None:
    answer = await send(hanako, "transaction", created(weight(hanako.reference)), broken)
    outcome(answer, answer.status_code)
    assert answer.status_code in (400, 403, 404, 405, 422)
    assert await hanako.found("Observation") == []


async def test_every_problem_is_told_with_its_entry(hanako: Voice) -> None:
    broken = {**weight(hanako.reference), "status": "perhaps"}
    answer = await send(
        hanako, "transaction", created(broken), created(weight(hanako.reference)), created(broken)
    )
    tree = outcome(answer, 422)
    places = [issue["expression"][0] for issue in tree["issue"]]
    assert {place.split(".")[1] for place in places} == {"entry[0]", "entry[2]"}
    assert "Bundle.entry[0].resource.status" in places


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (created(weight("Patient/unknown")), 403),
        (asked("DELETE", "Observation/unknown"), 404),
        (asked("PATCH", "Observation?identifier=unknown", {"resourceType": "Parameters"}), 400),
        (asked("POST", "Nothing", {"resourceType": "Nothing"}), 404),
        (asked("PUT", "Observation/unknown", {**weight("{me}"), "id": "unknown"}), 405),
        (asked("DELETE", "AuditEvent/unknown"), 405),
        (asked("DELETE", "{known}", ifMatch='W/"9"'), 412),
        (asked("PUT", "Observation?status=final", weight("Patient/unknown")), 412),
    ],
)
async def test_what_refuses_one_entry_names_it_and_says_no_more_than_of_it_alone(
    hanako: Voice, broken: Json, status: int
) -> None:
    known, _ = [await hanako.create(weight(hanako.reference)) for _ in range(2)]
    text = orjson.dumps(broken).decode()
    broken = orjson.loads(text.replace("{known}", known).replace("{me}", hanako.reference))
    answer = await send(hanako, "transaction", created(weight(hanako.reference)), broken)
    (issue,) = outcome(answer, status)["issue"]
    assert issue.pop("expression")[0].split(".")[:2] == ["Bundle", "entry[1]"]
    (alone,) = await done(hanako, "batch", broken)
    assert statuses([alone]) == [status]
    (said,) = alone["response"]["outcome"]["issue"]
    assert issue == {name: value for name, value in said.items() if name != "expression"}


async def test_a_record_that_two_entries_write_is_refused(hanako: Voice) -> None:
    known = await hanako.create(weight(hanako.reference))
    update = asked("PUT", known, {**weight(hanako.reference), "id": known.partition("/")[2]})
    outcome(await send(hanako, "transaction", update, asked("DELETE", known)), 400, "invalid")
    outcome(await send(hanako, "transaction", update, update), 400, "invalid")
    assert (await hanako.get(known)).headers["etag"] == 'W/"1"'


async def test_conditions_see_what_was_there_before_and_deletions_at_once(hanako: Voice) -> None:
    known = await hanako.create(weighed(hanako, "c1"))
    first = await done(hanako, "transaction", created(weighed(hanako, "c1"), ifNoneExist=where("c1")))
    assert statuses(first) == [200]
    assert reference(first[0]) == known
    entries = await done(
        hanako,
        "transaction",
        created(weighed(hanako, "c1"), FIRST, ifNoneExist=where("c1")),
        created(pressure(hanako.reference, hasMember=[{"reference": FIRST}])),
        asked("DELETE", known),
    )
    assert statuses(entries) == [201, 201, 204]
    assert (await hanako.read(reference(entries[1])))["hasMember"] == [{"reference": reference(entries[0])}]


async def test_what_is_deleted_keeps_no_creation_from_being_made(hanako: Voice) -> None:
    known = await hanako.create(weighed(hanako, "d"))
    making = created(weighed(hanako, "d", 60.0), FIRST, ifNoneExist=where("d"))
    entries = await done(hanako, "transaction", asked("DELETE", f"Observation?{where('d')}"), making)
    assert statuses(entries) == [204, 201]
    assert reference(entries[1]) != known
    assert (await hanako.get(known)).status_code == 410
    assert (await hanako.get(reference(entries[1]))).status_code == 200


@pytest.mark.parametrize("updating", ["PUT", "PATCH"])
@pytest.mark.parametrize("by", ["condition", "id"])
async def test_what_is_deleted_is_not_updated_by_a_condition_too(
    hanako: Voice, updating: str, by: str
) -> None:
    known = await hanako.create(weighed(hanako, "e"))
    tree = weighed(hanako, "e", 60.0) if updating == "PUT" else AMENDING
    entries = [
        asked(updating, f"Observation?{where('e')}", tree),
        asked("DELETE", known if by == "id" else f"Observation?{where('e')}"),
    ]
    for listed in (entries, entries[::-1]):
        told = outcome(await send(hanako, "transaction", *listed), 400, "invalid")
        assert "several entries write" in told["issue"][0]["diagnostics"]
    assert (await hanako.read(known))["meta"]["versionId"] == "1"


async def test_all_that_was_there_already_is_told_by_one_look(hanako: Voice, cast: Cast, town: Town) -> None:
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect"]))
    entries = [created(weighed(hanako, f"k{at}"), ifNoneExist=where(f"k{at}")) for at in range(3)]
    first = await done(cast.a, "transaction", *entries)
    again = await done(cast.a, "transaction", *entries)
    assert (statuses(first), statuses(again)) == ([201] * 3, [200] * 3)
    assert [entry["response"] | {"status": ""} for entry in again] == [
        entry["response"] | {"status": ""} for entry in first
    ]
    reads = (
        "SELECT outcome, cardinality(record_keys), cardinality(grants) FROM audit_event WHERE action = 'read' "
        "AND subject <> %s AND patient_key = (SELECT patient_key FROM patient WHERE patient_id = %s)"
    )
    whose = (hanako.reference, hanako.reference.partition("/")[2])
    assert town.rows(reads, *whose) == [("success", 3, 1)]
    shown = await send(cast.a, "transaction", *entries, headers={"Prefer": "return=representation"})
    for entry, made in zip(shown.json()["entry"], first, strict=True):
        assert entry["resource"] == await hanako.read(reference(made))
        assert entry["response"] | {"status": ""} == made["response"] | {"status": ""}
    assert town.rows(reads, *whose) == [("success", 3, 1)] * 2


async def test_conditional_changes_follow_the_number_of_matches(hanako: Voice) -> None:
    await hanako.create(weighed(hanako, "c2"))
    entries = await done(
        hanako,
        "transaction",
        asked("PUT", f"Observation?{where('c2')}", weighed(hanako, "c2", 60.0)),
        asked("PUT", f"Observation?{where('c3')}", weighed(hanako, "c3")),
        asked("DELETE", f"Observation?{where('c4')}"),
    )
    assert statuses(entries) == [200, 201, 204]
    await hanako.create(weighed(hanako, "c2"))
    answer = await send(hanako, "transaction", asked("DELETE", f"Observation?{where('c2')}"))
    outcome(answer, 412, "conflict")


async def test_the_same_condition_twice_creates_once(hanako: Voice) -> None:
    entry = created(weighed(hanako, "c5"), ifNoneExist=where("c5"))
    entries = await done(hanako, "transaction", entry, entry)
    assert statuses(entries) == [201, 200]
    assert reference(entries[0]) == reference(entries[1])
    assert len(await hanako.found("Observation")) == 1


async def test_transactions_under_one_condition_at_the_same_moment_create_one_record(hanako: Voice) -> None:
    entry = created(weighed(hanako, "c6"), ifNoneExist=where("c6"))
    answers = await asyncio.gather(*(done(hanako, "transaction", entry) for _ in range(5)))
    assert sorted(statuses(one)[0] for one in answers) == [200, 200, 200, 200, 201]
    assert len(await hanako.found("Observation")) == 1


async def test_one_row_for_each_patient_tells_of_the_whole(hanako: Voice, cast: Cast, town: Town) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    await done(cast.a, "transaction", *(created(weight(hanako.reference)) for _ in range(3)))
    refused = await send(
        cast.b, "transaction", created(weight(hanako.reference)), created(weight("Patient/x"))
    )
    outcome(refused, 403, "forbidden")
    told = town.rows(
        "SELECT outcome, cardinality(record_keys), cardinality(grants) FROM audit_event "
        "WHERE action = 'transaction' ORDER BY recorded DESC LIMIT 2"
    )
    assert told == [("refused", 0, 0), ("success", 3, 1)]


async def test_what_a_consent_lets_create_and_correct_goes_into_one_transaction(
    hanako: Voice, cast: Cast
) -> None:
    changed, hidden = (
        await hanako.create(weight(hanako.reference)),
        await hanako.create(pressure(hanako.reference)),
    )
    await hanako.grant(
        permit(cast.hospital, codes=[BODY_WEIGHT]),
        permit(cast.hospital, codes=[BODY_WEIGHT], actions=["collect", "correct"]),
    )
    update = asked("PUT", changed, {**weight(hanako.reference, 60.0), "id": changed.partition("/")[2]})
    entries = await done(cast.a, "transaction", update, created(weight(hanako.reference)))
    assert statuses(entries) == [200, 201]
    for refused in (created(pressure(hanako.reference)), asked("DELETE", hidden)):
        answer = await send(cast.a, "transaction", update, created(weight(hanako.reference)), refused)
        assert answer.status_code in (403, 404)
    assert (await cast.a.get(changed)).headers["etag"] == 'W/"2"'


async def test_a_provenance_lies_with_what_it_tells_of_in_the_same_transaction(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"]), permit(cast.hospital))
    tree = provenance(FIRST, agent=cast.dr_a)
    entries = await done(cast.a, "transaction", created(tree), created(weight(hanako.reference), FIRST))
    assert (await cast.a.read(reference(entries[0])))["target"] == [{"reference": reference(entries[1])}]


async def test_the_records_come_back_to_whoever_asks_for_them(hanako: Voice) -> None:
    entry = created(weight(hanako.reference))
    shown = await send(hanako, "transaction", entry, headers={"Prefer": "return=representation"})
    assert shown.json()["entry"][0]["resource"]["meta"]["versionId"] == "1"
    told = await send(hanako, "transaction", entry, headers={"Prefer": "return=OperationOutcome"})
    assert told.json()["entry"][0]["response"]["outcome"]["resourceType"] == "OperationOutcome"


async def test_an_operator_registers_whoever_the_same_transaction_names(town: Town) -> None:
    person = {"resourceType": "Patient", "name": [{"text": "見本 四葉（架空）"}]}
    entries = await done(town.operator, "transaction", *(created(person) for _ in range(3)))
    voices = [town.as_(reference(entry)) for entry in entries]
    assert len({voice.reference for voice in voices}) == 3
    for voice in voices:
        await voice.create(weight(voice.reference))


async def test_a_transaction_costs_the_same_statements_however_many_it_creates(
    hanako: Voice, cast: Cast, tmp_path: Path
) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    costs = []
    for count in (1, 10, 100):
        content = orjson.dumps(
            bundle(kind="transaction") | {"entry": [created(weight(hanako.reference))] * count}
        )

        async def ask(content: bytes = content) -> Any:
            return await cast.a.call("POST", "/fhir", content=content)

        for _ in range(3):
            await ask()
        work = await work_of(hanako.town, ask, tmp_path / "trace")
        assert statuses(work.answer.json()["entry"]) == [201] * count
        costs.append(work.statements)
    assert costs[0] == costs[1] == costs[2]


async def test_a_creation_costs_three_round_trips(hanako: Voice, cast: Cast, tmp_path: Path) -> None:
    """The standing, the owner, and all that is stored with its judgement, its audit row and the COMMIT."""
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    for voice in (cast.a, hanako):
        for _ in range(3):
            await voice.create(weight(hanako.reference))
        create = partial(voice.post, weight(hanako.reference))
        assert await syncs_of(hanako.town, create, tmp_path / "trace") == 3


async def test_a_creation_that_is_refused_leaves_nothing_but_the_row_that_says_so(
    hanako: Voice, cast: Cast, town: Town
) -> None:
    """The COMMIT is sent along, and is not carried out where the judgement fails."""
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["collect"]))
    outcome(await cast.a.post(pressure(hanako.reference)), 403, "forbidden")
    assert await hanako.found("Observation") == []
    ((told, records),) = town.rows(
        "SELECT outcome, cardinality(record_keys) FROM audit_event WHERE role = %s ORDER BY recorded DESC LIMIT 1",
        cast.role_a,
    )
    assert (told, records) == ("refused", 0)
    assert (await cast.a.post(weight(hanako.reference))).status_code == 201


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{}", 400),
        (b'{"resourceType":"Observation"}', 400),
        (b'{"resourceType":"Bundle","type":"searchset"}', 400),
        (b'{"resourceType":"Bundle","type":"transaction","entry":{}}', 400),
        (b'{"resourceType":"Bundle","type":"batch","entry":[' + b",".join([b"{}"] * 5_001) + b"]}", 413),
    ],
)
async def test_what_is_no_bundle_of_requests_is_refused(hanako: Voice, content: bytes, status: int) -> None:
    outcome(await hanako.call("POST", "/fhir", content=content), status)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_an_empty_bundle_is_carried_out(hanako: Voice, kind: str) -> None:
    assert await done(hanako, kind) == []


async def test_an_address_may_be_absolute(hanako: Voice) -> None:
    url = f"{BASE_URL}/fhir/Observation"
    assert statuses(await done(hanako, "transaction", asked("POST", url, weight(hanako.reference)))) == [201]


@pytest.mark.parametrize("method", [["POST"], {"POST": 1}, None, 5, "post"])
async def test_a_method_that_is_none_is_refused(hanako: Voice, method: Any) -> None:
    entry = {"request": {"method": method, "url": "Observation"}, "resource": weight(hanako.reference)}
    told = outcome(await send(hanako, "transaction", entry), 400, "invalid")
    assert told["issue"][0]["expression"] == ["Bundle.entry[0].request.method"]
    assert statuses(await done(hanako, "batch", entry)) == [400]


FAILING_READS = {
    "an unknown record": ("Observation/nope", 404),
    "an unknown type": ("Foo/1", 404),
    "an unknown parameter": ("Observation?foo=1", 400),
    "a bad value": ("Observation?date=bad", 400),
    "an unknown operation": ("Patient/{patient}/$foo", 404),
    "a history of nothing": ("Observation/nope/_history", 404),
}


@pytest.mark.parametrize("what", FAILING_READS)
async def test_a_read_that_fails_undoes_all(hanako: Voice, what: str) -> None:
    path, status = FAILING_READS[what]
    url = path.format(patient=hanako.reference.partition("/")[2])
    answer = await send(
        hanako,
        "transaction",
        created(weighed(hanako, what)),
        asked("GET", hanako.reference),
        asked("GET", url),
    )
    (issue,) = outcome(answer, status)["issue"]
    assert issue["expression"] == ["Bundle.entry[2].request.url"]
    assert issue["diagnostics"] == (await hanako.get(url)).json()["issue"][0]["diagnostics"]
    assert await hanako.found("Observation", ("patient", hanako.reference)) == []


async def test_without_writes_a_read_that_fails_is_the_answer_as_well(hanako: Voice) -> None:
    answer = await send(
        hanako, "transaction", asked("GET", hanako.reference), asked("HEAD", "Observation/nope")
    )
    (issue,) = outcome(answer, 404)["issue"]
    assert issue["expression"] == ["Bundle.entry[1].request.url"]


async def test_a_read_shows_what_the_writes_leave_and_the_next_request_sees_the_same(hanako: Voice) -> None:
    changed, deleted = [await hanako.create(weight(hanako.reference)) for _ in range(2)]
    search = f"Observation?patient={hanako.reference}&_total=accurate"
    looked_into = f"{search}&value-quantity=gt61"
    entries = await done(
        hanako,
        "transaction",
        asked("GET", changed),
        asked("GET", search),
        asked("GET", looked_into),
        asked("PUT", changed, {**weight(hanako.reference, 60.0), "id": changed.partition("/")[2]}),
        created(weighed(hanako, "new")),
        asked("DELETE", deleted),
    )
    assert statuses(entries) == [200, 200, 200, 200, 201, 204]
    assert entries[0]["resource"]["valueQuantity"]["value"] == 60.0
    assert [entries[at]["resource"]["total"] for at in (1, 2)] == [2, 1]
    assert [(await hanako.get(url)).json()["total"] for url in (search, looked_into)] == [2, 1]


async def test_a_consent_counts_for_the_reads_beside_it_and_is_undone_with_them(
    hanako: Voice, cast: Cast
) -> None:
    seen = await hanako.create(weight(hanako.reference))
    consent = hanako.consent(permit(cast.hospital, codes=[BODY_WEIGHT]))
    failed = await send(hanako, "transaction", created(consent), asked("GET", "Observation/nope"))
    outcome(failed, 404)
    assert not await cast.a.sees(seen)
    await done(hanako, "transaction", created(consent), asked("GET", seen))
    assert await cast.a.sees(seen)


async def test_a_denied_read_of_a_transaction_stands_in_the_log_and_looks_like_an_absent_one(
    hanako: Voice, cast: Cast
) -> None:
    hidden = await hanako.create(weight(hanako.reference))
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    new = created(pressure(hanako.reference))
    answers = [
        await send(cast.a, "transaction", new, asked("GET", path)) for path in (hidden, "Observation/nope")
    ]
    assert answers[0].content == answers[1].content
    outcome(answers[0], 404, "not-found")
    assert await hanako.found("Observation", ("patient", hanako.reference)) == [hidden]
    rows = hanako.town.rows(
        "SELECT action, outcome FROM audit_event WHERE role = %s AND outcome <> 'success' ORDER BY recorded",
        cast.role_a,
    )
    assert [tuple(row) for row in rows[-4:]] == [("transaction", "not-found"), ("read", "not-found")] * 2


async def test_a_transaction_that_writes_reads_so_much_at_most(hanako: Voice) -> None:
    reads = [asked("GET", hanako.reference)] * (MOST_READS + 1)
    outcome(await send(hanako, "transaction", created(weighed(hanako, "many")), *reads), 413, "too-costly")
    assert await hanako.found("Observation", ("patient", hanako.reference)) == []
    listed = await done(hanako, "transaction", created(weighed(hanako, "many")), *reads[1:])
    assert statuses(listed) == [201, *[200] * MOST_READS]
