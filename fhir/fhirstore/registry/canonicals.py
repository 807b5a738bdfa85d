"""Questionnaires, value sets and code systems, as they are published: their search parameters.

http://hl7.org/fhir/R4/terminology-module.html
"""

from typing import Final

from fhirstore.registry.definition import (
    Kind,
    Table,
    component,
    composite,
    date,
    quantity,
    reference,
    string,
    token,
    uri,
)

_CODE: Final = component(Kind.TOKEN, "code")
_CONCEPT: Final = component(Kind.TOKEN, "valueCodeableConcept")

_PUBLISHED: Final = (
    token("context", "useContext.valueCodeableConcept"),
    quantity("context-quantity", "useContext.valueQuantity useContext.valueRange"),
    token("context-type", "useContext.code"),
    composite(
        "context-type-quantity", "useContext", _CODE, component(Kind.QUANTITY, "valueQuantity valueRange")
    ),
    composite("context-type-value", "useContext", _CODE, _CONCEPT),
    date("date"),
    string("description"),
    token("identifier"),
    token("jurisdiction"),
    string("name"),
    string("publisher"),
    token("status"),
    string("title"),
    uri("url"),
    token("version"),
)

PARAMETERS: Final[Table] = {
    "Questionnaire": (
        *_PUBLISHED,
        token("code", "item.code"),
        uri("definition", "item.definition"),
        date("effective", "effectivePeriod"),
        token("subject-type"),
    ),
    "ValueSet": (
        *_PUBLISHED,
        token("code", "expansion.contains.code compose.include.concept.code"),
        uri("expansion", "expansion.identifier"),
        uri("reference", "compose.include.system"),
    ),
    "CodeSystem": (
        *_PUBLISHED,
        token("code", "concept.code"),
        token("content-mode", "content"),
        token("language", "concept.designation.language"),
        reference("supplements", targets="CodeSystem"),
        uri("system", "url"),
    ),
}
