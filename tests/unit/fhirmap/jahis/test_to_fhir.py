from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fhirmap.errors import DifferentPersons, UnreadableSource
from fhirmap.jahis.model import Person
from fhirmap.jahis.to_fhir import Imported, import_jahis

Import = Callable[..., Imported]
OfType = Callable[[Imported, str], list[dict[str, Any]]]

YJ = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
MERIT9 = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code"
UCUM = "http://unitsofmeasure.org"
TABLET = {"unit": "錠", "system": MERIT9, "code": "TAB"}
INSTITUTION = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"


def texts(resource: dict[str, Any]) -> list[str]:
    return [note["text"] for note in resource.get("note", [])]


def told(result: Imported) -> list[tuple[int, str, str]]:
    return [(each.line, each.record, each.text) for each in result.deviations]


def test_the_person_is_told_apart_from_the_records(imported: Import, notebook: str) -> None:
    result = imported(notebook)
    assert result.person == Person("見本 花子", "ミホン ハナコ", date(1955, 4, 1), "female")
    assert (result.version, result.origin) == (8, "provider")
    assert result.deviations == ()
    assert {each["subject"]["reference"] for each in result.resources} == {"Patient/hanako"}


def test_a_medicine_becomes_a_dispense(imported: Import, notebook: str, of_type: OfType) -> None:
    (dispense,) = of_type(imported(notebook), "MedicationDispense")
    assert dispense["meta"]["profile"] == [
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationDispense"
    ]
    assert dispense["status"] == "completed"
    assert dispense["whenHandedOver"] == "2026-03-10"
    assert dispense["quantity"] == {"value": Decimal(28), **TABLET}
    assert dispense["daysSupply"] == {"value": Decimal(28), "unit": "日", "system": UCUM, "code": "d"}
    pharmacy, pharmacist = (each["actor"] for each in dispense["performer"])
    assert pharmacy["identifier"] == {"system": INSTITUTION, "value": "0740000001"}
    assert pharmacy["display"] == "見本薬局 駅前店"
    assert pharmacist == {"type": "Practitioner", "display": "例示 薬子"}


def test_the_medicine_carries_its_own_and_its_generic_code(
    imported: Import, notebook: str, of_type: OfType
) -> None:
    (dispense,) = of_type(imported(notebook), "MedicationDispense")
    own, generic = dispense["medicationCodeableConcept"]["coding"]
    assert own == {"system": YJ, "code": "2149999F1011", "display": "見本錠５ｍｇ"}
    assert generic["code"] == "2149999F1ZZZ"
    assert generic["system"].endswith("MedicationGeneralOrderCode")
    assert generic["display"] == "【般】見本錠５ｍｇ"


@pytest.mark.parametrize(
    ("code_type", "code", "system"),
    [
        ("2", "620000001", "urn:oid:1.2.392.100495.20.2.71"),
        ("3", "2149999F1011", "urn:oid:1.2.392.100495.20.2.72"),
        ("4", "2149999F1011", YJ),
        ("6", "1234567", "http://medis.or.jp/CodeSystem/master-HOT7"),
        ("6", "123456789", "http://medis.or.jp/CodeSystem/master-HOT9"),
        ("6", "1234567890123", "http://medis.or.jp/CodeSystem/master-HOT13"),
    ],
)
def test_the_code_type_names_the_code_system(
    imported: Import, head: str, of_type: OfType, code_type: str, code: str, system: str
) -> None:
    lines = f"201,1,見本錠,1,錠,{code_type},{code},1\n301,1,食後,7,日分,1,1,,1\n"
    result = imported(head + lines)
    (dispense,) = of_type(result, "MedicationDispense")
    assert dispense["medicationCodeableConcept"]["coding"][0]["system"] == system
    assert result.deviations == ()


def test_a_code_of_no_known_system_is_kept_and_reported(imported: Import, head: str, of_type: OfType) -> None:
    result = imported(head + "201,1,見本錠,1,錠,6,12345678,1\n301,1,食後,7,日分,1,1,,1\n")
    (dispense,) = of_type(result, "MedicationDispense")
    assert dispense["medicationCodeableConcept"]["coding"] == [{"code": "12345678", "display": "見本錠"}]
    assert [(line, record) for line, record, _ in told(result)] == [(8, "201")]


def test_the_prescriber_stands_in_a_request_that_the_dispense_names(
    imported: Import, notebook: str, of_type: OfType
) -> None:
    result = imported(notebook)
    (request,) = of_type(result, "MedicationRequest")
    (dispense,) = of_type(result, "MedicationDispense")
    assert result.resources.index(request) < result.resources.index(dispense)
    assert request["requester"] == {"type": "PractitionerRole", "display": "架空 次郎（架空クリニック 内科）"}
    assert request["extension"][0]["valueIdentifier"] == {"system": INSTITUTION, "value": "0710000002"}
    assert request["authoredOn"] == "2026-03-10"
    assert request["dispenseRequest"]["quantity"] == {"value": Decimal(28), **TABLET}
    assert dispense["authorizingPrescription"][0]["reference"].startswith("urn:uuid:")


def test_without_a_doctor_the_institution_is_the_requester(
    imported: Import, notebook: str, of_type: OfType
) -> None:
    (request,) = of_type(imported(notebook.replace("55,架空 次郎,内科,1\n", "")), "MedicationRequest")
    assert request["requester"] == {
        "type": "Organization",
        "identifier": {"system": INSTITUTION, "value": "0710000002"},
        "display": "架空クリニック",
    }


def test_each_doctor_owns_the_rps_that_follow(imported: Import, notebook: str, of_type: OfType) -> None:
    second = "55,例外 三子,皮膚科,1\n201,2,見本軟膏,10,g,1,,1\n301,2,塗布,1,調剤,5,1,,1\n"
    first, other = of_type(imported(notebook + second), "MedicationRequest")
    assert first["requester"]["display"].startswith("架空 次郎")
    assert other["requester"]["display"].startswith("例外 三子")


def test_a_hospital_that_dispenses_itself_needs_no_request(imported: Import, of_type: OfType) -> None:
    result = imported(
        "JAHISTC07,1\n1,見本 花子,2,19550401\n5,R080310,1\n11,架空病院,07,1,0000002,,,,1\n"
        "201,1,見本錠,3,錠,1,,1\n301,1,毎食後,5,日分,1,1,,1\n"
    )
    assert of_type(result, "MedicationRequest") == []
    assert of_type(result, "MedicationDispense")[0]["quantity"]["value"] == Decimal(15)


def test_an_institution_without_prefecture_keeps_its_seven_digits(
    imported: Import, notebook: str, of_type: OfType
) -> None:
    text = notebook.replace("JAHISTC08,1", "JAHISTC08,2").replace("駅前店,07,4,", "駅前店,,,")
    (dispense,) = of_type(imported(text), "MedicationDispense")
    assert dispense["performer"][0]["actor"]["identifier"] == {
        "system": "urn:oid:1.2.392.100495.20.3.23",
        "value": "0000001",
    }


def test_the_usage_becomes_the_dosage(imported: Import, notebook: str, of_type: OfType) -> None:
    (dispense,) = of_type(imported(notebook + "311,1,一包化,1\n"), "MedicationDispense")
    (dosage,) = dispense["dosageInstruction"]
    assert dosage["text"] == "【分１ 朝食後服用】"
    assert dosage["timing"]["code"]["coding"][0]["code"] == "1011000400000000"
    assert dosage["timing"]["code"]["coding"][0]["system"] == "http://jami.jp/CodeSystem/MedicationUsage"
    assert dosage["timing"]["repeat"]["boundsDuration"]["value"] == Decimal(28)
    assert dosage["additionalInstruction"] == [{"text": "一包化"}]
    assert dosage["doseAndRate"][0]["rateRatio"]["numerator"] == {"value": Decimal(1), **TABLET}
    assert dosage["route"]["coding"][0]["code"] == "PO"
    assert dosage["method"]["coding"][0]["code"] == "1"


def test_as_needed_says_so_and_gives_the_single_dose(imported: Import, head: str, of_type: OfType) -> None:
    result = imported(head + "201,1,見本頓用錠,2,錠,1,,1\n301,1,疼痛時,10,回分,3,1,,1\n")
    (dispense,) = of_type(result, "MedicationDispense")
    (dosage,) = dispense["dosageInstruction"]
    assert dosage["asNeededBoolean"] is True
    assert dosage["doseAndRate"] == [{"doseQuantity": {"value": Decimal(2), **TABLET}}]
    assert dispense["quantity"]["value"] == Decimal(20)
    assert dispense["daysSupply"]["unit"] == "回分"


def test_an_unnamed_usage_is_told_by_form_and_amount(imported: Import, head: str, of_type: OfType) -> None:
    result = imported(head + "201,1,見本注射針,14,本,1,,1\n301,1,,1,調剤,9,1,,1\n")
    (dispense,) = of_type(result, "MedicationDispense")
    assert dispense["dosageInstruction"][0]["text"] == "材料 1調剤"
    assert dispense["quantity"] == {"value": Decimal(14), "unit": "本", "system": MERIT9, "code": "HON"}


def test_an_amount_in_words_is_kept_in_words(imported: Import, head: str, of_type: OfType) -> None:
    result = imported(head + "201,1,見本軟膏,適量,,1,,1\n301,1,塗布,1,調剤,5,1,,1\n")
    (dispense,) = of_type(result, "MedicationDispense")
    assert "quantity" not in dispense
    assert "meta" not in dispense
    assert dispense["dosageInstruction"][0]["additionalInstruction"] == [{"text": "用量：適量"}]


def test_a_unit_without_code_is_kept_as_written(imported: Import, head: str, of_type: OfType) -> None:
    result = imported(head + "201,1,見本液,1.50,目盛,1,,1\n301,1,食後,7,日分,1,1,,1\n")
    (dispense,) = of_type(result, "MedicationDispense")
    assert dispense["quantity"] == {"value": Decimal("10.50"), "unit": "目盛"}


def test_notes_stand_where_they_belong(imported: Import, notebook: str, of_type: OfType) -> None:
    text = notebook.replace("301,", "281,1,半錠に分割,1\n291,1,眠気に注意,1\n301,") + (
        "391,1,運転は控える,1\n"
        "201,2,見本散,2,g,1,,1\n301,2,毎食後,3,日分,1,1,,1\n"
        "401,併用は相談,1\n411,粉砕して交付,31,1\n421,残薬あり,1\n501,薬袋を参照,1\n601,昼に眠い,R080311\n"
    )
    result = imported(text)
    tablet, powder = of_type(result, "MedicationDispense")
    visit = ["服用注意：併用は相談", "医療機関等提供情報：粉砕して交付", "残薬確認：残薬あり"]
    visit += ["備考：薬袋を参照", "患者等記入：昼に眠い"]
    assert texts(tablet) == ["薬品服用注意：眠気に注意", "処方服用注意：運転は控える", *visit]
    assert texts(powder) == visit
    assert tablet["dosageInstruction"][0]["additionalInstruction"] == [{"text": "半錠に分割"}]
    assert tablet["note"][0]["authorString"] == "医療関係者"
    assert tablet["note"][-1]["time"] == "2026-03-11"
    assert result.deviations == ()


def test_what_the_patient_wrote_is_a_statement(imported: Import, head: str, of_type: OfType) -> None:
    result = imported(head + "201,1,見本錠,1,錠,1,,2\n301,1,朝食後,7,日分,1,1,,2\n")
    (statement,) = of_type(result, "MedicationStatement")
    assert statement["informationSource"] == {"reference": "Patient/hanako"}
    assert statement["effectiveDateTime"] == "2026-03-10"
    assert len(result.resources) == 1


def test_a_record_without_creator_is_the_providers_only_in_the_providers_file(
    imported: Import, head: str, of_type: OfType
) -> None:
    lines = "201,1,見本錠,1,錠,1,,\n301,1,朝食後,7,日分,1,1,,\n"
    assert of_type(imported(head + lines), "MedicationDispense")
    assert of_type(imported(head.replace("TC08,1", "TC08,2") + lines), "MedicationStatement")


def test_over_the_counter_medicines_are_statements_with_their_ingredients(
    imported: Import, of_type: OfType
) -> None:
    result = imported(
        "JAHISTC08,2\n1,見本 花子,2,19550401\n"
        "3,見本鎮痛薬,20260301,20260303,2,1,4900000000000\n"
        "31,1,見本成分,2,1149999,2\n"
        "3,見本胃薬,R080302,,2,2\n31,2,例示成分,1,,2\n"
    )
    pain, stomach = of_type(result, "MedicationStatement")
    assert pain["medicationCodeableConcept"]["coding"][0]["code"] == "4900000000000"
    assert pain["effectivePeriod"] == {"start": "2026-03-01", "end": "2026-03-03"}
    assert texts(pain) == ["成分：見本成分（1149999）"]
    assert stomach["effectivePeriod"] == {"start": "2026-03-02"}
    assert texts(stomach) == ["成分：例示成分"]


def test_remarks_become_allergies_a_condition_and_a_note(imported: Import, of_type: OfType) -> None:
    result = imported(
        "JAHISTC08,2\n1,見本 花子,2,19550401\n"
        "2,1,そば,2\n2,2,見本錠で発疹,1\n2,3,高血圧,1\n2,9,粉薬が苦手,2\n"
    )
    food, drug = of_type(result, "AllergyIntolerance")
    assert (food["type"], food["code"]["text"]) == ("allergy", "そば")
    assert food["verificationStatus"]["coding"][0]["code"] == "unconfirmed"
    assert (drug["type"], drug["category"]) == ("intolerance", ["medication"])
    assert "verificationStatus" not in drug
    (condition,) = of_type(result, "Condition")
    assert condition["code"] == {"text": "高血圧"}
    (note,) = of_type(result, "Observation")
    assert note["valueString"] == "粉薬が苦手"


def test_no_known_allergy_is_not_an_allergy_to_nothing(imported: Import, of_type: OfType) -> None:
    result = imported("JAHISTC08,2\n1,見本 花子,2,19550401\n2,1,特になし,2\n2,2,なし,2\n2,3,無,2\n")
    (none,) = result.resources
    assert none["code"]["coding"][0]["code"] == "716186003"


def test_memos_and_notes_without_medicine_are_observations(imported: Import, of_type: OfType) -> None:
    result = imported(
        "JAHISTC08,2\n1,見本 花子,2,19550401\n4,健康診断,R080311,2\n"
        "5,R080310,1\n11,見本薬局,,,,,,,1\n601,めまいあり,\n"
    )
    memo, entry = of_type(result, "Observation")
    assert (memo["valueString"], memo["effectiveDateTime"]) == ("健康診断", "2026-03-11")
    assert (entry["valueString"], entry["effectiveDateTime"]) == ("めまいあり", "2026-03-10")
    assert memo["performer"] == [{"reference": "Patient/hanako"}]


def test_the_same_file_from_the_same_source_gives_the_same_identifiers(
    imported: Import, notebook: str
) -> None:
    first, again = imported(notebook), imported(notebook)
    assert first.resources == again.resources


def test_identifiers_differ_between_sources_and_between_patients(imported: Import, notebook: str) -> None:
    results = (
        imported(notebook),
        imported(notebook, source="Organization/other"),
        imported(notebook, patient="Patient/other"),
    )
    values = {each["identifier"][0]["value"] for result in results for each in result.resources}
    assert len(values) == sum(len(result.resources) for result in results)


def test_a_remark_added_later_does_not_make_the_medicine_another(imported: Import, notebook: str) -> None:
    before, after = imported(notebook), imported(notebook + "501,薬袋を参照,1\n")
    assert [each["identifier"] for each in before.resources] == [
        each["identifier"] for each in after.resources
    ]


def test_the_same_medicine_twice_in_an_rp_is_two_records(imported: Import, head: str) -> None:
    drug = "201,1,見本錠,1,錠,1,,1\n"
    result = imported(f"{head}{drug}{drug}301,1,食後,7,日分,1,1,,1\n")
    values = [each["identifier"][0]["value"] for each in result.resources]
    assert len(values) == len(set(values)) == 4


def test_a_newer_version_is_read_and_reported(imported: Import, notebook: str) -> None:
    result = imported(notebook.replace("JAHISTC08", "JAHISTC11"))
    assert result.version == 8
    assert told(result) == [(1, "JAHISTC11", "got version 11, expected 01 to 08; read as the newest")]
    assert len(result.resources) == 2


@pytest.mark.parametrize("version", range(1, 9))
def test_every_version_is_read(imported: Import, head: str, version: int) -> None:
    text = head.replace("JAHISTC08", f"JAHISTC{version:02}")
    result = imported(text + "201,1,見本錠,1,錠,1,,1\n301,1,食後,7,日分,1,1,,1\n")
    assert (result.version, result.deviations) == (version, ())


def test_records_in_a_wrong_order_are_read_and_reported(imported: Import, of_type: OfType) -> None:
    result = imported(
        "JAHISTC08,1\n1,見本 花子,2,19550401\n281,1,半錠,1\n201,1,見本錠,1,錠,1,,1\n"
        "301,1,食後,7,日分,1,1,,1\n"
        "301,1,食前にも,7,日分,1,1,,1\n301,9,眠前,7,日分,1,1,,1\n201,8,見本散,1,g,1,,1\n31,1,成分,1,,1\n"
    )
    tablet, powder = of_type(result, "MedicationDispense")
    extra = [each["text"] for each in tablet["dosageInstruction"][0]["additionalInstruction"]]
    assert extra == ["半錠", "食前にも"]
    assert "whenHandedOver" not in tablet
    assert "dosageInstruction" not in powder
    assert [(line, record) for line, record, _ in told(result)] == [
        (3, "281"),
        (3, "281"),
        (6, "301"),
        (7, "301"),
        (8, "201"),
        (9, "31"),
    ]


def test_parts_of_a_split_notebook_are_read_in_their_order(
    imported: Import, head: str, of_type: OfType
) -> None:
    second = "JAHISTC08,1\n301,1,食後,7,日分,1,1,,1\n911,20260310000001,2,2\n"
    first = head + "201,1,見本錠,1,錠,1,,1\n911,20260310000001,2,1\n"
    result = imported(second + first)
    (dispense,) = of_type(result, "MedicationDispense")
    assert dispense["quantity"]["value"] == Decimal(7)
    assert result.deviations == ()


def test_a_missing_part_is_reported(imported: Import, notebook: str) -> None:
    result = imported(notebook + "911,20260310000001,3,1\n")
    assert told(result) == [(10, "911", "part 1 of 3; others are not in this file")]


def test_two_persons_in_one_file_are_refused(notebook: str) -> None:
    data = (notebook + "1,別人 太郎,1,S400505\n").encode("cp932")
    with pytest.raises(DifferentPersons, match="line 10"):
        import_jahis(data, patient="Patient/hanako", source="Organization/pharmacy")


def test_the_same_person_again_is_no_second_person(imported: Import, notebook: str) -> None:
    assert imported(notebook + "1,見本　花子,2,19550401\n").person == imported(notebook).person


def test_a_file_that_names_nobody_has_no_person_and_says_so(imported: Import, notebook: str) -> None:
    result = imported("".join(line for line in notebook.splitlines(True) if not line.startswith("1,")))
    assert result.person is None
    assert told(result) == [(0, "1", "the file does not say whom it is about")]


def test_a_file_without_header_is_refused(notebook: str) -> None:
    with pytest.raises(UnreadableSource):
        import_jahis(notebook[12:].encode(), patient="Patient/hanako", source="Organization/pharmacy")


def test_endless_deviations_are_cut_short(imported: Import, notebook: str) -> None:
    result = imported(notebook + "999,1\n" * 1500)
    assert len(result.deviations) == 1001
    assert "500 further deviations" in result.deviations[0].text
