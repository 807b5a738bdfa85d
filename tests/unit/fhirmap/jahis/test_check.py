import pytest

from fhirmap.jahis.check import Header, Record, check
from fhirmap.jahis.decode import Line
from fhirmap.jahis.records import RECORDS


def read(text: str, *, version: int = 8, from_provider: bool = True) -> tuple[Record | None, list[str]]:
    record, *fields = text.split(",")
    found, deviations = check(Line(7, record, tuple(fields)), Header(version, from_provider))
    return found, [each.text for each in deviations]


def test_a_line_as_specified_has_no_deviation() -> None:
    record, deviations = read("201,1,見本錠５ｍｇ,1,錠,2,620000001,1")
    assert deviations == []
    assert record is not None
    assert record.get("name") == "見本錠５ｍｇ"
    assert record.get("generic_name") is None


def test_an_unknown_record_is_reported_without_its_content() -> None:
    record, deviations = read("999,見本 花子,1")
    assert record is None
    assert deviations == ["unknown record with 2 fields, not imported"]


def test_a_record_word_that_could_be_a_name_is_not_repeated() -> None:
    _, deviations = check(Line(7, "見本花子", ()), Header(8, from_provider=True))
    assert deviations[0].record == "?"


def test_fields_missing_at_the_end_are_empty() -> None:
    record, deviations = read("1,見本 花子,2,S300401")
    assert record is not None
    assert record.get("kana") is None
    assert deviations == []


def test_fields_that_only_a_provider_must_fill_may_be_empty_from_a_patient() -> None:
    assert len(read("11,見本薬局,,,,,,,1")[1]) == 3
    assert read("11,見本薬局,,,,,,,1", from_provider=False)[1] == []


def test_a_field_is_named_by_its_position_and_its_name() -> None:
    assert read("5,,1")[1] == ["field 2 `調剤等年月日` is empty, expected a value"]


def test_codes_in_full_width_or_with_blanks_are_read_and_reported() -> None:
    record, deviations = read("201,1,見本錠,1,錠,２, 620000001,1")
    assert record is not None
    assert record.get("code_type") == "2"
    assert record.get("code") == "620000001"
    assert len(deviations) == 2


def test_a_comma_within_a_note_is_kept_in_the_note() -> None:
    record, deviations = read("501,朝,昼と夕,1")
    assert record is not None
    assert record.get("content") == "朝,昼と夕"
    assert record.get("creator") == "1"
    assert deviations == ["commas within the text, read as one field"]


def test_surplus_fields_of_other_records_are_reported() -> None:
    _, deviations = read("15,例示 薬子,,1,さらに")
    assert deviations == ["got 4 fields, expected 3; the further ones are not imported"]


def test_surplus_empty_fields_are_no_deviation() -> None:
    assert read("5,20260310,1,,,")[1] == []


def test_record_411_without_its_kind_is_read() -> None:
    record, deviations = read("411,粉砕して交付,1")
    assert record is not None
    assert record.get("content") == "粉砕して交付"
    assert record.get("creator") == "1"
    assert deviations == ["field 3 `提供情報種別` is empty, expected a value"]


def test_a_quoted_field_is_read_without_its_quotes_and_reported() -> None:
    record, deviations = read('501,"食後に服用",1')
    assert record is not None
    assert record.get("content") == "食後に服用"
    assert deviations == ["field 2 `内容` is quoted, expected no quotes"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,見本 花子,3,S300401", "field 3 `性別` is none of 1, 2"),
        ("1,見本 花子,2,いつか", "field 4 `生年月日` is not a date, expected YYYYMMDD or GYYMMDD"),
        ("15," + "あ" * 21 + ",,1", "field 2 `氏名` is longer than 40 bytes"),
        (
            "201,1,見本錠,適量,錠,1,,1",
            "field 4 `用量` is no number in digits, such as 28 or 0.5, without a sign",
        ),
        ("201,1,見本錠,1,錠,2,,1", "the code type announces a code, and there is none"),
        ("301,1,用法,7,日分,1,2,101,1", "field 8 `用法コード` has another length than 16"),
        ("301,1,,7,日分,1,1,,1", "field 3 `用法名称` is empty, expected a value unless the form is 9 or 10"),
    ],
)
def test_a_value_that_the_specification_does_not_allow_is_reported(text: str, expected: str) -> None:
    assert read(text)[1] == [expected]


def test_a_usage_may_be_unnamed_for_materials() -> None:
    assert read("301,1,,1,調剤,9,1,,1")[1] == []


def test_records_and_fields_newer_than_the_header_are_read_and_reported() -> None:
    record, deviations = read("421,残りなし,1", version=6)
    assert record is not None
    assert deviations == ["record exists since JAHISTC07, header says JAHISTC06"]
    assert read("3,見本総合感冒薬,,,2,1", version=7)[1] == ["field 6 `レコード通番` exists since JAHISTC08"]


def test_no_deviation_repeats_what_the_field_holds() -> None:
    _, deviations = read('1,"見本 花子",見本,花子,花子,花子,花子,花子,花子,花子,花子,花子,花子')
    assert deviations
    assert not any("花子" in text for text in deviations)


def test_every_record_of_the_specification_is_in_the_table() -> None:
    numbers = "1 2 3 31 4 5 11 15 51 55 201 281 291 301 311 391 401 411 421 501 601 701 911"
    assert list(RECORDS) == numbers.split()
