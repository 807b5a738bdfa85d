"""`$meta`: the profiles, tags and labels of a record, and those in use among what the caller may see.

http://hl7.org/fhir/R4/resource-operation-meta.html
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from fhirstore.parse import Tree, parse, serialise
from fhirstore.types import ResourceType, types_of
from passport import disclosure
from passport.audit import reading
from passport.audit.query import recorded
from passport.disclosure.metadata import metadata
from passport.outcomes import Invalid
from passport.routes.direct import Direct
from passport.routes.messages import bearer, check_accept, fhir_response, held_type, runtime_of, versioned
from passport.routes.searching import AUDIT
from passport.routes.subsets import known_parameters

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)


@router.get("/$meta")
async def system_meta(request: Request) -> Response:
    """Show the profiles, tags and labels that are in use in records of any type."""
    held = types_of(sandbox=runtime_of(request).settings.sandbox).values()
    return await _in_use(request, [row for row in held if row.writable], "$meta")


@router.get("/{type_name}/$meta")
async def type_meta(request: Request, type_name: str) -> Response:
    """Show the profiles, tags and labels that are in use in records of a type."""
    type_ = held_type(request, type_name)
    if not type_.writable:
        raise Invalid(
            "got a type of which only single records tell this, expected another", code="not-supported"
        )
    return await _in_use(request, [type_], f"{type_name}/$meta")


@router.get("/{type_name}/{id_}/$meta")
async def meta(request: Request, type_name: str, id_: str) -> Response:
    """Show the metadata of a record as it is now."""
    check_accept(request)
    runtime, type_ = runtime_of(request), held_type(request, type_name)
    known_parameters(request, ("_format", "_pretty"))
    caller, asked_as = bearer(request), recorded("GET", f"{type_name}/{id_}/$meta")
    if type_name == AUDIT:
        return fhir_response(_parameters(parse(await reading.read_audit_event(runtime, caller, id_))))
    shown = await disclosure.read(runtime, caller, type_, id_, asked_as)
    return fhir_response(_parameters(parse(shown.body)), versioned(shown.version, shown.last_updated))


async def _in_use(request: Request, types: Sequence[ResourceType], path: str) -> Response:
    check_accept(request)
    known_parameters(request, ("_format", "_pretty"))
    found = await metadata(runtime_of(request), bearer(request), types, recorded("GET", path))
    return fhir_response(_parameters({"meta": found}))


def _parameters(tree: Tree) -> bytes:
    found: dict[str, Any] = tree.get("meta", {})
    return serialise({"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": found}]})
