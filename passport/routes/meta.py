"""`$meta`: the profiles, tags and labels of a record.

http://hl7.org/fhir/R4/resource-operation-meta.html
"""

from typing import Any

from fastapi import APIRouter, Request, Response

from fhirstore.parse import Tree, parse, serialise
from fhirstore.types import resource_type
from passport import disclosure
from passport.audit import reading
from passport.audit.query import recorded
from passport.routes.messages import bearer, check_accept, fhir_response, runtime_of, versioned
from passport.routes.searching import AUDIT
from passport.routes.subsets import known_parameters

router = APIRouter(prefix="/fhir", tags=["FHIR"])


@router.get("/{type_name}/{id_}/$meta")
async def meta(request: Request, type_name: str, id_: str) -> Response:
    """Show the metadata of a record as it is now."""
    check_accept(request)
    runtime, type_ = runtime_of(request), resource_type(type_name)
    known_parameters(request, ("_format", "_pretty"))
    caller, asked_as = bearer(request), recorded("GET", f"{type_name}/{id_}/$meta")
    if type_name == AUDIT:
        return fhir_response(_parameters(parse(await reading.read_audit_event(runtime, caller, id_))))
    shown = await disclosure.read(runtime, caller, type_, id_, asked_as)
    return fhir_response(_parameters(parse(shown.body)), versioned(shown.version, shown.last_updated))


def _parameters(tree: Tree) -> bytes:
    found: dict[str, Any] = tree.get("meta", {})
    return serialise({"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": found}]})
