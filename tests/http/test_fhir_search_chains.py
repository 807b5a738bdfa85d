"""Chained parameters and `_has`.

http://hl7.org/fhir/R4/search.html#chaining
http://hl7.org/fhir/R4/search.html#has
"""

from dataclasses import dataclass

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Measured:
    """A weight by somebody of an organization below another, and a blood pressure by nobody."""

    voice: Voice
    weight: str
    pressure: str
    someone: str
    role: str


@pytest.fixture
async def measured(town: Town, hanako: Voice) -> Measured:
    above = await town.operator.create(made.organization("架空市"))
    place = await town.operator.create(made.organization("架空病院", partOf=made.reference(above)))
    someone = await town.operator.create(made.practitioner("架空 医師", birthDate="1970-05-05"))
    role = await town.operator.create(made.role(someone, place))
    weight = await hanako.create(made.weight(hanako.reference, performer=[made.reference(role)]))
    pressure = await hanako.create(made.pressure(hanako.reference))
    return Measured(hanako, weight, pressure, someone, role)


async def test_a_chain_leads_over_several_links(measured: Measured) -> None:
    id_ = measured.someone.partition("/")[2]
    for name, value, finds in (
        ("performer:PractitionerRole.practitioner", id_, True),
        ("performer:PractitionerRole.practitioner:Practitioner._id", id_, True),
        ("performer:PractitionerRole.practitioner._id", "unknown", False),
        ("performer:PractitionerRole.organization.name", "架空病", True),
        ("performer:PractitionerRole.organization.partof.name", "架空市", True),
        ("performer:PractitionerRole.organization.partof.name", "架空病院", False),
        ("performer:Organization.name", "架空病院", False),
        ("performer.practitioner._id", id_, True),
        ("performer:PractitionerRole.practitioner._id:not", id_, False),
    ):
        expected = [measured.weight] if finds else []
        assert await measured.voice.found("Observation", (name, value)) == expected, name


async def test_a_chain_through_the_patient_narrows_to_theirs(hanako: Voice, taro: Voice, cast: Cast) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, types=["Patient", "Condition"]))
        await voice.create(made.condition(voice.reference))
    (mine,) = await hanako.found("Condition")
    id_ = hanako.reference.partition("/")[2]
    for name in ("patient._id", "subject:Patient._id", "patient:Patient._id"):
        assert await cast.a.found("Condition", (name, id_)) == [mine]


async def test_chains_combine_with_each_other_and_with_totals(measured: Measured) -> None:
    first = ("performer:PractitionerRole.organization.name", "架空病院")
    second = ("performer:PractitionerRole.practitioner._id", measured.someone.partition("/")[2])
    bundle = await measured.voice.search(
        "Observation", first, second, ("_total", "accurate"), ("_count", "1")
    )
    assert bundle["total"] == 1
    assert await measured.voice.found("Observation", first, ("code", "85354-9")) == []
    assert await measured.voice.found("Observation", first, ("_has:Provenance:target:agent", "x")) == []


async def test_who_has_something_is_found(hanako: Voice, taro: Voice, cast: Cast) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, types=["Patient", "Observation"]))
    await hanako.create(made.weight(hanako.reference, 90.0))
    await taro.create(made.pressure(taro.reference))
    ids = ("_id", f"{hanako.reference.partition('/')[2]},{taro.reference.partition('/')[2]}")
    for name, value, expected in (
        ("_has:Observation:patient:code", "29463-7", {hanako.reference}),
        ("_has:Observation:patient:code", "85354-9", {taro.reference}),
        ("_has:Observation:subject:value-quantity", "gt80", {hanako.reference}),
        ("_has:Observation:patient:code:not", "29463-7", {taro.reference}),
        ("_has:Observation:patient:code", "8867-4", set()),
    ):
        assert set(await cast.a.found("Patient", ids, (name, value))) == expected, name


async def test_has_is_nested_and_leads_to_other_types_than_patients(measured: Measured, town: Town) -> None:
    ids = ("_id", measured.someone.partition("/")[2])
    nested = "_has:PractitionerRole:practitioner:_has:Observation:performer:code"
    assert await measured.voice.found("Practitioner", ids, (nested, "29463-7")) == [measured.someone]
    assert await measured.voice.found("Practitioner", ids, (nested, "85354-9")) == []
    roles = ("_has:Observation:performer:status", "final")
    assert await measured.voice.found("PractitionerRole", roles) == [measured.role]
    stranger = await town.resident("見本 三太")
    assert await stranger.found("Practitioner", ids, (nested, "29463-7")) == []


async def test_too_many_links_are_refused(hanako: Voice) -> None:
    chains = [("subject:Patient._id", "x")] * 17
    outcome(await hanako.get("Observation", *chains), 400, "invalid")
    deep = "patient.organization." + "partof." * 5 + "name"
    outcome(await hanako.get("Condition", (deep, "x")), 400, "invalid")


async def test_an_unknown_parameter_behind_a_link_is_told_of_the_types_behind(hanako: Voice) -> None:
    answer = await hanako.get("Observation?subject:Patient.foo=1")
    text = outcome(answer, 400)["issue"][0]["diagnostics"]
    assert text.startswith("got search parameter `subject:Patient.foo`, expected one that Patient has: ")
    assert "subject:Patient.birthdate" in text
    assert "_count" not in text
    several = outcome(await hanako.get("Observation?performer.foo=1"), 400)["issue"][0]["diagnostics"]
    assert " or " in several
    assert "performer._id" in several


async def test_has_by_a_reference_to_patients_leads_to_no_other_type(hanako: Voice) -> None:
    for type_name in ("Practitioner", "Observation"):
        (issue,) = outcome(await hanako.get(f"{type_name}?_has:Condition:patient:code=x"), 400)["issue"]
        assert issue["expression"] == ["_has:Condition:patient:code"]
    assert (await hanako.get("Patient?_has:Condition:patient:code=x")).status_code == 200


async def test_an_unknown_parameter_within_has_is_told_of_those_that_stand_there(hanako: Voice) -> None:
    for end in ("foo", "_sort"):
        (issue,) = outcome(await hanako.get(f"Patient?_has:Observation:patient:{end}=x"), 400)["issue"]
        assert issue["expression"] == [f"_has:Observation:patient:{end}"]
        assert "_has:Observation:patient:code" in issue["diagnostics"]
        assert "_count" not in issue["diagnostics"]
    (issue,) = outcome(await hanako.get("Patient?_has:Observation:patient:code:foo=x"), 400)["issue"]
    assert issue["expression"] == ["_has:Observation:patient:code:foo"]


async def test_an_unknown_parameter_is_told_of_what_shapes_a_result_as_well(hanako: Voice) -> None:
    for asked in ("Observation?_limit=1", "?_type=Observation,Condition&_limit=1"):
        text = outcome(await hanako.get(asked), 400)["issue"][0]["diagnostics"]
        assert "subject" in text
        assert text.endswith(
            "; or one that shapes the result: _sort, _count, _total, _summary, _elements, _include, _revinclude"
        )


async def test_a_chain_to_a_type_that_is_not_held_is_refused_or_left_out(hanako: Voice) -> None:
    for asked in (
        "Organization?endpoint.name=x",
        "Organization?_has:PractitionerRole:organization:service.name=x",
    ):
        text = outcome(await hanako.get(asked), 400, "invalid")["issue"][0]["diagnostics"]
        assert "leads to no type that is held here" in text
        lenient = await hanako.call("GET", asked, headers={"Prefer": "handling=lenient"})
        assert lenient.status_code == 200
        assert "name" not in lenient.json()["link"][0]["url"]
