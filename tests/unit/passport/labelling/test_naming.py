"""One code system under whatever name, and one code however it is written.

http://hl7.org/fhir/R4/terminologies-systems.html
"""

import pytest

from consent.systems import SNOMED
from fhirstore.elements import Code
from passport.labelling.model import system_named, visible
from passport.labelling.table import classified, sensitivities_of

ICD_10 = "http://hl7.org/fhir/sid/icd-10"


@pytest.mark.parametrize(
    "system",
    [
        ICD_10,
        f"{ICD_10}/",
        f"{ICD_10}|2019",
        f"{ICD_10}/|2019",
        f" {ICD_10} ",
        f"\u200b{ICD_10}",
        "HTTP://hl7.org/fhir/sid/ICD-10",
        "https://hl7.org/fhir/sid/icd-10",
        "http://hl7.org/fhir/sid/icd-10-cm",
        "urn:oid:2.16.840.1.113883.6.3",
        "2.16.840.1.113883.6.3",
        "URN:OID:2.16.840.1.113883.6.90",
        "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full",
    ],
)
@pytest.mark.parametrize(
    "code", ["B20", "b20", "B 20", "\u200bB20", "Ｂ２０", "B\u00ad20", "B20.1", "B20†", "\tB20\n"]
)
def test_a_diagnosis_is_found_however_it_is_written(system: str, code: str) -> None:
    assert sensitivities_of([Code(system, code)]) == ("HIV",)
    assert classified(Code(system, code))


@pytest.mark.parametrize(
    "system",
    [
        SNOMED,
        f"{SNOMED}/",
        f"{SNOMED}|http://snomed.info/sct/900000000000207008",
        f"{SNOMED}/900000000000207008/version/20240101",
        "urn:oid:2.16.840.1.113883.6.96",
    ],
)
def test_a_concept_is_found_whatever_edition_it_is_of(system: str) -> None:
    assert sensitivities_of([Code(system, "86406008")]) == ("HIV",)


@pytest.mark.parametrize(
    "code",
    [
        Code("urn:oid:1.2.392.200119.4.101.6", "20062609"),
        Code("http://medis.or.jp/CodeSystem/master-disease-exCode", "T3R8"),
        Code("http://id.who.int/icd/release/11/mms", "1C62"),
        Code("http://hospital.example/codes", "B20"),
        Code(SNOMED, "111880001"),
        Code(ICD_10, "\u200b"),
        Code(ICD_10, "B\ufe0020"),
        Code(ICD_10, "\u041220"),
        Code(ICD_10, "ICD10:B20"),
        Code(ICD_10, "HIV"),
        Code("http://www.whocc.no/atc", "A10BA02"),
        Code("", "B20"),
    ],
)
def test_what_the_table_does_not_cover_tells_nothing(code: Code) -> None:
    assert not classified(code)
    assert sensitivities_of([code]) == ()


def test_another_system_is_no_spelling_of_one() -> None:
    assert system_named("http://hl7.org/fhir/sid/icd-100") != system_named(ICD_10)
    assert system_named("http://snomed.info/sctx") != system_named(SNOMED)
    assert visible(" \u202e\ufeff") == ""
