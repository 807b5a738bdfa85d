"""What a merge could tell: nobody sees more by it than what each registration lets them see.

http://hl7.org/fhir/R4/patient.html#merge
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import orjson
import pytest

from tests import resources as made
from tests.cast import Cast
from tests.identities import merged, sent, separated
from tests.town import Town, Voice, answered, outcome, references
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

EVERYTHING: Final = ["access", "collect", "correct"]

Asked = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Twice:
    """Somebody who was registered twice: the first shares with a clinic, the second with nobody."""

    first: Voice
    second: Voice
    clinic: Voice
    shared: str
    hidden: str


@pytest.fixture
async def twice(town: Town, cast: Cast, hanako: Voice, taro: Voice) -> Twice:
    await hanako.grant(permit(cast.clinic, actions=EVERYTHING))
    shared = await hanako.create(made.weight(hanako.reference, 61.0))
    await taro.create(made.prescription(taro.reference))
    hidden = await taro.create(made.weight(taro.reference, 62.0))
    return Twice(hanako, taro, cast.a_at_k, shared, hidden)


def questions(twice: Twice) -> Sequence[Asked]:
    """Reads and searches about both, by every way that a record is reached; what a merge writes is left out."""
    asked: list[Asked] = [(twice.hidden, ()), (f"{twice.hidden}/_history", ()), (twice.second.reference, ())]
    asked.append(("Observation", (("_total", "accurate"),)))
    asked.append(
        ("Patient", (("_has:Observation:patient:code", "29463-7"), ("_elements", "id"), ("_id", "x")))
    )
    for person in (twice.first.reference, twice.second.reference):
        whose = ("patient", person)
        asked += [
            ("Observation", (whose, ("_total", "accurate"))),
            ("Observation", (whose, ("_summary", "count"))),
            ("Observation", (whose, ("value-quantity", "gt1"))),
            ("Observation", (whose, ("_sort", "-value-quantity"), ("_count", "1"))),
            ("Observation", (("subject", person), ("_include", "Observation:performer"))),
            ("Observation", (("patient._id", person.partition("/")[2]),)),
            ("MedicationRequest", (whose,)),
            ("Observation/$lastn", (whose,)),
            (f"{person}/Observation", ()),
            (f"{person}/MedicationRequest", ()),
            (f"{person}/$everything", (("_type", "Observation,MedicationRequest"),)),
            (f"{person}/*", (("_type", "Observation,MedicationRequest"), ("_total", "accurate"))),
            ("Observation", (("patient", f"{person},Patient/nobody"), ("_total", "accurate"))),
            ("Observation", (("performer", f"{person},Patient/nobody"),)),
            ("Observation", (("subject:Patient._id", person.partition("/")[2]), ("_total", "accurate"))),
        ]
        itself = ("_id", person.partition("/")[2])
        # What a merge writes into a Patient is told to who may see it; whether they are found is not.
        had = ("_has:Observation:patient:code", "29463-7")
        asked.append(("Patient", (had, itself, ("_summary", "count"))))
    both = f"{twice.first.reference},{twice.second.reference}"
    asked += [
        ("Observation", (("patient", both), ("_total", "accurate"))),
        ("Observation", (("patient", both), ("value-quantity", "gt1"))),
    ]
    return asked


async def all_answers(voice: Voice, asked: Sequence[Asked]) -> list[tuple[int, dict[str, str], bytes]]:
    return [answered(await voice.get(path, *params)) for path, params in asked]


async def test_who_sees_one_registration_sees_nothing_of_the_other(town: Town, twice: Twice) -> None:
    asked = questions(twice)
    before = await all_answers(twice.clinic, asked)
    merge = await merged(twice.first, twice.second)
    through_second = [
        at for at, (path, params) in enumerate(asked) if twice.second.reference in f"{path}{params}"
    ]
    during = await all_answers(twice.clinic, asked)
    for at, (was, is_) in enumerate(zip(before, during, strict=True)):
        assert twice.hidden.partition("/")[2].encode() not in is_[2], asked[at]
        if at not in through_second:
            assert is_ == was, asked[at]
    assert not await twice.clinic.sees(twice.hidden)
    assert not await twice.clinic.sees(twice.second.reference)
    # About the second they find what the first shares, under the name that they asked for.
    bundle = await twice.clinic.search(
        "Observation", ("patient", twice.second.reference), ("_total", "accurate")
    )
    assert (references(bundle), bundle["total"]) == ([twice.shared], 1)
    await separated(town, merge)
    assert await all_answers(twice.clinic, asked) == before


async def test_a_stranger_is_answered_alike_with_and_without_a_merge(
    town: Town, twice: Twice, cast: Cast
) -> None:
    asked = [*questions(twice), (twice.first.reference, ()), (f"{twice.first.reference}/$summary", ())]
    third = await town.resident("見本 三人目")
    relative = await third.create(made.related_person(third.reference))
    strangers = (cast.b, town.as_(cast.pharmacy), third, town.as_(relative), town.as_("auditor"))
    before = [await all_answers(voice, asked) for voice in strangers]
    merge = await merged(twice.first, twice.second)
    assert [await all_answers(voice, asked) for voice in strangers] == before
    await separated(town, merge)
    assert [await all_answers(voice, asked) for voice in strangers] == before


def about_requests(first: str, second: str) -> Sequence[Asked]:
    """By every way to one's own requests."""
    asked: list[Asked] = [("Consent", ()), ("", (("_type", "Consent"), ("patient", second)))]
    for person in (first, second):
        asked += [
            ("Consent", (("patient", person), ("_total", "accurate"))),
            ("Consent", (("patient", f"{person},Patient/nobody"),)),
            ("Consent", (("patient", person), ("status", "proposed"), ("_summary", "count"))),
            ("Consent", (("patient._id", person.partition("/")[2]),)),
            (f"{person}/Consent", ()),
            (f"{person}/*", (("_total", "accurate"),)),
            (f"{person}/$everything", ()),
            (f"{person}/$everything", (("_type", "Consent"),)),
        ]
    asked.append(("Consent", (("patient", f"{first},{second}"), ("_total", "accurate"))))
    return asked


async def test_a_strangers_request_to_one_registration_tells_of_no_other(
    town: Town, twice: Twice, cast: Cast
) -> None:
    asked = about_requests(twice.first.reference, twice.second.reference)
    strangers = (cast.b, town.as_(cast.pharmacy))
    for voice in strangers:
        await voice.create(twice.first.consent(permit(voice.reference), status="proposed"))
    before = [await all_answers(voice, asked) for voice in strangers]
    merge = await merged(twice.first, twice.second)
    assert [await all_answers(voice, asked) for voice in strangers] == before
    for voice in strangers:
        wanted = twice.second.consent(permit(voice.reference), status="proposed")
        condition = f"patient={twice.second.reference}&status=proposed"
        removed = await voice.call("DELETE", f"Consent?{condition}")
        assert (removed.status_code, removed.content) == (204, b"")
        assert (await voice.post(wanted, **{"If-None-Exist": condition})).status_code == 201
        assert len(await voice.found("Consent", ("patient", twice.first.reference))) == 1
    await separated(town, merge)


async def test_a_relative_of_one_registration_sees_nothing_of_the_other(town: Town, twice: Twice) -> None:
    relative = await twice.first.create(made.related_person(twice.first.reference))
    await twice.first.grant(permit(relative, purposes=["FAMRQT"]))
    proxy = town.as_(relative)
    await merged(twice.first, twice.second)
    assert await proxy.sees(twice.shared)
    assert not await proxy.sees(twice.hidden)
    assert await proxy.found("Observation", ("patient", twice.second.reference)) == [twice.shared]


async def test_an_opening_is_for_the_registration_that_it_was_asked_for(
    town: Town, twice: Twice, cast: Cast
) -> None:
    policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    await merged(twice.first, twice.second)
    asking = {"patient": twice.first.reference, "reason": "意識不明で搬送された"}
    opened = await sent(cast.e, "/auth/break-glass", asking)
    emergency = replace(cast.e, bearer=opened.json()["access_token"])
    assert await emergency.sees(twice.shared)
    assert not await emergency.sees(twice.hidden)
    found = await emergency.found("Observation", ("patient", twice.first.reference))
    assert found == [twice.shared]
    await town.operator.remove(policy)


async def test_what_one_registration_lets_write_reaches_no_record_of_the_other(
    town: Town, twice: Twice
) -> None:
    merge = await merged(twice.first, twice.second)
    clinic, first, second = twice.clinic, twice.first.reference, twice.second.reference
    outcome(await clinic.post(made.weight(second, 63.0)), 403, "forbidden")
    for person in (first, second):
        outcome(await clinic.put(twice.hidden, made.weight(person, 64.0)), 405)
        outcome(await clinic.delete(twice.hidden), 404, "not-found")
    written = await clinic.create(made.weight(first, 65.0))
    await separated(town, merge)
    assert await twice.first.sees(written)
    assert not await twice.second.sees(written)


async def test_what_is_sent_back_stays_with_the_registration_that_it_lies_with(
    town: Town, twice: Twice
) -> None:
    merge = await merged(twice.first, twice.second)
    bundle = await twice.first.search("Observation", ("patient", twice.first.reference))
    seen = {f"Observation/{one['resource']['id']}": one["resource"] for one in bundle["entry"]}
    tree: Json = seen[twice.hidden]
    assert tree["subject"] == {"reference": twice.first.reference}
    await twice.first.replace(twice.hidden, {**tree, "status": "amended"})
    stored = await twice.second.read(twice.hidden)
    assert (stored["subject"], stored["status"]) == ({"reference": twice.second.reference}, "amended")
    await separated(town, merge)
    assert not await twice.first.sees(twice.hidden)
    assert (await twice.second.read(twice.hidden))["status"] == "amended"


async def test_a_link_that_no_merge_stands_behind_links_nothing(town: Town, twice: Twice) -> None:
    tree = await twice.first.read(twice.first.reference)
    link = [{"other": made.reference(twice.second.reference), "type": "replaces"}]
    await town.operator.replace(twice.first.reference, {**tree, "link": link})
    assert not await twice.first.sees(twice.hidden)
    assert await twice.first.found("Observation", ("patient", twice.second.reference)) == []
    assert orjson.dumps(link) in orjson.dumps(await twice.clinic.read(twice.first.reference))
