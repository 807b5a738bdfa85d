"""What a table of value sets is made of: classifications, the beginnings of their codes, and what these mean.

http://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from consent.systems import ATC, GENERIC_NAME, ICD10, LOINC, PRICE_LIST, SNOMED, YJ


@dataclass(frozen=True, slots=True)
class Classification:
    """A way of coding, and how a code of it is compared.

    `systems` are the names under which records carry it. `exact` tells that a code says nothing of what begins
    like it; of the others a code stands for all that begins so. `source` is where its codes are published.
    """

    name: str
    systems: frozenset[str]
    source: str
    exact: bool = False
    dotted: bool = False

    def written(self, code: str) -> str:
        """The code as it is compared: in plain capitals, without the point that some writers leave out."""
        plain = normalize("NFKC", code).strip().upper()
        return plain.replace(".", "") if self.dotted else plain


ICD_10: Final = Classification(
    "ICD-10",
    ICD10 | {"http://hl7.org/fhir/sid/icd-10-cm"},
    "https://icd.who.int/browse10/2019/en",
    dotted=True,
)
ATC_CLASSES: Final = Classification("ATC", frozenset({ATC}), "https://www.whocc.no/atc_ddd_index/")
# 個別医薬品コード (YJ), 薬価基準収載医薬品コード and 一般名処方マスタ: three digits of the therapeutic class
# (日本標準商品分類 87), four that end with the ingredient, then form, strength and brand.
PRICED: Final = Classification(
    "YJ, price list, generic names",
    YJ | PRICE_LIST | GENERIC_NAME,
    "https://www.mhlw.go.jp/topics/2024/04/tp20240401-01.html",
)
LOINC_CODES: Final = Classification("LOINC", frozenset({LOINC}), "https://loinc.org/", exact=True)
SNOMED_CONCEPTS: Final = Classification(
    "SNOMED CT", frozenset({SNOMED}), "https://browser.ihtsdotools.org/", exact=True
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
