"""Which interactions the service carries out: one table for the routes that do and the statement that says so.

http://hl7.org/fhir/R4/http.html
http://hl7.org/fhir/R4/codesystem-restful-interaction.html

What is not carried out stands here too, as False: a reader of the table sees what is missing, and a test that
each one that is said to be carried out has a route, and no other has.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

ON_TYPES: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "read": True,
        "vread": True,
        "update": True,
        "patch": True,
        "delete": True,
        "history-instance": True,
        "history-type": True,
        "create": True,
        "search-type": True,
    }
)
"""The interactions with records of a type."""

ON_THE_SYSTEM: Final[Mapping[str, bool]] = MappingProxyType(
    {"batch": True, "transaction": True, "history-system": True, "search-system": True}
)
"""The interactions with the service as a whole."""

READ_ONLY: Final = frozenset({"read", "search-type"})
"""The interactions with records that the service alone writes."""

CONDITIONAL_CREATE: Final = True
CONDITIONAL_UPDATE: Final = True
CONDITIONAL_READ: Final[Literal["not-supported", "modified-since", "not-match", "full-support"]] = (
    "full-support"
)
CONDITIONAL_DELETE: Final[Literal["not-supported", "single", "multiple"]] = "single"
UPDATE_CREATE: Final = True
"""An update may create, for callers to whom a policy opens the whole type; others are refused with 405."""

COMPARTMENTS: Final = ("http://hl7.org/fhir/CompartmentDefinition/patient",)
"""Whose records are searched below their address."""

INCLUDES: Final = True
"""Whether a search brings along what its matches refer to (`_include`), and what refers to them."""

FORMATS: Final = ("application/fhir+json", "json")
JSON_PATCH: Final = "application/json-patch+json"
FHIRPATH_PATCH: Final = "application/fhir+json"
PATCH_FORMATS: Final = (JSON_PATCH, FHIRPATH_PATCH)

ROUTES: Final[Mapping[str, tuple[Method, str]]] = MappingProxyType(
    {
        "read": ("GET", "/fhir/{type_name}/{id_}"),
        "vread": ("GET", "/fhir/{type_name}/{id_}/_history/{version}"),
        "update": ("PUT", "/fhir/{type_name}/{id_}"),
        "patch": ("PATCH", "/fhir/{type_name}/{id_}"),
        "delete": ("DELETE", "/fhir/{type_name}/{id_}"),
        "history-instance": ("GET", "/fhir/{type_name}/{id_}/_history"),
        "history-type": ("GET", "/fhir/{type_name}/_history"),
        "create": ("POST", "/fhir/{type_name}"),
        "search-type": ("GET", "/fhir/{type_name}"),
        "batch": ("POST", "/fhir"),
        "transaction": ("POST", "/fhir"),
        "history-system": ("GET", "/fhir/_history"),
        "search-system": ("GET", "/fhir"),
    }
)
"""Where each one is asked for."""
