"""Whose file is it? The birth date decides, then the name, then a person."""

from datetime import date
from typing import Any

import pytest

from fhirmap.jahis.model import Person
from passport.imports.person import Verdict, compare

BORN = date(1955, 7, 3)
PATIENT: dict[str, Any] = {
    "birthDate": "1955-07-03",
    "name": [{"text": "見本 花子"}, {"text": "ミホン ハナコ"}],
}


def person(
    name: str | None = "見本　花子", kana: str | None = "ミホン　ハナコ", born: date | None = BORN
) -> Person:
    return Person(name, kana, born, "female")


@pytest.mark.parametrize(
    ("said", "known", "verdict"),
    [
        (person(), PATIENT, "same"),
        (person(name="仮名　花子", kana=None), PATIENT, "other-name"),
        (person(name=None, kana=None), PATIENT, "same"),
        (person(born=date(1955, 7, 4)), PATIENT, "other-birth"),
        (person(born=None), PATIENT, "same"),
        (person(born=None, name="仮名　花子", kana=None), PATIENT, "only-name"),
        (person(born=None, name=None, kana=None), PATIENT, "unknown-person"),
        (None, PATIENT, "unknown-person"),
        (person(), {}, "unknown-person"),
        (person(), {**PATIENT, "birthDate": "1955"}, "same"),
        (person(), {**PATIENT, "birthDate": "1956-07"}, "other-birth"),
        (person(), {"name": PATIENT["name"]}, "same"),
    ],
)
def test_the_birth_date_decides_then_the_name(
    said: Person | None, known: dict[str, Any], verdict: Verdict
) -> None:
    assert compare(said, known) == verdict


@pytest.mark.parametrize("written", ["みほん はなこ", "ﾐﾎﾝ ﾊﾅｺ", "ミホンハナコ"])
def test_readings_are_compared_in_any_script_and_width(written: str) -> None:
    assert compare(person(name=None, kana=written, born=None), PATIENT) == "same"


def test_family_and_given_names_are_read_together() -> None:
    known = {"name": [{"family": "見本", "given": ["花子"]}]}
    assert compare(person(kana=None, born=None), known) == "same"
