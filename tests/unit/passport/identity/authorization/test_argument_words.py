"""What search arguments leave is said in both languages, whatever they ask for."""

import pytest

from fhirstore.search.scoped import arguments_of
from fhirstore.types import TYPES
from passport.identity.authorization.words import record_words
from passport.identity.record_scopes import record_scope

VITAL = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@pytest.mark.parametrize(
    ("scope", "ja", "en"),
    [
        (
            "patient/Observation.rs",
            "測定や検査の値の閲覧・検索",
            "read, search: measurements and test results",
        ),
        (
            f"patient/Observation.r?category={VITAL},laboratory",
            "測定や検査の値（分類が「血圧や体重などの測定値」か「検体検査」のものだけ）の閲覧",
            "read: measurements and test results (only where the category is vital signs or laboratory)",
        ),
        (
            "user/Condition.s?clinical-status=active&code=http://hl7.org/fhir/sid/icd-10|I10",
            "病名（症状の状態が「active」の、かつコードが「I10」のものだけ）の検索",
            "search: conditions (only where the clinical status is active and the code is I10)",
        ),
    ],
)
def test_what_a_scope_leaves_is_said(scope: str, ja: str, en: str) -> None:
    read = record_scope(scope)
    assert read is not None
    said = record_words(read)
    assert (said.ja, said.en) == (ja, en)


def test_every_argument_has_its_words_in_japanese() -> None:
    for name in TYPES:
        for argument in arguments_of(name):
            read = record_scope(f"user/{name}.r?{argument}=x")
            assert read is not None
            assert argument not in record_words(read).ja
