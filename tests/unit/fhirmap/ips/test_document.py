"""The summary as a document: its sections, its entries, and what it says where it holds nothing.

http://hl7.org/fhir/uv/ips/
"""

from datetime import UTC, datetime
from itertools import count
from typing import Any
from xml.parsers.expat import ParserCreate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.ips.document import compose
from fhirmap.ips.narrative import NO_INFORMATION, table
from fhirmap.ips.sections import SECTIONS
from fhirmap.jsonformat import Json

BASE = "http://passport.test/fhir"
NOW = datetime(2026, 11, 22, 4, 5, 6, 789_000, tzinfo=UTC)
PATIENT: Json = {"resourceType": "Patient", "id": "p", "name": [{"text": "見本 花子（架空）"}]}
ALLERGY: Json = {
    "resourceType": "AllergyIntolerance",
    "id": "a",
    "code": {"text": "架空花粉"},
    "criticality": "high",
    "reaction": [{"manifestation": [{"text": "くしゃみ"}, {"coding": [{"code": "x", "display": "かゆみ"}]}]}],
}
REQUEST: Json = {
    "resourceType": "MedicationRequest",
    "id": "r",
    "status": "active",
    "medicationReference": {"reference": "Medication/m"},
    "requester": {"reference": f"{BASE}/PractitionerRole/role/_history/2"},
    "dosageInstruction": [{"text": "1日1回"}, {}],
    "authoredOn": "2026-10-01",
}
MEDICATION: Json = {"resourceType": "Medication", "id": "m", "code": {"text": "架空錠"}}
ROLE: Json = {
    "resourceType": "PractitionerRole",
    "id": "role",
    "practitioner": {"reference": "Practitioner/dr"},
}
DOCTOR: Json = {"resourceType": "Practitioner", "id": "dr"}
STRANGER: Json = {"resourceType": "Practitioner", "id": "stranger"}


def composed(*records: Json, others: tuple[Json, ...] = ()) -> Json:
    numbers = count(1)
    return compose(
        PATIENT,
        records,
        others,
        base_url=BASE,
        author="見本",
        now=NOW,
        new_id=lambda: f"new-{next(numbers)}",
    )


def composition(bundle: Json) -> Json:
    found: Json = bundle["entry"][0]["resource"]
    assert found["resourceType"] == "Composition"
    return found


def section(bundle: Json, code: str) -> Json:
    (found,) = [each for each in composition(bundle)["section"] if each["code"]["coding"][0]["code"] == code]
    return dict(found)


class Read:
    """A narrative as a reader of XML finds it: its elements, and the rows of its table."""

    def __init__(self, div: str) -> None:
        self.elements: list[str] = []
        self.rows: list[list[str]] = []
        parser = ParserCreate()
        parser.StartElementHandler = self.start
        parser.CharacterDataHandler = self.text
        parser.Parse(div, True)

    def start(self, name: str, _: dict[str, str]) -> None:
        self.elements.append(name)
        if name == "tr":
            self.rows.append([])
        elif name in ("td", "th"):
            self.rows[-1].append("")

    def text(self, data: str) -> None:
        self.rows[-1][-1] += data


def cells(element: Json) -> list[list[str]]:
    return Read(element["text"]["div"]).rows[1:]


def test_a_document_names_itself_and_begins_with_its_composition() -> None:
    bundle = composed()
    assert (bundle["type"], bundle["timestamp"]) == ("document", "2026-11-22T04:05:06.789Z")
    assert bundle["identifier"] == {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:new-1"}
    head = composition(bundle)
    assert (head["status"], head["date"]) == ("final", bundle["timestamp"])
    assert head["type"]["coding"][0]["code"] == "60591-5"
    assert head["subject"] == {"reference": f"{BASE}/Patient/p"}
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert urls == ["urn:uuid:new-2", f"{BASE}/Patient/p", "urn:uuid:new-3"]
    assert head["author"] == [{"reference": "urn:uuid:new-3"}]


def test_a_section_without_records_says_that_there_is_no_information() -> None:
    found = composition(composed())["section"]
    assert [each["code"]["coding"][0]["code"] for each in found] == [each.code for each in SECTIONS]
    for each in found:
        assert "entry" not in each
        assert each["emptyReason"]["coding"][0]["code"] == "unavailable"
        assert NO_INFORMATION in each["text"]["div"]


def test_every_reference_of_the_composition_is_an_entry() -> None:
    bundle = composed(ALLERGY, REQUEST, others=(MEDICATION, ROLE, DOCTOR))
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    head = composition(bundle)
    named = [
        head["subject"],
        *head["author"],
        *(entry for each in head["section"] for entry in each.get("entry", ())),
    ]
    assert {each["reference"] for each in named} <= urls
    assert all(entry["fullUrl"] == f"{BASE}/{entry['resource']['resourceType']}/{entry['resource']['id']}"
               for entry in bundle["entry"] if not entry["fullUrl"].startswith("urn:"))  # fmt: skip


def test_records_stay_as_they_were_given() -> None:
    bundle = composed(ALLERGY, REQUEST)
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert any(each is ALLERGY for each in resources)
    assert any(each is REQUEST for each in resources)


def test_what_is_referred_to_comes_along_and_nothing_else() -> None:
    bundle = composed(REQUEST, others=(STRANGER, DOCTOR, ROLE, MEDICATION))
    named = [entry["resource"]["id"] for entry in bundle["entry"][1:-1]]
    assert named == ["p", "r", "m", "role", "dr"]


def test_a_narrative_has_a_row_for_each_record() -> None:
    bundle = composed(ALLERGY, REQUEST, others=(MEDICATION,))
    assert cells(section(bundle, "48765-2")) == [["架空花粉", "くしゃみ、かゆみ", "high", ""]]
    assert cells(section(bundle, "10160-0")) == [["架空錠", "1日1回", "2026-10-01", "active"]]


def test_a_contained_medication_is_named() -> None:
    inside = {**REQUEST, "medicationReference": {"reference": "#x"}, "contained": [{**MEDICATION, "id": "x"}]}
    assert cells(section(composed(inside), "10160-0"))[0][0] == "架空錠"
    told = {**REQUEST, "medicationReference": {"reference": "Medication/gone", "display": "見本散"}}
    assert cells(section(composed(told), "10160-0"))[0][0] == "見本散"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueQuantity": {"value": "72.50", "unit": "kg"}}, "72.50 kg"),
        ({"valueQuantity": {"value": 5, "comparator": "<", "code": "mmol/L"}}, "<5 mmol/L"),
        ({"valueCodeableConcept": {"coding": [{"code": "c"}]}}, "c"),
        ({"valueString": "見本"}, "見本"),
        ({"valueInteger": 0}, "0"),
        ({"component": [{"code": {"text": "上"}, "valueQuantity": {"value": 128, "unit": "mmHg"}},
                        {"code": {"text": "下"}}]}, "上 128 mmHg、下"),
        ({}, ""),
    ],
)  # fmt: skip
def test_vital_signs_are_shown_with_their_values(value: dict[str, Any], expected: str) -> None:
    vital = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "測定"}, **value}
    period = {"start": "2026-10-01", "end": "2026-10-02"}
    row = cells(section(composed({**vital, "effectivePeriod": period}), "8716-3"))[0]
    assert row == ["測定", expected, "2026-10-01–2026-10-02"]


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "entered-in-error"},
        {"status": "cancelled"},
        {"clinicalStatus": {"coding": [{"code": "resolved"}]}},
        {"clinicalStatus": {"coding": [{"code": "inactive"}]}},
        {"verificationStatus": {"coding": [{"code": "refuted"}]}},
        {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}},
    ],
)
def test_what_is_over_or_was_never_so_is_left_out(elements: Json) -> None:
    condition = {"resourceType": "Condition", "id": "c", "code": {"text": "架空症"}, **elements}
    assert "entry" not in section(composed(condition), "11450-4")
    assert len(composed(condition)["entry"]) == 3


def test_a_dispense_stands_for_the_prescription_that_it_carries_out() -> None:
    dispense = {
        "resourceType": "MedicationDispense",
        "id": "d",
        "status": "completed",
        "medicationCodeableConcept": {"text": "架空錠"},
        "authorizingPrescription": [{"reference": "MedicationRequest/r"}],
    }
    found = section(composed(REQUEST, dispense), "10160-0")["entry"]
    assert found == [{"reference": f"{BASE}/MedicationDispense/d"}]
    erroneous = {**dispense, "status": "entered-in-error"}
    found = section(composed(REQUEST, erroneous), "10160-0")["entry"]
    assert found == [{"reference": f"{BASE}/MedicationRequest/r"}]


@given(st.text())
def test_whatever_a_record_says_is_text_in_its_narrative(text: str) -> None:
    narrative = table(["x"], [[text]])
    read = Read(narrative["div"])
    assert read.elements == ["div", "table", "thead", "tr", "th", "tbody", "tr", "td"]


def test_markup_in_a_record_is_shown_and_not_obeyed() -> None:
    evil = {**ALLERGY, "code": {"text": "<script>alert(1)</script>&amp;\x00\x1b"}}
    div = section(composed(evil), "48765-2")["text"]["div"]
    assert "<script" not in div
    assert cells(section(composed(evil), "48765-2"))[0][0] == "<script>alert(1)</script>&amp;\ufffd\ufffd"
