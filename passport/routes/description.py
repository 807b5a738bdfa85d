"""What the generated description of the interface cannot know: the token, and bodies read by our own parser.

https://spec.openapis.org/oas/v3.1.0
"""

from typing import Any, Final

from fastapi import FastAPI

_BODIES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("/fhir/{type_name}", "post"): {"application/fhir+json": {"schema": {"type": "object"}}},
    ("/fhir/{type_name}/{id_}", "put"): {"application/fhir+json": {"schema": {"type": "object"}}},
    ("/fhir/{type_name}/_search", "post"): {
        "application/x-www-form-urlencoded": {"schema": {"type": "object"}}
    },
    ("/devices/{device_id}/readings", "post"): {"application/jose": {"schema": {"type": "string"}}},
    ("/imports", "post"): {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}

OPEN: Final = frozenset(
    {
        "/healthz",
        "/readyz",
        "/fhir/metadata",
        "/auth/token",
        "/auth/sign-in",
        "/devices/{device_id}/readings",
    }
)
"""What asks for no bearer token: it carries its own proof, or tells nothing of anyone."""


def describe(app: FastAPI) -> None:
    """Complete the description that `/docs` shows; it is made once."""
    schema = app.openapi()
    schema.setdefault("components", {})["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if path not in OPEN:
                operation["security"] = [{"bearer": []}]
            if (path, method) in _BODIES:
                operation["requestBody"] = {"required": True, "content": _BODIES[path, method]}
