"""`Patient/[id]/$summary`: the International Patient Summary, for this caller.

http://hl7.org/fhir/uv/ips/STU2/OperationDefinition-summary.html
"""

from asyncio import to_thread
from typing import Final

from fastapi import APIRouter, Request, Response

from fhirmap.ips.document import BUNDLE_PROFILE, compose
from fhirstore.compartment.question import single
from fhirstore.parse import Limits, Tree, parse, serialise
from passport.audit.query import recorded
from passport.bundles import Entry
from passport.disclosure import summary as disclosed
from passport.disclosure.summary import Gathered
from passport.outcomes import Invalid
from passport.routes.direct import Direct
from passport.routes.messages import bearer, check_accept, fhir_response, runtime_of
from passport.routes.operation_input import operation_input
from passport.runtime import Runtime

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)

AUTHOR: Final = "Healthcare data passport"
PROFILE: Final = "profile"
_STORED_DEPTH: Final = 256  # what is stored was measured on its way in


@router.get("/Patient/{id_}/$summary")
async def summary(request: Request, id_: str) -> Response:
    """Compose the summary of a patient."""
    return await _summary(request, id_)


@router.post("/Patient/{id_}/$summary")
async def summary_by_post(request: Request, id_: str) -> Response:
    """Compose the summary of a patient, the parameters in the body."""
    return await _summary(request, id_)


async def _summary(request: Request, id_: str) -> Response:
    check_accept(request)
    runtime, caller = runtime_of(request), bearer(request)
    pairs = await operation_input(request)
    _check(pairs)
    patient = f"Patient/{id_}"
    asked_as = recorded(request.method, f"{patient}/$summary", pairs)
    gathered = await disclosed.summary(runtime, caller, patient, asked_as)
    # Hundreds of records are read into trees: other requests do not wait for that.
    return fhir_response(await to_thread(_composed, runtime, gathered))


def _composed(runtime: Runtime, gathered: Gathered) -> bytes:
    document = compose(
        _tree(gathered.patient),
        [_tree(one) for one in gathered.records],
        [_tree(one) for one in gathered.others],
        base_url=runtime.settings.fhir_url,
        author=AUTHOR,
        now=runtime.clock(),
        new_id=runtime.new_id,
    )
    return serialise(document)


def _check(pairs: list[tuple[str, str]]) -> None:
    for name, _ in pairs:
        if name not in (PROFILE, "_format", "_pretty"):
            raise Invalid(f"got parameter `{name[:64]}`, expected `{PROFILE}`", (name[:64],))
    if single(pairs, PROFILE) not in (None, BUNDLE_PROFILE):
        raise Invalid(f"got another profile, expected `{BUNDLE_PROFILE}`", (PROFILE,))


def _tree(entry: Entry) -> Tree:
    return parse(entry.body, Limits(size_bytes=len(entry.body), depth=_STORED_DEPTH))
