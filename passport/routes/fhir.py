"""The FHIR interactions that read: read, vread, history, search.

http://hl7.org/fhir/R4/http.html

Each route reads its request, hands it to the disclosure, and writes the answer; none decides.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.search.query import CURSOR, MAX_COUNT, parse_query
from fhirstore.search.test import SearchError
from fhirstore.subset import Subset
from fhirstore.types import ResourceType, resource_type
from passport import bundles, disclosure
from passport.audit import reading
from passport.audit.query import recorded
from passport.bundles import Entry, Links
from passport.outcomes import Invalid, NotFound, UnsupportedMedia
from passport.records import written_instant
from passport.routes.messages import (
    bearer,
    check_accept,
    fhir_response,
    media_type,
    raw_body,
    runtime_of,
    versioned,
)
from passport.routes.subsets import cut, wanted_part
from passport.runtime import Runtime

router = APIRouter(prefix="/fhir", tags=["FHIR"])

AUDIT: Final = "AuditEvent"
_FORM: Final = "application/x-www-form-urlencoded"


@router.get("/{type_name}/{id_}")
async def read(request: Request, type_name: str, id_: str) -> Response:
    """Read the current version of a record."""
    runtime, type_ = _addressed(request, type_name)
    wanted = wanted_part(request, type_name)
    if type_name == AUDIT:
        return fhir_response(cut(await reading.read_audit_event(runtime, bearer(request), id_), wanted))
    shown = await disclosure.read(runtime, bearer(request), type_, id_, _recorded(request))
    return _shown(shown, wanted)


@router.get("/{type_name}/{id_}/_history/{version}")
async def vread(request: Request, type_name: str, id_: str, version: str) -> Response:
    """Read one version of a record."""
    runtime, type_ = _addressed(request, type_name)
    caller, wanted = bearer(request), wanted_part(request, type_name)
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise NotFound
    shown = await disclosure.version(runtime, caller, type_, id_, int(version), _recorded(request))
    return _shown(shown, wanted)


@router.get("/{type_name}/{id_}/_history")
async def history(request: Request, type_name: str, id_: str) -> Response:
    """List the versions of a record, newest first; `_count` and `_before` page through them."""
    runtime, type_ = _addressed(request, type_name)
    caller = bearer(request)
    limit, before = _history_paging(request)
    shown = await disclosure.history(
        runtime, caller, type_, id_, _recorded(request), before=before, limit=limit + 1
    )
    base = f"{runtime.settings.fhir_url}/{type_name}/{id_}/_history"
    further = None
    if len(shown) > limit:
        further = f"{base}?{urlencode({'_count': limit, '_before': shown[limit - 1].version})}"
    links = Links(f"{base}?{urlencode({'_count': limit})}", further)
    return fhir_response(
        bundles.history(runtime.settings.fhir_url, [_version(one) for one in shown[:limit]], links, None)
    )


@router.get("/{type_name}")
async def search(request: Request, type_name: str) -> Response:
    """Search a type."""
    return await _search(request, type_name, request.query_params.multi_items())


@router.post("/{type_name}/_search")
async def search_by_post(request: Request, type_name: str) -> Response:
    """Search a type with the parameters in the body, so that they are in no log of addresses."""
    if (kind := media_type(request)) != _FORM:
        raise UnsupportedMedia(_FORM, kind)
    try:
        form = parse_qsl((await raw_body(request)).decode(), keep_blank_values=True, strict_parsing=False)
    except (UnicodeDecodeError, ValueError):
        raise Invalid("got a body that is no form, expected one") from None
    return await _search(request, type_name, [*request.query_params.multi_items(), *form])


def _addressed(request: Request, type_name: str) -> tuple[Runtime, ResourceType]:
    check_accept(request)
    return runtime_of(request), resource_type(type_name)


def _recorded(request: Request, params: Sequence[tuple[str, str]] | None = None) -> str:
    path = request.url.path.removeprefix("/fhir/")
    asked = request.query_params.multi_items() if params is None else params
    return recorded(request.method, path, asked)


async def _search(request: Request, type_name: str, pairs: list[tuple[str, str]]) -> Response:
    runtime, type_ = _addressed(request, type_name)
    caller = bearer(request)
    if type_name == AUDIT:
        return fhir_response(await reading.search_audit_events(runtime, caller, pairs))
    settings = runtime.settings
    try:
        query = parse_query(
            type_, pairs, keys=runtime.keys, zone=settings.zone, base_urls=(settings.fhir_url,)
        )
    except SearchError as error:
        raise Invalid(str(error), (error.parameter,) if error.parameter else ()) from None
    question = f"{settings.fhir_url}/{type_name}?{urlencode(query.echo)}"
    page = await disclosure.search(runtime, caller, query, _recorded(request, pairs), question.encode())
    further = f"{question}{'&' if query.echo else ''}{CURSOR}={page.cursor}"
    links = Links(question.rstrip("?"), None if page.cursor is None else further)
    return fhir_response(bundles.searchset(settings.fhir_url, page.entries, links, page.total))


def _history_paging(request: Request) -> tuple[int, int]:
    """How many versions a page holds, and below which version it begins."""
    values = []
    for name, most, absent in (("_count", MAX_COUNT, 50), ("_before", 2**31 - 1, 2**31 - 1)):
        text = request.query_params.get(name, str(absent))
        if not (text.isascii() and text.isdigit() and int(text[:12]) > 0):
            raise Invalid(f"got an unreadable `{name}`, expected a whole number above 0", (name,))
        values.append(min(int(text[:12]), most))
    unknown = request.query_params.keys() - {"_count", "_before", "_format", "_pretty"}
    if unknown:
        raise Invalid(
            f"got parameter `{min(unknown)[:64]}`, expected one that a history has", (min(unknown)[:64],)
        )
    return values[0], values[1]


def _shown(shown: disclosure.Shown, wanted: Subset | None) -> Response:
    return fhir_response(cut(shown.body, wanted), versioned(shown.version, shown.last_updated))


def _version(shown: disclosure.Shown) -> Entry:
    """A version as a history tells it."""
    method = "DELETE" if shown.deleted else "POST" if shown.version == 1 else "PUT"
    url = shown.reference.partition("/")[0] if method == "POST" else shown.reference
    added = orjson.dumps(
        {
            "request": {"method": method, "url": url},
            "response": {
                "status": "204" if shown.deleted else "201" if shown.version == 1 else "200",
                "etag": f'W/"{shown.version}"',
                "lastModified": written_instant(shown.last_updated),
            },
        }
    )
    return Entry(shown.reference, shown.body, b"," + added[1:-1])
