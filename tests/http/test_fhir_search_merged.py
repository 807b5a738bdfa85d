"""Whoever was registered twice is found by either registration, by every way in which a search comes to a patient.

http://hl7.org/fhir/R4/patient.html#merge
"""

from dataclasses import dataclass
from itertools import count
from typing import Final

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.identities import merged, separated
from tests.town import Town, Voice, references
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

Asked = tuple[str, str]

NUMBER: Final = "http://example.test/merged"
NUMBERS: Final = map(str, count(1))


@dataclass(frozen=True)
class Person:
    """Somebody with two registrations, who shares all of both, and somebody else who shares too."""

    first: Voice
    second: Voice
    other: Voice
    doctor: Voice
    merge: Json
    of_first: str
    of_second: str
    of_other: str
    numbers: tuple[str, ...]

    @property
    def records(self) -> set[str]:
        return {self.of_first, self.of_second}


@pytest.fixture
async def person(town: Town, cast: Cast) -> Person:
    voices: list[Voice] = []
    numbers: list[str] = []
    for number in (next(NUMBERS) for _ in range(3)):
        voice = await town.resident(identifier=made.identifiers((NUMBER, number)))
        numbers.append(number)
        await voice.grant(permit(cast.hospital))
        voices.append(voice)
    first, second, other = voices
    of_first, of_second, of_other = [
        await voice.create(made.weight(voice.reference, 60.0 + at, f"2026-10-0{1 + at}"))
        for at, voice in enumerate(voices)
    ]
    return Person(
        first,
        second,
        other,
        cast.a,
        await merged(first, second),
        of_first,
        of_second,
        of_other,
        tuple(f"{NUMBER}|{one}" for one in numbers),
    )


def subjects(bundle: Json) -> dict[str, str]:
    """Of each record the patient whom it names."""
    return dict(
        zip(
            references(bundle),
            (entry["resource"]["subject"]["reference"] for entry in bundle.get("entry", ())),
            strict=True,
        )
    )


async def test_a_search_that_names_several_finds_all_registrations_of_each(person: Person) -> None:
    first, second, other = (one.reference for one in (person.first, person.second, person.other))
    for listed in (f"{first},{other}", f"{second},{other}", f"{first},{second},{other}"):
        for name in ("patient", "subject"):
            bundle = await person.doctor.search("Observation", (name, listed), ("_total", "accurate"))
            assert set(references(bundle)) == {*person.records, person.of_other}
            assert bundle["total"] == 3
    sifted = (("patient", f"{first},{other}"), ("value-quantity", "gt1"))
    assert set(await person.doctor.found("Observation", *sifted)) == {*person.records, person.of_other}
    pages = await person.doctor.walk("Observation", ("patient", f"{second},{other}"), ("_count", "1"))
    assert pages == [[person.of_other], [person.of_second], [person.of_first]]


async def test_parameters_that_name_both_registrations_name_one_person(person: Person, town: Town) -> None:
    first, second, other = (one.reference for one in (person.first, person.second, person.other))
    for names in (("patient", "subject"), ("subject", "patient"), ("patient", "patient")):
        asked = tuple(zip(names, (first, second), strict=True))
        assert set(await person.doctor.found("Observation", *asked)) == person.records
        strangers = tuple(zip(names, (second, other), strict=True))
        assert await person.doctor.found("Observation", *strangers) == []
        listed = (("patient", f"{second},{other}"), ("subject", f"{first}"))
        assert set(await person.doctor.found("Observation", *listed)) == person.records
    await separated(town, person.merge)
    asked = (("patient", first), ("patient", second))
    assert await person.doctor.found("Observation", *asked) == []


async def test_who_is_named_by_one_registration_is_the_patient_of_all_their_records(person: Person) -> None:
    first, second, other = (one.reference for one in (person.first, person.second, person.other))
    seen = subjects(await person.doctor.search("Observation", ("patient", f"{first},{other}")))
    assert seen == {person.of_first: first, person.of_second: first, person.of_other: other}
    both = subjects(await person.doctor.search("Observation", ("patient", f"{first},{second}")))
    assert both == {person.of_first: first, person.of_second: second}
    across = (("_type", "Observation,Condition"), ("patient", f"{second},{other}"))
    seen = subjects(await person.doctor.search("", *across))
    assert seen == {person.of_first: second, person.of_second: second, person.of_other: other}


async def test_a_reference_that_names_several_is_widened_too(person: Person, cast: Cast) -> None:
    grants = [permit(cast.hospital, actions=["access", "collect"])]
    for voice in (person.first, person.second, person.other):
        await voice.grant(*grants)
    by_second = await cast.a.create(
        made.weight(person.other.reference, performer=[made.reference(person.second.reference)])
    )
    for listed in (person.first.reference, f"{person.first.reference},Practitioner/nobody"):
        assert await cast.a.found("Observation", ("performer", listed)) == [by_second]
    beside = (("patient", person.other.reference), ("performer", person.first.reference))
    assert await cast.a.found("Observation", *beside) == [by_second]


@pytest.mark.parametrize("name", ["subject:Patient.identifier", "patient.identifier"])
async def test_a_chain_that_finds_one_registration_leads_to_the_records_of_all(
    person: Person, name: str
) -> None:
    for number in person.numbers[:2]:
        chain = (name, number)
        assert set(await person.doctor.found("Observation", chain)) == person.records
        assert set(await person.doctor.found("", ("_type", "Observation,Condition"), chain)) == person.records
    assert await person.doctor.found("Observation", (name, person.numbers[2])) == [person.of_other]


async def test_both_registrations_have_what_either_has(person: Person) -> None:
    both = {person.first.reference, person.second.reference}
    for record in person.records:
        assert set(await person.doctor.found("Patient", _having(record))) == both
    assert await person.doctor.found("Patient", _having(person.of_other)) == [person.other.reference]


def _having(record: str) -> Asked:
    return "_has:Observation:patient:_id", record.partition("/")[2]


async def test_behind_a_link_a_patient_is_named_by_either_registration(person: Person, cast: Cast) -> None:
    await person.second.grant(permit(cast.hospital, actions=["access", "collect"]))
    note = await cast.a.create(made.provenance(person.of_second, agent=cast.role_a))
    for voice in (person.first, person.second):
        asked = (("target:Observation.patient", voice.reference), ("agent", cast.role_a))
        assert await cast.a.found("Provenance", *asked) == [note]


async def test_what_was_separated_is_found_apart_again(town: Town, person: Person) -> None:
    await separated(town, person.merge)
    listed = f"{person.first.reference},{person.other.reference}"
    assert set(await person.doctor.found("Observation", ("patient", listed))) == {
        person.of_first,
        person.of_other,
    }
    chain = ("patient.identifier", person.numbers[0])
    assert await person.doctor.found("Observation", chain) == [person.of_first]
    assert await person.doctor.found("Patient", _having(person.of_second)) == [person.second.reference]
