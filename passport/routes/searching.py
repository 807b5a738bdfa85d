"""Searches: of a type, in a patient's compartment, in the address or in the body.

http://hl7.org/fhir/R4/http.html#search
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fhirstore.errors import Problem
from fhirstore.search.across import TYPE, held_together, in_compartments, read_types
from fhirstore.search.include import EVERY, INCLUDE, REVINCLUDE
from fhirstore.search.named import Types
from fhirstore.search.query import CURSOR, Query, parse_query
from fhirstore.search.result import SHAPING
from fhirstore.search.test import NotCommon, SearchError, UnknownParameter
from fhirstore.subset import Subset, parse_subset
from passport import bundles, disclosure
from passport.audit import reading
from passport.audit.query import recorded
from passport.bundles import Entry, Links
from passport.disclosure.including import MOST_INCLUDED
from passport.forms import PRETTY, set_out, wishes_it_set_out
from passport.outcomes import Invalid, UnsupportedMedia, issues_outcome
from passport.query_strings import pairs_of, written_out
from passport.routes.direct import Direct
from passport.routes.media import UTF_8, media_of
from passport.routes.messages import (
    CHARSETS,
    bearer,
    check_accept,
    fhir_response,
    has_body,
    held_type,
    is_lenient,
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


@router.get("")
@router.get("/", include_in_schema=False)
async def search_all(request: Request) -> Response:
    """Search several types, or all of them; the base alone leads to what the server can do."""
    if not request.query_params:
        # Relative, so that a proxy may serve everything below a path of its own.
        return RedirectResponse("metadata" if request.url.path.endswith("/") else "fhir/metadata")
    return await _search_across(request, request.query_params.multi_items())


@router.post("/_search")
async def search_all_by_post(request: Request) -> Response:
    """Search several types, or all of them, with the parameters in the body."""
    return await _by_form(request, partial(_search_across, request))


@router.get("/{type_name}")
async def search(request: Request, type_name: str) -> Response:
    """Search a type."""
    return await _search(request, type_name, request.query_params.multi_items())


@router.post("/{type_name}/_search")
async def search_by_post(request: Request, type_name: str) -> Response:
    """Search a type with the parameters in the body, so that they are in no log of addresses."""
    return await _by_form(request, partial(_search, request, type_name))


@router.get("/Patient/{id_}/{type_name}")
async def search_compartment(request: Request, id_: str, type_name: str) -> Response:
    """Search what names a patient."""
    pairs = request.query_params.multi_items()
    if type_name == EVERY:
        return await _search_across(request, pairs, id_)
    return await _search(request, type_name, pairs, id_)


@router.post("/Patient/{id_}/_search")
async def search_whole_compartment_by_post(request: Request, id_: str) -> Response:
    """Search all that names a patient, whatever its type, with the parameters in the body."""
    return await _by_form(request, partial(_search_across, request, patient=id_))


@router.post("/Patient/{id_}/{type_name}/_search")
async def search_compartment_by_post(request: Request, id_: str, type_name: str) -> Response:
    """Search what names a patient, with the parameters in the body."""
    return await _by_form(request, partial(_search, request, type_name, patient=id_))


async def _by_form(request: Request, search: Callable[[Pairs], Awaitable[Response]]) -> Response:
    """A search by the parameters of the address, then those of the body."""
    posted = await _form(request)
    try:
        pretty = wishes_it_set_out(posted)
    except Invalid:
        if not is_lenient(request):
            raise
        pretty, posted = False, [pair for pair in posted if pair[0] != PRETTY]
    answer = await search([*request.query_params.multi_items(), *posted])
    return fhir_response(set_out(bytes(answer.body))) if pretty else answer


async def _form(request: Request) -> Pairs:
    """The parameters of the body, none where there is no body.

    Raises:
        UnsupportedMedia: it is no form, or not in UTF-8.
        Invalid: it is no text.
    """
    if not has_body(request):
        return []
    sent = media_of(request.headers.get("content-type", ""))
    if sent.kind != _FORM:
        raise UnsupportedMedia(_FORM, sent.kind)
    if sent.charset not in CHARSETS:
        raise UnsupportedMedia(f"{_FORM}; charset={UTF_8}", f"{_FORM}; charset={sent.charset[:64]}")
    try:
        form = (await raw_body(request)).decode()
    except UnicodeDecodeError:
        raise Invalid("got a body that is no form, expected one") from None
    return pairs_of(form)


async def _search(request: Request, type_name: str, pairs: Pairs, patient: str | None = None) -> Response:
    check_accept(request, pairs)
    runtime, caller = runtime_of(request), bearer(request)
    if type_name == AUDIT:
        whose = [] if patient is None else [("patient", f"Patient/{patient}")]
        found = await reading.search_audit_events(
            runtime, caller, [*whose, *pairs], lenient=is_lenient(request)
        )
        return fhir_response(found)
    if type_name == EVERY:
        place = "the base" if patient is None else "the patient"
        raise Invalid(f"got `{EVERY}`, expected a type, or `_search` behind {place}", code="not-supported")
    type_ = held_type(request, type_name)
    if patient is not None and (type_.directory or type_.sandbox):
        raise Invalid(
            f"got `{type_name}` in the compartment of a patient, which has none", code="not-supported"
        )
    path = type_name if patient is None else f"Patient/{quote(patient)}/{type_name}"
    return await _answer(request, path, pairs, _reading(request, patient, (type_,), pairs))


async def _search_across(request: Request, pairs: Pairs, patient: str | None = None) -> Response:
    """A search of the types that `_type` lists, or of all there are."""
    check_accept(request, pairs)
    bearer(request)
    sandbox = runtime_of(request).settings.sandbox
    known = held_together(sandbox=sandbox) if patient is None else in_compartments()
    path = "" if patient is None else f"Patient/{quote(patient)}/{EVERY}"

    def read() -> Query:
        asked = read_types(pairs, known)
        query = _reading(request, patient, asked.types, asked.pairs)()
        if asked.listed is None:
            return replace(query, every=True)
        return replace(query, echo=((TYPE, asked.listed), *query.echo))

    return await _answer(request, path, pairs, read)


def _reading(
    request: Request, patient: str | None, types: Types, pairs: Sequence[tuple[str, str]]
) -> Callable[[], Query]:
    runtime = runtime_of(request)
    return partial(
        parse_query,
        types,
        pairs,
        keys=runtime.keys,
        zone=runtime.settings.zone,
        base_urls=(runtime.settings.fhir_url,),
        sifting=True,
        lenient=is_lenient(request),
        now=runtime.clock(),
        compartment=None if patient is None else f"Patient/{patient}",
    )


async def _answer(request: Request, path: str, pairs: Pairs, read: Callable[[], Query]) -> Response:
    """The page that answers a search; `path` is its own below the base."""
    runtime, caller = runtime_of(request), bearer(request)
    try:
        query = read()
        summary = None if query.summary == "count" else query.summary
        part = parse_subset(summary, ",".join(query.elements) or None, query.names)
    except SearchError as error:
        raise Invalid(_refused(error), (error.parameter,) if error.parameter else ()) from None
    address = f"{runtime.settings.fhir_url}{'/' if path else ''}{path}?{written_out(query.echo)}"
    asked_as = recorded(request.method, request.scope["path"].removeprefix("/fhir").removeprefix("/"), pairs)
    page = await disclosure.search(runtime, caller, query, asked_as, address.encode())
    further = f"{address}{'&' if query.echo else ''}{CURSOR}={page.cursor}"
    links = Links(address.rstrip("?"), None if page.cursor is None else further)
    return fhir_response(_bundle(runtime, page, links, part))


def _refused(error: SearchError) -> str:
    """Why a search is none; of a name that stands by itself, also what else a search takes."""
    alone = not any(mark in error.parameter for mark in ".:")
    if isinstance(error, UnknownParameter | NotCommon) and alone:
        return f"{error}; or one that shapes the result: {', '.join((*SHAPING, INCLUDE, REVINCLUDE))}"
    return str(error)


def _bundle(runtime: Runtime, page: disclosure.Page, links: Links, part: Subset | None) -> bytes:
    # The names of elements are those of the type that was searched.
    beside = None if part is not None and part.elements else part
    return bundles.searchset(
        runtime.settings.fhir_url,
        _cut(page.entries, part),
        links,
        page.total,
        _cut(page.included, beside),
        _CUT if page.cut else b"",
    )


def _cut(entries: Sequence[Entry], part: Subset | None) -> Sequence[Entry]:
    """The entries with what is wanted of each; all of it costs nothing."""
    return entries if part is None else [Entry(one.reference, cut(one.body, part)) for one in entries]
