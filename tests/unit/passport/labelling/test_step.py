"""The labelling step: what a record's labels are when it is written."""

from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from fhirstore.elements import Code
from fhirstore.facts import Facts, completed, extract, gathered
from passport.labelling import is_labelled, labelled, lowered
from passport.labelling.step import raised
from tests import resources as made
from tests.unit.consent.words import coding, concept
from tests.unit.fhirstore.examples import ACT_CODE, CONFIDENTIALITY, valid_resources

TOKYO: Final = ZoneInfo("Asia/Tokyo")
HANAKO: Final = "Patient/hanako"
ICD: Final = "http://hl7.org/fhir/sid/icd-10"
HIV, PSY, SDV = (coding(ACT_CODE, code) for code in ("HIV", "PSY", "SDV"))
TEST_DATA: Final = coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST")


def level(code: str) -> dict[str, str]:
    return coding(CONFIDENTIALITY, code)


def facts(tree: dict[str, Any]) -> Facts:
    return gathered(tree, zone=TOKYO)


def labels(tree: dict[str, Any], *kept: dict[str, Any]) -> list[dict[str, Any]]:
    """The labels that a record is stored with; its facts must be those that reading it again gives."""
    written, found = labelled(tree, facts(tree), kept)
    assert completed(found) == extract(written, zone=TOKYO)
    assert {name: value for name, value in written.items() if name != "meta"} == {
        name: value for name, value in tree.items() if name != "meta"
    }
    security: list[dict[str, Any]] = written["meta"]["security"]
    return security


def diagnosed(*codes: str, **elements: Any) -> dict[str, Any]:
    return made.condition(HANAKO, **{"code": concept(*((ICD, code) for code in codes)), **elements})


def test_what_is_of_no_set_is_normal() -> None:
    assert labels(made.pressure(HANAKO)) == [level("N")]


def test_what_is_sensitive_is_restricted() -> None:
    assert labels(diagnosed("B20")) == [level("R"), HIV]
    assert labels(diagnosed("I10", "F20.0", "B20")) == [level("R"), HIV, PSY]


def family(*codes: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "patient": {"reference": HANAKO},
        "relationship": {"text": "母"},
        "condition": [{"code": code} for code in codes],
    }


def test_of_a_family_whose_conditions_all_say_what_they_are_it_is_known() -> None:
    assert labels(family(concept((ICD, "E11.9")), concept((ICD, "I10")))) == [level("N")]


WORDS: Final = {"text": "架空の病名"}
UNTOLD: Final = {
    "a diagnosis in words": diagnosed(code=WORDS),
    "one without any": {name: value for name, value in diagnosed("I10").items() if name != "code"},
    "a code of no system": diagnosed(code={"coding": [{"code": "I10"}], **WORDS}),
    "what the claims call uncoded": diagnosed(
        code={"coding": [coding("urn:oid:1.2.392.200119.4.101.6", "0000999")], **WORDS}
    ),
    "a diagnosis in the name of a disease alone": diagnosed(
        code={"coding": [coding("urn:oid:1.2.392.200119.4.101.6", "20062609")], **WORDS}
    ),
    "a diagnosis in a local code": diagnosed(code={"coding": [coding("urn:local", "X1")], **WORDS}),
    "one in a concept that nobody looked up": diagnosed(
        code=concept(("http://snomed.info/sct", "111880001"))
    ),
    "a family with one of its conditions in words": family(concept((ICD, "E11.9")), WORDS),
    "a family with one of its conditions in a local code": family(
        concept((ICD, "E11.9")), {"coding": [coding("urn:local", "X1")], **WORDS}
    ),
    "a medicine in words": made.statement(HANAKO, medicationCodeableConcept={"text": "架空錠"}),
    "an observation in words": {**made.weight(HANAKO), "code": WORDS},
    "a whole with one of these in it": made.bundle(diagnosed(code=WORDS), made.pressure(HANAKO)),
}


@pytest.mark.parametrize("kind", UNTOLD)
def test_of_what_has_no_code_the_service_says_nothing(kind: str) -> None:
    tree = UNTOLD[kind]
    written, found = labelled(tree, facts(tree))
    assert written is tree
    assert found.confidentiality is None


@pytest.mark.parametrize("kind", UNTOLD)
def test_what_somebody_says_of_it_stands(kind: str) -> None:
    tree = UNTOLD[kind]
    for stated in ([level("N")], [level("L")], [level("V")]):
        assert labels({**tree, "meta": {"security": stated}}) == stated
        assert labels(tree, *stated) == stated
    assert labels({**tree, "meta": {"security": [PSY]}}) == [level("R"), PSY]
    assert labels({**tree, "meta": {"security": [TEST_DATA]}}) == [TEST_DATA]


def test_a_normal_part_says_nothing_of_a_part_in_words() -> None:
    parts = diagnosed(code=WORDS), made.pressure(HANAKO, meta=made.labelled("N"))
    assert labelled(made.bundle(*parts), facts(made.bundle(*parts)))[1].confidentiality is None
    parts = diagnosed(code=WORDS), made.pressure(HANAKO, meta=made.labelled("R"))
    assert labels(made.bundle(*parts)) == [level("R")]


def test_what_is_found_elsewhere_in_it_restricts_it_all_the_same() -> None:
    assert labels(diagnosed(code=WORDS, bodySite=[concept((ICD, "B20"))])) == [level("R"), HIV]


@pytest.mark.parametrize(
    "tree",
    [
        made.allergy(HANAKO, code={"text": "架空の薬"}),
        made.immunization(HANAKO, vaccineCode={"text": "架空のワクチン"}),
        made.encounter(HANAKO),
        {**made.pressure(HANAKO), "code": {"coding": [coding("urn:local", "X1")], **WORDS}},
        {**made.pressure(HANAKO), "code": WORDS},
    ],
    ids=["allergy", "vaccination", "no code at all", "a local code of a test", "coded components"],
)
def test_what_may_not_be_missed_or_has_a_code_is_normal(tree: dict[str, Any]) -> None:
    assert labels(tree) == [level("N")]


def test_what_bears_its_labels_is_stored_as_it_came() -> None:
    tree = diagnosed("B20", meta={"security": [PSY, level("V"), HIV]})
    gathered_of_it = facts(tree)
    written, found = labelled(tree, gathered_of_it)
    assert written is tree
    assert found is gathered_of_it


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([level("L")], [level("L")]),
        ([level("U")], [level("U")]),
        ([level("V")], [level("V")]),
        ([level("N"), level("R")], [level("R")]),
        ([SDV], [level("R"), SDV]),
        ([level("N"), SDV], [level("R"), SDV]),
        ([SDV, level("V")], [SDV, level("V")]),
        ([TEST_DATA], [level("N"), TEST_DATA]),
        ([PSY, PSY], [level("R"), PSY]),
    ],
)
def test_what_a_record_states_itself_only_rises(stated: list[Any], expected: list[Any]) -> None:
    assert labels(made.pressure(HANAKO, meta={"security": stated})) == expected


def test_a_low_label_does_not_hold_against_the_table() -> None:
    for low in ("U", "L", "M", "N"):
        assert labels(diagnosed("F20", meta=made.labelled(low))) == [level("R"), PSY]


def test_the_words_of_a_label_stay() -> None:
    worded = {**PSY, "display": "精神科", "version": "2018-08-12"}
    highest = {**level("V"), "display": "very restricted"}
    tree = diagnosed("F20", meta={"security": [worded, highest]})
    assert labels(tree) == [worded, highest]
    assert labels(diagnosed("F20"), worded, highest) == [worded, highest]


def test_the_labels_of_the_version_before_stay() -> None:
    assert labels(made.pressure(HANAKO), level("R"), SDV) == [level("R"), SDV]
    assert labels(made.pressure(HANAKO, meta=made.labelled("N")), level("R")) == [level("R")]
    assert labels(made.pressure(HANAKO, meta={"security": [HIV]}), level("V"), SDV) == [HIV, level("V"), SDV]


def test_the_rest_of_meta_stays() -> None:
    tree = made.pressure(HANAKO, meta={"source": "urn:cuff", "tag": [TEST_DATA]})
    written, _ = labelled(tree, facts(tree))
    assert written["meta"] == {"source": "urn:cuff", "tag": [TEST_DATA], "security": [level("N")]}


def test_what_is_no_confidentiality_is_taken_for_the_highest() -> None:
    assert raised([level("X")], (), ()) == [level("V")]


def test_a_label_without_a_code_is_left_alone() -> None:
    wordy = {"display": "confidential"}
    assert raised([wordy], (), ()) == [level("N"), wordy]
    assert raised([wordy, level("N")], [wordy], ()) == [wordy, level("N")]


# Where codes may stand


@pytest.mark.parametrize(
    "tree",
    [
        made.prescription(HANAKO, ("http://www.whocc.no/atc", "J05AR20")),
        made.prescription(HANAKO, reasonCode=[concept((ICD, "B20"))]),
        made.encounter(HANAKO, reasonCode=[concept((ICD, "B24"))]),
        made.observation(HANAKO, valueCodeableConcept=concept((ICD, "Z21"))),
        made.observation(HANAKO, component=[{"code": concept(("http://loinc.org", "56888-1"))}]),
        made.pressure(HANAKO, extension=[{"url": "http://x.example", "valueCoding": coding(ICD, "B20")}]),
        made.prescription(
            HANAKO,
            contained=[
                {
                    "resourceType": "Medication",
                    "id": "m",
                    "code": concept(
                        ("http://capstandard.jp/iyaku.info/CodeSystem/YJ-code", "6250117F1020"),
                    ),
                }
            ],
        ),
        made.bundle(made.pressure(HANAKO), diagnosed("B20")),
        made.bundle(made.bundle(diagnosed("B20"))),
        made.bundle({**diagnosed("I10"), "meta": {"security": [level("R"), HIV]}}),
    ],
)
def test_a_code_counts_wherever_it_stands(tree: dict[str, Any]) -> None:
    assert labels(tree) == [level("R"), HIV]


def test_the_codes_of_a_medication_of_the_directory_count() -> None:
    reference = {"medicationReference": made.reference("Medication/m")}
    tree = {**made.prescription(HANAKO), **reference}
    del tree["medicationCodeableConcept"]
    code = Code("http://www.whocc.no/atc", "J05AR20")
    _, found = labelled(tree, gathered(tree, zone=TOKYO, medication_codes={"Medication/m": [code]}))
    assert (found.confidentiality, found.sensitivities) == ("R", (Code(ACT_CODE, "HIV"),))


def test_a_whole_is_no_less_confidential_than_its_parts() -> None:
    entry = made.weight(HANAKO, meta={"security": [level("V"), SDV]})
    tree = made.bundle(made.pressure(HANAKO), entry, meta=made.labelled("N"))
    assert labels(tree) == [level("V"), SDV]
    written, found = labelled(tree, facts(tree))
    assert written["entry"] == tree["entry"]
    assert [part.confidentiality for part in completed(found).parts] == ["V", "V"]


def test_the_unit_of_a_quantity_is_no_diagnosis() -> None:
    quantity = {"value": 1, "system": "http://unitsofmeasure.org", "code": "B20"}
    assert labels(made.observation(HANAKO, valueQuantity=quantity)) == [level("N")]


# Which records bear labels

OF_NOBODY: Final = [
    {"resourceType": "Organization", "name": "架空病院"},
    {"resourceType": "Medication", "code": concept((ICD, "B20"))},
    {"resourceType": "Questionnaire", "status": "active", "code": [coding(ICD, "B20")]},
    {"resourceType": "Group", "type": "practitioner", "actual": False},
    {"resourceType": "Device"},
    {"resourceType": "Consent", "status": "active"},
]


@pytest.mark.parametrize("tree", OF_NOBODY, ids=lambda tree: str(tree["resourceType"]))
def test_what_is_no_patients_is_not_labelled(tree: dict[str, Any]) -> None:
    found = facts(tree)
    assert not is_labelled(found)
    assert labelled(tree, found) == (tree, found)


@pytest.mark.parametrize("name", sorted(valid_resources()))
def test_what_names_a_patient_or_follows_a_record_is(name: str) -> None:
    tree = valid_resources()[name]
    whole = extract(tree, zone=TOKYO)
    assert is_labelled(facts(tree)) == (not whole.type.directory and bool(whole.patients or whole.follows))


def test_a_patient_is_labelled() -> None:
    assert labels({"resourceType": "Patient", "id": "hanako"}) == [level("N")]


# What is less than before


@pytest.mark.parametrize(
    ("stated", "before", "less"),
    [
        ([level("N")], [level("N")], False),
        ([], [level("N")], True),
        ([level("N")], [level("R")], True),
        ([level("R")], [level("N")], False),
        ([level("R"), HIV, PSY], [level("R"), HIV], False),
        ([level("R"), PSY], [level("R"), HIV], True),
        ([level("V")], [HIV], True),
        ([{**HIV, "display": "HIV"}, level("R")], [level("R"), HIV], False),
        ([], [], False),
    ],
)
def test_less_is_a_label_that_is_gone_or_a_lower_level(
    stated: list[Any], before: list[Any], less: bool
) -> None:
    assert lowered(stated, before) is less
