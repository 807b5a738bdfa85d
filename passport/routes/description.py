"""What the generated description of the interface cannot know: the token, bodies read by our own parser, errors.

https://spec.openapis.org/oas/v3.1.0
"""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from passport.routes.operation import FHIR, JSON, Operation
from passport.routes.operations import OPERATIONS
from passport.routes.operations_authorization import ASKING_NO_TOKEN
from passport.routes.operations_fhir import AUDIT_EVENTS

OPEN: Final = frozenset(
    {
        "/healthz",
        "/readyz",
        "/fhir/metadata",
        "/.well-known/jwks.json",
        "/.well-known/device-ca.pem",
        "/auth/sign-in",
        "/sharing/presets",
        "/devices/{device_id}/readings",
        *ASKING_NO_TOKEN,
    }
)
"""What asks for no bearer token: it carries its own proof, or tells nothing of anyone."""

TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        "An opaque token from `/auth/sign-in`, `/auth/token` or `passport token`. Who is asking, for which "
        "purpose of use and with which scopes stands in its session alone."
    ),
}
_OUTCOME: Final = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "severity": {"type": "string"},
                    "code": {"type": "string"},
                    "diagnostics": {"type": "string"},
                    "expression": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}
_ERRORS: Final = {
    400: "The request breaks the specification; the outcome names the place",
    401: "No valid token",
    403: "Nothing permits this",
    404: "Not there, or not for this caller: one identical answer",
    405: "This method is not for this address, or not for this caller",
    409: "It stands otherwise than the request expects",
    412: "It stands in another version than the request names",
    413: "The body is longer than is read",
    415: "The body is of a media type that this address does not read",
    422: "It can be read, and breaks a rule about its meaning; the outcome names the place",
    429: "Too many requests of this caller's own",
}


def describe(app: FastAPI) -> None:
    """Complete the description that `/docs` shows; it is made once."""
    schema = app.openapi()
    paths = schema["paths"]
    # One route serves every type; what the audit log is asked by is its own.
    searched = paths["/fhir/{type_name}"]["get"]
    paths[AUDIT_EVENTS] = {"get": {**searched, "operationId": "search_audit_events", "parameters": []}}
    schema["components"] = {"securitySchemes": {"bearer": TOKEN}, "schemas": {"OperationOutcome": _OUTCOME}}
    for path, methods in paths.items():
        for method, generated in methods.items():
            _complete(generated, path, OPERATIONS[path, method])


def _complete(generated: dict[str, Any], path: str, known: Operation) -> None:
    generated["summary"] = known.summary
    if path not in OPEN:
        generated["security"] = [{"bearer": []}]
    if known.body is not None:
        generated["requestBody"] = {"required": True, "content": known.body}
    described = known.parameters or {}
    named = [
        {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in described.items()
    ]
    others = [found for found in generated.get("parameters", ()) if found["name"] not in described]
    generated["parameters"] = [*others, *named]
    media_type = FHIR if path.startswith("/fhir") else JSON
    answers = {str(status): _answer(status, media_type) for status in known.success}
    # Below the FHIR base the media type of every body is looked at.
    read = {415} if known.body is not None and media_type == FHIR else set()
    refused = sorted({*known.errors, *read})
    generated["responses"] = answers | {str(status): _refusal(status) for status in refused}


def _answer(status: int, media_type: str) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    return told if status in (202, 204) else {**told, "content": {media_type: {"schema": {}}}}


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/OperationOutcome"}
    return {"description": _ERRORS[status], "content": {FHIR: {"schema": schema}}}
