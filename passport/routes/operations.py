"""The operations as the description tells them: what each is called, what it takes, what it answers.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Any, Final

from fhirstore.parameters import parameters_of
from fhirstore.registry import COMMON
from fhirstore.types import types_of
from passport.routes.operation import FHIR, FORM, Operation, json_body
from passport.routes.operations_authorization import AUTHORIZATION

AUDIT_EVENTS: Final = "/fhir/AuditEvent"

_REFERENCE: Final = "Patient/5f1d4a0e-0c3b-4a57-9d55-2f1c8f3e7a10"
_JWK: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",  # RFC 7515, appendix A.3.1
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
_WEIGHT: Final = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": _REFERENCE},
    "effectiveDateTime": "2026-11-02T07:10:00+09:00",
    "valueQuantity": {"value": 62.4, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
}


def _parameters(*named: tuple[str, str, str | int]) -> Mapping[str, Any]:
    """A Parameters resource with these values: name, element and value of each."""
    listed = [{"name": name, element: value} for name, element, value in named]
    return json_body({"resourceType": "Parameters", "parameter": listed}, FHIR)


_RESTRICTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
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


_PAGING: Final = {
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
    **_PAGING,
}
_LOG_PAGING: Final = {name: _PAGING[name] for name in ("_sort", "_count", "_total", "_summary")}
_LOG: Final = {
    "patient": "whose records were asked for, `Patient/…`",
    "date": "when, such as `ge2026-11-01`",
    "agent": "who, such as `PractitionerRole/…`",
    "outcome": "`success`, `refused`, `not-found`, `invalid`, `error`, or FHIR's 0, 4, 8, 12",
}
_SEARCH: Final = Operation(
    "Search a type; nothing that no consent shows is among the results", parameters=_searchable() | _PAGING
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

_ROLE: Final = "PractitionerRole/3c0f3a52-1f0e-4c37-a1f5-52a6dbe7f0c1"
_DRAFTED: Final = {
    "patient": _REFERENCE,
    "drafts": [{"resourceType": "Consent", "status": "active", "provision": "as in `POST /fhir/Consent`"}],
    "replaces": ["Consent/7f4f2f0e-6a57-4d0e-8f57-0b1c2d3e4f50"],
}

_ONLY_ASKED: Final = (401, 403)
_FROM_ANYONE: Final = (400, 401)

_VALIDATED: Final = {
    "profile": "a profile's canonical address; one that is not known is answered with a warning",
    "mode": "`create`, `update`, `delete` or `profile`",
}

_FOR: Final = {"patient": "for whom I act, `Patient/…`; without it for myself"}
_SHOWN: Final = {
    "preset": "three-months",
    "language": "ja",
    "version": "1",
    "hash": "of the wording that was shown, see `GET /sharing/presets`",
}

_FORM_BODY: Final = {
    FORM: {"schema": {"type": "object"}, "example": {"patient": _REFERENCE, "code": "85354-9"}}
}
_CHANGES: Final = {
    "_since": "only what was written at or after this instant",
    "_at": "only what stood at some instant of this day or time",
    "_count": "how many versions a page holds",
}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/healthz", "get"): Operation("Whether the process answers", errors=()),
    ("/readyz", "get"): Operation("Whether the service can serve", success=(200, 503), errors=()),
    ("/fhir/metadata", "get"): Operation("The CapabilityStatement", errors=()),
    ("/fhir", "get"): Operation(
        "Search several types, or all of them; without parameters it leads to the CapabilityStatement",
        parameters=_ACROSS,
        success=(200, 307),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/fhir/_search", "post"): Operation(
        "Search several types, or all of them, the parameters in the body",
        {
            FORM: {
                "schema": {"type": "object"},
                "example": {"_type": "Condition,Procedure", "patient": _REFERENCE},
            }
        },
        errors=(400, *_ONLY_ASKED),
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
        errors=(400, *_ONLY_ASKED, 404),
    ),
    ("/fhir/{type_name}", "get"): _SEARCH,
    ("/fhir/{type_name}/_search", "post"): Operation("Search a type, the parameters in the body", _FORM_BODY),
    ("/fhir/{type_name}", "post"): Operation(
        "Create a record; with `If-None-Exist` only if nothing matches",
        json_body(_WEIGHT, FHIR),
        success=(200, 201),
    ),
    ("/fhir/{type_name}", "put"): Operation(
        "Update the one record that the query matches, or create it",
        json_body(_WEIGHT, FHIR),
        success=(200, 201),
    ),
    ("/fhir/{type_name}", "patch"): Operation("Patch the one record that the query matches", _PATCH),
    ("/fhir/{type_name}", "delete"): Operation(
        "Delete the one record that the query matches", success=(200, 204)
    ),
    ("/fhir/{type_name}/{id_}", "get"): Operation("Read a record"),
    ("/fhir/{type_name}/{id_}", "put"): Operation(
        "Update a record",
        json_body({"id": "the same as in the address", **_WEIGHT}, FHIR),
        success=(200, 201),
    ),
    ("/fhir/{type_name}/{id_}", "patch"): Operation("Patch a record", _PATCH),
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
        "All there is of a patient, the Patient first", parameters=_EVERYTHING, errors=(400, *_ONLY_ASKED)
    ),
    ("/fhir/Patient/{id_}/$everything", "post"): Operation(
        "All there is of a patient, the parameters in the body",
        _parameters(("_type", "valueCode", "Observation"), ("start", "valueDate", "2026-10-01")),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/fhir/Observation/$lastn", "get"): Operation(
        "The last Observations of each kind of one patient", parameters=_LASTN, errors=(400, *_ONLY_ASKED)
    ),
    ("/fhir/Observation/$lastn", "post"): Operation(
        "The last Observations of each kind, the parameters in the body",
        _parameters(
            ("patient", "valueString", _REFERENCE),
            ("category", "valueString", "vital-signs"),
            ("max", "valuePositiveInt", 3),
        ),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/fhir/Patient/{id_}/$summary", "get"): Operation(
        "The International Patient Summary of what this caller may see",
        parameters={"profile": "the canonical address of its Bundle, and no other"},
        errors=(400, *_ONLY_ASKED, 404),
    ),
    ("/fhir/Patient/{id_}/$summary", "post"): Operation(
        "The International Patient Summary, the parameters in the body",
        _parameters(
            ("profile", "valueCanonical", "http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips")
        ),
    ),
    ("/fhir/$meta", "get"): Operation(
        "The profiles, tags and labels in use among what this caller may see", errors=(400, *_ONLY_ASKED)
    ),
    ("/fhir/{type_name}/$meta", "get"): Operation(
        "The profiles, tags and labels in use in records of a type"
    ),
    ("/fhir/{type_name}/{id_}/$meta", "get"): Operation("The profiles, tags and labels of a record"),
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
        errors=(400, *_ONLY_ASKED),
    ),
    ("/fhir/{type_name}/{id_}/$validate", "get"): Operation("Check a record", parameters=_VALIDATED),
    ("/fhir/{type_name}/{id_}/$validate", "post"): Operation(
        "Check what is to take a record's place", json_body(_WEIGHT, FHIR), _VALIDATED
    ),
    (AUDIT_EVENTS, "get"): Operation("Search the audit log as FHIR", parameters=_LOG | _LOG_PAGING),
    ("/audit/accesses", "get"): Operation(
        "誰が見たか: who looked, when, why, and under which consent",
        parameters=_LOG | {"_count": _PAGING["_count"]},
        errors=(400, *_ONLY_ASKED),
    ),
    ("/sharing/preview", "post"): Operation(
        "What somebody would see if I saved these Consents: counts, records, and rules that do nothing",
        json_body({**_DRAFTED, "actor": _ROLE, "purpose": "TREAT", "count": 20}),
        errors=(400, *_ONLY_ASKED, 429),
    ),
    ("/sharing/changes", "post"): Operation(
        "What saving these Consents would change, and for whom",
        json_body(_DRAFTED),
        errors=(400, *_ONLY_ASKED, 429),
    ),
    ("/sharing/explain", "get"): Operation(
        "Who can see a record of mine and why; or which consents an access in my log meets, and why",
        parameters={
            "record": "a record of mine, such as `Observation/…`",
            "access": "the id of an AuditEvent of my own log",
            "patient": "for whom I act, `Patient/…`; without it for myself",
        },
    ),
    ("/identity/duplicates", "get"): Operation(
        "Registrations that share an identifier, and of which systems (operator)",
        parameters={"after": "the place at which the page before ended"},
        errors=(400, *_ONLY_ASKED),
    ),
    ("/identity/merges", "get"): Operation(
        "Which merges of registrations wait, were declined, stand and were undone (operator)",
        errors=_ONLY_ASKED,
    ),
    ("/identity/merges", "post"): Operation(
        "Ask another operator to merge two registrations of one person; the person alone sees more by it",
        json_body(
            {
                "survivor": _REFERENCE,
                "duplicate": "Patient/0b1c9c52-55c6-4a86-bf35-1d4e1f8a9a77",
                "reason": "4 to 500 characters: how it is known that both are one person",
            }
        ),
        success=(201,),
    ),
    ("/identity/merges/{merge_id}/confirm", "post"): Operation(
        "Agree to a merge that another operator asked for", errors=(*_ONLY_ASKED, 404, 409)
    ),
    ("/identity/merges/{merge_id}/decline", "post"): Operation(
        "Let nothing come of a merge that was asked for (operator)", errors=(*_ONLY_ASKED, 404, 409)
    ),
    ("/identity/merges/{merge_id}/undo", "post"): Operation("Separate two registrations again (operator)"),
    ("/.well-known/jwks.json", "get"): Operation("The keys by which receipts are verified", errors=()),
    ("/sharing/receipts", "get"): Operation(
        "Which of my consents I have a receipt of, the newest first", errors=_ONLY_ASKED
    ),
    ("/sharing/receipts/{consent_id}", "get"): Operation(
        "The receipt of a consent, signed: a JWS, or with `Accept: application/json` beside what it says",
        parameters={"version": "the version that gave or withdrew it, by default the last of these"},
        errors=(*_ONLY_ASKED, 404),
    ),
    ("/sharing/presets", "get"): Operation(
        "For how long people share, and the wording to be shown for it", errors=()
    ),
    ("/sharing/requests", "post"): Operation(
        "Ask somebody for access by their code or identifier; one answer, whether they are here or not",
        json_body(
            {
                "user_code": "K7QM-2XWD",
                "purpose": "TREAT",
                "categories": ["vital-signs", "medicines"],
                "until": "2099-03-31",
                "reason": "4 to 500 characters: why, as the person will read it",
            }
        ),
        success=(202,),
        errors=(400, *_ONLY_ASKED, 429),
    ),
    ("/sharing/requests", "get"): Operation(
        "The requests that wait for my answer; of whoever asks, those that they put",
        parameters=_FOR,
        errors=(400, *_ONLY_ASKED),
    ),
    ("/sharing/requests/{request_id}", "get"): Operation("How a request stands"),
    ("/sharing/requests/{request_id}/grant", "post"): Operation(
        "Grant a request, as it was asked or with changes",
        json_body(_SHOWN),
        errors=(400, *_ONLY_ASKED, 404, 409, 412),
    ),
    ("/sharing/requests/{request_id}/decline", "post"): Operation(
        "Decline a request", errors=(400, *_ONLY_ASKED, 404, 409, 412)
    ),
    ("/sharing/requests/{request_id}/withdraw", "post"): Operation(
        "Take back a request of mine that nobody answered", errors=(*_ONLY_ASKED, 404, 409)
    ),
    ("/sharing/codes", "post"): Operation(
        "Give me a code to show: by `request` I am asked, with `share` whoever redeems it first is granted this",
        json_body({"kind": "share", **_SHOWN, "categories": ["vital-signs", "medicines"]}),
        success=(201,),
        errors=(400, *_ONLY_ASKED, 409),
    ),
    ("/sharing/codes/{code_id}", "delete"): Operation(
        "Take a code back that nobody used", parameters=_FOR, success=(204,)
    ),
    ("/sharing/redemptions", "post"): Operation(
        "Redeem a share code at the reception, for the organization of my role",
        json_body({"user_code": "K7QM-2XWD-9TBC"}),
        success=(200, 201),
        errors=(400, *_ONLY_ASKED, 404, 429),
    ),
    ("/sharing/grants", "get"): Operation(
        "What I share with whom and until when, in words",
        parameters=_FOR | {"state": "`active`, `upcoming`, `ended` or `withdrawn`"},
        errors=(400, *_ONLY_ASKED),
    ),
    ("/sharing/grants", "post"): Operation(
        "Share with somebody unasked",
        json_body(
            {
                "recipient": "Organization/24576530-8da4-4886-9106-3e06b58167b6",
                "purpose": "TREAT",
                "categories": ["person", "medicines"],
                **_SHOWN,
            }
        ),
        success=(201,),
        errors=(400, *_ONLY_ASKED, 404, 409),
    ),
    ("/sharing/grants/{consent_id}/withdraw", "post"): Operation(
        "Stop sharing", errors=(*_ONLY_ASKED, 404, 409)
    ),
    ("/notifications", "get"): Operation("What I was told, newest first", errors=_ONLY_ASKED),
    ("/devices", "get"): Operation("My devices and how they stand", errors=_ONLY_ASKED),
    ("/devices/models", "get"): Operation("Which models can be enrolled", errors=(401,)),
    ("/devices/models/{model}", "put"): Operation(
        "Register a model (operator)",
        json_body(
            {"manufacturer": "見本計器", "display": "上腕式血圧計 見本1", "readings": ["blood-pressure"]}
        ),
        success=(200, 201),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/devices/enrolments", "post"): Operation(
        "Enrol a device; it waits for its person's approval",
        json_body({"patient": _REFERENCE, "model": "mihon-bp-1", "serial": "SAMPLE-1", "jwk": _JWK}),
        success=(201,),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/devices/quarantine", "get"): Operation(
        "My readings that could not be believed, newest first", errors=(400, *_ONLY_ASKED)
    ),
    ("/devices/{device_id}/readings", "post"): Operation(
        "Deliver a batch of readings, signed by the device",
        {"application/jose": {"schema": {"type": "string"}, "example": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii…"}},
        errors=(400, *_ONLY_ASKED),
    ),
    ("/devices/{device_id}/{verb}", "post"): Operation("Approve, suspend, resume or revoke a device"),
    ("/imports", "post"): Operation(
        "Hand over an お薬手帳 file",
        {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        success=(202,),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/imports/{import_id}", "get"): Operation("What became of a file", errors=(401, 404)),
    **AUTHORIZATION,
    ("/auth/sign-in", "post"): Operation(
        "A token for a person, by login and code",
        json_body({"login": "operator-1", "code": "XXXXX-XXXXX-XXXXX-XXXXX", "purpose": "HOPERAT"}),
        errors=(*_FROM_ANYONE, 403),
    ),
    ("/auth/sign-out", "post"): Operation("End my session", success=(204,), errors=(401,)),
    ("/auth/break-glass", "post"): Operation(
        "Open one patient's records in an emergency; the patient is told",
        json_body({"patient": _REFERENCE, "reason": "4 to 500 characters: why now, without consent"}),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/emergencies", "get"): Operation(
        "Who opened my passport in an emergency, why, until when, and what an auditor found of it",
        errors=_ONLY_ASKED,
    ),
    ("/emergencies/{opening_id}/end", "post"): Operation(
        "End an emergency opening of my passport at once", errors=(*_ONLY_ASKED, 404)
    ),
    ("/emergencies/bars", "post"): Operation(
        "Bar emergencies from my passport, or from some of its records; withdraw the Consents to take it back",
        json_body({"categories": ["medicines", "Condition"]}),
        success=(201,),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/emergencies/reviews", "get"): Operation(
        "Openings that wait for review, the oldest first (auditor)",
        parameters={"state": "`waiting`, `overdue` or `reviewed`"},
        errors=(400, *_ONLY_ASKED),
    ),
    ("/emergencies/reviews/{opening_id}", "get"): Operation(
        "One opening with every request that was made by it (auditor)", errors=(*_ONLY_ASKED, 404)
    ),
    ("/emergencies/reviews/{opening_id}", "post"): Operation(
        "Say, once, whether an opening was justified; the patient is told (auditor)",
        json_body(
            {
                "verdict": "justified",
                "comment": "4 to 1000 characters: what was looked at, and what was found",
            }
        ),
        success=(201,),
    ),
    ("/family", "get"): Operation("Who acts for me, or did", errors=_ONLY_ASKED),
    ("/family/proxies", "post"): Operation(
        "Let somebody act for me; their sign-in code is shown this once",
        json_body(
            {
                "name": "見本 春子",
                "relationship": "child",
                "categories": ["medicines", "vital-signs"],
                "decides": False,
                "until": "2027-03-31",
            }
        ),
        success=(201,),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/family/proxies/{proxy_id}/end", "post"): Operation(
        "Let somebody act for me no more: grants, code and sessions end in one step",
        errors=(*_ONLY_ASKED, 404),
    ),
    ("/desk/matters", "get"): Operation("What waits for a second clerk (clerk)", errors=_ONLY_ASKED),
    ("/desk/matters", "post"): Operation(
        "Enter a `consent` on paper, its `withdrawal`, a `guardian`, or a `sign-in`; a second clerk decides (clerk)",
        json_body(
            {
                "kind": "consent",
                "patient": _REFERENCE,
                "grant": {
                    "recipient": "Organization/24576530-8da4-4886-9106-3e06b58167b6",
                    "purpose": "TREAT",
                    "categories": ["medicines"],
                    "preset": "three-months",
                },
                "scan": {"contentType": "image/jpeg", "data": "/9j/4AAQSkZJRg…"},
            }
        ),
        success=(201,),
    ),
    ("/desk/matters/{matter_id}", "get"): Operation(
        "A matter, with what was entered as long as it waits (clerk)", errors=(*_ONLY_ASKED, 404)
    ),
    ("/desk/matters/{matter_id}/confirm", "post"): Operation(
        "Agree to what another clerk entered (clerk)", errors=(*_ONLY_ASKED, 404)
    ),
    ("/desk/matters/{matter_id}/decline", "post"): Operation(
        "Let nothing come of what was entered (clerk)", errors=(*_ONLY_ASKED, 404)
    ),
    ("/desk/matters/{matter_id}/receipt", "get"): Operation(
        "The receipt of a consent on paper as a page to be printed: for its patient, and an hour long for the desk",
        errors=(401, 404),
    ),
    ("/desk/guardianships/{proxy_id}/end", "post"): Operation(
        "Let a guardian act no more, before the child is of age (clerk)", errors=(*_ONLY_ASKED, 404)
    ),
    ("/auth/clients/{client_id}", "put"): Operation(
        "Register a client (operator)",
        json_body(
            {
                "name": "見本薬局",
                "subject": "Organization/24576530-8da4-4886-9106-3e06b58167b6",
                "jwks": {"keys": [{**_JWK, "kid": "2026-11"}]},
                "purposes": ["TREAT"],
            }
        ),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/auth/launches", "post"): Operation(
        "Say what I have open before I open an app (clinician)",
        json_body({"patient": _REFERENCE, "encounter": "Encounter/9d1f1c52-7c0e-4a25-b1a9-5a1c3b7f0e11"}),
        success=(201,),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/auth/clients", "get"): Operation(
        "Clients, those that wait by default (operator)",
        parameters={"state": "`waiting`, `active` or `ended`", "after": "the last id of the page before"},
        errors=(400, *_ONLY_ASKED),
    ),
    ("/auth/clients/{client_id}/approve", "post"): Operation(
        "Let a client that waits be active (another operator than the one who proposed it)",
        errors=(*_ONLY_ASKED, 404, 409),
    ),
    ("/auth/clients/{client_id}/decline", "post"): Operation(
        "Let nothing come of a client that waits (operator)", errors=(*_ONLY_ASKED, 404)
    ),
    ("/auth/sign-in-codes", "post"): Operation(
        "Hand out a sign-in code, shown this once (operator)",
        json_body({"login": "hanako", "subject": _REFERENCE, "purposes": ["PATRQT"]}),
        success=(201,),
        errors=(400, *_ONLY_ASKED),
    ),
    ("/auth/sign-in-codes/{login}/confirm", "post"): Operation(
        "Let a code for a person of the city be good (another operator than the one who handed it out)",
        errors=(*_ONLY_ASKED, 404),
    ),
    ("/auth/sign-in-codes/{login}", "delete"): Operation(
        "Take a sign-in code back (operator)", success=(204,), errors=(*_ONLY_ASKED, 404)
    ),
}
