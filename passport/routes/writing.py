"""The FHIR interactions that write one record: create, update, patch, delete, by its address or by a condition.

http://hl7.org/fhir/R4/http.html

Each route reads its request, hands it to the intake, and writes the answer; none decides.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore import facts
from fhirstore.parse import Tree, parse
from fhirstore.patch import read_fhirpath_patch, read_json_patch
from fhirstore.types import ResourceType
from passport import admission, disclosure, intake
from passport.admission import Desk
from passport.audit.query import recorded
from passport.conditions import (
    Condition,
    check_unmatched,
    claimed,
    condition_of,
    matched,
    pairs_of,
)
from passport.interactions import FHIRPATH_PATCH, JSON_PATCH
from passport.outcomes import Gone, Invalid, NotAllowed, NotFound, OutOfScope, Overtaken, UnsupportedPatch
from passport.pieces import Versions, Write, Written, misnamed
from passport.routes.direct import Direct
from passport.routes.messages import (
    bearer,
    check_accept,
    fhir_body,
    fhir_response,
    held_type,
    media_type,
    raw_body,
    runtime_of,
    written_for,
)
from passport.routes.preferences import found_response, outcome_of_success, returned, written_response
from passport.routes.subsets import known_parameters
from passport.runtime import Runtime
from passport.subjects import Bearer

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)

_FORMS: Final = frozenset({"_format", "_pretty"})
"""Parameters that say what an answer looks like, whatever is done."""


@router.post("/{type_name}")
async def create(request: Request, type_name: str) -> Response:
    """Create a record; the server names it. With `If-None-Exist` only if nothing matches."""
    runtime, type_ = _writable(request, type_name)
    caller = bearer(request)
    tree = parse(await fhir_body(request))
    stated = _stated(request, type_)
    condition = None if stated is None else condition_of(runtime, type_, stated)
    named = _about(runtime, tree, type_) or (f"{type_name}/",)
    written: Written | None = None
    async with _admitted(request, runtime, caller, "create", named, Action.COLLECT) as desk:
        known = None if condition is None else await _claimed(desk, condition)
        if known is None:
            (written,) = await intake.write(desk, [Write("create", type_name, tree)], commit=True)
    if written is None:
        return await _as_it_is(request, runtime, caller, type_, str(known))
    return written_response(request, runtime, written)


@router.put("/{type_name}/{id_}")
async def update(request: Request, type_name: str, id_: str) -> Response:
    """Write the next version of a record."""
    runtime, type_ = _writable(request, type_name)
    caller = bearer(request)
    known_parameters(request, _FORMS)
    tree = parse(await fhir_body(request))
    write = Write("update", type_name, tree, id_, written_for(request))
    named = [f"{type_name}/{id_}", *_about(runtime, tree, type_)]

    async def stored() -> Written:
        async with _admitted(request, runtime, caller, "update", named) as desk:
            (written,) = await intake.write(desk, [write], commit=True)
            return written

    try:
        written = await stored()
    except Overtaken:
        written = await stored()
    return written_response(request, runtime, written)


@router.put("/{type_name}")
async def update_by_condition(request: Request, type_name: str) -> Response:
    """Write the next version of the one record that matches, or the first where none does."""
    runtime, type_ = _writable(request, type_name)
    caller = bearer(request)
    condition = condition_of(runtime, type_, _asked(request))
    tree = parse(await fhir_body(request))
    named = _about(runtime, tree, type_) or (f"{type_name}/",)
    async with _admitted(request, runtime, caller, "update", named) as desk:
        write = conditional_update(type_name, tree, await _claimed(desk, condition), written_for(request))
        (written,) = await intake.write(desk, [write], commit=True)
    return written_response(request, runtime, written)


@router.patch("/{type_name}/{id_}")
async def patch(request: Request, type_name: str, id_: str) -> Response:
    """Change parts of a record."""
    runtime, _ = _writable(request, type_name)
    caller = bearer(request)
    known_parameters(request, _FORMS)
    write = Write("update", type_name, None, id_, written_for(request), patch=await _patch(request))
    async with _admitted(request, runtime, caller, "update", [f"{type_name}/{id_}"]) as desk:
        (written,) = await intake.write(desk, [write], commit=True)
    return written_response(request, runtime, written)


@router.patch("/{type_name}")
async def patch_by_condition(request: Request, type_name: str) -> Response:
    """Change parts of the one record that matches."""
    runtime, type_ = _writable(request, type_name)
    caller = bearer(request)
    condition = condition_of(runtime, type_, _asked(request))
    change = await _patch(request)
    async with _admitted(request, runtime, caller, "update", [f"{type_name}/"]) as desk:
        id_ = await _one(desk, condition)
        write = Write("update", type_name, None, id_, written_for(request), patch=change)
        (written,) = await intake.write(desk, [write], commit=True)
    return written_response(request, runtime, written)


@router.delete("/{type_name}/{id_}")
async def delete(request: Request, type_name: str, id_: str) -> Response:
    """Delete a record; its versions stay for those who may see them."""
    runtime, _ = _writable(request, type_name)
    caller = bearer(request)
    known_parameters(request, _FORMS)
    write = Write("delete", type_name, id=id_, if_match=written_for(request))
    async with _admitted(request, runtime, caller, "delete", [f"{type_name}/{id_}"]) as desk:
        (written,) = await intake.write(desk, [write], commit=True)
    return _deleted(request, written)


@router.delete("/{type_name}")
async def delete_by_condition(request: Request, type_name: str) -> Response:
    """Delete the one record that matches; where none does, there is nothing left to do."""
    runtime, type_ = _writable(request, type_name)
    caller = bearer(request)
    condition = condition_of(runtime, type_, _asked(request))
    async with _admitted(request, runtime, caller, "delete", [f"{type_name}/"]) as desk:
        if_match, known = written_for(request), await matched(desk, condition)
        written = None
        if known is None:
            check_unmatched(desk, type_, if_match)
            await intake.nothing_written(desk)
        else:
            write = Write("delete", type_name, id=known.partition("/")[2], if_match=if_match)
            (written,) = await intake.write(desk, [write], commit=True)
    return _deleted(request, written)


def conditional_update(type_name: str, tree: Tree, known: str | None, if_match: Versions | None) -> Write:
    """What an update by condition comes to: the next version of what is known, or a new record.

    Raises:
        Invalid: the content names another id than the record that matches.
    """
    stated = tree.get("id")
    if known is None:
        # A client that names the new record itself needs what an update of that id needs.
        if stated is None:
            return Write("create", type_name, tree, if_match=if_match)
        return Write("update", type_name, tree, str(stated), if_match)
    id_ = known.partition("/")[2]
    if stated not in (None, id_):
        raise Invalid(misnamed(tree, f"`{id_}` of the record that matches, or none"), (f"{type_name}.id",))
    return Write("update", type_name, {**tree, "id": id_}, id_, if_match)


def _admitted(
    request: Request,
    runtime: Runtime,
    caller: Bearer,
    verb: str,
    named: Sequence[str],
    action: Action = Action.CORRECT,
) -> AbstractAsyncContextManager[Desk]:
    asked = admission.Request(
        action, verb, _recorded(request), about=named[0], isolation="write", beside=tuple(named[1:])
    )
    return admission.admitted(runtime, caller, asked)


async def _claimed(desk: Desk, condition: Condition) -> str | None:
    """The record that matches, while nobody else writes under the condition."""
    await claimed(desk, [condition])
    return await matched(desk, condition)


async def _one(desk: Desk, condition: Condition) -> str:
    """The id of the one record that matches.

    Raises:
        NotFound: there is none that the caller may read.
    """
    known = await matched(desk, condition)
    if known is None:
        raise NotFound
    return known.partition("/")[2]


async def _as_it_is(
    request: Request, runtime: Runtime, caller: Bearer, type_: ResourceType, reference: str
) -> Response:
    """The record that a conditional creation found, disclosed like by any other read.

    It was found by the right to search: where the session does not read it, or it is deleted by now, it is named alone.
    """
    try:
        shown = await disclosure.read(runtime, caller, type_, reference.partition("/")[2], _recorded(request))
    except (OutOfScope, NotFound, Gone):
        return found_response(runtime, reference)
    written = Written(reference, shown.version, shown.last_updated, shown.body, created=False)
    return written_response(request, runtime, written)


async def _patch(request: Request) -> Callable[[Tree], Tree]:
    """The change that a patch makes.

    Raises:
        UnsupportedPatch: it is of another format.
        Invalid: it is of one, and said to be of the other.
    """
    kind = media_type(request)
    if kind == JSON_PATCH:
        return read_json_patch(await raw_body(request))
    if kind != FHIRPATH_PATCH:
        raise UnsupportedPatch(kind)
    body = await fhir_body(request)
    if body.lstrip().startswith(b"["):
        raise Invalid(f"got an array, expected Parameters; a JSON Patch is sent as `{JSON_PATCH}`")
    return read_fhirpath_patch(parse(body))


def _about(runtime: Runtime, tree: Tree, type_: ResourceType) -> tuple[str, ...]:
    """Whom the content is about."""
    return facts.about(tree, type_, (runtime.settings.fhir_url,))


def _asked(request: Request) -> list[tuple[str, str]]:
    """The parameters of the address that name records."""
    return [(name, value) for name, value in request.query_params.multi_items() if name not in _FORMS]


def _stated(request: Request, type_: ResourceType) -> list[tuple[str, str]] | None:
    """The condition of a creation; clients that have no header for it write it into the address.

    Raises:
        Invalid: it stands in both.
    """
    header, asked = request.headers.get("if-none-exist"), _asked(request)
    if header is None:
        return asked or None
    if asked:
        raise Invalid("got a condition in the address beside `If-None-Exist`, expected one of them")
    return pairs_of(header, type_)


def _writable(request: Request, type_name: str) -> tuple[Runtime, ResourceType]:
    check_accept(request)
    runtime, type_ = runtime_of(request), held_type(request, type_name)
    if not type_.writable:
        raise NotAllowed("records of this type are written by the service alone", allowed=("GET",))
    return runtime, type_


def _recorded(request: Request) -> str:
    path = request.url.path.removeprefix("/fhir/")
    return recorded(request.method, path, request.query_params.multi_items())


def _deleted(request: Request, written: Written | None) -> Response:
    headers = {} if written is None else {"ETag": f'W/"{written.version}"'}
    if returned(request) == "OperationOutcome":
        return fhir_response(outcome_of_success(), headers)
    return Response(status_code=204, headers=headers)
