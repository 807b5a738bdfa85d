"""The form of a search: in address or body, its links and entries, and what is refused by name.

http://hl7.org/fhir/R4/search.html
"""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests import resources as made
from tests.town import BASE_URL, Voice, link, outcome, references

pytestmark = pytest.mark.anyio


async def test_a_search_in_the_body_finds_the_same_as_one_in_the_address(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    form = urlencode([("code", "http://loinc.org|29463-7"), ("patient", hanako.reference)])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await hanako.call("POST", "Observation/_search", content=form.encode(), headers=headers)
    assert references(answer.json()) == [reference]
    both = await hanako.call(
        "POST", "Observation/_search?date=2026-10", content=form.encode(), headers=headers
    )
    assert references(both.json()) == [reference]
    none = await hanako.call("POST", "Observation/_search?date=2027", content=form.encode(), headers=headers)
    assert references(none.json()) == []


@pytest.mark.parametrize("media_type", [None, "application/x-www-form-urlencoded", "application/fhir+json"])
async def test_a_search_without_a_body_is_one_of_the_address(hanako: Voice, media_type: str | None) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    headers = {} if media_type is None else {"Content-Type": media_type}
    path = f"Observation/_search?patient={hanako.reference}"
    assert references((await hanako.call("POST", path, headers=headers)).json()) == [reference]


async def test_a_search_in_a_body_that_is_no_form_is_refused(hanako: Voice) -> None:
    answer = await hanako.call("POST", "Observation/_search", content=b"{}")
    outcome(answer, 415)


async def test_the_self_link_tells_what_was_understood(hanako: Voice) -> None:
    bundle = await hanako.search("Observation", ("code", "http://loinc.org|85354-9"), ("_count", "5000"))
    told = urlsplit(link(bundle, "self") or "")
    assert told._replace(query="").geturl() == f"{BASE_URL}/fhir/Observation"
    assert parse_qsl(told.query) == [("code", "http://loinc.org|85354-9"), ("_count", "1000")]
    assert link(await hanako.search("Observation"), "self") == f"{BASE_URL}/fhir/Observation"


async def test_entries_are_marked_as_matches_under_their_own_addresses(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    (entry,) = (await hanako.search("Observation"))["entry"]
    assert entry["fullUrl"] == f"{BASE_URL}/fhir/{reference}"
    assert entry["search"] == {"mode": "match"}
    assert entry["resource"] == await hanako.read(reference)


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "_has:Observation:patient:code=x",
        "_has:Observation:patient=x",
        "_has:Foo:patient:code=x",
        "_has:Provenance:foo:agent=x",
        "_has:Provenance:target:foo=x",
        "_has:AuditEvent:patient:type=x",
        "subject.foo=x",
        "subject:Foo.name=x",
        "subject:Practitioner.name=x",
        "code.name=x",
        "patient.name:foo=x",
        "patient.organization.partof.partof.partof.name=x",
        "_include=Observation",
        "_include=Observation:foo",
        "_include=Observation:code",
        "_include=Observation:subject:Observation",
        "_include=Patient:organization",
        "_include=Foo:subject",
        "_include:recurse=Observation:subject",
        "_include=",
        "_revinclude=Provenance:foo",
        "_revinclude=Encounter:patient",
        "_revinclude=AuditEvent:entity",
        "_text=x",
        "_content=x",
        "_filter=x",
        "_query=x",
        "_contained=true",
        "_list=1",
        "name=x",
        "=x",
        "patient:Practitioner=1",
        "code:in=x",
        "code:foo=x",
        "code:=x",
        "code:exact=x",
        "status:contains=fin",
        "date:not=2026",
        "value-quantity=much",
        "value-quantity=zz5",
        "_id:exact=x",
        "_sort=name",
        "_sort=",
        "_sort=-",
        "_sort=--date",
        "_sort=date,date",
        "_sort=date&_sort=_id",
        "_count=-1",
        "_count=x",
        "_count=",
        "_count=1.5",
        "_count=１",
        "_count=1&_count=2",
        "_sort=foo",
        "_sort=_id,date,code,status,category",
        "_total=estimate",
        "_totalMethod=estimate",
        "_summary=x",
        "_summary=true&_elements=id",
        "_summary=text&_summary=data",
        "_summary=text&_include=Observation:patient",
        "_revinclude:iterate=Observation:has-member&_summary=text",
        "_elements=",
        "_elements=foo",
        "_total=x",
        "date=yesterday",
        "date=2026-13",
        "date=2026-02-30",
        "date=",
        "date=zz2026",
        "date=2026-10-01T25:00",
        "date=2026,",
        "patient=",
        "patient=a b",
        "code=",
        "code=|",
        "code=a,",
        "identifier=|",
        "_id=a/b",
        "_id=%00",
        "code=a%00b",
    ],
)
async def test_a_search_that_is_not_understood_is_refused_by_name(hanako: Voice, query: str) -> None:
    outcome(await hanako.get(f"Observation?{query}"), 400, "invalid")


async def test_too_many_values_are_refused_before_they_cost_anything(hanako: Voice) -> None:
    outcome(await hanako.get("Observation", ("code", ",".join("x" * 201))), 400, "invalid")
    outcome(await hanako.get("Observation", *[("code", "x")] * 201), 400, "invalid")
    assert await hanako.found("Observation", ("code", ",".join("x" * 200))) == []


async def test_so_many_conditions_are_refused_as_cannot_be_planned_in_time(hanako: Voice) -> None:
    for name in ("code", "code:not", "identifier"):
        asked = [(name, f"x{at}") for at in range(33)]
        told = outcome(await hanako.get("Observation", *asked), 400, "invalid")
        assert "got 33 conditions" in told["issue"][0]["diagnostics"]
        assert (await hanako.get("Observation", *asked[1:])).status_code == 200


async def test_a_refusal_names_the_parameter_and_repeats_no_value(hanako: Voice) -> None:
    told = outcome(await hanako.get("Observation", ("date", "himitsu")), 400)
    assert told["issue"][0]["expression"] == ["date"]
    assert "himitsu" not in str(told)


async def test_values_of_another_script_or_with_wildcards_find_only_themselves(hanako: Voice) -> None:
    system = f"http://example.test/{hanako.reference}"
    kept: dict[str, str] = {}
    for value in ("é", "e", "A", "a", "Ａ", "50%", "_", "'; DROP TABLE resource; --", '"', "\\x"):
        tree = made.weight(hanako.reference, identifier=made.identifiers((system, value)))
        kept[value] = await hanako.create(tree)
    for value, reference in kept.items():
        escaped = value.replace("\\", "\\\\")
        assert await hanako.found("Observation", ("identifier", f"{system}|{escaped}")) == [reference], value
