"""Search by every parameter of every type: what it finds, and what it does not.

http://hl7.org/fhir/R4/search.html
"""

from typing import Final

import pytest

from fhirstore.parameters import Source, parameters_of
from fhirstore.types import TYPES
from tests import resources as made
from tests.cast import Cast
from tests.http.search_cases import SEARCHED, Searched, of, placed
from tests.town import BASE_URL, Town, Voice
from tests.unit.consent.words import concept, permit

pytestmark = pytest.mark.anyio

PATIENT_TYPES: Final = tuple(
    name
    for name in TYPES
    if "patient" in parameters_of(name) and name not in ("AuditEvent", "Provenance", "Consent")
)


@pytest.mark.parametrize("case", SEARCHED, ids=str)
async def test_a_parameter_finds_what_it_names_and_nothing_else(hanako: Voice, case: Searched) -> None:
    wanted = await hanako.create(placed(case.wanted, hanako.reference))
    await hanako.create(placed(case.other, hanako.reference))
    for value in case.finding:
        assert await hanako.found(case.type, (case.name, value)) == [wanted], value
    for value in case.missing:
        assert wanted not in await hanako.found(case.type, (case.name, value)), value


def test_every_parameter_that_a_fact_answers_is_among_those_tried() -> None:
    tried = {(case.type, case.name) for case in SEARCHED}
    everywhere = {Source.ID, Source.LAST_UPDATED, Source.IDENTIFIERS, Source.PATIENT, Source.ELEMENTS}
    elsewhere = {
        *("AuditEvent", "Provenance", "Consent", "PractitionerRole", "Location", "Medication"),
        *("CodeSystem", "DeviceMetric", "Questionnaire", "ValueSet"),
    }
    by_facts = {
        (name, parameter.name)
        for name in TYPES.keys() - elsewhere
        for parameter in parameters_of(name).values()
        if parameter.source not in everywhere
    }
    assert by_facts <= tried


@pytest.mark.parametrize("type_name", PATIENT_TYPES)
async def test_a_patient_is_named_in_any_of_its_forms(
    hanako: Voice, taro: Voice, cast: Cast, type_name: str
) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, types=[type_name]))
        await voice.create(of(voice.reference, type_name))
    id_ = hanako.reference.partition("/")[2]
    (mine,) = await cast.a.found(type_name, ("patient", hanako.reference))
    for name in {"patient", "subject"} & set(parameters_of(type_name)):
        for value in (id_, hanako.reference, f"{BASE_URL}/fhir/{hanako.reference}"):
            assert await cast.a.found(type_name, (name, value)) == [mine]
        assert await cast.a.found(type_name, (f"{name}:Patient", id_)) == [mine]
        assert await cast.a.found(type_name, (name, "unknown")) == []
    both = await cast.a.found(type_name, ("patient", f"{hanako.reference},{taro.reference}"))
    assert len(both) == 2
    assert await cast.a.found(type_name, ("patient", id_), ("patient", taro.reference)) == []


async def test_an_id_finds_its_record_and_parameters_narrow_each_other(hanako: Voice) -> None:
    first, second = [await hanako.create(made.weight(hanako.reference, at)) for at in (60.0, 61.0)]
    ids = [reference.partition("/")[2] for reference in (first, second)]
    assert await hanako.found("Observation", ("_id", ids[0])) == [first]
    assert sorted(await hanako.found("Observation", ("_id", ",".join(ids)))) == sorted([first, second])
    assert await hanako.found("Observation", ("_id", ids[0]), ("_id", ids[1])) == []
    assert await hanako.found("Observation", ("_id", ids[0]), ("code", "85354-9")) == []
    assert await hanako.found("Observation", ("_id", ids[0]), ("code", "29463-7")) == [first]


async def test_an_identifier_is_found_by_value_and_by_system(hanako: Voice) -> None:
    system = f"http://example.test/{hanako.reference}"
    with_system = await hanako.create(
        made.weight(hanako.reference, identifier=made.identifiers((system, "A-1"), (system, "A|2")))
    )
    without = await hanako.create(made.weight(hanako.reference, identifier=made.identifiers((None, "A-1"))))
    for value, expected in (
        (f"{system}|A-1", [with_system]),
        (f"{system}|A\\|2", [with_system]),
        (f"{system}|", [with_system]),
        ("|A-1", [without]),
        ("A-1", sorted([with_system, without])),
        (f"{system}|a-1", []),
        ("A", []),
        (f"{system}|A-1%", []),
    ):
        assert sorted(await hanako.found("Observation", ("identifier", value))) == expected, value


async def test_last_updated_finds_a_record_by_the_time_that_its_answer_told(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    told = (await hanako.read(reference))["meta"]["lastUpdated"]
    for prefix, expected in (
        ("", [reference]),
        ("eq", [reference]),
        ("ge", [reference]),
        ("le", [reference]),
        ("gt", []),
        ("lt", []),
        ("sa", []),
        ("eb", []),
        ("ne", []),
    ):
        assert await hanako.found("Observation", ("_lastUpdated", prefix + told)) == expected, prefix


async def test_who_polls_for_what_is_newer_than_the_last_answer_gets_each_record_once(hanako: Voice) -> None:
    last, seen = "2020-01-01", []
    for kilograms in (60.0, 61.0, 62.0):
        await hanako.create(made.weight(hanako.reference, kilograms))
        bundle = await hanako.search("Observation", ("_lastUpdated", f"gt{last}"))
        seen.append(len(bundle["entry"]))
        last = bundle["entry"][0]["resource"]["meta"]["lastUpdated"]
    assert seen == [1, 1, 1]


async def test_days_begin_and_end_in_the_passports_time_zone(hanako: Voice) -> None:
    before = await hanako.create(made.weight(hanako.reference, time="2026-05-31T23:59:59+09:00"))
    first = await hanako.create(made.weight(hanako.reference, time="2026-05-31T15:00:00Z"))
    assert await hanako.found("Observation", ("date", "2026-06-01")) == [first]
    assert await hanako.found("Observation", ("date", "2026-05")) == [before]
    assert await hanako.found("Observation", ("date", "2026-05-31T15:00:00Z")) == [first]
    assert await hanako.found("Observation", ("date", "2026-06-01T00:00:00+09:00")) == [first]
    assert await hanako.found("Observation", ("date", "2026-06-01T00:00:00 09:00")) == [first]


async def test_a_record_without_a_time_matches_no_date(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference, time=None))
    for value in ("2026", "ne2026", "lt2999", "gt0001"):
        assert await hanako.found("Observation", ("date", value)) == []
    assert await hanako.found("Observation") == [reference]


async def test_an_observation_is_found_by_its_own_code_and_not_by_a_components(hanako: Voice) -> None:
    reference = await hanako.create(made.pressure(hanako.reference))
    assert await hanako.found("Observation", ("code", "85354-9")) == [reference]
    assert await hanako.found("Observation", ("code", "8480-6")) == []


async def test_a_prescription_is_found_by_the_code_of_the_medicine_that_it_refers_to(
    town: Town, hanako: Voice
) -> None:
    medicine = await town.operator.create(
        {"resourceType": "Medication", "code": concept(made.CANDESARTAN), "status": "active"}
    )
    tree = made.prescription(hanako.reference)
    del tree["medicationCodeableConcept"]
    reference = await hanako.create({**tree, "medicationReference": made.reference(medicine)})
    assert await hanako.found("MedicationRequest", ("code", "C09CA06")) == [reference]
    inside = {"resourceType": "Medication", "id": "m", "code": concept(made.MIRTAZAPINE)}
    contained = await hanako.create(
        {**tree, "contained": [inside], "medicationReference": made.reference("#m")}
    )
    assert await hanako.found("MedicationRequest", ("code", "N06AX11")) == [contained]


async def test_what_a_record_no_longer_says_no_longer_finds_it(hanako: Voice) -> None:
    system = f"http://example.test/{hanako.reference}"
    before = made.weight(hanako.reference, identifier=made.identifiers((system, "old")))
    reference = await hanako.create(before)
    after = made.pressure(hanako.reference, time="2026-11-01", status="amended")
    await hanako.replace(reference, after)
    for name, value in (
        ("code", "29463-7"),
        ("identifier", f"{system}|old"),
        ("date", "2026-10"),
        ("status", "final"),
    ):
        assert await hanako.found("Observation", (name, value)) == [], name
    assert await hanako.found("Observation", ("code", "85354-9"), ("date", "2026-11")) == [reference]


async def test_the_directory_is_searched_by_everyone(town: Town, hanako: Voice, cast: Cast) -> None:
    system = f"http://example.test/{hanako.reference}"
    tree = made.organization("架空", identifier=made.identifiers((system, "1")))
    place = await town.operator.create(tree)
    period = {"start": "2031-01-01", "end": "2031-12-31"}
    someone = await town.operator.create(made.role(cast.dr_a, place, period=period))
    room = await town.operator.create({"resourceType": "Location", "status": "suspended", "name": "架空"})
    medicine = await town.operator.create(
        {
            "resourceType": "Medication",
            "status": "inactive",
            "code": concept(("http://www.whocc.no/atc", "V03")),
        }
    )
    for voice in (hanako, cast.a, town.as_("auditor"), town.operator):
        assert await voice.found("Organization", ("identifier", f"{system}|1")) == [place]
        assert await voice.found("PractitionerRole", ("date", "2031")) == [someone]
        assert await voice.found("Location", ("status", "suspended")) == [room]
        assert await voice.found("Medication", ("status", "inactive")) == [medicine]
        assert await voice.found("Medication", ("code", "http://www.whocc.no/atc|V03")) == [medicine]


async def test_consents_are_searched_by_the_patient(hanako: Voice, cast: Cast) -> None:
    (active,) = await hanako.grant(permit(cast.hospital))
    proposed = await hanako.create(
        hanako.consent(permit(cast.hospital), status="proposed", dateTime="2026-06-01")
    )
    assert await hanako.found("Consent", ("status", "active")) == [active]
    assert await hanako.found("Consent", ("patient", hanako.reference), ("date", "2026-06")) == [proposed]
    assert len(await hanako.found("Consent", ("category", "59284-0"))) == 2


async def test_provenance_is_searched_by_its_times(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["access", "collect"]))
    target = await hanako.create(made.pressure(hanako.reference))
    reference = await cast.a.create(
        made.provenance(
            target, agent=cast.dr_a, occurredDateTime="2026-06-01", recorded="2026-06-02T09:00:00Z"
        )
    )
    assert await hanako.found("Provenance", ("when", "2026-06-01")) == [reference]
    assert await hanako.found("Provenance", ("recorded", "2026-06-02")) == [reference]
    assert await hanako.found("Provenance", ("recorded", "2026-06-01")) == []


async def test_a_record_is_found_by_its_patient_where_the_patient_is_what_it_is_about(hanako: Voice) -> None:
    about = await hanako.create(made.pressure(hanako.reference))
    group = {"reference": "Group/unknown"}
    of_a_group = await hanako.create(
        {**made.pressure(hanako.reference), "subject": group, "performer": [made.reference(hanako.reference)]}
    )
    assert set(await hanako.found("Observation")) == {about, of_a_group}
    assert await hanako.found("Observation", ("performer", hanako.reference)) == [of_a_group]
    for name in ("patient", "subject"):
        assert await hanako.found("Observation", (name, hanako.reference)) == [about]
        assert await hanako.found("Observation", (name, hanako.reference), ("code", "85354-9")) == [about]
    assert await hanako.found("Observation", ("subject", "Group/unknown")) == [of_a_group]
