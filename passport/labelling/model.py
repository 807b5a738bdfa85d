"""What a table of value sets is made of: classifications, the beginnings of their codes, and what these mean.

http://hl7.org/fhir/R4/security-labels.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from unicodedata import category, normalize

from consent.systems import ATC, GENERIC_NAME, ICD10, LOINC, PRICE_LIST, SNOMED, YJ

_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_OID: Final = re.compile(r"(?:urn:oid:)?([0-2](?:\.[0-9]+)+)")
# A letter and two places, what divides them further, and the mark of a cause or of a manifestation.
_ICD_10_CODE: Final = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}[†*+!]?")
_SNOMED_EDITION: Final = re.compile(r"(http://snomed\.info/sct)/.+")


def visible(text: str) -> str:
    """What of a code or of a system's name is seen: in plain letters, without blanks and what shows nothing."""
    return "".join(letter for letter in normalize("NFKC", text) if category(letter) not in _UNSEEN)


def system_named(text: str) -> str:
    """The name of a code system as it is compared, whatever its writers add to it or write otherwise.

    Addresses are one with a slash at their end, a version after a bar, in capitals, or of `https`; an object identifier
    is one without its prefix.
    """
    plain = visible(text).partition("|")[0].rstrip("/").lower()
    if plain.startswith("https://"):
        plain = f"http://{plain.removeprefix('https://')}"
    if oid := _OID.fullmatch(plain):
        return f"urn:oid:{oid[1]}"
    edition = _SNOMED_EDITION.fullmatch(plain)
    return edition[1] if edition else plain


@dataclass(frozen=True, slots=True)
class Classification:
    """A way of coding, and how a code of it is compared.

    `systems` are the names under which records carry it. `exact` tells that a code says nothing of what begins
    like it, and that the table knows a handful of its codes alone; of the others a code stands for all that begins so.
    `diagnosis` is what a code looks like, as it is compared, where the table holds whole classes of diagnoses.
    `source` is where its codes are published.
    """

    name: str
    systems: frozenset[str]
    source: str
    exact: bool = False
    dotted: bool = False
    diagnosis: re.Pattern[str] | None = None

    def written(self, code: str) -> str:
        """The code as it is compared: in plain capitals, without the point that some writers leave out."""
        plain = visible(code).upper()
        return plain.replace(".", "") if self.dotted else plain


ICD_10: Final = Classification(
    "ICD-10",
    ICD10 | {"http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90"},
    "https://icd.who.int/browse10/2019/en",
    dotted=True,
    diagnosis=_ICD_10_CODE,
)
ATC_CLASSES: Final = Classification(
    "ATC", frozenset({ATC, "urn:oid:2.16.840.1.113883.6.73"}), "https://www.whocc.no/atc_ddd_index/"
)
# 個別医薬品コード (YJ), 薬価基準収載医薬品コード and 一般名処方マスタ: three digits of the therapeutic class
# (日本標準商品分類 87), four that end with the ingredient, then form, strength and brand.
PRICED: Final = Classification(
    "YJ, price list, generic names",
    YJ | PRICE_LIST | GENERIC_NAME,
    "https://www.mhlw.go.jp/topics/2024/04/tp20240401-01.html",
)
LOINC_CODES: Final = Classification(
    "LOINC", frozenset({LOINC, "urn:oid:2.16.840.1.113883.6.1"}), "https://loinc.org/", exact=True
)
SNOMED_CONCEPTS: Final = Classification(
    "SNOMED CT",
    frozenset({SNOMED, "urn:oid:2.16.840.1.113883.6.96"}),
    "https://browser.ihtsdotools.org/",
    exact=True,
)

CLASSIFICATIONS: Final = (ICD_10, ATC_CLASSES, PRICED, LOINC_CODES, SNOMED_CONCEPTS)


@dataclass(frozen=True, slots=True)
class Row:
    """Codes of a classification that begin so, or are so, and why they are sensitive."""

    classification: Classification
    begins: str
    why: str

    @property
    def compared(self) -> str:
        """The beginning as codes are compared with it."""
        return self.classification.written(self.begins)


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The codes by which a record is of one sensitivity.

    `code` is its label in HL7's ActCode; `reasons` has by classification the beginnings of codes, each with why.
    """

    code: str
    title: str
    reasons: Mapping[Classification, Mapping[str, str]]

    @property
    def rows(self) -> Iterator[Row]:
        """Every row of the set."""
        for classification, whys in self.reasons.items():
            for begins, why in whys.items():
                yield Row(classification, begins, why)
