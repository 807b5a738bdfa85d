from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhirstore.elements import Code
from fhirstore.errors import UnknownType
from fhirstore.facts import VITAL_SIGNS, Facts, Holder, extract, medications
from fhirstore.keys import KeyMaker
from fhirstore.times import BEGINNING, END, Interval, interval_of
from tests.unit.fhirstore.examples import (
    ACT_CODE,
    CONFIDENTIALITY,
    LOINC,
    VITAL_SIGNS_PROFILE,
    YJ,
    allergy,
    blood_pressure,
    concept,
    medication_request,
    patient,
    valid_resources,
)

TOKYO = ZoneInfo("Asia/Tokyo")
BASE = "https://passport.example/fhir"


def facts(tree: dict[str, Any], **given: Any) -> Facts:
    return extract(tree, zone=TOKYO, **given)


def labels(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"security": [{"system": system, "code": code} for system, code in pairs]}


def test_blood_pressure_has_every_fact() -> None:
    found = facts(blood_pressure())
    assert found.reference == "Observation/bp-1"
    assert found.patients == ("Patient/hanako",)
    assert found.main_codes == (Code(LOINC, "85354-9"),)
    assert found.codes == (Code(LOINC, "85354-9"), Code(LOINC, "8480-6"), Code(LOINC, "8462-4"))
    assert found.categories == (VITAL_SIGNS,)
    assert found.implied_categories == ()
    assert found.time == interval_of("2024-06-01T07:02:11+09:00", TOKYO)
    assert (found.confidentiality, found.sensitivities) == ("N", ())
    assert found.authors == ("Patient/hanako", "Device/cuff")
    assert set(found.references) == {"Patient/hanako", "Device/cuff"}
    assert found.status == "final"
    assert found.parts == ()


@pytest.mark.parametrize("name", valid_resources())
def test_facts_of_every_type_are_read(name: str) -> None:
    found = facts(valid_resources()[name])
    assert found.type.name == name
    assert found.columns(KeyMaker(bytes(32))).type == found.type.number


# Patients


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/hanako",
        "Patient/hanako/_history/3",
        f"{BASE}/Patient/hanako",
        f"{BASE}/Patient/hanako/_history/3",
    ],
)
def test_patient_is_named_in_every_form_of_a_literal_reference(reference: str) -> None:
    found = facts(blood_pressure(subject={"reference": reference}), base_urls=[BASE])
    assert found.patients == ("Patient/hanako",)


@pytest.mark.parametrize(
    "subject",
    [
        None,
        {"identifier": {"system": "http://city.example/id", "value": "0001"}, "type": "Patient"},
        {"display": "見本 花子"},
        {"reference": "https://hospital.example/fhir/Patient/hanako"},
        {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        {"reference": "Group/g"},
        {"reference": "Patient?identifier=1"},
        {"reference": "#p"},
    ],
)
def test_what_is_no_literal_reference_to_a_patient_here_names_nobody(subject: dict[str, Any] | None) -> None:
    found = facts(blood_pressure(subject=subject, performer=None), base_urls=[BASE])
    assert found.patients == ()
    assert found.holder is Holder.NO_PATIENT


def test_patient_of_the_subject_comes_first_and_each_once() -> None:
    performers = [{"reference": "Patient/jiro"}, {"reference": "Patient/hanako"}]
    assert facts(blood_pressure(performer=performers)).patients == ("Patient/hanako", "Patient/jiro")


def test_members_of_a_group_are_its_patients() -> None:
    members = [{"entity": {"reference": f"Patient/{name}"}} for name in ("a", "b")]
    tree = {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": members}
    assert facts(tree).patients == ("Patient/a", "Patient/b")


def test_patient_names_itself_and_those_it_is_linked_with() -> None:
    for kind in ("seealso", "refer", "replaces", "replaced-by"):
        link = [{"other": {"reference": "Patient/old"}, "type": kind}]
        same_person = kind.startswith("replace")
        others = () if same_person else ("Patient/old",)
        assert facts(patient(link=link)).patients == ("Patient/hanako", *others)


def test_consent_does_not_name_the_patients_that_it_only_speaks_of() -> None:
    consent = valid_resources()["Consent"]
    consent["performer"] = [{"reference": "Patient/parent"}]
    consent["provision"] = {"actor": [{"reference": {"reference": "Patient/other"}}]}
    found = facts(consent)
    assert found.patients == ("Patient/hanako",)
    assert "Patient/other" in found.references
    assert found.authors == ("Patient/parent",)


def test_provenance_follows_its_targets() -> None:
    targets = [{"reference": "Observation/bp-1/_history/2"}, {"reference": "Patient/hanako"}]
    found = facts(valid_resources()["Provenance"] | {"target": targets})
    assert found.follows == ("Observation/bp-1", "Patient/hanako")
    assert found.patients == ("Patient/hanako",)


@pytest.mark.parametrize(
    "name, holder",
    [
        ("Organization", Holder.DIRECTORY),
        ("Medication", Holder.DIRECTORY),
        ("Group", Holder.NO_PATIENT),
        ("Provenance", Holder.NO_PATIENT),
        ("Patient", Holder.PATIENT),
        ("Device", Holder.PATIENT),
    ],
)
def test_holder_is_the_patient_the_directory_or_nobody(name: str, holder: Holder) -> None:
    assert facts(valid_resources()[name]).holder is holder


# Codes and categories


def test_medicine_is_coded_by_the_concept() -> None:
    assert facts(medication_request()).codes == (Code(YJ, "2149039F1031"),)


def test_medicine_is_coded_by_the_contained_medication() -> None:
    inner = {"resourceType": "Medication", "id": "m", "code": concept(YJ, "111")}
    tree = medication_request(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[inner]
    )
    assert facts(tree).codes == (Code(YJ, "111"),)
    assert medications(tree) == ()


def test_medicine_is_coded_by_the_medication_that_the_caller_read() -> None:
    tree = medication_request(
        medicationCodeableConcept=None, medicationReference={"reference": f"{BASE}/Medication/m/_history/1"}
    )
    assert medications(tree, [BASE]) == ("Medication/m",)
    given = {"Medication/m": [Code(YJ, "111")]}
    assert facts(tree, medication_codes=given, base_urls=[BASE]).codes == (Code(YJ, "111"),)
    assert facts(tree, base_urls=[BASE]).codes == ()


def test_medication_of_another_server_is_not_asked_for() -> None:
    reference = {"reference": "https://hospital.example/fhir/Medication/m"}
    tree = medication_request(medicationCodeableConcept=None, medicationReference=reference)
    assert medications(tree) == ()
    assert facts(tree).codes == ()


def test_plain_code_has_the_system_that_the_specification_fixes() -> None:
    assert facts(allergy()).categories == (
        Code("http://hl7.org/fhir/allergy-intolerance-category", "medication"),
    )


@pytest.mark.parametrize("profile", [VITAL_SIGNS_PROFILE, f"{VITAL_SIGNS_PROFILE}|4.0.1"])
def test_vitals_profile_implies_a_category_beside_the_stated_ones(profile: str) -> None:
    found = facts(blood_pressure(meta={"profile": [profile]}, category=None))
    assert (found.categories, found.implied_categories) == ((), (VITAL_SIGNS,))


def test_other_profiles_imply_nothing() -> None:
    assert facts(blood_pressure(meta={"profile": ["http://x.example/p"]})).implied_categories == ()


def test_type_whose_codes_consents_cannot_name_has_none() -> None:
    encounter = valid_resources()["Encounter"] | {"type": [concept("http://t.example", "x")]}
    assert facts(encounter).codes == ()


# Time


@pytest.mark.parametrize(
    "name, written",
    [
        ("MedicationRequest", "2024-06-01"),
        ("MedicationDispense", "2024-06-01T10:00:00+09:00"),
        ("Immunization", "2023-10"),
        ("Condition", "2020"),
        ("Consent", "2024-06-01"),
    ],
)
def test_time_is_the_clinical_time_of_the_type(name: str, written: str) -> None:
    assert facts(valid_resources()[name]).time == interval_of(written, TOKYO)


def test_when_something_was_recorded_is_not_its_time() -> None:
    assert facts(allergy()).time is None
    condition = valid_resources()["Condition"]
    del condition["onsetDateTime"]
    assert facts(condition | {"onsetAge": {"value": 50, "unit": "a"}}).time is None


def test_day_begins_in_the_zone_of_the_passport() -> None:
    tree = medication_request()
    there = extract(tree, zone=ZoneInfo("Europe/Berlin")).time
    assert there == interval_of("2024-06-01", ZoneInfo("Europe/Berlin"))
    assert there != facts(tree).time


# Labels


@pytest.mark.parametrize(
    "codes, level",
    [("N", "N"), ("NR", "R"), ("VU", "V"), ("X", None), ("NX", None), ("n", None), ("", None)],
)
def test_highest_confidentiality_counts_and_an_unknown_one_hides_all(codes: str, level: str | None) -> None:
    meta = labels(*((CONFIDENTIALITY, code) for code in codes))
    assert facts(blood_pressure(meta=meta)).confidentiality == level


def test_other_labels_are_sensitivities() -> None:
    found = facts(
        blood_pressure(meta=labels((CONFIDENTIALITY, "R"), (ACT_CODE, "HIV"), ("urn:oid:1.2", "N")))
    )
    assert found.sensitivities == (Code(ACT_CODE, "HIV"), Code("urn:oid:1.2", "N"))
    assert found.confidentiality == "R"


@pytest.mark.parametrize("code", ["", "UL"])
def test_code_that_is_no_single_letter_is_no_confidentiality(code: str) -> None:
    assert facts(blood_pressure(meta=labels((CONFIDENTIALITY, code)))).confidentiality is None


def test_status_in_another_system_is_not_the_status() -> None:
    other = {"coding": [{"system": "http://x.example", "code": "y"}, *allergy()["clinicalStatus"]["coding"]]}
    assert facts(allergy(clinicalStatus=other)).status == "active"
    assert facts(allergy(clinicalStatus={"coding": other["coding"][:1]})).status is None


# Parts


def test_contained_resource_takes_the_facts_that_it_lacks_from_its_container() -> None:
    inner = {"resourceType": "Observation", "id": "i", "status": "final", "code": concept(LOINC, "8867-4")}
    found = facts(blood_pressure(contained=[inner], hasMember=[{"reference": "#i"}]))
    assert len(found.parts) == 1
    part = found.parts[0]
    assert part.reference is None
    assert part.codes == (Code(LOINC, "8867-4"),)
    assert part.status == "final"
    for name in ("patients", "categories", "time", "confidentiality", "authors", "references"):
        assert getattr(part, name) == getattr(found, name), name


def test_contained_resource_keeps_its_own_facts() -> None:
    inner = blood_pressure(
        id="i",
        meta=labels((ACT_CODE, "PSY")),
        subject={"reference": "Patient/jiro"},
        performer=None,
        device=None,
        effectiveDateTime="2020",
    )
    found = facts(blood_pressure(contained=[inner]))
    part = found.parts[0]
    assert part.patients == ("Patient/jiro",)
    assert (part.confidentiality, part.sensitivities) == (None, (Code(ACT_CODE, "PSY"),))
    assert part.time == interval_of("2020", TOKYO)
    assert found.patients == ("Patient/hanako", "Patient/jiro")
    assert set(found.references) == {"Patient/hanako", "Device/cuff"}


def test_contained_patient_is_nobody() -> None:
    found = facts(blood_pressure(subject={"reference": "#p"}, performer=None, contained=[patient(id="p")]))
    assert found.patients == ()


def bundle(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "id": "b", "type": "collection", "entry": list(entries)}


def test_bundle_names_the_patients_of_its_entries() -> None:
    other = blood_pressure(id="2", subject={"reference": "Patient/jiro"}, performer=None)
    found = facts(bundle({"resource": blood_pressure()}, {"resource": other}))
    assert found.patients == ("Patient/hanako", "Patient/jiro")
    assert [part.reference for part in found.parts] == ["Observation/bp-1", "Observation/2"]


def test_entry_without_patient_is_of_the_patients_of_the_bundle() -> None:
    found = facts(bundle({"resource": blood_pressure()}, {"resource": valid_resources()["Organization"]}))
    assert found.parts[1].patients == ("Patient/hanako",)


def test_what_answered_an_entry_is_a_part_like_its_resource() -> None:
    inner = {"resourceType": "Observation", "subject": {"reference": "Patient/taro"}}
    entry = {"response": {"status": "200", "outcome": inner}}
    found = facts(bundle(entry))
    assert [part.type.name for part in found.parts] == ["Observation"]
    assert found.patients == ("Patient/taro",)


def test_patient_of_another_server_in_a_bundle_is_not_ours_of_the_same_id() -> None:
    url = "https://hospital.example/fhir"
    found = facts(
        bundle(
            {"fullUrl": f"{url}/Patient/hanako", "resource": patient()},
            {"fullUrl": f"{url}/Observation/bp-1", "resource": blood_pressure()},
        )
    )
    assert found.patients == ()
    assert found.parts[0].reference == f"{url}/Patient/hanako"


def test_entry_under_a_urn_has_no_identity_here() -> None:
    urn = "urn:uuid:00000000-0000-4000-8000-000000000000"
    found = facts(bundle({"fullUrl": urn, "resource": patient()}))
    assert found.patients == ()
    assert found.parts[0].reference is None


def test_medicine_in_a_bundle_is_coded_by_the_entry_that_it_refers_to() -> None:
    urn = "urn:uuid:00000000-0000-4000-8000-000000000000"
    request = medication_request(medicationCodeableConcept=None, medicationReference={"reference": urn})
    medicine = {"resourceType": "Medication", "code": concept(YJ, "111")}
    tree = bundle({"resource": request}, {"fullUrl": urn, "resource": medicine})
    assert facts(tree).parts[0].codes == (Code(YJ, "111"),)
    assert medications(tree) == ()


def test_parts_of_parts_follow_their_container() -> None:
    inner = {"resourceType": "Medication", "id": "m", "code": concept(YJ, "111")}
    request = medication_request(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[inner]
    )
    found = facts(bundle({"resource": bundle({"resource": request})}, {"resource": allergy()}))
    assert [part.type.name for part in found.parts] == [
        "Bundle",
        "MedicationRequest",
        "Medication",
        "AllergyIntolerance",
    ]
    assert all(part.parts == () for part in found.parts)
    assert found.parts[2].time == found.parts[1].time


@pytest.mark.parametrize("inner", [{"resourceType": "Passport"}, {"id": "x"}])
def test_part_of_a_type_that_does_not_exist_is_refused(inner: dict[str, Any]) -> None:
    with pytest.raises(UnknownType):
        facts(blood_pressure(contained=[inner]))


def test_record_of_a_type_that_the_store_does_not_hold_is_refused() -> None:
    for read in (facts, medications):
        with pytest.raises(UnknownType):
            read({"resourceType": "ImagingStudy", "subject": {"reference": "Patient/hanako"}})


def test_of_a_part_of_a_foreign_type_nothing_is_known_but_type_labels_and_whom_it_refers_to() -> None:
    study = {
        "resourceType": "ImagingStudy",
        "id": "i",
        "status": "available",
        "subject": {"reference": "Patient/jiro"},
        "started": "2020",
        "procedureCode": [concept(LOINC, "24627-2")],
        "interpreter": [{"reference": "Practitioner/x"}],
    }
    found = facts(blood_pressure(contained=[study]))
    (part,) = found.parts
    assert (part.type.name, part.type.number) == ("ImagingStudy", 1038)
    assert part.patients == ("Patient/jiro",)
    assert found.patients == ("Patient/hanako", "Patient/jiro")
    assert part.references == ("Patient/jiro", "Practitioner/x")
    assert part.confidentiality == found.confidentiality
    for name in ("codes", "main_codes", "categories", "implied_categories", "time", "authors"):
        assert not getattr(part, name), name


def test_what_a_foreign_part_contains_has_no_fact_of_the_whole() -> None:
    inner = {"resourceType": "Observation", "id": "o", "status": "final", "code": concept(LOINC, "8867-4")}
    study = {"resourceType": "ImagingStudy", "id": "i", "status": "available", "contained": [inner]}
    part = facts(blood_pressure(contained=[study])).parts[1]
    assert part.codes == (Code(LOINC, "8867-4"),)
    assert part.time is None
    assert part.patients == ("Patient/hanako",)


# Columns


def test_columns_hold_the_keys_of_the_facts() -> None:
    keys = KeyMaker(bytes(32))
    meta = {"profile": [VITAL_SIGNS_PROFILE], **labels((CONFIDENTIALITY, "R"), (ACT_CODE, "HIV"))}
    columns = facts(blood_pressure(meta=meta)).columns(keys)
    assert columns.status == keys.token("final")
    assert columns.confidentiality == 4
    assert columns.labels == (keys.label(ACT_CODE, "HIV"),)
    assert columns.codes == tuple(keys.code(LOINC, code) for code in ("85354-9", "8480-6", "8462-4"))
    assert columns.code_systems == (keys.system(LOINC),)
    assert columns.categories == (
        keys.category(*VITAL_SIGNS),
        keys.bare_category("vital-signs"),
        keys.implied_category(*VITAL_SIGNS),
    )
    taken = interval_of("2024-06-01T07:02:11+09:00", TOKYO)
    assert taken == Interval(columns.starts or BEGINNING, columns.ends or END)
    assert set(columns.refs) == {keys.reference("Patient/hanako"), keys.reference("Device/cuff")}
    assert columns.patients == (keys.reference("Patient/hanako"),)


def test_columns_of_a_bare_record_are_empty() -> None:
    columns = facts({"resourceType": "Organization", "name": "x"}).columns(KeyMaker(bytes(32)))
    assert (columns.status, columns.confidentiality, columns.starts, columns.ends) == (None, None, None, None)
    assert not any((columns.codes, columns.categories, columns.labels, columns.authors, columns.refs))
