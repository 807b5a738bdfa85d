"""The operations below the FHIR base as the description tells them.

http://hl7.org/fhir/R4/http.html
"""

from collections.abc import Mapping
from typing import Any, Final

from fhirstore.parameters import parameters_of
from fhirstore.registry import COMMON
from fhirstore.types import types_of
from passport.routes.operation import FHIR, FORM, Operation, json_body

AUDIT_EVENTS: Final = "/fhir/AuditEvent"

REFERENCE: Final = "Patient/5f1d4a0e-0c3b-4a57-9d55-2f1c8f3e7a10"

_WEIGHT: Final = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": REFERENCE},
    "effectiveDateTime": "2026-11-02T07:10:00+09:00",
    "valueQuantity": {"value": 62.4, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
}


def _parameters(*named: tuple[str, str, str | int]) -> Mapping[str, Any]:
    """A Parameters resource with these values: name, element and value of each."""
    listed = [{"name": name, element: value} for name, element, value in named]
    return json_body({"resourceType": "Parameters", "parameter": listed}, FHIR)


_RESTRICTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}

_NO_PARAMETERS: Final = json_body({"resourceType": "Parameters"}, FHIR)
_META: Final = json_body(
    {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"security": [_RESTRICTED]}}],
    },
    FHIR,
)

_PATCH: Final[Mapping[str, Any]] = {
    "application/json-patch+json": {
        "schema": {"type": "array"},
        "example": [{"op": "replace", "path": "/status", "value": "amended"}],
    },
    **_parameters(("operation", "valueString", "type, path and value as parts, see FHIRPath Patch")),
}


def _searchable() -> dict[str, str]:
    """Every search parameter, with the types that have it."""
    found: dict[str, list[str]] = {}
    held = types_of(sandbox=False)
    for type_name in held:
        for name in parameters_of(type_name):
            found.setdefault(name, []).append(type_name)
    return {
        name: "of every type" if len(types) == len(held) else f"of {', '.join(types)}"
        for name, types in found.items()
    }


PAGING: Final = {
    "_sort": "such as `-date`: newest first",
    "_count": "how many a page holds",
    "_total": "`accurate` to be told how many there are in all",
    "_summary": "`count` for the number alone",
    "_include": "what matches refer to comes along, such as `Observation:performer`",
    "_revinclude": "what refers to matches comes along, such as `Provenance:target`",
    "_has": "what refers to it is so, such as `_has:Observation:patient:code`",
}

_ACROSS: Final = {
    "_type": "types between commas, such as `Observation,Condition`; then also whatever all of these have",
    **{each.name: "of every type" for each in COMMON},
    **PAGING,
}

_LOG_PAGING: Final = {name: PAGING[name] for name in ("_sort", "_count", "_total", "_summary")}

LOG: Final = {
    "patient": "whose records were asked for, `Patient/…`",
    "date": "when, such as `ge2026-11-01`",
    "agent": "who, such as `PractitionerRole/…`",
    "outcome": "`success`, `refused`, `not-found`, `invalid`, `error`, or FHIR's 0, 4, 8, 12",
}

_SEARCH: Final = Operation(
    "Search a type; nothing that no consent shows is among the results", parameters=_searchable() | PAGING
)

_PART: Final = {
    "_summary": "`true`, `text` or `data` for that part of each record",
    "_elements": "elements at the root of each record, between commas",
}

_EVERYTHING: Final = _PART | {
    "start": "the first day of care that is asked for",
    "end": "the last day of care that is asked for",
    "_since": "only what was written at or after this instant",
    "_type": "types of records, between commas; with a type of the directory, also what they refer to",
    "_count": "how many records a page holds",
}

_LASTN: Final = _PART | {
    "patient": "whose, `Patient/…`; `subject` means the same, and every search parameter narrows it",
    "max": "how many of each kind, 1 unless it is said; those of equal time come along",
    "category": "such as `vital-signs`",
    "code": "such as `http://loinc.org|85354-9`",
}

ONLY_ASKED: Final = (401, 403)

_WRITTEN: Final = (400, *ONLY_ASKED, 404, 409, 412, 415, 422)
"""What a write may be refused with."""

_VALIDATED: Final = {
    "profile": "a profile's canonical address; one that is not known is answered with a warning",
    "mode": "`create`, `update`, `delete` or `profile`",
}

_FORM_BODY: Final = {
    FORM: {"schema": {"type": "object"}, "example": {"patient": REFERENCE, "code": "85354-9"}}
}

_CHANGES: Final = {
    "_since": "only what was written at or after this instant",
    "_at": "only what stood at some instant of this day or time",
    "_count": "how many versions a page holds",
}

FHIR_OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/fhir/metadata", "get"): Operation("The CapabilityStatement", errors=()),
    ("/fhir", "get"): Operation(
        "Search several types, or all of them; without parameters it leads to the CapabilityStatement",
        parameters=_ACROSS,
        success=(200, 307),
        errors=(400, *ONLY_ASKED),
    ),
    ("/fhir/_search", "post"): Operation(
        "Search several types, or all of them, the parameters in the body",
        {
            FORM: {
                "schema": {"type": "object"},
                "example": {"_type": "Condition,Procedure", "patient": REFERENCE},
            }
        },
        errors=(400, *ONLY_ASKED),
    ),
    ("/fhir", "post"): Operation(
        "Carry out a batch or a transaction",
        json_body(
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [{"resource": _WEIGHT, "request": {"method": "POST", "url": "Observation"}}],
            },
            FHIR,
        ),
        errors=(*_WRITTEN, 413),
    ),
    ("/fhir/{type_name}", "get"): _SEARCH,
    ("/fhir/{type_name}/_search", "post"): Operation("Search a type, the parameters in the body", _FORM_BODY),
    ("/fhir/{type_name}", "post"): Operation(
        "Create a record; with `If-None-Exist` only if nothing matches",
        json_body(_WEIGHT, FHIR),
        success=(200, 201),
        errors=_WRITTEN,
    ),
    ("/fhir/{type_name}", "put"): Operation(
        "Update the one record that the query matches, or create it",
        json_body(_WEIGHT, FHIR),
        success=(200, 201),
        errors=_WRITTEN,
    ),
    ("/fhir/{type_name}", "patch"): Operation(
        "Patch the one record that the query matches", _PATCH, errors=_WRITTEN
    ),
    ("/fhir/{type_name}", "delete"): Operation(
        "Delete the one record that the query matches", success=(200, 204)
    ),
    ("/fhir/{type_name}/{id_}", "get"): Operation("Read a record"),
    ("/fhir/{type_name}/{id_}", "put"): Operation(
        "Update a record",
        json_body({"id": "the same as in the address", **_WEIGHT}, FHIR),
        success=(200, 201),
        errors=(*_WRITTEN, 405),
    ),
    ("/fhir/{type_name}/{id_}", "patch"): Operation("Patch a record", _PATCH, errors=_WRITTEN),
    ("/fhir/{type_name}/{id_}", "delete"): Operation("Delete a record", success=(200, 204)),
    ("/fhir/Patient/{id_}/{type_name}", "get"): Operation(
        "Search what names a patient: of a type, or with `*` of those in `_type`, or of all",
        parameters=_searchable() | _ACROSS,
    ),
    ("/fhir/Patient/{id_}/_search", "post"): Operation(
        "Search what names a patient, whatever its type, with the parameters in the body", _FORM_BODY
    ),
    ("/fhir/Patient/{id_}/{type_name}/_search", "post"): Operation(
        "Search what names a patient, with the parameters in the body", _FORM_BODY
    ),
    ("/fhir/_history", "get"): Operation("What changed", parameters=_CHANGES),
    ("/fhir/{type_name}/_history", "get"): Operation("What changed of a type", parameters=_CHANGES),
    ("/fhir/{type_name}/{id_}/_history", "get"): Operation("The versions of a record", parameters=_CHANGES),
    ("/fhir/{type_name}/{id_}/_history/{version}", "get"): Operation("Read a version"),
    ("/fhir/Patient/{id_}/$everything", "get"): Operation(
        "All there is of a patient, the Patient first", parameters=_EVERYTHING, errors=(400, *ONLY_ASKED)
    ),
    ("/fhir/Patient/{id_}/$everything", "post"): Operation(
        "All there is of a patient, the parameters in the body",
        _parameters(("_type", "valueCode", "Observation"), ("start", "valueDate", "2026-10-01")),
        errors=(400, *ONLY_ASKED),
    ),
    ("/fhir/Observation/$lastn", "get"): Operation(
        "The last Observations of each kind of one patient", parameters=_LASTN, errors=(400, *ONLY_ASKED)
    ),
    ("/fhir/Observation/$lastn", "post"): Operation(
        "The last Observations of each kind, the parameters in the body",
        _parameters(
            ("patient", "valueString", REFERENCE),
            ("category", "valueString", "vital-signs"),
            ("max", "valuePositiveInt", 3),
        ),
        errors=(400, *ONLY_ASKED),
    ),
    ("/fhir/Patient/{id_}/$summary", "get"): Operation(
        "The International Patient Summary of what this caller may see",
        parameters={"profile": "the canonical address of its Bundle, and no other"},
        errors=(400, *ONLY_ASKED, 404),
    ),
    ("/fhir/Patient/{id_}/$summary", "post"): Operation(
        "The International Patient Summary, the parameters in the body",
        _parameters(
            ("profile", "valueCanonical", "http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips")
        ),
    ),
    ("/fhir/$meta", "get"): Operation(
        "The profiles, tags and labels in use among what this caller may see", errors=(400, *ONLY_ASKED)
    ),
    ("/fhir/$meta", "post"): Operation(
        "The profiles, tags and labels in use, asked for as a client asks for any operation",
        _NO_PARAMETERS,
        errors=(400, *ONLY_ASKED),
    ),
    ("/fhir/{type_name}/$meta", "get"): Operation(
        "The profiles, tags and labels in use in records of a type"
    ),
    ("/fhir/{type_name}/$meta", "post"): Operation(
        "The profiles, tags and labels in use in records of a type, asked for by POST", _NO_PARAMETERS
    ),
    ("/fhir/{type_name}/{id_}/$meta", "get"): Operation("The profiles, tags and labels of a record"),
    ("/fhir/{type_name}/{id_}/$meta", "post"): Operation(
        "The profiles, tags and labels of a record, asked for by POST", _NO_PARAMETERS
    ),
    ("/fhir/{type_name}/{id_}/$meta-add", "post"): Operation(
        "Add profiles, tags and security labels to a record", _META
    ),
    ("/fhir/{type_name}/{id_}/$meta-delete", "post"): Operation(
        "Take profiles, tags and security labels away; of labels only the patient, and none that the codes demand",
        _META,
    ),
    ("/fhir/{type_name}/$validate", "post"): Operation(
        "Check a resource; nothing is stored",
        json_body(_WEIGHT, FHIR),
        _VALIDATED,
        errors=(400, *ONLY_ASKED),
    ),
    ("/fhir/{type_name}/{id_}/$validate", "get"): Operation("Check a record", parameters=_VALIDATED),
    ("/fhir/{type_name}/{id_}/$validate", "post"): Operation(
        "Check what is to take a record's place", json_body(_WEIGHT, FHIR), _VALIDATED
    ),
    (AUDIT_EVENTS, "get"): Operation("Search the audit log as FHIR", parameters=LOG | _LOG_PAGING),
}
"""By address and method."""
