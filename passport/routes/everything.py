"""`Patient/[id]/$everything`: all there is of a patient for this caller.

http://hl7.org/fhir/R4/patient-operation-everything.html
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from fhirstore.compartment.question import parse_everything
from fhirstore.search.query import CURSOR
from passport import bundles
from passport.audit.query import recorded
from passport.bundles import Entry, Links
from passport.disclosure import everything as disclosed
from passport.routes.direct import Direct
from passport.routes.messages import bearer, check_accept, fhir_response, runtime_of
from passport.routes.operation_input import operation_input
from passport.routes.subsets import cut

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)


@router.get("/Patient/{id_}/$everything")
async def everything(request: Request, id_: str) -> Response:
    """Show all there is of a patient."""
    return await _everything(request, id_)


@router.post("/Patient/{id_}/$everything")
async def everything_by_post(request: Request, id_: str) -> Response:
    """Show all there is of a patient, the parameters in the body."""
    return await _everything(request, id_)


async def _everything(request: Request, id_: str) -> Response:
    check_accept(request)
    runtime, caller = runtime_of(request), bearer(request)
    pairs = await operation_input(request)
    question = parse_everything(pairs, zone=runtime.settings.zone)
    patient, base = f"Patient/{id_}", runtime.settings.fhir_url
    asked_as = recorded(request.method, f"{patient}/$everything", pairs)
    address = f"{base}/{patient}/$everything?{urlencode(question.echo)}"
    found = await disclosed.everything(runtime, caller, patient, question, asked_as, address.encode())
    further = f"{address}{'&' if question.echo else ''}{CURSOR}={found.cursor}"
    links = Links(address.rstrip("?"), None if found.cursor is None else further)
    parts = [
        [Entry(one.reference, cut(one.body, question.subset)) for one in listed]
        for listed in (found.entries, found.included)
    ]
    return fhir_response(bundles.searchset(base, parts[0], links, None, parts[1]))
