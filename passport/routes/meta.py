"""`$meta`, `$meta-add`, `$meta-delete`: the profiles, tags and labels of a record, and those in use.

http://hl7.org/fhir/R4/resource-operation-meta.html
http://hl7.org/fhir/R4/resource-operation-meta-add.html
http://hl7.org/fhir/R4/resource-operation-meta-delete.html
"""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.parse import Tree, parse, serialise
from fhirstore.types import ResourceType, types_of
from passport import admission, disclosure, intake
from passport.admission import Desk
from passport.audit import reading
from passport.audit.actions import META_ADD, META_DELETE
from passport.audit.query import recorded
from passport.authority import Basis
from passport.disclosure.metadata import metadata
from passport.labelling.changing import MetaChange, read_change
from passport.labelling.provenance import TAKEN_AWAY, provenance
from passport.outcomes import Invalid, NotAllowed
from passport.pieces import Write
from passport.records import written_instant
from passport.routes.direct import Direct
from passport.routes.messages import (
    bearer,
    check_accept,
    fhir_body,
    fhir_response,
    held_type,
    runtime_of,
    versioned,
    written_for,
)
from passport.routes.operation_input import operation_input
from passport.routes.searching import AUDIT
from passport.routes.subsets import expect_names, known_parameters

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)


_FORMS: Final = ("_format", "_pretty")


@router.get("/$meta")
@router.post("/$meta")
async def system_meta(request: Request) -> Response:
    """Show the profiles, tags and labels that are in use in records of any type."""
    held = types_of(sandbox=runtime_of(request).settings.sandbox).values()
    return await _in_use(request, [row for row in held if row.writable], "$meta")


@router.get("/{type_name}/$meta")
@router.post("/{type_name}/$meta")
async def type_meta(request: Request, type_name: str) -> Response:
    """Show the profiles, tags and labels that are in use in records of a type."""
    type_ = held_type(request, type_name)
    if not type_.writable:
        raise Invalid(
            "got a type of which only single records tell this, expected another", code="not-supported"
        )
    return await _in_use(request, [type_], f"{type_name}/$meta")


@router.get("/{type_name}/{id_}/$meta")
@router.post("/{type_name}/{id_}/$meta")
async def meta(request: Request, type_name: str, id_: str) -> Response:
    """Show the metadata of a record as it is now."""
    check_accept(request)
    runtime, type_ = runtime_of(request), held_type(request, type_name)
    caller, asked_as = bearer(request), recorded(request.method, f"{type_name}/{id_}/$meta")
    await _expect_no_input(request)
    if type_name == AUDIT:
        return fhir_response(_parameters(parse(await reading.read_audit_event(runtime, caller, id_))))
    shown = await disclosure.read(runtime, caller, type_, id_, asked_as)
    return fhir_response(
        _parameters(parse(shown.body)), versioned(request, shown.version, shown.last_updated)
    )


@router.post("/{type_name}/{id_}/$meta-add")
async def meta_add(request: Request, type_name: str, id_: str) -> Response:
    """Add profiles, tags and security labels to a record."""
    return await _changed(request, type_name, id_, META_ADD)


@router.post("/{type_name}/{id_}/$meta-delete")
async def meta_delete(request: Request, type_name: str, id_: str) -> Response:
    """Take profiles, tags and security labels away; of labels only the patient, and none that the codes demand."""
    return await _changed(request, type_name, id_, META_DELETE)


async def _changed(request: Request, type_name: str, id_: str, verb: str) -> Response:
    check_accept(request)
    runtime, type_ = runtime_of(request), held_type(request, type_name)
    if not type_.writable:
        raise NotAllowed("records of this type are written by the service alone", allowed=("GET",))
    caller = bearer(request)
    known_parameters(request, _FORMS)
    change = read_change(parse(await fhir_body(request)), adds=verb == META_ADD)
    asked_as = recorded("POST", f"{type_name}/{id_}/${verb}")
    wanted = admission.Request(Action.CORRECT, verb, asked_as, about=f"{type_name}/{id_}", isolation="write")
    write = Write(
        "update",
        type_name,
        id=id_,
        if_match=written_for(request),
        patch=change,
        labels_only=change.labels_only,
        taken=change.taken,
        # A profile that is claimed is held against the content.
        blind="profile" not in change.lists,
    )
    async with admission.admitted(runtime, caller, wanted) as desk:
        told = _told(desk, change, f"{type_name}/{id_}") if not type_.directory else []
        written, *_ = await intake.write(desk, [write, *told], commit=True)
    headers = versioned(request, written.version, written.last_updated)
    return fhir_response(_parameters(parse(written.body)), headers)


def _told(desk: Desk, change: MetaChange, reference: str) -> list[Write]:
    """The Provenance of labels that were taken away: a raised one speaks for itself."""
    if not change.taken:
        return []
    tree = provenance(
        reference,
        activity=TAKEN_AWAY,
        agent={"reference": desk.subject.reference},
        recorded=written_instant(desk.now),
        reason="asked for by the patient",
    )
    return [Write("create", "Provenance", tree, on=Basis.OWN)]


async def _in_use(request: Request, types: Sequence[ResourceType], path: str) -> Response:
    check_accept(request)
    runtime, caller = runtime_of(request), bearer(request)
    await _expect_no_input(request)
    found = await metadata(runtime, caller, types, recorded(request.method, path))
    return fhir_response(_parameters({"meta": found}))


async def _expect_no_input(request: Request) -> None:
    """By POST a Parameters may be sent, as to every operation; there is nothing that it could say."""
    expect_names([name for name, _ in await operation_input(request)], _FORMS)


def _parameters(tree: Tree) -> bytes:
    found: dict[str, Any] = tree.get("meta", {})
    return serialise({"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": found}]})
