"""Required bindings of documents, lists, forms and Bundles.

http://hl7.org/fhir/R4/documents.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings.value_sets import (
    COMPOSITION_STATUS,
    DOCUMENT_RELATIONSHIP,
    LIST_MODE,
    PUBLICATION_STATUS,
    RESOURCE_TYPES,
    codes,
)

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("Bundle", "type"): codes(
            """
            document message transaction transaction-response batch batch-response history searchset collection
            """
        ),
        ("BundleEntryRequest", "method"): codes("GET HEAD POST PUT DELETE PATCH"),
        ("BundleEntrySearch", "mode"): codes("match include outcome"),
        ("Composition", "confidentiality"): codes("U L M N R V"),
        ("Composition", "status"): COMPOSITION_STATUS,
        ("CompositionAttester", "mode"): codes("personal professional legal official"),
        ("CompositionRelatesTo", "code"): DOCUMENT_RELATIONSHIP,
        ("CompositionSection", "mode"): LIST_MODE,
        ("DocumentReference", "docStatus"): COMPOSITION_STATUS,
        ("DocumentReference", "status"): codes("current superseded entered-in-error"),
        ("DocumentReferenceRelatesTo", "code"): DOCUMENT_RELATIONSHIP,
        ("List", "mode"): LIST_MODE,
        ("List", "status"): codes("current retired entered-in-error"),
        ("Questionnaire", "status"): PUBLICATION_STATUS,
        ("Questionnaire", "subjectType"): RESOURCE_TYPES,
        ("QuestionnaireItem", "enableBehavior"): codes("all any"),
        ("QuestionnaireItem", "type"): codes(
            """
            group display question boolean decimal integer date dateTime time string text url choice open-choice
            attachment reference quantity
            """
        ),
        ("QuestionnaireItemEnableWhen", "operator"): codes("exists = != > < >= <="),
        ("QuestionnaireResponse", "status"): codes("in-progress completed amended entered-in-error stopped"),
    }
)
