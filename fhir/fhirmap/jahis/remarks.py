"""What a notebook says beside its visits: allergies, history, medicines bought, memos.

https://hl7.org/fhir/R4/allergyintolerance.html, https://hl7.org/fhir/R4/condition.html,
https://hl7.org/fhir/R4/medicationstatement.html
"""

import re

from fhirmap.jahis import codes
from fhirmap.jahis.decode import half_width
from fhirmap.jahis.medicines import Subject, information_source
from fhirmap.jahis.model import PATIENT, Note, OverTheCounter, Remark
from fhirmap.jsonformat import Json, present

ALLERGY, ADVERSE_REACTION, HISTORY = "1", "2", "3"  # 患者特記種別
CLINICAL_STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VERIFICATION_STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
SNOMED_CT = "http://snomed.info/sct"
NO_KNOWN_ALLERGY = {"system": SNOMED_CT, "code": "716186003", "display": "No known allergy"}
PATIENT_NOTE = {"system": "http://loinc.org", "code": "51855-5", "display": "Patient Note"}
_NONE = re.compile(r"(特に|特記事項|(アレルギー|副作用|既往)歴?は?)?(なし|無し|無|ナシ)[。.]?")


def says_none(remark: Remark) -> bool:
    """Tell whether a remark says that there is nothing to remark (`特になし`)."""
    return bool(_NONE.fullmatch(half_width(remark.text)))


def remark_record(subject: Subject, remark: Remark) -> Json | None:
    """Return the record of a remark; None where it only denies a reaction or a history."""
    if remark.kind == ALLERGY or (remark.kind == ADVERSE_REACTION and not says_none(remark)):
        return _allergy(subject, remark)
    if says_none(remark):
        return None
    if remark.kind == HISTORY:
        return _condition(subject, remark)
    return memo_record(subject, Note("患者特記", remark.text, remark.creator), None)


def _allergy(subject: Subject, remark: Remark) -> Json:
    identifier = subject.stamp.identifier("AllergyIntolerance", remark.kind, remark.text)
    coding = [NO_KNOWN_ALLERGY] if says_none(remark) else None
    adverse = remark.kind == ADVERSE_REACTION
    verification = [{"system": VERIFICATION_STATUS, "code": "unconfirmed"}]
    return present(
        {
            "resourceType": "AllergyIntolerance",
            "identifier": [identifier],
            "clinicalStatus": {"coding": [{"system": CLINICAL_STATUS, "code": "active"}]},
            "verificationStatus": {"coding": verification} if remark.creator == PATIENT else None,
            "type": "intolerance" if adverse else "allergy",
            "category": ["medication"] if adverse else None,
            "code": present({"coding": coding, "text": remark.text}),
            "patient": {"reference": subject.patient},
            "asserter": information_source(subject, remark.creator),
        }
    )


def _condition(subject: Subject, remark: Remark) -> Json:
    """Past or present, the file does not say: the status stays open."""
    return present(
        {
            "resourceType": "Condition",
            "identifier": [subject.stamp.identifier("Condition", remark.text)],
            "code": {"text": remark.text},
            "subject": {"reference": subject.patient},
            "asserter": information_source(subject, remark.creator),
        }
    )


def bought_record(subject: Subject, bought: OverTheCounter) -> Json:
    """Return the MedicationStatement of a medicine bought without prescription."""
    start, end = (day.isoformat() if day else None for day in (bought.start, bought.end))
    identity = (bought.name, bought.jan, start, end)
    return present(
        {
            "resourceType": "MedicationStatement",
            "identifier": [subject.stamp.identifier("MedicationStatement", *identity)],
            "status": "unknown",
            "medicationCodeableConcept": codes.bought_medicine(bought),
            "subject": {"reference": subject.patient},
            "effectivePeriod": present({"start": start, "end": end if _in_order(bought) else None}),
            "informationSource": information_source(subject, bought.creator),
            "note": [{"text": f"成分：{ingredient}"} for ingredient in bought.ingredients],
        }
    )


def _in_order(bought: OverTheCounter) -> bool:
    return bought.start is None or bought.end is None or bought.start <= bought.end


def memo_record(subject: Subject, note: Note, day: str | None) -> Json:
    """Return free text that belongs to no medicine as an Observation.

    Args:
        subject: whom it is about.
        note: the text.
        day: the day that it belongs to, where the note itself has none.
    """
    written = note.written.isoformat() if note.written else day
    by_patient = note.creator == PATIENT or note.label == "患者等記入"
    return present(
        {
            "resourceType": "Observation",
            "identifier": [subject.stamp.identifier("Observation", note.label, written, note.text)],
            "status": "final",
            "code": present({"coding": [PATIENT_NOTE] if by_patient else None, "text": note.label}),
            "subject": {"reference": subject.patient},
            "effectiveDateTime": written,
            "performer": [{"reference": subject.patient}] if by_patient else None,
            "valueString": note.text,
        }
    )
