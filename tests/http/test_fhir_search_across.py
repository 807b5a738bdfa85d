"""Searches of several types at once, at the base and in a compartment.

http://hl7.org/fhir/R4/http.html#vsearch
http://hl7.org/fhir/R4/search.html#searchcontexts
"""

from dataclasses import dataclass
from itertools import chain
from typing import Final
from urllib.parse import urlencode

import pytest
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.http.bundles import asked, done, send
from tests.town import BASE_URL, Voice, link, outcome, references
from tests.unit.consent.words import deny, permit

pytestmark = pytest.mark.anyio

BASE: Final = "/fhir"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
TOGETHER: Final = ("_type", "Observation,MedicationRequest,Condition")


@dataclass(frozen=True)
class Ill:
    """A resident with records of several types, written in this order; `times` are newest first by their care."""

    patient: Voice
    weight: str
    order: str
    illness: str
    device: str

    @property
    def own(self) -> tuple[str, str]:
        return ("patient", self.patient.reference)

    @property
    def newest_first(self) -> list[str]:
        return [self.illness, self.weight, self.order]


@pytest.fixture
async def ill(hanako: Voice) -> Ill:
    weight = await hanako.create(made.weight(hanako.reference, time="2026-10-02"))
    order = await hanako.create(made.prescription(hanako.reference, made.AMLODIPINE, time="2026-10-01"))
    illness = await hanako.create({**made.condition(hanako.reference), "onsetDateTime": "2026-10-03"})
    return Ill(hanako, weight, order, illness, await hanako.create(made.device(hanako.reference)))


async def posted(voice: Voice, path: str, *pairs: tuple[str, str]) -> Response:
    return await voice.call("POST", path, content=urlencode(pairs).encode(), headers=FORM)


async def followed(voice: Voice, answer: Response) -> list[list[str]]:
    """The pages from this one on."""
    pages = []
    while True:
        assert answer.status_code == 200, answer.text
        bundle = answer.json()
        pages.append(references(bundle))
        further = link(bundle, "next")
        if further is None:
            return pages
        answer = await voice.get(further.removeprefix(BASE_URL))


async def test_several_types_are_searched_at_once(ill: Ill) -> None:
    answer = await ill.patient.get(BASE, TOGETHER, ill.own)
    bundle = answer.json()
    assert (bundle["type"], references(bundle)) == ("searchset", ill.newest_first)
    assert all(entry["search"]["mode"] == "match" for entry in bundle["entry"])
    address = f"{BASE_URL}/fhir?{urlencode([TOGETHER, ill.own])}"
    assert link(bundle, "self") == address
    assert references((await ill.patient.get(address.removeprefix(BASE_URL))).json()) == ill.newest_first
    assert references((await ill.patient.get("/fhir/", TOGETHER, ill.own)).json()) == ill.newest_first
    two = ("_type", "Condition,MedicationRequest")
    assert await ill.patient.found(BASE, two, ill.own) == [ill.illness, ill.order]
    assert await ill.patient.found(BASE, ("_type", "Condition"), ill.own) == [ill.illness]


async def test_a_body_asks_for_several_types_as_an_address_does(ill: Ill) -> None:
    answer = await posted(ill.patient, "/fhir/_search", TOGETHER, ill.own, ("_count", "2"))
    bundle = answer.json()
    assert link(bundle, "self") == f"{BASE_URL}/fhir?{urlencode([TOGETHER, ill.own, ('_count', '2')])}"
    assert await followed(ill.patient, answer) == [ill.newest_first[:2], ill.newest_first[2:]]
    narrowed = await posted(ill.patient, "/fhir/_search?_type=Observation", ill.own)
    assert references(narrowed.json()) == [ill.weight]
    everything = references((await posted(ill.patient, "/fhir/_search")).json())
    assert {ill.weight, ill.order, ill.illness, ill.device, ill.patient.reference} <= set(everything)
    outcome(await ill.patient.call("POST", "/fhir/_search", content=b"{}"), 415)


async def test_without_types_all_are_searched_by_what_every_type_has(ill: Ill, cast: Cast) -> None:
    own = ill.patient
    assert await own.found(BASE, ("_id", ill.weight.partition("/")[2])) == [ill.weight]
    both = ",".join(one.partition("/")[2] for one in (ill.order, ill.device, cast.dr_a))
    found = await own.found(BASE, ("_id", both), ("_sort", "-_lastUpdated"))
    assert found == [ill.device, ill.order, cast.dr_a]
    since = ("_lastUpdated", f"ge{(await own.read(ill.order))['meta']['lastUpdated']}")
    expected = [ill.order, ill.illness, ill.device]
    mine = [one for one in await own.found(BASE, since, ("_sort", "_lastUpdated")) if one in expected]
    assert mine == expected
    tagged = await own.create(
        made.weight(own.reference, meta={"tag": [{"system": "http://example.test/t", "code": ill.weight}]})
    )
    assert await own.found(BASE, ("_tag", f"http://example.test/t|{ill.weight}")) == [tagged]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_an_entry_of_a_bundle_searches_several_types(ill: Ill, kind: str) -> None:
    base, types = f"{BASE_URL}/fhir", "_type=Observation,Condition"
    asked_as = [f"?{types}", f"{base}?{types}", f"{base}/?{types}", f"{ill.patient.reference}/*?{types}"]
    entries = await done(ill.patient, kind, *(asked("GET", url) for url in asked_as))
    assert [references(entry["resource"]) for entry in entries] == [[ill.illness, ill.weight]] * len(asked_as)
    refused = await send(ill.patient, "batch", *(asked("GET", url) for url in ("", "?", "*", "Patient/*/x")))
    assert {one["response"]["status"][:1] for one in refused.json()["entry"]} == {"4"}


async def test_the_whole_compartment_is_searched(ill: Ill, taro: Voice, cast: Cast) -> None:
    for voice in (ill.patient, taro):
        await voice.grant(permit(cast.hospital))
    await taro.create(made.weight(taro.reference))
    whole = f"{ill.patient.reference}/*"
    bundle = await cast.a.search(whole)
    assert set(references(bundle)) == {ill.patient.reference, ill.device, *ill.newest_first}
    assert references(bundle)[:3] == ill.newest_first
    assert link(bundle, "self") == f"{BASE_URL}/fhir/{whole}"
    assert await cast.a.found(whole, TOGETHER) == ill.newest_first
    assert await cast.a.found(whole, TOGETHER, ("patient", taro.reference)) == []
    assert await cast.a.found(whole, ("_lastUpdated", "lt2020")) == []
    assert await cast.a.found(whole, ("_type", "Observation"), ("value-quantity", "gt1")) == [ill.weight]
    searched = f"{ill.patient.reference}/_search"
    assert references((await posted(cast.a, searched, TOGETHER)).json()) == ill.newest_first
    pages = await followed(cast.a, await posted(cast.a, searched, TOGETHER, ("_count", "1")))
    assert pages == [[one] for one in ill.newest_first]


async def test_a_record_that_names_two_is_in_both_whole_compartments(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, actions=["access", "collect"]))
    both = await cast.a.create(made.weight(hanako.reference, performer=[made.reference(taro.reference)]))
    alone = await taro.create(made.condition(taro.reference))
    whole = f"{taro.reference}/*"
    assert set(await cast.a.found(whole, TOGETHER)) == {both, alone}
    assert (await cast.a.search(whole, TOGETHER, ("_total", "accurate"), ("_count", "1")))["total"] == 2
    assert len(await cast.a.walk(whole, TOGETHER, ("_count", "1"))) == 2


async def test_a_parameter_is_read_of_each_type_as_that_type_defines_it(hanako: Voice, cast: Cast) -> None:
    """Rows answer the date of one type, its elements that of the other; patients are named in two ways."""
    observed = await hanako.create(made.weight(hanako.reference, time="2026-10-02"))
    ordered = await hanako.create(
        made.prescription(
            hanako.reference,
            made.AMLODIPINE,
            dosageInstruction=[{"timing": {"event": ["2026-10-02T08:00:00+09:00"]}}],
        )
    )
    visit = await hanako.create(
        {
            "resourceType": "Appointment",
            "status": "booked",
            "start": "2026-10-02T09:00:00+09:00",
            "end": "2026-10-02T09:30:00+09:00",
            "participant": [{"actor": made.reference(hanako.reference), "status": "accepted"}],
        }
    )
    types, own = ("_type", "Observation,MedicationRequest,Appointment"), ("patient", hanako.reference)
    for pairs in ((), (("date", "2026-10-02"),)):
        assert set(await hanako.found(BASE, types, own, *pairs)) == {observed, ordered, visit}
    assert await hanako.found(BASE, types, own, ("date", "2026-10-03")) == []
    assert (await hanako.search(BASE, types, own, ("_total", "accurate"), ("_count", "1")))["total"] == 3
    assert await hanako.found(BASE, types, own, ("_sort", "date")) == [observed, ordered, visit]
    assert await hanako.found(BASE, types, own, ("_sort", "-date")) == [visit, ordered, observed]
    await hanako.grant(permit(cast.hospital))
    assert set(await cast.a.found(BASE, types, own)) == {observed, ordered, visit}
    assert await cast.a.found(BASE, types, ("patient", "Patient/nobody")) == []


async def test_codes_identifiers_and_states_are_found_across_types(ill: Ill) -> None:
    own, types = ill.own, ("_type", "Observation,Condition")
    code = (await ill.patient.read(ill.illness))["code"]["coding"][0]
    coded = f"{code['system']}|{code['code']}"
    weight = "|".join(made.BODY_WEIGHT)
    assert await ill.patient.found(BASE, types, own, ("code", coded)) == [ill.illness]
    assert await ill.patient.found(BASE, types, own, ("code", f"{coded},{weight}")) == [
        ill.illness,
        ill.weight,
    ]
    assert await ill.patient.found(BASE, types, own, ("code", code["code"])) == [ill.illness]
    assert await ill.patient.found(BASE, types, own, ("code:not", coded)) == [ill.weight]
    assert await ill.patient.found(BASE, types, ("subject", ill.patient.reference), ("code", weight)) == [
        ill.weight
    ]
    states = ("_type", "Observation,MedicationRequest")
    assert await ill.patient.found(BASE, states, own, ("status", "final")) == [ill.weight]
    assert await ill.patient.found(BASE, states, own, ("status", "active,final")) == [ill.weight, ill.order]
    number = ("http://example.test/across", ill.weight)
    numbered = await ill.patient.create(
        {**made.condition(ill.patient.reference), "identifier": made.identifiers(number)}
    )
    assert await ill.patient.found(BASE, types, ("identifier", "|".join(number))) == [numbered]


async def test_links_lead_from_every_type(ill: Ill, cast: Cast) -> None:
    await ill.patient.grant(permit(cast.hospital, actions=["access", "collect"]))
    note = await cast.a.create(made.provenance(ill.illness, agent=cast.role_a))
    name = ("subject:Patient.name", "見本")
    assert set(await cast.a.found(BASE, TOGETHER, ill.own, name)) == set(ill.newest_first)
    assert await cast.a.found(BASE, TOGETHER, ill.own, ("subject:Patient.name", "架空")) == []
    had = ("_has:Provenance:target:agent", cast.role_a)
    assert await cast.a.found(BASE, TOGETHER, had) == [ill.illness]
    assert await cast.a.found(BASE, had, ("_id", ill.illness.partition("/")[2])) == [ill.illness]
    bundle = await cast.a.search(
        BASE, TOGETHER, ill.own, ("_include", "Condition:subject"), ("_revinclude", "Provenance:target")
    )
    assert references(bundle) == [*ill.newest_first, *sorted((ill.patient.reference, note))]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_type=Observation,Nonsense", "_type"),
        ("_type=AuditEvent,Observation", "_type"),
        ("_type=ValueSet", "_type"),
        ("_type=", "_type"),
        ("_type=Observation,", "_type"),
        ("_type=Observation&_type=Condition", "_type"),
        ("_type:not=Observation", "_type"),
        ("patient=Patient/x", "patient"),
        ("foo=1", "foo"),
        ("_type=Observation,Patient&patient=x", "patient"),
        ("_type=Observation,Condition&date=2026", "date"),
        ("_type=Observation,Task&performer=x", "performer"),
        ("_type=Observation,Condition&_sort=date", "_sort"),
        ("_sort=date", "_sort"),
        ("_type=Observation,Condition&_has:Observation:patient:code=x", "_has:Observation:patient:code"),
        ("_type=Observation,Condition&_include=MedicationRequest:subject", "_include"),
        ("_type=Observation,Condition&_text=x", "_text"),
    ],
)
async def test_what_not_all_types_have_is_refused_by_name(hanako: Voice, query: str, named: str) -> None:
    told = outcome(await hanako.get(f"{BASE}?{query}"), 400, "invalid")
    assert told["issue"][0]["expression"] == [named]


async def test_a_refusal_says_which_type_lacks_the_parameter_and_what_all_have(hanako: Voice) -> None:
    told = outcome(await hanako.get(f"{BASE}?_type=Observation,Condition&date=2026"), 400)
    text = told["issue"][0]["diagnostics"]
    assert "Condition does not have" in text
    parameters, _, shaping = text.partition("; or one that shapes the result: ")
    assert {"code", "patient", "_lastUpdated"} <= set(parameters.rpartition(": ")[2].split(", "))
    assert {"_sort", "_count"} <= set(shaping.split(", "))


async def test_one_type_and_a_type_of_its_compartment_take_no_list_of_types(hanako: Voice) -> None:
    for path in ("Observation", f"{hanako.reference}/Observation"):
        told = outcome(await hanako.get(path, ("_type", "Observation")), 400, "invalid")
        assert told["issue"][0]["expression"] == ["_type"]
    outcome(await hanako.get("*", ("_type", "Observation")), 400, "not-supported")
    outcome(await posted(hanako, f"{hanako.reference}/*/_search"), 400, "not-supported")


async def test_a_lenient_search_leaves_out_what_not_all_types_have(ill: Ill) -> None:
    answer = await ill.patient.get(
        BASE, TOGETHER, ill.own, ("date", "2026-10-02"), ("foo", "1"), Prefer="handling=lenient"
    )
    assert references(answer.json()) == ill.newest_first
    assert link(answer.json(), "self") == f"{BASE_URL}/fhir?{urlencode([TOGETHER, ill.own])}"
    outcome(await ill.patient.get(BASE, ("_type", "Foo"), Prefer="handling=lenient"), 400)


async def test_the_base_alone_leads_to_the_statement(hanako: Voice) -> None:
    for path, target in ((BASE, "fhir/metadata"), ("/fhir/", "metadata")):
        answer = await hanako.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, target)
    outcome(await hanako.town.stranger.get(BASE, ("_id", "x")), 401)


async def test_the_result_is_shaped_as_that_of_one_type(ill: Ill) -> None:
    own = ill.patient
    (entry, *_) = (await own.search(BASE, TOGETHER, ill.own, ("_elements", "code")))["entry"]
    assert set(entry["resource"]) == {"resourceType", "id", "meta", "code", "subject"}
    for pair in (("_summary", "count"), ("_count", "0")):
        bundle = await own.search(BASE, TOGETHER, ill.own, pair)
        assert (bundle["total"], "entry" in bundle) == (3, False)
    bundle = await own.search(BASE, TOGETHER, ill.own, ("_count", "5000"))
    assert (link(bundle, "self") or "").endswith("_count=1000")
    assert await own.found(BASE, TOGETHER, ill.own, ("_sort", "_lastUpdated")) == [
        ill.weight,
        ill.order,
        ill.illness,
    ]
    by_code = await own.found(BASE, TOGETHER, ill.own, ("_sort", "code"))
    assert set(by_code) == set(ill.newest_first)
    assert await own.found(BASE, TOGETHER, ill.own, ("_sort", "-code")) == by_code[::-1]


async def test_what_is_permitted_is_decided_for_each_type(ill: Ill, cast: Cast) -> None:
    await ill.patient.grant(permit(cast.hospital), deny(types=["Condition"]))
    assert await cast.a.found(BASE, TOGETHER, ill.own) == [ill.weight, ill.order]
    total = await cast.a.search(BASE, TOGETHER, ill.own, ("_total", "accurate"), ("_count", "1"))
    assert (total["total"], references(total)) == (2, [ill.weight])
    assert await cast.b.found(BASE, TOGETHER, ill.own) == [ill.weight, ill.order]
    assert await cast.a_at_k.found(BASE, TOGETHER, ill.own) == []


async def test_scopes_bound_what_is_searched(ill: Ill, cast: Cast) -> None:
    await ill.patient.grant(permit(cast.hospital))
    narrow = cast.town.as_(cast.role_a, scope="user/Observation.rs user/Condition.rs")
    outcome(await narrow.get(BASE, TOGETHER, ill.own), 403, "forbidden")
    assert await narrow.found(BASE, ("_type", "Observation,Condition"), ill.own) == [ill.illness, ill.weight]
    assert await narrow.found(f"{ill.patient.reference}/*") == [ill.illness, ill.weight]
    ids = ",".join(one.partition("/")[2] for one in ill.newest_first)
    assert await narrow.found(BASE, ("_id", ids)) == [ill.illness, ill.weight]
    blind = cast.town.as_(cast.role_a, scope="user/Observation.c")
    outcome(await blind.get(BASE, ("_id", ids)), 403, "forbidden")


async def test_pages_of_any_size_show_each_record_once_in_one_order(hanako: Voice) -> None:
    for moment in ("2026-10-01", "2026-10-02", "2026-10-01", "2026-10-01"):
        await hanako.create(made.weight(hanako.reference, time=moment))
        await hanako.create({**made.condition(hanako.reference), "onsetDateTime": moment})
        await hanako.create(made.prescription(hanako.reference, made.AMLODIPINE, time=moment))
        await hanako.create(made.device(hanako.reference))
    types = ("_type", "Observation,MedicationRequest,Condition,Device")
    orders = ("", "_lastUpdated", "-_lastUpdated", "_id", "-_id", "-_lastUpdated,_id", "patient")
    for place in (BASE, f"{hanako.reference}/*"):
        for sort in orders:
            query = [types, ("patient", hanako.reference), *([("_sort", sort)] if sort else [])]
            whole = await hanako.found(place, *query)
            assert len(whole) == len(set(whole)) == 16
            for size in ("1", "3", "16"):
                pages = await hanako.walk(place, *query, ("_count", size))
                assert list(chain.from_iterable(pages)) == whole
                assert all(len(page) == int(size) for page in pages[:-1])


async def test_what_is_written_between_pages_moves_nothing_that_was_shown(ill: Ill) -> None:
    own = ill.patient
    bundle = await own.search(BASE, TOGETHER, ill.own, ("_count", "1"))
    assert references(bundle) == [ill.illness]
    await own.create(made.weight(own.reference, time="2026-11-01"))
    await own.remove(ill.weight)
    late = await own.create(made.weight(own.reference, time="2026-09-01"))
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    assert list(chain.from_iterable(await followed(own, await own.get(further)))) == [ill.order, late]


async def test_what_was_withdrawn_between_two_pages_is_not_on_the_second(ill: Ill, cast: Cast) -> None:
    (consent,) = await ill.patient.grant(permit(cast.hospital))
    bundle = await cast.a.search(BASE, TOGETHER, ill.own, ("_count", "1"))
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    await ill.patient.grant(deny(types=["Observation"]))
    assert references((await cast.a.get(further)).json()) == [ill.order]
    await ill.patient.replace(consent, ill.patient.consent(permit(cast.hospital), status="inactive"))
    second = (await cast.a.get(further)).json()
    assert "entry" not in second
    assert link(second, "next") is None


async def test_a_cursor_opens_for_its_caller_and_its_types_alone(ill: Ill, cast: Cast) -> None:
    await ill.patient.grant(permit(cast.hospital))
    bundle = await cast.a.search(BASE, TOGETHER, ill.own, ("_count", "1"))
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    for voice in (cast.b, ill.patient):
        outcome(await voice.get(further), 400, "invalid")
    fewer = further.replace("Condition", "Device")
    assert fewer != further
    outcome(await cast.a.get(fewer), 400, "invalid")


async def test_whose_records_were_shown_is_told_that_all_types_were_searched(ill: Ill, cast: Cast) -> None:
    await ill.patient.grant(permit(cast.hospital))
    await cast.a.found(BASE, TOGETHER, ill.own)
    await cast.a.found(f"{ill.patient.reference}/*", TOGETHER)
    key = ill.patient.town.runtime.keys.reference
    rows = ill.patient.town.rows(
        "SELECT action, query, record_keys FROM audit_event JOIN locator USING (patient_key) "
        "WHERE record_key = %s ORDER BY recorded DESC LIMIT 2",
        key(ill.patient.reference),
    )
    shown = sorted(map(key, ill.newest_first))
    assert [(action, sorted(keys)) for action, _, keys in rows] == [("search-system", shown)] * 2
    listed = TOGETHER[1]
    assert [query for _, query, _ in rows] == [
        f"GET {ill.patient.reference}/*?_type={listed}",
        f"GET ?_type={listed}&patient={ill.patient.reference}",
    ]
    told = (await ill.patient.get("/audit/accesses")).json()
    assert any(f"{ill.patient.reference}/*" in row["query"] for row in told)


async def test_a_proposal_to_somebody_without_a_passport_is_found_by_its_requester(cast: Cast) -> None:
    tree = cast.town.as_("Patient/not-here").consent(permit(cast.hospital), status="proposed")
    proposed = await cast.a.create(tree)
    types = ("_type", "Consent,Observation")
    assert await cast.a.found(BASE, types, ("patient", "Patient/not-here")) == [proposed]
    assert await cast.b.found(BASE, types, ("patient", "Patient/not-here")) == []
