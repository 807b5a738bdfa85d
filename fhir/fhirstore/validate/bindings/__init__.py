"""The value sets that elements are bound to, where the binding is required.

http://hl7.org/fhir/R4/terminologies.html#required

Keyed by the type that has the element and its name, so that `Identifier.use` is checked wherever an
Identifier stands. fhir.resources checks none of them. `CODES` are the codes themselves, of all types that the store
holds; of others, which only stand inside of records, the models list most (`fhirstore.validate.schema`), and `CODES`
has of clinical ones what they leave out. `GRAMMARS` stand for
value sets without end (media types, currencies, languages), `CONCEPTS` bind CodeableConcepts and Codings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings import (
    administration,
    clinical,
    conformance,
    datatypes,
    documents,
    medication,
    workflow,
)
from fhirstore.validate.bindings.value_sets import RESOURCE_TYPES, codes
from fhirstore.validate.primitives import Check, pattern

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"


@dataclass(frozen=True, slots=True)
class Concepts:
    """The codes of one system that a CodeableConcept or Coding is bound to.

    Where the binding is `required` one of its codings must be among them; else codes of this system must
    be, and codes of other systems may stand beside or instead of them.
    """

    system: str
    codes: frozenset[str]
    required: bool = True


CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        **datatypes.CODES,
        **administration.CODES,
        **clinical.CODES,
        **medication.CODES,
        **workflow.CODES,
        **documents.CODES,
        **conformance.CODES,
    }
)

# RFC 2046: a type and a subtype, parameters after them.
_MEDIA_TYPE: Final = pattern(r"[^\s/;]+/[^\s/;]+(?:\s*;.*)?", "a media type as type/subtype")
_CURRENCY: Final = pattern(r"[A-Z]{3}", "a currency of ISO 4217 as three capital letters")
_LANGUAGE: Final = pattern(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", "a language of BCP 47")

GRAMMARS: Final[Mapping[tuple[str, str], Check]] = MappingProxyType(
    {
        ("Attachment", "contentType"): _MEDIA_TYPE,
        ("Attachment", "language"): _LANGUAGE,
        ("Binary", "contentType"): _MEDIA_TYPE,
        ("Money", "currency"): _CURRENCY,
        ("Signature", "sigFormat"): _MEDIA_TYPE,
        ("Signature", "targetFormat"): _MEDIA_TYPE,
        ("SubscriptionChannel", "payload"): _MEDIA_TYPE,
    }
)


def grammar(type_name: str, element: str) -> Check | None:
    """Return what the codes of an element must look like, None where no grammar stands for its value set."""
    if element == "language" and type_name in RESOURCE_TYPES:
        return _LANGUAGE
    return GRAMMARS.get((type_name, element))


CONCEPTS: Final[Mapping[tuple[str, str], Concepts]] = MappingProxyType(
    {
        ("AllergyIntolerance", "clinicalStatus"): Concepts(
            f"{_TERMINOLOGY}/allergyintolerance-clinical", codes("active inactive resolved")
        ),
        ("AllergyIntolerance", "verificationStatus"): Concepts(
            f"{_TERMINOLOGY}/allergyintolerance-verification",
            codes("unconfirmed confirmed refuted entered-in-error"),
        ),
        ("Condition", "clinicalStatus"): Concepts(
            f"{_TERMINOLOGY}/condition-clinical",
            codes("active recurrence relapse inactive remission resolved"),
        ),
        ("Condition", "verificationStatus"): Concepts(
            f"{_TERMINOLOGY}/condition-ver-status",
            codes("unconfirmed provisional differential confirmed refuted entered-in-error"),
        ),
        ("Consent", "scope"): Concepts(
            f"{_TERMINOLOGY}/consentscope", codes("adr research patient-privacy treatment"), required=False
        ),
        ("Meta", "security"): Concepts(
            f"{_TERMINOLOGY}/v3-Confidentiality", codes("U L M N R V"), required=False
        ),
    }
)

__all__ = ["CODES", "CONCEPTS", "GRAMMARS", "Concepts", "grammar"]
