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
        "subject.name=x",
        "subject:Patient.name=x",
        "_has:Observation:patient:code=x",
        "_include=Observation:subject",
        "_revinclude=Provenance:target",
        "_include:iterate=*",
        "_text=x",
        "_content=x",
        "_filter=x",
        "_query=x",
        "_elements=id",
        "_contained=true",
        "_list=1",
        "_security=N",
        "_tag=x",
        "_profile=x",
        "_source=x",
        "name=x",
        "=x",
        "value-quantity=5",
        "patient:Practitioner=1",
        "patient:identifier=x",
        "code:not=x",
        "code:missing=true",
        "code:text=x",
        "code:in=x",
        "date:missing=true",
        "status:not=final",
        "_id:exact=x",
        "_sort=name",
        "_sort=code",
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
        "_total=estimate",
        "_total=x",
        "_summary=true",
        "_summary=text",
        "_summary=data",
        "date=yesterday",
        "date=2026-13",
        "date=2026-02-30",
        "date=",
        "date=zz2026",
        "date=2026-10-01T25:00",
        "date=2026,",
        "patient=",
        "patient=Practitioner/1",
        "patient=http://other.test/Patient/1",
        "patient=a b",
        "code=",
        "code=|",
        "code=http://loinc.org|",
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


async def test_a_refusal_names_the_parameter_and_repeats_no_value(hanako: Voice) -> None:
    told = outcome(await hanako.get("Observation", ("date", "himitsu")), 400)
    assert told["issue"][0]["expression"] == ["date"]
    assert "himitsu" not in str(told)


async def test_values_of_another_script_or_with_wildcards_find_only_themselves(hanako: Voice) -> None:
    system = f"http://example.test/{hanako.reference}"
    kept: dict[str, str] = {}
    for value in ("é", "e\u0301", "A", "a", "Ａ", "50%", "_", "'; DROP TABLE resource; --", '"', "\\x"):
        tree = made.weight(hanako.reference, identifier=made.identifiers((system, value)))
        kept[value] = await hanako.create(tree)
    for value, reference in kept.items():
        escaped = value.replace("\\", "\\\\")
        assert await hanako.found("Observation", ("identifier", f"{system}|{escaped}")) == [reference], value
