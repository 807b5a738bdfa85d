"""`$validate`: whether a resource keeps R4 and the profiles that it claims or is asked for.

http://hl7.org/fhir/R4/resource-operation-validate.html

A type's operation is open to every signed-in caller and touches no record; an instance's shows what a read
shows, so it is a read. The answer is 200 whatever was found: only what cannot be read at all is refused.
"""

from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.errors import Problem
from fhirstore.parse import Tree, parse
from fhirstore.tables import NOBODY
from fhirstore.types import ResourceType
from passport import admission, disclosure
from passport.audit.query import recorded
from passport.outcomes import Invalid, NotFound, issues_outcome
from passport.routes.direct import Direct
from passport.routes.messages import (
    bearer,
    check_accept,
    fhir_body,
    fhir_response,
    has_body,
    held_type,
    runtime_of,
)
from passport.validation import Question, asked, findings

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)

_ASKED_FOR = "validate"


@router.post("/{type_name}/$validate")
async def validate_resource(request: Request, type_name: str) -> Response:
    """Check a resource that is sent."""
    type_ = _addressed(request, type_name)
    runtime, caller = runtime_of(request), bearer(request)
    question = asked(parse(await fhir_body(request)), request.query_params.multi_items())
    if question.tree is None and question.mode != "delete":
        raise Invalid("got no resource, expected one", ("resource",), code="required")
    wanted = admission.Request(Action.ACCESS, _ASKED_FOR, _recorded(request), about=f"{type_name}/")
    async with admission.admitted(runtime, caller, wanted) as desk:
        await desk.audit(desk.row(NOBODY))
    return _told(findings(type_.name, question))


@router.get("/{type_name}/{id_}/$validate")
async def validate_stored(request: Request, type_name: str, id_: str) -> Response:
    """Check a record that is stored."""
    return await _instance(request, type_name, id_, None)


@router.post("/{type_name}/{id_}/$validate")
async def validate_instance(request: Request, type_name: str, id_: str) -> Response:
    """Check a record that is stored, or what is sent in its place."""
    _addressed(request, type_name)
    bearer(request)
    sent = parse(await fhir_body(request)) if has_body(request) else None
    return await _instance(request, type_name, id_, sent)


async def _instance(request: Request, type_name: str, id_: str, tree: Tree | None) -> Response:
    type_ = _addressed(request, type_name)
    runtime, caller = runtime_of(request), bearer(request)
    question = asked(tree, request.query_params.multi_items())
    if not type_.writable:
        # What the service alone writes is validated by the service alone.
        raise NotFound
    shown = await disclosure.read(runtime, caller, type_, id_, _recorded(request))
    if question.tree is None and question.mode != "delete":
        question = Question(parse(shown.body), question.profiles, question.mode)
    return _told(findings(type_.name, question, id_))


def _addressed(request: Request, type_name: str) -> ResourceType:
    check_accept(request)
    return held_type(request, type_name)


def _recorded(request: Request) -> str:
    path = request.url.path.removeprefix("/fhir/")
    return recorded(request.method, path, request.query_params.multi_items())


def _told(found: list[Problem]) -> Response:
    return fhir_response(issues_outcome(found))
