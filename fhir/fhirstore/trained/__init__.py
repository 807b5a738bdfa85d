"""Trained dictionaries: the words that every record of a kind repeats, so that its body need not.

https://www.rfc-editor.org/rfc/rfc8878#name-dictionary-format

A dictionary quotes the texts that it was trained on, so those are synthetic (`python -m passport.dictionaries`).
Each database keeps the dictionaries that its bodies were written with; a number, once used, always means the
same content. A better dictionary gets the next free number and takes the kind over; the old one stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from fhirstore.bodies import ZSTD, CodecNumber


@dataclass(frozen=True, slots=True)
class Trained:
    """A dictionary that comes with the product; `kind` is what it is for."""

    number: CodecNumber
    kind: str
    version: int = 1

    @property
    def file_name(self) -> str:
        """The name of its content among the files of this package."""
        return f"{self.number:03d}-{self.kind}-{self.version}.zdict"


VITAL_SIGN: Final = "vital-sign"
OTHER: Final = "other"
"""Every type without a kind of its own."""

TRAINED: Final = (
    Trained(CodecNumber(2), VITAL_SIGN),
    Trained(CodecNumber(3), "Observation"),
    Trained(CodecNumber(4), "MedicationRequest"),
    Trained(CodecNumber(5), "MedicationDispense"),
    Trained(CodecNumber(6), "MedicationStatement"),
    Trained(CodecNumber(7), "Consent"),
    Trained(CodecNumber(8), "Patient"),
    Trained(CodecNumber(9), "AllergyIntolerance"),
    Trained(CodecNumber(10), "Provenance"),
    Trained(CodecNumber(11), OTHER),
    # Bodies with security labels.
    Trained(CodecNumber(12), VITAL_SIGN, 2),
    Trained(CodecNumber(13), "Observation", 2),
    Trained(CodecNumber(14), "MedicationRequest", 2),
    Trained(CodecNumber(15), "MedicationDispense", 2),
    Trained(CodecNumber(16), "MedicationStatement", 2),
    Trained(CodecNumber(17), "Consent", 2),
    Trained(CodecNumber(18), "Patient", 2),
    Trained(CodecNumber(19), "AllergyIntolerance", 2),
    Trained(CodecNumber(20), "Provenance", 2),
    Trained(CodecNumber(21), OTHER, 2),
)
"""Each number once, for good."""

WRITTEN_WITH: Final[Mapping[str, Trained]] = {each.kind: each for each in TRAINED}
"""Of each kind the last dictionary: bodies are read with any, and written with this one."""


def kind_of(tree: Mapping[str, Any]) -> str:
    """The kind that a resource's body is of, whatever else may be wrong with it."""
    name = str(tree.get("resourceType"))
    if name == "Observation":
        return VITAL_SIGN if "vital-signs" in _category_codes(tree) else name
    return name if name in WRITTEN_WITH else OTHER


def codec_for(tree: Mapping[str, Any]) -> CodecNumber:
    """The dictionary that a resource's body is best written with."""
    written = WRITTEN_WITH.get(kind_of(tree))
    return ZSTD if written is None else written.number


@cache
def content(trained: Trained) -> bytes:
    """The dictionary itself, as it is in the package."""
    return resources.files(__package__).joinpath(trained.file_name).read_bytes()


def _category_codes(tree: Mapping[str, Any]) -> set[str]:
    return {
        str(coding.get("code"))
        for category in tree.get("category") or ()
        for coding in category.get("coding") or ()
    }
