"""Search by what records themselves say: parameters of every kind, modifiers, alternatives, the cost of it.

http://hl7.org/fhir/R4/search.html
"""

import pytest

from passport.disclosure import finding
from tests import resources as made
from tests.town import BASE_URL, Town, Voice, link, outcome
from tests.unit.consent.words import concept

pytestmark = pytest.mark.anyio

LOINC = "http://loinc.org"


async def test_amounts_are_found_in_any_unit(hanako: Voice) -> None:
    light = await hanako.create(made.weight(hanako.reference, 62.5, "2026-10-01"))
    heavy = await hanako.create(made.weight(hanako.reference, 80.0, "2026-10-02"))
    for value, expected in (
        ("62.5", [light]),
        ("62.5|http://unitsofmeasure.org|kg", [light]),
        ("62500|http://unitsofmeasure.org|g", [light]),
        ("gt70", [heavy]),
        ("lt70||kg", [light]),
        ("ge62.5", [heavy, light]),
        ("ap64", [light]),
        ("sa80", []),
        ("62.5|http://unitsofmeasure.org|cm", []),
    ):
        assert await hanako.found("Observation", ("value-quantity", value)) == expected, value


async def test_a_pair_is_found_in_one_element(hanako: Voice) -> None:
    reference = await hanako.create(made.pressure(hanako.reference, 128))
    for value, expected in (
        ("8480-6$gt120", [reference]),
        ("8462-4$gt120", []),
        (f"{LOINC}|8480-6$128", [reference]),
    ):
        assert await hanako.found("Observation", ("component-code-value-quantity", value)) == expected, value


async def test_names_are_found_in_any_writing(town: Town) -> None:
    tree = {"resourceType": "Patient", "name": [{"family": "ﾀﾅｶ", "given": ["Zoë"]}]}
    person = town.as_(await town.operator.create(tree))
    for name, value, finds in (
        ("family", "たなか", True),
        ("family", "タナ", True),
        ("given", "zoe", True),
        ("given:exact", "zoe", False),
        ("given:exact", "Zoë", True),
        ("name:contains", "ナカ", True),
        ("name", "ナカ", False),
    ):
        assert await person.found("Patient", (name, value)) == ([person.reference] if finds else []), (
            name,
            value,
        )


async def test_what_is_negated_or_missing(hanako: Voice) -> None:
    weight = await hanako.create(made.weight(hanako.reference, time="2026-10-01"))
    pressure = await hanako.create(made.pressure(hanako.reference, time="2026-10-02"))
    undated = await hanako.create(made.weight(hanako.reference, time=None, status="amended"))
    for name, value, expected in (
        ("code:not", "29463-7", {pressure}),
        ("code:not", f"{LOINC}|29463-7,{LOINC}|85354-9", set()),
        ("status:not", "final", {undated}),
        ("category:not", "vital-signs", {weight, undated}),
        ("category:missing", "true", {weight, undated}),
        ("category:missing", "false", {pressure}),
        ("date:missing", "true", {undated}),
        ("performer:missing", "true", {weight, pressure, undated}),
        ("component-code:missing", "false", {pressure}),
    ):
        assert set(await hanako.found("Observation", (name, value))) == expected, (name, value)


async def test_a_code_is_found_by_its_text_and_a_system_by_itself(hanako: Voice) -> None:
    told = {**concept((LOINC, "1234-5")), "text": "Made-up measurement"}
    reference = await hanako.create({**made.weight(hanako.reference), "code": told})
    assert await hanako.found("Observation", ("code:text", "made-up")) == [reference]
    assert await hanako.found("Observation", ("code", f"{LOINC}|")) == [reference]
    assert await hanako.found("Observation", ("code", "http://other.test|")) == []


async def test_an_identifier_is_found_by_its_type(hanako: Voice) -> None:
    kind = concept(("http://terminology.hl7.org/CodeSystem/v2-0203", "MR"))
    identifier = [{"type": kind, "system": "http://example.test/x", "value": "0815"}]
    reference = await hanako.create(made.weight(hanako.reference, identifier=identifier))
    system = "http://terminology.hl7.org/CodeSystem/v2-0203"
    assert await hanako.found("Observation", ("identifier:of-type", f"{system}|MR|0815")) == [reference]
    assert await hanako.found("Observation", ("identifier:of-type", f"{system}|PPN|0815")) == []


async def test_tags_profiles_labels_and_sources_are_found(hanako: Voice) -> None:
    meta = {
        "tag": [{"system": "http://example.test/tags", "code": "checked"}],
        "profile": ["http://example.test/StructureDefinition/weight"],
        "source": "http://example.test/device#1",
        **made.labelled("R"),
    }
    reference = await hanako.create(made.weight(hanako.reference, meta=meta))
    await hanako.create(made.weight(hanako.reference))
    for name, value in (
        ("_tag", "http://example.test/tags|checked"),
        ("_tag", "checked"),
        ("_profile", "http://example.test/StructureDefinition/weight"),
        ("_security", "R"),
        ("_source", "http://example.test/device#1"),
    ):
        assert await hanako.found("Observation", (name, value)) == [reference], name


async def test_a_reference_is_found_in_each_of_its_forms(hanako: Voice, town: Town) -> None:
    someone = await town.operator.create(made.practitioner("架空 医師"))
    reference = await hanako.create(made.weight(hanako.reference, performer=[made.reference(someone)]))
    logical = await hanako.create(
        made.weight(
            hanako.reference,
            performer=[
                {"type": "Practitioner", "identifier": {"system": "http://example.test/p", "value": "7"}}
            ],
        )
    )
    id_ = someone.partition("/")[2]
    for name, value, expected in (
        ("performer", someone, [reference]),
        ("performer", id_, [reference]),
        ("performer:Practitioner", id_, [reference]),
        ("performer:Organization", id_, []),
        ("performer", f"{BASE_URL}/fhir/{someone}", [reference]),
        ("performer", "Practitioner/nobody", []),
        ("performer:identifier", "http://example.test/p|7", [logical]),
    ):
        assert await hanako.found("Observation", (name, value)) == expected, (name, value)


async def test_alternatives_and_conditions_combine(hanako: Voice) -> None:
    first, second, third = [
        await hanako.create(made.weight(hanako.reference, at, f"2026-10-0{place}"))
        for place, at in enumerate((60.0, 70.0, 80.0), start=1)
    ]
    assert await hanako.found("Observation", ("value-quantity", "60,80")) == [third, first]
    both = (("value-quantity", "gt65"), ("value-quantity", "lt75"))
    assert await hanako.found("Observation", *both) == [second]
    assert await hanako.found("Observation", *both, ("date", "2026-10-03")) == []


async def test_a_separator_in_a_value_is_escaped(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference, method={"text": "a, b|c$d\\e"}))
    assert await hanako.found("Observation", ("method:text", "a\\, b\\|c\\$d\\\\e")) == [reference]
    assert await hanako.found("Observation", ("method:text", "x,a\\, b")) == [reference]


async def test_dates_are_near_by_their_distance(hanako: Voice) -> None:
    await hanako.create(made.weight(hanako.reference, time="2020-01-01"))
    for value, count in (("ap2020-06", 1), ("ap2024", 0)):
        assert len(await hanako.found("Observation", ("date", value))) == count, value


async def test_pages_and_totals_hold_where_records_are_looked_into(hanako: Voice) -> None:
    written = [
        await hanako.create(made.weight(hanako.reference, 60.0 + at, f"2026-10-{at:02d}"))
        for at in range(1, 8)
    ]
    query = (("value-quantity", "gt61.5"), ("_sort", "date"))
    for size in (1, 2, 3, 6, 7):
        pages = await hanako.walk("Observation", *query, ("_count", str(size)))
        assert [one for page in pages for one in page] == written[1:]
        assert all(len(page) == size for page in pages[:-1])
    for count in ("0", "2", "50"):
        assert (await hanako.search("Observation", *query, ("_total", "accurate"), ("_count", count)))[
            "total"
        ] == 6
    assert (await hanako.search("Observation", *query, ("_summary", "count")))["total"] == 6
    bundle = await hanako.search("Observation", *query, ("_total", "accurate"), ("_count", "4"))
    second = (await hanako.get((link(bundle, "next") or "").removeprefix(BASE_URL))).json()
    assert second["total"] == 6


async def test_a_search_that_would_look_into_too_much_is_refused(
    hanako: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 6):
        await hanako.create(made.weight(hanako.reference, time=f"2026-10-{day:02d}"))
    monkeypatch.setattr(finding, "MOST_SIFTED", 3)
    told = outcome(await hanako.get("Observation", ("value-quantity", "62.5"), ("_total", "accurate")), 400)
    assert told["issue"][0]["code"] == "too-costly"
    narrowed = (("value-quantity", "62.5"), ("date", "ge2026-10-03"), ("_total", "accurate"))
    assert (await hanako.search("Observation", *narrowed))["total"] == 3
    assert len(await hanako.found("Observation", ("value-quantity", "62.5"), ("_count", "2"))) == 2
    nothing = ("value-quantity", "1")
    assert outcome(await hanako.get("Observation", nothing), 400)["issue"][0]["code"] == "too-costly"
    assert await hanako.found("Observation", nothing, ("date", "ge2026-10-03")) == []
    ordered = await hanako.get("Observation", ("_sort", "value-quantity"), ("_count", "1"))
    assert outcome(ordered, 400)["issue"][0]["code"] == "too-costly"
    chained = await hanako.get("Patient", ("_has:Observation:patient:value-quantity", "62.5"))
    assert outcome(chained, 400)["issue"][0]["code"] == "too-costly"


async def test_an_order_that_would_look_into_too_much_is_refused_by_its_key(
    hanako: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        await hanako.create(made.weight(hanako.reference))
    monkeypatch.setattr(finding, "MOST_SIFTED", 3)
    query = (("patient", hanako.reference), ("_count", "1"))
    (issue,) = outcome(await hanako.get("Observation", *query, ("_sort", "date,value-quantity")), 400)[
        "issue"
    ]
    assert (issue["code"], issue["expression"]) == ("too-costly", ["_sort"])
    assert "another order than by `value-quantity`" in issue["diagnostics"]
    for order in ("date", "-_lastUpdated", "_id"):
        assert len(await hanako.found("Observation", *query, ("_sort", order))) == 1


async def test_a_part_of_each_match_is_shown_on_request(hanako: Voice) -> None:
    await hanako.create(made.weight(hanako.reference))
    (entry,) = (await hanako.search("Observation", ("_elements", "status")))["entry"]
    assert set(entry["resource"]) == {"resourceType", "id", "meta", "status", "code"}
    assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    (entry,) = (await hanako.search("Observation", ("_summary", "true")))["entry"]
    assert "valueQuantity" in entry["resource"]


async def test_a_patient_who_owns_a_record_by_another_element_is_not_its_subject(hanako: Voice) -> None:
    group, focus = "Group/somewhere", [made.reference(hanako.reference)]
    tree = {**made.weight(hanako.reference), "subject": made.reference(group), "focus": focus}
    other = await hanako.create(tree)
    own = await hanako.create(made.weight(hanako.reference))
    assert await hanako.found("Observation", ("patient", hanako.reference)) == [own]
    assert await hanako.found("Observation", ("subject", hanako.reference), ("code", "29463-7")) == [own]
    assert await hanako.found("Observation", ("subject", group)) == [other]
    assert await hanako.found("Observation", ("focus", hanako.reference)) == [other]
    assert set(await hanako.found(f"{hanako.reference}/Observation")) == {own, other}
    chained = ("patient._id", hanako.reference.partition("/")[2])
    assert await hanako.found("Observation", chained) == [own]
    assert await hanako.found("Patient", ("_has:Observation:patient:focus", hanako.reference)) == []
    assert await hanako.found("Patient", ("_has:Observation:patient:focus:missing", "true")) == [
        hanako.reference
    ]
    total = await hanako.search("Observation", ("patient", hanako.reference), ("_total", "accurate"))
    assert total["total"] == 1


@pytest.mark.parametrize("kind", ["replaces", "replaced-by"])
async def test_a_patient_is_found_by_the_registration_that_it_was_merged_with(
    town: Town, hanako: Voice, kind: str
) -> None:
    link = [{"other": made.reference(hanako.reference), "type": kind}]
    person = town.as_(await town.operator.create({"resourceType": "Patient", "link": link}))
    for value in (hanako.reference, hanako.reference.partition("/")[2]):
        assert await person.found("Patient", ("link", value)) == [person.reference], value
    assert await person.found("Patient", ("link", "Patient/another")) == []
