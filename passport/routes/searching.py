"""Searches: of a type, in a patient's compartment, in the address or in the body.

http://hl7.org/fhir/R4/http.html#search
"""

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Request, Response

from fhirstore.errors import Problem
from fhirstore.search.query import CURSOR, Query, parse_query
from fhirstore.search.test import SearchError
from fhirstore.subset import Subset, parse_subset
from passport import bundles, disclosure
from passport.audit import reading
from passport.audit.query import recorded
from passport.bundles import Entry, Links
from passport.disclosure.including import MOST_INCLUDED
from passport.outcomes import Invalid, UnsupportedMedia, issues_outcome
from passport.routes.direct import Direct
from passport.routes.messages import (
    bearer,
    check_accept,
    fhir_response,
    held_type,
    is_lenient,
    media_type,
    raw_body,
    runtime_of,
)
from passport.routes.subsets import cut
from passport.runtime import Runtime

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)

Pairs = list[tuple[str, str]]

AUDIT: Final = "AuditEvent"
_FORM: Final = "application/x-www-form-urlencoded"
_CUT: Final = issues_outcome(
    [
        Problem(
            "warning",
            "incomplete",
            "",
            f"more than {MOST_INCLUDED} records, or more steps than are followed, would come along; "
            "expected a smaller `_count`",
        )
    ]
)


@router.get("/{type_name}")
async def search(request: Request, type_name: str) -> Response:
    """Search a type."""
    return await _search(request, type_name, request.query_params.multi_items())


@router.post("/{type_name}/_search")
async def search_by_post(request: Request, type_name: str) -> Response:
    """Search a type with the parameters in the body, so that they are in no log of addresses."""
    return await _search(request, type_name, await _form(request))


@router.get("/Patient/{id_}/{type_name}")
async def search_compartment(request: Request, id_: str, type_name: str) -> Response:
    """Search what names a patient."""
    return await _search(request, type_name, request.query_params.multi_items(), id_)


@router.post("/Patient/{id_}/{type_name}/_search")
async def search_compartment_by_post(request: Request, id_: str, type_name: str) -> Response:
    """Search what names a patient, with the parameters in the body."""
    return await _search(request, type_name, await _form(request), id_)


async def _form(request: Request) -> Pairs:
    """The parameters of the address, then those of the body."""
    if (kind := media_type(request)) != _FORM:
        raise UnsupportedMedia(_FORM, kind)
    try:
        form = parse_qsl((await raw_body(request)).decode(), keep_blank_values=True, strict_parsing=False)
    except (UnicodeDecodeError, ValueError):
        raise Invalid("got a body that is no form, expected one") from None
    return [*request.query_params.multi_items(), *form]


async def _search(request: Request, type_name: str, pairs: Pairs, patient: str | None = None) -> Response:
    check_accept(request, pairs)
    runtime, caller = runtime_of(request), bearer(request)
    if type_name == AUDIT and patient is None:
        return fhir_response(await reading.search_audit_events(runtime, caller, pairs))
    query, part = _question(request, runtime, type_name, pairs, patient)
    path = type_name if patient is None else f"Patient/{quote(patient)}/{type_name}"
    address = f"{runtime.settings.fhir_url}/{path}?{urlencode(query.echo)}"
    asked_as = recorded(request.method, request.url.path.removeprefix("/fhir/"), pairs)
    page = await disclosure.search(runtime, caller, query, asked_as, address.encode())
    further = f"{address}{'&' if query.echo else ''}{CURSOR}={page.cursor}"
    links = Links(address.rstrip("?"), None if page.cursor is None else further)
    return fhir_response(_bundle(runtime, page, links, part))


def _question(
    request: Request, runtime: Runtime, type_name: str, pairs: Pairs, patient: str | None
) -> tuple[Query, Subset | None]:
    """The search, and what part of each record it wants."""
    if type_name == "*":
        raise Invalid("got `*`, expected a type; `$everything` shows all of a patient", code="not-supported")
    type_, settings = held_type(request, type_name), runtime.settings
    if type_name == AUDIT or (patient is not None and (type_.directory or type_.sandbox)):
        raise Invalid(
            f"got `{type_name}` in the compartment of a patient, which has none", code="not-supported"
        )
    try:
        query = parse_query(
            type_,
            pairs,
            keys=runtime.keys,
            zone=settings.zone,
            base_urls=(settings.fhir_url,),
            sifting=True,
            lenient=is_lenient(request),
            now=runtime.clock(),
            compartment=None if patient is None else f"Patient/{patient}",
        )
        summary = None if query.summary == "count" else query.summary
        return query, parse_subset(summary, ",".join(query.elements) or None, (type_name,))
    except SearchError as error:
        raise Invalid(str(error), (error.parameter,) if error.parameter else ()) from None


def _bundle(runtime: Runtime, page: disclosure.Page, links: Links, part: Subset | None) -> bytes:
    # The names of elements are those of the type that was searched.
    beside = None if part is not None and part.elements else part
    return bundles.searchset(
        runtime.settings.fhir_url,
        [Entry(one.reference, cut(one.body, part)) for one in page.entries],
        links,
        page.total,
        [Entry(one.reference, cut(one.body, beside)) for one in page.included],
        _CUT if page.cut else b"",
    )
