"""The FHIR interactions that read one record: read and vread.

http://hl7.org/fhir/R4/http.html#read
http://hl7.org/fhir/R4/http.html#vread

Each route reads its request, hands it to the disclosure, and writes the answer; none decides.
"""

import re
from typing import Final

from fastapi import APIRouter, Request, Response

from fhirstore.subset import Subset
from fhirstore.types import ResourceType
from passport import disclosure
from passport.audit import reading
from passport.audit.query import recorded
from passport.outcomes import NotFound
from passport.routes import history, searching
from passport.routes.direct import Direct
from passport.routes.messages import (
    bearer,
    check_accept,
    fhir_response,
    held_type,
    not_modified,
    runtime_of,
    versioned,
)
from passport.routes.searching import AUDIT
from passport.routes.subsets import cut, wanted_part
from passport.runtime import Runtime

_VERSION: Final = re.compile("[1-9][0-9]{0,8}")

router = APIRouter(tags=["FHIR"], route_class=Direct)
# A history's address would else be that of a record, or of a compartment.
router.routes.extend(history.router.routes)


@router.get("/fhir/{type_name}/{id_}")
async def read(request: Request, type_name: str, id_: str) -> Response:
    """Read the current version of a record."""
    runtime, type_ = _addressed(request, type_name)
    wanted = wanted_part(request, type_name)
    if type_name == AUDIT:
        return fhir_response(cut(await reading.read_audit_event(runtime, bearer(request), id_), wanted))
    shown = await disclosure.read(runtime, bearer(request), type_, id_, _recorded(request))
    if not_modified(request, shown.version, shown.last_updated):
        return Response(status_code=304, headers=versioned(request, shown.version, shown.last_updated))
    return _shown(request, shown, wanted)


@router.get("/fhir/{type_name}/{id_}/_history/{version}")
async def vread(request: Request, type_name: str, id_: str, version: str) -> Response:
    """Read one version of a record."""
    runtime, type_ = _addressed(request, type_name)
    caller, wanted = bearer(request), wanted_part(request, type_name)
    if not _VERSION.fullmatch(version):
        raise NotFound
    shown = await disclosure.version(runtime, caller, type_, id_, int(version), _recorded(request))
    return _shown(request, shown, wanted)


router.routes.extend(searching.router.routes)


def _addressed(request: Request, type_name: str) -> tuple[Runtime, ResourceType]:
    check_accept(request)
    return runtime_of(request), held_type(request, type_name)


def _recorded(request: Request) -> str:
    path = request.scope["path"].removeprefix("/fhir/")
    return recorded(request.method, path, request.query_params.multi_items())


def _shown(request: Request, shown: disclosure.Shown, wanted: Subset | None) -> Response:
    return fhir_response(cut(shown.body, wanted), versioned(request, shown.version, shown.last_updated))
