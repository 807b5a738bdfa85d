"""What comes along with matches.

http://hl7.org/fhir/R4/search.html#include
"""

from dataclasses import dataclass

import pytest

from tests import resources as made
from tests.town import Town, Voice
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Written:
    voice: Voice
    weight: str
    role: str
    someone: str
    place: str
    above: str
    note: str


@pytest.fixture
async def written(town: Town, hanako: Voice) -> Written:
    above = await town.operator.create(made.organization("架空市"))
    place = await town.operator.create(made.organization("架空病院", partOf=made.reference(above)))
    someone = await town.operator.create(made.practitioner("架空 医師"))
    role = await town.operator.create(made.role(someone, place))
    weight = await hanako.create(made.weight(hanako.reference, performer=[made.reference(role)]))
    await hanako.grant(permit(role, actions=["access", "collect"]))
    note = await town.as_(role).create(made.provenance(weight, agent=someone))
    return Written(hanako, weight, role, someone, place, above, note)


def by_mode(bundle: Json) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in bundle.get("entry", []):
        named = f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}"
        found.setdefault(entry["search"]["mode"], set()).add(named)
    return found


async def test_what_a_match_refers_to_comes_along_once(written: Written) -> None:
    again = await written.voice.create(
        made.weight(written.voice.reference, performer=[made.reference(written.role)])
    )
    bundle = await written.voice.search(
        "Observation", ("_include", "Observation:performer"), ("_include", "Observation:subject")
    )
    assert by_mode(bundle) == {
        "match": {written.weight, again},
        "include": {written.role, written.voice.reference},
    }
    assert len(bundle["entry"]) == 4
    assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match"] * 2 + ["include"] * 2


async def test_only_the_named_type_comes_along(written: Written) -> None:
    bundle = await written.voice.search("Observation", ("_include", "Observation:performer:Organization"))
    assert by_mode(bundle) == {"match": {written.weight}}
    bundle = await written.voice.search("Observation", ("_include", "Observation:performer:PractitionerRole"))
    assert by_mode(bundle)["include"] == {written.role}


async def test_every_reference_comes_along(written: Written) -> None:
    for star in ("*", "Observation:*"):
        bundle = await written.voice.search("Observation", ("_include", star))
        assert by_mode(bundle)["include"] == {written.role, written.voice.reference}


async def test_what_refers_to_a_match_comes_along(written: Written) -> None:
    for value in ("Provenance:target", "Provenance:target:Observation", "Provenance:*", "*"):
        bundle = await written.voice.search("Observation", ("_revinclude", value))
        assert by_mode(bundle) == {"match": {written.weight}, "include": {written.note}}, value
    bundle = await written.voice.search(
        "Practitioner", ("_id", written.someone.partition("/")[2]), ("_revinclude", "*")
    )
    assert by_mode(bundle)["include"] == {written.role, written.note}


async def test_going_on_from_what_came_along(written: Written) -> None:
    chain = (
        ("_include", "Observation:performer"),
        ("_include:iterate", "PractitionerRole:practitioner"),
        ("_include:iterate", "PractitionerRole:organization"),
        ("_include:iterate", "Organization:partof"),
    )
    bundle = await written.voice.search("Observation", *chain)
    assert by_mode(bundle)["include"] == {written.role, written.someone, written.place, written.above}
    bundle = await written.voice.search("Observation", *chain[:2])
    assert by_mode(bundle)["include"] == {written.role, written.someone}
    bundle = await written.voice.search(
        "Observation", *chain[:2], ("_revinclude:iterate", "Provenance:agent")
    )
    assert by_mode(bundle)["include"] == {written.role, written.someone, written.note}


async def test_records_that_refer_to_each_other_end(hanako: Voice) -> None:
    first = await hanako.create(made.weight(hanako.reference))
    second = await hanako.create(made.weight(hanako.reference, derivedFrom=[made.reference(first)]))
    await hanako.replace(first, made.weight(hanako.reference, derivedFrom=[made.reference(second)]))
    bundle = await hanako.search(
        "Observation", ("_id", first.partition("/")[2]), ("_include:iterate", "Observation:derived-from")
    )
    assert by_mode(bundle) == {"match": {first}, "include": {second}}


async def test_what_comes_along_is_no_match_and_is_not_counted(written: Written) -> None:
    bundle = await written.voice.search(
        "Observation", ("_include", "*"), ("_total", "accurate"), ("_count", "1")
    )
    assert bundle["total"] == 1
    bundle = await written.voice.search("Observation", ("_include", "*"), ("_summary", "count"))
    assert (bundle["total"], "entry" in bundle) == (1, False)


async def test_each_page_brings_its_own(written: Written) -> None:
    other = await written.voice.create(made.pressure(written.voice.reference, time="2026-09-01"))
    pages = await written.voice.walk("Observation", ("_include", "Observation:performer"), ("_count", "1"))
    assert pages == [[written.weight, written.role], [other]]


async def test_past_the_bound_the_answer_says_so(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passport.disclosure.including.MOST_INCLUDED", 1)
    bundle = await written.voice.search("Observation", ("_include", "*"))
    assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match", "include", "outcome"]
    told = bundle["entry"][-1]["resource"]
    assert (told["resourceType"], told["issue"][0]["severity"]) == ("OperationOutcome", "warning")


async def test_what_comes_along_is_on_the_record(written: Written, town: Town) -> None:
    await written.voice.search("Observation", ("_include", "Observation:performer"))
    keys = {town.runtime.keys.reference(one) for one in (written.weight, written.role)}
    rows = town.rows("SELECT record_keys FROM audit_event WHERE query LIKE '%%_include%%' ORDER BY recorded")
    assert keys <= {key for (listed,) in rows for key in listed}
