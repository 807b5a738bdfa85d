"""`Observation/$lastn`: the last Observations of each kind.

http://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from fhirstore.compartment.question import single
from fhirstore.search.include import includes
from fhirstore.search.query import MAX_COUNT, Query, parse_query
from fhirstore.search.result import RESULT
from fhirstore.search.test import BadValue, SearchError, UnknownParameter
from fhirstore.subset import parse_subset
from fhirstore.types import resource_type
from passport import bundles
from passport.audit.query import recorded
from passport.bundles import Entry, Links
from passport.disclosure import lastn as disclosed
from passport.routes.direct import Direct
from passport.routes.messages import bearer, check_accept, fhir_response, runtime_of
from passport.routes.operation_input import operation_input
from passport.routes.subsets import cut
from passport.runtime import Runtime

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)

OBSERVATION: Final = "Observation"
PATH: Final = f"{OBSERVATION}/$lastn"
MAX: Final = "max"
_OWN: Final = (MAX, "_summary", "_elements", "_format", "_pretty")

Pairs = list[tuple[str, str]]


@router.get(f"/{PATH}")
async def lastn(request: Request) -> Response:
    """Show the last Observations of each kind."""
    return await _lastn(request)


@router.post(f"/{PATH}")
async def lastn_by_post(request: Request) -> Response:
    """Show the last Observations of each kind, the parameters in the body."""
    return await _lastn(request)


async def _lastn(request: Request) -> Response:
    check_accept(request)
    runtime, caller = runtime_of(request), bearer(request)
    pairs = await operation_input(request)
    most = _most(single(pairs, MAX))
    wanted = parse_subset(single(pairs, "_summary"), single(pairs, "_elements"), (OBSERVATION,))
    query = _query(runtime, [pair for pair in pairs if pair[0] not in _OWN])
    shown = await disclosed.lastn(runtime, caller, query, most, recorded(request.method, PATH, pairs))
    entries = [Entry(one.reference, cut(one.body, wanted)) for one in shown]
    base = runtime.settings.fhir_url
    return fhir_response(bundles.searchset(base, entries, Links(f"{base}/{PATH}?{urlencode(pairs)}"), None))


def _most(text: str | None) -> int:
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= MAX_COUNT):
        raise BadValue(MAX, f"a whole number from 1 to {MAX_COUNT}")
    return int(text)


def _query(runtime: Runtime, pairs: Pairs) -> Query:
    """The search whose matches are grouped.

    Raises:
        SearchError: it names not one patient, or has a parameter that shapes a page.
    """
    for name, _ in pairs:
        if name in RESULT or includes(name):
            raise UnknownParameter(
                name, "$lastn", ["patient", "subject", *_OWN, "others that find Observations"]
            )
    query = parse_query(
        (resource_type(OBSERVATION),),
        pairs,
        keys=runtime.keys,
        zone=runtime.settings.zone,
        base_urls=(runtime.settings.fhir_url,),
        sifting=True,
        now=runtime.clock(),
    )
    if query.patients is None or len(query.patients) != 1:
        raise SearchError("patient", "got not one patient, expected `patient` or `subject` with one")
    return query
