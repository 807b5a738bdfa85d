"""Histories: of a record, of a type, of all that the caller may see.

http://hl7.org/fhir/R4/http.html#history
"""

from typing import Final
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.search.history import parse_changes
from fhirstore.search.query import CURSOR
from fhirstore.search.test import SearchError
from fhirstore.subset import Subset
from fhirstore.types import ResourceType, types_of
from passport import bundles, disclosure
from passport.audit.query import recorded
from passport.bundles import Entry, Links
from passport.disclosure import Asked
from passport.outcomes import Invalid, NotAllowed
from passport.records import written_instant
from passport.routes.direct import Direct
from passport.routes.messages import bearer, check_accept, fhir_response, held_type, is_lenient, runtime_of
from passport.routes.subsets import cut

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)

_PATH: Final = "_history"


@router.get("/_history")
async def history_of_all(request: Request) -> Response:
    """List the versions of all records, newest first."""
    return await _history(request, Asked(), _PATH)


@router.get("/{type_name}/_history")
async def history_of_type(request: Request, type_name: str) -> Response:
    """List the versions of a type's records, newest first."""
    return await _history(request, Asked(_kept(request, type_name)), f"{type_name}/{_PATH}")


@router.get("/{type_name}/{id_}/_history")
async def history(request: Request, type_name: str, id_: str) -> Response:
    """List the versions of a record, newest first."""
    return await _history(request, Asked(_kept(request, type_name), id_), f"{type_name}/{id_}/{_PATH}")


def _kept(request: Request, type_name: str) -> ResourceType:
    """The type, if there are versions of its records.

    Raises:
        NotAllowed: there are none.
    """
    type_ = held_type(request, type_name)
    if not type_.writable:
        raise NotAllowed("records of this type have no versions")
    return type_


async def _history(request: Request, asked: Asked, path: str) -> Response:
    check_accept(request)
    runtime, caller, pairs = runtime_of(request), bearer(request), request.query_params.multi_items()
    try:
        question = parse_changes(
            pairs,
            zone=runtime.settings.zone,
            lenient=is_lenient(request),
            types=types_of(sandbox=runtime.settings.sandbox) if asked.type is None else (asked.type.name,),
        )
    except SearchError as error:
        raise Invalid(str(error), (error.parameter,)) from None
    base = runtime.settings.fhir_url
    address = f"{base}/{path}?{urlencode(question.echo)}"
    asked_as = recorded(request.method, request.url.path.removeprefix("/fhir/"), pairs)
    page = await disclosure.changes(runtime, caller, asked, question, asked_as, address.encode())
    further = f"{address}{'&' if question.echo else ''}{CURSOR}={page.cursor}"
    links = Links(address.rstrip("?"), None if page.cursor is None else further)
    entries = [_version(one, question.subset) for one in page.shown]
    return fhir_response(bundles.history(base, entries, links, page.total))


def _version(shown: disclosure.Shown, wanted: Subset | None) -> Entry:
    """A version as a history tells it."""
    method = "DELETE" if shown.deleted else "POST" if shown.version == 1 else "PUT"
    created = shown.version == 1 or shown.revived
    url = shown.reference.partition("/")[0] if method == "POST" else shown.reference
    added = orjson.dumps(
        {
            "request": {"method": method, "url": url},
            "response": {
                "status": "204" if shown.deleted else "201" if created else "200",
                "etag": f'W/"{shown.version}"',
                "lastModified": written_instant(shown.last_updated),
            },
        }
    )
    body = b"" if shown.deleted else cut(shown.body, wanted)
    return Entry(shown.reference, body, b"," + added[1:-1])
