"""Search: every parameter of every type, what it finds and what it does not, and what is refused by name.

http://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from fhirstore.parameters import parameters_of
from fhirstore.types import TYPES
from tests import resources as made
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, link, outcome, references
from tests.unit.consent.words import Json, concept, permit

pytestmark = pytest.mark.anyio

CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"


@dataclass(frozen=True)
class Searched:
    """A parameter with a record that it tells from others: values that find the one and not the other."""

    type: str
    name: str
    wanted: Json
    other: Json
    finding: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}-{self.name}"


def of(patient: str, type_name: str, **elements: Any) -> Json:
    """A record of this type."""
    build: dict[str, Callable[[str], Json]] = {
        "AllergyIntolerance": made.allergy,
        "Bundle": lambda p: made.bundle(made.pressure(f"{BASE_URL}/fhir/{p}")),
        "CareTeam": made.care_team,
        "Condition": made.condition,
        "Device": made.device,
        "Encounter": made.encounter,
        "Group": made.group,
        "Immunization": made.immunization,
        "MedicationDispense": made.dispense,
        "MedicationRequest": made.prescription,
        "MedicationStatement": made.statement,
        "Observation": made.pressure,
        "RelatedPerson": made.related_person,
    }
    tree = build[type_name](patient)
    if "effectivePeriod" in elements:
        del tree["effectiveDateTime"]
    return {**tree, **elements}


P = "Patient/{}"
"""Stands for the resident; each test puts the real one there."""


def codes(type_name: str, element: str, name: str = "code") -> Searched:
    system, code, other = {
        "AllergyIntolerance": ("http://snomed.info/sct", "91936005", "294505008"),
        "Condition": ("http://hl7.org/fhir/sid/icd-10", "I10", "E11"),
        "Observation": ("http://loinc.org", "85354-9", "29463-7"),
        "Immunization": ("http://hl7.org/fhir/sid/cvx", "207", "212"),
        "Group": ("http://example.test/groups", "a", "b"),
    }.get(type_name, (*made.CANDESARTAN, "N06AX11"))
    return Searched(
        type_name,
        name,
        of(P, type_name, **{element: concept((system, code))}),
        of(P, type_name, **{element: concept((system, other))}),
        (code, f"{system}|{code}", f"zzz,{code}", f"http://example.test/x|y,{system}|{code}"),
        ("zzz", f"http://example.test/x|{code}", f"|{code}", code + "%", "%"),
    )


def status(type_name: str, wanted: str, other: str, system: str, name: str = "status") -> Searched:
    def stated(code: str) -> Json:
        return {"clinicalStatus": concept((system, code))} if name == "clinical-status" else {name: code}

    return Searched(
        type_name,
        name,
        of(P, type_name, **stated(wanted)),
        of(P, type_name, **stated(other)),
        (wanted, f"{system}|{wanted}", f"zzz,{wanted}"),
        ("zzz", f"http://example.test/x|{wanted}", wanted.upper()),
    )


def category(type_name: str, wanted: object, other: object, *finding: str) -> Searched:
    return Searched(
        type_name,
        "category",
        of(P, type_name, category=wanted),
        of(P, type_name, category=other),
        finding,
        ("zzz", "http://example.test/x|zzz"),
    )


def dated(type_name: str, name: str, element: str, wanted: object, other: object) -> Searched:
    """`wanted` lies on 1 June 2026 (Tokyo), `other` on 1 June 2027."""
    path = element.split(".")
    trees = []
    for value in (wanted, other):
        inner = value
        for step in reversed(path[1:]):
            inner = {step: inner}
        nested = [inner] if path[0] == "dosageInstruction" else inner
        trees.append(of(P, type_name, **{path[0]: nested}))
    return Searched(
        type_name,
        name,
        trees[0],
        trees[1],
        (
            "2026-06-01",
            "2026-06",
            "2026",
            "eq2026-06-01",
            "lt2027",
            "le2026-06-01",
            "eb2026-06-02",
            "ne2027-06-01",
        ),
        ("2026-06-02", "2025", "gt2027-06-01", "sa2027-06-01", "eb2026-06-01", "ne2026"),
    )


def at(moment: str) -> dict[str, str]:
    return {"start": f"{moment}T09:00:00+09:00", "end": f"{moment}T10:00:00+09:00"}


def event(day: str) -> list[str]:
    return [f"{day}T09:00:00+09:00"]


DAYS: Final = ("2026-06-01", "2027-06-01")
PERIODS: Final = (at(DAYS[0]), at(DAYS[1]))
EVENTS: Final = (event(DAYS[0]), event(DAYS[1]))

SEARCHED: Final = (
    codes("Observation", "code"),
    codes("Condition", "code"),
    codes("AllergyIntolerance", "code"),
    codes("MedicationRequest", "medicationCodeableConcept"),
    codes("MedicationDispense", "medicationCodeableConcept"),
    codes("MedicationStatement", "medicationCodeableConcept"),
    codes("Immunization", "vaccineCode", "vaccine-code"),
    codes("Group", "code"),
    status("Observation", "final", "amended", "http://hl7.org/fhir/observation-status"),
    status(
        "MedicationRequest", "active", "stopped", "http://hl7.org/fhir/CodeSystem/medicationrequest-status"
    ),
    status(
        "MedicationDispense",
        "completed",
        "cancelled",
        "http://terminology.hl7.org/CodeSystem/medicationdispense-status",
    ),
    status(
        "MedicationStatement",
        "active",
        "stopped",
        "http://hl7.org/fhir/CodeSystem/medication-statement-status",
    ),
    status("Immunization", "completed", "entered-in-error", "http://hl7.org/fhir/event-status"),
    status("Encounter", "finished", "planned", "http://hl7.org/fhir/encounter-status"),
    status("CareTeam", "active", "inactive", "http://hl7.org/fhir/care-team-status"),
    status("Device", "active", "inactive", "http://hl7.org/fhir/device-status"),
    status("Condition", "active", "remission", CONDITION_CLINICAL, "clinical-status"),
    status("AllergyIntolerance", "active", "inactive", ALLERGY_CLINICAL, "clinical-status"),
    category(
        "Observation",
        [concept((made.OBSERVATION_CATEGORY, "laboratory"))],
        [concept((made.OBSERVATION_CATEGORY, "survey"))],
        "laboratory",
        f"{made.OBSERVATION_CATEGORY}|laboratory",
    ),
    category("AllergyIntolerance", ["food"], ["medication"], "food"),
    category(
        "Condition",
        [concept(("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"))],
        [concept(("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis"))],
        "problem-list-item",
    ),
    category(
        "MedicationRequest",
        [concept(("http://example.test/c", "a"))],
        [concept(("http://example.test/c", "b"))],
        "a",
    ),
    category(
        "MedicationStatement",
        concept(("http://example.test/c", "a")),
        concept(("http://example.test/c", "b")),
        "a",
    ),
    category(
        "CareTeam", [concept(("http://example.test/c", "a"))], [concept(("http://example.test/c", "b"))], "a"
    ),
    dated("Observation", "date", "effectiveDateTime", *DAYS),
    dated("Encounter", "date", "period", *PERIODS),
    dated("CareTeam", "date", "period", *PERIODS),
    dated("Immunization", "date", "occurrenceDateTime", *DAYS),
    dated("MedicationRequest", "authoredon", "authoredOn", *DAYS),
    dated("MedicationRequest", "date", "dosageInstruction.timing.event", *EVENTS),
    dated("MedicationDispense", "whenhandedover", "whenHandedOver", *DAYS),
    dated("MedicationStatement", "effective", "effectivePeriod", *PERIODS),
    dated("Condition", "onset-date", "onsetDateTime", *DAYS),
    dated("Condition", "recorded-date", "recordedDate", *DAYS),
    dated("AllergyIntolerance", "date", "recordedDate", *DAYS),
    dated("Bundle", "timestamp", "timestamp", "2026-06-01T09:00:00+09:00", "2027-06-01T09:00:00+09:00"),
)

PATIENT_TYPES: Final = tuple(
    name
    for name in TYPES
    if "patient" in parameters_of(name) and name not in ("AuditEvent", "Provenance", "Consent")
)


def placed(tree: Any, patient: str) -> Any:
    """The tree about this resident."""
    if isinstance(tree, dict):
        return {name: placed(value, patient) for name, value in tree.items()}
    if isinstance(tree, list):
        return [placed(value, patient) for value in tree]
    return tree.replace(P, patient) if isinstance(tree, str) else tree


@pytest.mark.parametrize("case", SEARCHED, ids=str)
async def test_a_parameter_finds_what_it_names_and_nothing_else(hanako: Voice, case: Searched) -> None:
    wanted = await hanako.create(placed(case.wanted, hanako.reference))
    await hanako.create(placed(case.other, hanako.reference))
    for value in case.finding:
        assert await hanako.found(case.type, (case.name, value)) == [wanted], value
    for value in case.missing:
        assert wanted not in await hanako.found(case.type, (case.name, value)), value


def test_every_parameter_is_among_those_tried() -> None:
    tried = {(case.type, case.name) for case in SEARCHED}
    everywhere = {"_id", "_lastUpdated", "identifier", "patient", "subject"}
    elsewhere = {"AuditEvent", "Provenance", "Consent", "PractitionerRole", "Location", "Medication"}
    offered = {
        (name, parameter) for name in TYPES if name not in elsewhere for parameter in parameters_of(name)
    }
    assert {pair for pair in offered if pair[1] not in everywhere} == tried


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
    inactive = await hanako.create(
        hanako.consent(permit(cast.hospital), status="inactive", dateTime="2026-06-01")
    )
    assert await hanako.found("Consent", ("status", "active")) == [active]
    assert await hanako.found("Consent", ("patient", hanako.reference), ("date", "2026-06")) == [inactive]
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
