"""Synthetic records to train dictionaries on: what the service's own mappers make of values drawn at random.

http://hl7.org/fhir/R4/resourcelist.html

A dictionary quotes its samples, so nothing here is anybody's: people and products are the demo's, which do not
exist, and every id, time and number is drawn. The same seed gives the same samples.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from consent.systems import ACT_CODE
from fhirmap.jahis.to_fhir import import_jahis
from fhirmap.observation import to_observations
from fhirmap.provenance import provenance
from fhirmap.submitted import parse_reading
from fhirmap.vitals import LOINC, VITAL_SIGNS, VitalSign
from fhirstore.facts import gathered
from fhirstore.parse import Tree, serialise
from fhirstore.trained import OTHER, VITAL_SIGN, kind_of
from passport.demo import consents, town
from passport.demo.prescriptions import MEDICINES, handbook
from passport.demo.residents import RESIDENTS, Resident
from passport.labelling import TABLE, labelled
from passport.records import named, unheaded

SAMPLES: Final = 300
"""Of each kind; five times as many save 9 of 112 bytes of a laboratory result and none of a reading."""

SENSITIVE: Final = 0.1
"""The share of samples that bear the label of some sensitivity, so that its words are known."""

_JST: Final = timezone(timedelta(hours=9))
_ZONE: Final = ZoneInfo("Asia/Tokyo")
_FIRST: Final = datetime(2020, 1, 1, tzinfo=_JST)
_MINUTES: Final = 20 * 365 * 24 * 60
_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_UCUM: Final = "http://unitsofmeasure.org"

# Laboratory tests that every check-up has: LOINC code and display, name, unit, its UCUM code, usual range.
_LABORATORY: Final = (
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "HbA1c", "%", "%", 4, 12),
    (
        "2093-3",
        "Cholesterol [Mass/volume] in Serum or Plasma",
        "総コレステロール",
        "mg/dL",
        "mg/dL",
        120,
        280,
    ),
    ("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "中性脂肪", "mg/dL", "mg/dL", 30, 300),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "クレアチニン", "mg/dL", "mg/dL", 0, 3),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "ヘモグロビン", "g/dL", "g/dL", 8, 18),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "白血球数", "10*3/uL", "10*3/uL", 2, 15),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "血糖", "mg/dL", "mg/dL", 60, 250),
    ("1742-6", "Alanine aminotransferase [Enzymatic activity/volume]", "ALT", "U/L", "U/L", 5, 90),
)


def samples(seed: int, count: int = SAMPLES) -> dict[str, list[bytes]]:
    """Bodies as they would be stored, by kind; of a kind that the mappers make seldom there are fewer."""
    found: dict[str, list[bytes]] = {}
    for name, source in _SOURCES.items():
        chance = Random(f"{seed}/{name}")
        for tree in _taken(source(chance), count):
            body = _stored(tree, chance)
            found.setdefault(kind_of(tree), []).append(body)
    return found


def _taken(trees: Iterator[Tree], count: int) -> Iterator[Tree]:
    for _ in range(count):
        yield next(trees)


def _stored(tree: Tree, chance: Random) -> bytes:
    instant = _instant(chance).replace(microsecond=1_000 * chance.randrange(1_000)).astimezone(UTC)
    id_ = _id(chance)
    found = [chance.choice(TABLE).code] if chance.random() < SENSITIVE else []
    labels = [{"system": ACT_CODE, "code": code} for code in found]
    tree, _ = labelled(tree, gathered({**tree, "id": id_}, zone=_ZONE), labels)
    plain = serialise(named(tree, id_=id_, version=1, last_updated=instant))
    return unheaded(plain, tree["resourceType"], id_)


def _id(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _instant(chance: Random) -> datetime:
    return _FIRST + timedelta(minutes=chance.randrange(_MINUTES))


def _reference(chance: Random, type_name: str) -> str:
    return f"{type_name}/{_id(chance)}"


def _vital_signs(chance: Random) -> Iterator[Tree]:
    kinds = list(VITAL_SIGNS.values())
    while True:
        # Blood pressures are what a passport holds most of.
        vital = VITAL_SIGNS["blood-pressure"][0] if chance.random() < 0.4 else chance.choice(kinds)[0]
        at = _instant(chance)
        yield from to_observations(
            parse_reading(_reading(vital, at, chance)),
            patient=_reference(chance, "Patient"),
            device=_reference(chance, "Device"),
            identifier=_id(chance) if chance.random() < 0.7 else None,
            issued=(at + timedelta(seconds=chance.randrange(90))).isoformat(),
        )


def _reading(vital: VitalSign, at: datetime, chance: Random) -> Tree:
    told: Tree = {"type": vital.type, "time": at.isoformat()}
    for measurand in vital.measurands:
        if measurand.required or chance.random() < 0.2:
            low, high = int(measurand.low), int(measurand.high)
            told[measurand.name] = chance.randint(low + 1, high - 1)
    return told


def _laboratory(chance: Random) -> Iterator[Tree]:
    while True:
        code, display, name, unit, ucum, low, high = chance.choice(_LABORATORY)
        quantity = {"unit": unit, "system": _UCUM, "code": ucum}
        coding = {"system": _CATEGORY, "code": "laboratory", "display": "Laboratory"}
        yield {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [coding]}],
            "code": {"coding": [{"system": LOINC, "code": code, "display": display}], "text": name},
            "subject": {"reference": _reference(chance, "Patient")},
            "effectiveDateTime": _instant(chance).isoformat(),
            "performer": [{"reference": _reference(chance, "Organization")}],
            "valueQuantity": {"value": chance.randint(low * 10, high * 10), **quantity},
            "interpretation": [{"coding": [{"system": _INTERPRETATION, "code": chance.choice("HLN")}]}],
            "referenceRange": [{"low": {"value": low, **quantity}, "high": {"value": high, **quantity}}],
        }


def _handbooks(chance: Random) -> Iterator[Tree]:
    while True:
        resident = _resident(chance)
        until = _instant(chance).date()
        imported = import_jahis(
            handbook(resident, until, 60),
            patient=_reference(chance, "Patient"),
            source=_reference(chance, "Organization"),
        )
        yield from (_linked(tree, chance) for tree in imported.resources)


def _resident(chance: Random) -> Resident:
    medicines = tuple(chance.sample(sorted(MEDICINES), chance.randint(1, 4)))
    return replace(
        chance.choice(RESIDENTS), medicines=medicines, allergy=chance.choice(("卵", "そば", "造影剤"))
    )


def _linked(tree: Any, chance: Random) -> Any:
    """The tree with its references to records of the same file as they are stored."""
    if isinstance(tree, list):
        return [_linked(each, chance) for each in tree]
    if not isinstance(tree, dict):
        return tree
    linked = {name: _linked(value, chance) for name, value in tree.items()}
    if str(linked.get("reference", "")).startswith("urn:uuid:"):
        linked["reference"] = _reference(chance, "MedicationRequest")
    return linked


def _statements(chance: Random) -> Iterator[Tree]:
    for tree in _handbooks(chance):
        if tree["resourceType"] == "MedicationRequest":
            stated = {name: tree[name] for name in ("identifier", "medicationCodeableConcept", "subject")}
            dosage = tree.get("dosageInstruction", [])
            yield {"resourceType": "MedicationStatement", "status": "active", **stated, "dosage": dosage}


def _consents(chance: Random) -> Iterator[Tree]:
    while True:
        patient, actor = _reference(chance, "Patient"), _reference(chance, "PractitionerRole")
        day: date = _instant(chance).date()
        yield consents.blood_pressure_and_medicines(patient, actor, day, status=chance.choice(_STATUSES))
        yield consents.blood_pressure_alone(patient, _reference(chance, "Organization"))
        yield consents.handing_over(patient, _reference(chance, "Organization"))
        yield from consents.everything_for(patient, _reference(chance, "RelatedPerson"))


_STATUSES: Final = ("proposed", "active", "active", "inactive")


def _patients(chance: Random) -> Iterator[Tree]:
    while True:
        born = _instant(chance).date().replace(year=chance.randint(1930, 2020), day=chance.randint(1, 28))
        resident = replace(chance.choice(RESIDENTS), born=born)
        yield town.patient(resident, chance.randrange(100_000))


def _allergies(chance: Random) -> Iterator[Tree]:
    return (tree for tree in _handbooks(chance) if tree["resourceType"] == "AllergyIntolerance")


def _provenances(chance: Random) -> Iterator[Tree]:
    types = ("Observation", "MedicationRequest", "MedicationDispense")
    while True:
        targets = [_reference(chance, chance.choice(types)) for _ in range(chance.randint(1, 4))]
        author = _reference(chance, chance.choice(("Device", "Organization")))
        patient = _reference(chance, "Patient")
        yield provenance(targets, author=author, patient=patient, recorded=_instant(chance))


def _others(chance: Random) -> Iterator[Tree]:
    """A little of everything, since nothing is known of what a type without a kind of its own says."""
    sources = (_vital_signs, _laboratory, _handbooks, _statements, _consents, _patients, _provenances)
    streams = [source(chance) for source in sources]
    while True:
        tree = next(chance.choice(streams))
        yield tree if kind_of(tree) == OTHER else {**tree, "resourceType": chance.choice(_OTHER_TYPES)}


_OTHER_TYPES: Final = (
    *("Condition", "Procedure", "Encounter", "DiagnosticReport", "Immunization", "CarePlan", "Task"),
    *("Practitioner", "PractitionerRole", "Organization", "Device", "DocumentReference", "Appointment"),
)

_SOURCES: Final[Mapping[str, Callable[[Random], Iterator[Tree]]]] = {
    VITAL_SIGN: _vital_signs,
    "laboratory": _laboratory,
    "handbook": _handbooks,
    "MedicationStatement": _statements,
    "Consent": _consents,
    "Patient": _patients,
    "AllergyIntolerance": _allergies,
    "Provenance": _provenances,
    OTHER: _others,
}
