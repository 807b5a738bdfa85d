"""The CapabilityStatement, made from the tables that the code executes.

http://hl7.org/fhir/R4/capabilitystatement.html
"""

from importlib.metadata import version
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parameters import Kind, parameters_of
from fhirstore.types import TYPES, ResourceType
from passport.routes.messages import check_accept, fhir_response, runtime_of

router = APIRouter(prefix="/fhir", tags=["FHIR"])

PUBLISHED: Final = "2026-11-22"
_READS: Final = ("read", "vread", "history-instance", "search-type")
_WRITES: Final = ("create", "update", "delete")
_KINDS: Final = {Kind.TOKEN: "token", Kind.DATE: "date", Kind.REFERENCE: "reference"}


@router.get("/metadata")
async def capabilities(request: Request) -> Response:
    """What this server can do; readable by anyone."""
    check_accept(request)
    return fhir_response(orjson.dumps(_statement(runtime_of(request).settings.fhir_url)))


def _statement(base_url: str) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "Healthcare data passport", "version": version("healthcare-passport")},
        "implementation": {"description": "Healthcare data passport", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "Opaque bearer tokens; what a caller sees is what the patients' consents permit."
                },
                "resource": [_resource(row) for row in TYPES.values()],
            }
        ],
    }


def _resource(row: ResourceType) -> dict[str, Any]:
    interactions = _READS[:1] + _READS[3:] if not row.writable else _READS + _WRITES
    return {
        "type": row.name,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned" if row.writable else "no-version",
        "readHistory": row.writable,
        "updateCreate": False,
        "searchParam": [
            {"name": parameter.name, "type": _KINDS[parameter.kind]}
            for parameter in parameters_of(row.name).values()
        ],
    }
