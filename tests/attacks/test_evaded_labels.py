"""Sensitive diagnoses that are written so that no table finds them, and what a preset then shows.

http://hl7.org/fhir/R4/security-labels.html
"""

from typing import Final

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.sharing import done, shown
from tests.town import Town, Voice
from tests.unit.consent.words import Json, concept

pytestmark = pytest.mark.anyio

ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
EVASIONS: Final = {
    "MEDIS": ("urn:oid:1.2.392.200119.4.101.6", "20062609"),
    "a hospital's own": ("http://hospital.example/codes", "HIV-1"),
    "ICD-11": ("http://id.who.int/icd/release/11/mms", "1C62"),
    "ICD-10-CM by its identifier": ("urn:oid:2.16.840.1.113883.6.90", "B20"),
    "a slash": (f"{ICD10}/", "B20"),
    "a version": ("http://snomed.info/sct|http://snomed.info/sct/900000000000207008", "86406008"),
    "a blank": (ICD10, "B 20"),
    "what is not seen": (ICD10, "\u200bB20"),
    "what varies a letter and is not seen": (ICD10, "B\ufe0020"),
    "a letter that looks the same": (ICD10, "\u041220"),
    "its system once more": (ICD10, "ICD10:B20"),
    "a class of medicines": ("http://www.whocc.no/atc", "A10BA02"),
}


def told(system: str, code: str) -> Json:
    """A diagnosis of HIV in words, and in this code."""
    return {**concept((system, code)), "text": "HIV感染症"}


async def test_a_preset_shows_no_diagnosis_that_is_hidden_from_the_table(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    grant = {**await shown(town), "recipient": cast.role_a, "categories": ["conditions"]}
    await done(hanako, "grants", grant)
    plain = await hanako.create(made.condition(hanako.reference))
    sees: dict[str, bool | int] = {"plain": await cast.a.sees(plain)}
    for name, coding in EVASIONS.items():
        answer = await hanako.post(made.condition(hanako.reference, code=told(*coding)))
        # What the specification does not allow is not stored, and so is shown to nobody.
        sees[name] = await cast.a.sees(f"Condition/{answer.json()['id']}") if answer.is_success else False
    assert sees == {"plain": True, **dict.fromkeys(EVASIONS, False)}
