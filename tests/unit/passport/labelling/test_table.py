"""The table of value sets: well-formed, and what it says of codes that records really carry."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Final

import pytest

from consent.systems import (
    ATC,
    DOCUMENT_TYPE,
    GENERIC_NAME,
    ICD10,
    LOINC,
    MDC,
    MEDIS_DISEASE,
    PRICE_LIST,
    SNOMED,
    YJ,
)
from fhirstore.elements import Code
from passport.labelling import TABLE, TABLE_VERSION
from passport.labelling.model import (
    ATC_CLASSES,
    ICD_10,
    LOINC_CODES,
    PRICED,
    SNOMED_CONCEPTS,
    Row,
    ValueSet,
)
from passport.labelling.step import SENSITIVE
from passport.labelling.table import sensitivities_of, version_of

ICD: Final = "http://hl7.org/fhir/sid/icd-10"
JP_ICD: Final = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
YJ_CODE: Final = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"

ROWS: Final = [(each.code, row) for each in TABLE for row in each.rows]

SHAPES: Final = {
    ICD_10: r"[A-Z]([0-9]([0-9](\.[0-9])?)?)?",
    ATC_CLASSES: r"[A-Z][0-9]{2}[A-Z]?([A-Z]([0-9]{1,2})?)?",
    PRICED: r"[0-9]{3,7}([A-Z][0-9]{4})?",
    LOINC_CODES: r"[0-9]{1,6}-[0-9]",
    SNOMED_CONCEPTS: r"[1-9][0-9]{5,17}",
}


def labels(*codes: tuple[str, str]) -> tuple[str, ...]:
    return sensitivities_of(Code(*code) for code in codes)


# The table


def test_each_set_has_a_label_of_its_own_that_is_a_sensitivity() -> None:
    codes = [each.code for each in TABLE]
    assert codes == ["HIV", "PSY", "ETH", "SEX", "GDIS"]
    assert set(codes) <= SENSITIVE


def test_every_row_says_why_and_comes_from_somewhere() -> None:
    assert [row for _, row in ROWS if not row.why.strip()] == []
    assert all(row.classification.source.startswith("https://") for _, row in ROWS)


def test_every_beginning_is_one_of_its_classification() -> None:
    wrong = [row.begins for _, row in ROWS if not re.fullmatch(SHAPES[row.classification], row.begins)]
    assert wrong == []


@pytest.mark.parametrize("each", TABLE, ids=lambda each: each.code)
def test_no_row_of_a_set_says_what_another_one_says_already(each: ValueSet) -> None:
    for classification in each.reasons:
        begins = sorted(row.compared for row in each.rows if row.classification == classification)
        assert len(begins) == len(set(begins))
        if not classification.exact:
            # Sorted, what begins like another one follows it.
            assert [pair for pair in pairwise(begins) if pair[1].startswith(pair[0])] == []


def test_no_code_system_is_of_two_classifications() -> None:
    of_system = {
        (system, row.classification.name) for _, row in ROWS for system in row.classification.systems
    }
    assert len(of_system) == len({system for system, _ in of_system})


def luhn(digits: str) -> int:
    doubled = [int(digit) * (2 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits))]
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10


def test_check_digits_of_loinc_are_right() -> None:
    """https://loinc.org/kb/loinc-naming-conventions/ (mod 10)"""
    codes = [row.begins.split("-") for _, row in ROWS if row.classification is LOINC_CODES]
    assert codes
    assert [code for code in codes if luhn(code[0]) != int(code[1])] == []


def dihedral(one: int, other: int) -> int:
    turned = (one + other if one < 5 else one - other) % 5
    return turned if (one < 5) == (other < 5) else turned + 5


def verhoeff(digits: str) -> int:
    places: list[list[int]] = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    while len(places) < 8:
        places.append([places[1][value] for value in places[-1]])
    check = 0
    for at, digit in enumerate(reversed(digits)):
        check = dihedral(check, places[at % 8][int(digit)])
    return check


def test_check_digits_of_snomed_are_right() -> None:
    """https://confluence.ihtsdotools.org/display/DOCRELFMT/6.4.1+SCTID+Check-digit (Verhoeff)"""
    codes = [row.begins for _, row in ROWS if row.classification is SNOMED_CONCEPTS]
    assert codes
    assert [code for code in codes if verhoeff(code) != 0] == []


def test_the_version_is_that_of_what_the_table_says() -> None:
    assert re.fullmatch("[0-9a-f]{16}", TABLE_VERSION)
    assert version_of(reversed(TABLE)) == TABLE_VERSION
    first, *rest = TABLE
    reworded = replace(
        first, title="another title", reasons={ICD_10: dict.fromkeys(first.reasons[ICD_10], "so")}
    )
    fewer = replace(first, reasons={ICD_10: first.reasons[ICD_10]})
    assert version_of([reworded, *rest]) == version_of([fewer, *rest]) != TABLE_VERSION


# What it says, by example


@pytest.mark.parametrize("system", sorted(ICD10))
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("B20", ("HIV",)),
        ("B20.6", ("HIV",)),
        ("B24", ("HIV",)),
        ("Z21", ("HIV",)),
        ("F20", ("PSY",)),
        ("F20.0", ("PSY",)),
        ("F32.9", ("PSY",)),
        ("F02.4", ("HIV", "PSY")),
        ("F10.2", ("ETH",)),
        ("K70.3", ("ETH",)),
        ("O80", ("SEX",)),
        ("O98.7", ("HIV", "SEX")),
        ("A53.9", ("SEX",)),
        ("F64.0", ("PSY", "SEX")),
        ("Z36.0", ("SEX", "GDIS")),
        ("G10", ("GDIS",)),
        ("Q90.9", ("GDIS",)),
        ("X65", ("PSY", "ETH")),
    ],
)
def test_diagnoses(system: str, code: str, expected: tuple[str, ...]) -> None:
    assert labels((system, code)) == expected
    assert labels((system, code.replace(".", ""))) == expected
    assert labels((system, code.lower())) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("J05AR20", ("HIV",)),
        ("J05AJ03", ("HIV",)),
        ("J05AE08", ("HIV",)),
        ("N05AH03", ("PSY",)),
        ("N06AX11", ("PSY",)),
        ("N07BB01", ("ETH",)),
        ("G03AA07", ("SEX",)),
        ("A16AB03", ("GDIS",)),
    ],
)
def test_medicines_by_atc(code: str, expected: tuple[str, ...]) -> None:
    assert labels((ATC, code)) == expected


@pytest.mark.parametrize("system", sorted(YJ | PRICE_LIST))
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("6250117F1020", ("HIV",)),  # ビクテグラビル・エムトリシタビン・テノホビル アラフェナミド
        ("6250006F1031", ("HIV",)),  # ラミブジン, of HIV
        ("6250024F1021", ("HIV",)),  # テノホビル ジソプロキシル, of HIV
        ("1179408E1020", ("PSY",)),  # オランザピン
        ("1124401A1052", ("PSY",)),  # ミダゾラム
        ("1190012F1042", ("PSY",)),  # ドネペジル
        ("1190022H1020", ("ETH",)),  # アカンプロサート
        ("1190021F1025", ("GDIS",)),  # テトラベナジン
    ],
)
def test_medicines_by_their_japanese_codes(system: str, code: str, expected: tuple[str, ...]) -> None:
    assert labels((system, code)) == expected


def test_medicines_by_their_generic_names() -> None:
    for system in GENERIC_NAME:
        assert labels((system, "6250117F1ZZZ")) == ("HIV",)
        assert labels((system, "1179025F1ZZZ")) == ("PSY",)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("56888-1", ("HIV",)),
        ("20447-9", ("HIV",)),
        ("44261-6", ("PSY",)),
        ("75626-2", ("ETH",)),
        ("82810-3", ("SEX",)),
        ("51969-4", ("GDIS",)),
    ],
)
def test_tests(code: str, expected: tuple[str, ...]) -> None:
    assert labels((LOINC, code)) == expected


def test_concepts() -> None:
    assert labels((SNOMED, "86406008")) == ("HIV",)
    assert labels((SNOMED, "58214004")) == ("PSY",)


@pytest.mark.parametrize(
    "code",
    [
        (ICD, "I10"),
        (ICD, "F17.2"),  # tobacco
        (ICD, "B2"),  # a whole block of which HIV is a part
        (ICD, ""),
        (ATC, "C09CA06"),
        (ATC, "J05AE30"),  # nirmatrelvir and ritonavir
        (ATC, "J05AF10"),  # entecavir
        (ATC, "N07BA03"),  # varenicline
        (ATC, "N02BE01"),
        (YJ_CODE, "2149040F1093"),  # カンデサルタン
        (YJ_CODE, "6250120X1027"),  # ニルマトレルビル・リトナビル
        (YJ_CODE, "6250020F1023"),  # ラミブジン, of hepatitis B
        (YJ_CODE, "6250024F1030"),  # テノホビル ジソプロキシル, of hepatitis B
        (YJ_CODE, "6250021M1027"),  # オセルタミビル
        (YJ_CODE, "1190017F1010"),  # プレガバリン
        (YJ_CODE, "7990003F1028"),  # バレニクリン
        (LOINC, "85354-9"),
        (LOINC, "20447-91"),  # begins like one
        (SNOMED, "864060081"),
        (MDC, "B20"),
        ("", "B20"),
        ("urn:oid:1.2.3", "B20"),
    ],
)
def test_what_is_not_in_the_table(code: tuple[str, str]) -> None:
    assert labels(code) == ()


def test_systems_without_a_hierarchy_are_not_looked_into() -> None:
    for system in (*MEDIS_DISEASE, *DOCUMENT_TYPE):
        assert labels((system, "B20")) == ()


def test_several_codes_add_up_in_the_order_of_the_table() -> None:
    assert labels((JP_ICD, "G10"), (LOINC, "85354-9"), (YJ_CODE, "6250117F1020")) == ("HIV", "GDIS")


def test_the_index_says_what_the_rows_say() -> None:
    """Every row of the table against every other one, one by one."""
    for _, row in ROWS:
        system = min(row.classification.systems)
        for code in (row.begins, f"{row.begins}9", row.begins[:-1]):
            expected = {name for name, other in ROWS if covers(other, row, code)}
            assert set(labels((system, code))) == expected, code


def covers(other: Row, row: Row, code: str) -> bool:
    written = row.classification.written(code)
    same = written == other.compared or (
        not other.classification.exact and written.startswith(other.compared)
    )
    return other.classification == row.classification and same
