"""The FHIR interactions that write one record: create, update, delete.

http://hl7.org/fhir/R4/http.html

Each route reads its request, hands it to the intake, and writes the answer; none decides.
"""

from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.elements import References, values_at
from fhirstore.parse import Tree, parse
from fhirstore.types import ResourceType, resource_type
from passport import admission, intake
from passport.audit.query import recorded
from passport.outcomes import NotAllowed
from passport.pieces import Write, Written
from passport.routes.messages import (
    bearer,
    check_accept,
    fhir_body,
    fhir_response,
    if_match,
    refuse_conditional,
    runtime_of,
    versioned,
)
from passport.runtime import Runtime

router = APIRouter(prefix="/fhir", tags=["FHIR"])


@router.post("/{type_name}")
async def create(request: Request, type_name: str) -> Response:
    """Create a record; the server names it."""
    runtime, type_ = _writable(request, type_name)
    caller = bearer(request)
    refuse_conditional(request)
    tree = parse(await fhir_body(request))
    about, *beside = _named_by(tree, type_, runtime.settings.fhir_url) or [f"{type_name}/"]
    asked = admission.Request(
        Action.COLLECT, "create", _recorded(request), about=about, isolation="write", beside=tuple(beside)
    )
    async with admission.admitted(runtime, caller, asked) as desk:
        (written,) = await intake.write(desk, [Write("create", type_name, tree)], commit=True)
    return _written(runtime, written)


@router.put("/{type_name}/{id_}")
async def update(request: Request, type_name: str, id_: str) -> Response:
    """Write the next version of a record."""
    runtime, type_ = _writable(request, type_name)
    caller = bearer(request)
    tree = parse(await fhir_body(request))
    write = Write("update", type_name, tree, id_, if_match(request))
    asked = admission.Request(
        Action.CORRECT,
        "update",
        _recorded(request),
        about=f"{type_name}/{id_}",
        isolation="write",
        beside=tuple(_named_by(tree, type_, runtime.settings.fhir_url)),
    )
    async with admission.admitted(runtime, caller, asked) as desk:
        (written,) = await intake.write(desk, [write], commit=True)
    return _written(runtime, written)


@router.delete("/{type_name}/{id_}")
async def delete(request: Request, type_name: str, id_: str) -> Response:
    """Delete a record; its versions stay for those who may see them."""
    runtime, _ = _writable(request, type_name)
    asked = admission.Request(
        Action.CORRECT, "delete", _recorded(request), about=f"{type_name}/{id_}", isolation="write"
    )
    async with admission.admitted(runtime, bearer(request), asked) as desk:
        (written,) = await intake.write(
            desk, [Write("delete", type_name, id=id_, if_match=if_match(request))], commit=True
        )
    return Response(status_code=204, headers={"ETag": f'W/"{written.version}"'})


def _writable(request: Request, type_name: str) -> tuple[Runtime, ResourceType]:
    check_accept(request)
    runtime, type_ = runtime_of(request), resource_type(type_name)
    if not type_.writable:
        raise NotAllowed("records of this type are written by the service alone", allowed=("GET",))
    return runtime, type_


def _recorded(request: Request) -> str:
    path = request.url.path.removeprefix("/fhir/")
    return recorded(request.method, path, request.query_params.multi_items())


def _named_by(tree: Tree, type_: ResourceType, fhir_url: str) -> list[str]:
    """Whom a resource is about, read before it was validated: only to know whose consents to ask."""
    paths = type_.follows or type_.patients
    named = References((fhir_url,)).literals(values_at(tree, paths))
    return list(dict.fromkeys(name for name in named if type_.follows or name.startswith("Patient/")))


def _written(runtime: Runtime, written: Written) -> Response:
    location = f"{runtime.settings.fhir_url}/{written.reference}/_history/{written.version}"
    headers = {"Location": location, **versioned(written.version, written.last_updated)}
    return fhir_response(written.body, headers, status=201 if written.created else 200)
