"""The application: its routers, one place where errors become answers, and what lives as long as it runs.

https://fastapi.tiangolo.com/advanced/events/
"""

import logging
from asyncio import create_task
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Route

from consent.errors import ConsentError
from fhirstore.errors import FhirStoreError
from fhirstore.keys import KeyMaker
from passport.audit.rules import written_down
from passport.database import open_pool
from passport.dictionaries import open_dictionaries
from passport.forms import Forms
from passport.intake import open_directory
from passport.keys import KeyRing
from passport.logs import keep_values_out
from passport.outcomes import Invalid, NoOperation, NotFound, PassportError, not_taken, translated
from passport.rotation import keep_signing_keys
from passport.routes import (
    at_browser,
    audit,
    auth,
    authorization,
    clients,
    desk,
    device_authorization,
    devices,
    emergencies,
    entrance,
    everything,
    explaining,
    family,
    federation,
    fhir,
    health,
    identity,
    identity_pages,
    imports,
    interface,
    lastn,
    meta,
    metadata,
    notifications,
    own_sessions,
    pages,
    passkeys,
    providers,
    qualifications,
    receipts,
    refusal_pages,
    sharing,
    sign_in_codes,
    summary,
    token_state,
    transactions,
    validation,
    writing,
)
from passport.routes.description import describe
from passport.routes.messages import refusal
from passport.routes.narrowed import Narrowed
from passport.routes.origins import Origins
from passport.routes.proofs import Proofs
from passport.runtime import Runtime, utc_now
from passport.settings import Settings
from passport.web.built import built
from passport.web.headers import Headers
from passport.web.lingering import Lingering
from passport.web.public import PublicAddress

POOL_SIZE: Final = 8
"""Connections of one process, to read and to write: more would only queue inside of PostgreSQL on two cores."""

_LOG: Final = logging.getLogger(__name__)

# The last is what nobody foresaw: it is answered as a fault, and ends up in the server's log as well.
_ANSWERED: Final[tuple[type[Exception], ...]] = (
    PassportError,
    FhirStoreError,
    ConsentError,
    psycopg.Error,
    PoolTimeout,
    HTTPException,
    RequestValidationError,
    ClientDisconnect,
    Exception,
)

# What a required query parameter looks like.
_EXAMPLES: Final = {"patient": "Patient/…", "format": "jahis"}

# What the framework itself refuses, before a route is reached.
_FRAMEWORK: Final[dict[int, PassportError]] = {404: NotFound("no such address")}


def create_app(settings: Settings, **parts: Any) -> FastAPI:
    """Build the application; `parts` replace those of the runtime (`clock`, `new_id`) in tests."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ring, url = KeyRing.load(settings.key_file), settings.database_url
        rules = await written_down(url, settings, utc_now())
        async with (
            open_pool(url, size=POOL_SIZE, rules=rules) as pool,
            open_pool(url, size=POOL_SIZE, one_snapshot=True, rules=rules) as reading,
        ):
            keys = KeyMaker(ring.index_secret)
            runtime = Runtime(settings, pool, ring, keys, reading=reading, **parts)
            await open_directory(runtime)
            await open_dictionaries(runtime)
            app.state.runtime = runtime
            watching = create_task(keep_signing_keys(app.state))
            try:
                yield
            finally:
                watching.cancel()

    # The pages of the documentation come with us: a city's network reaches no content network.
    app = FastAPIOffline(
        docs_url=None,
        redoc_url=None,
        title="Healthcare data passport",
        description="A person's vitals and prescriptions; each reader sees what the person's consents allow.",
        version=version("healthcare-passport"),
        lifespan=lifespan,
        # A redirection would go where the Host header says, by plain HTTP behind a proxy, with the token.
        redirect_slashes=False,
    )
    for module in (
        entrance,
        interface,
        pages,
        health,
        metadata,
        auth,
        clients,
        sign_in_codes,
        authorization,
        device_authorization,
        own_sessions,
        federation,
        providers,
        qualifications,
        at_browser,
        passkeys,
        token_state,
        devices,
        emergencies,
        family,
        desk,
        imports,
        identity,
        notifications,
        receipts,
        sharing,
        audit,
        everything,
        explaining,
        lastn,
        meta,
        summary,
        validation,
        fhir,
        transactions,
        writing,
    ):
        # Taken over one by one: a router inside a router is matched anew for every request.
        app.router.routes.extend(module.router.routes)
    app.router.routes.insert(0, Narrowed(app.router.routes))
    app.add_middleware(Forms)
    app.add_middleware(Proofs)
    app.add_middleware(Origins)
    app.add_middleware(PublicAddress, base_url=settings.base_url)
    app.add_middleware(Headers, secure=settings.base_url.startswith("https://"))
    app.add_middleware(Lingering)
    app.state.built = built()
    for kind in _ANSWERED:
        app.add_exception_handler(kind, _answer)
    describe(app)
    keep_values_out()
    return app


async def _answer(request: Request, error: Exception) -> Response:
    """The one place where an error becomes an answer."""
    known = _known(request, error)
    if known.status >= 500:
        # The class alone: a message may hold what was being read.
        _LOG.error("answered %d: %s", known.status, type(error).__name__)
    # Below the FHIR base every answer is a resource.
    lost = known is _FRAMEWORK[404] and not request.url.path.startswith("/fhir")
    if lost and identity_pages.wants_page(request):
        return identity_pages.nowhere_page(request)
    read_by_person = refusal_pages.wanted(request) and not lost
    answer = refusal_pages.refused(request, known) if read_by_person else refusal(known)
    if known.status == 405:
        answer.headers.setdefault("Allow", ", ".join(_allowed(request)))
    return answer


def _allowed(request: Request) -> list[str]:
    """The methods that the address takes, whatever is stored there."""
    last = request.url.path.rpartition("/")[2]
    matching = [
        route
        for route in request.app.router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    # What has a name of its own is no record that is called so.
    named = [route for route in matching if route.path.endswith(f"/{last}")]
    found = {method for route in named or matching for method in route.methods or ()}
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def _needed(name: str) -> str:
    example = _EXAMPLES.get(name)
    return f"`{name}`" if example is None else f"`{name}`, expected such as `{example}`"


def _known(request: Request, error: Exception) -> PassportError:
    if isinstance(error, ClientDisconnect):
        # Nobody hears it; it is no fault of the service either.
        return Invalid("got a body that breaks off, expected all of it")
    if isinstance(error, RequestValidationError):
        if all(found["loc"][0] == "path" for found in error.errors()):
            return _FRAMEWORK[404]
        missing = [str(found["loc"][-1]) for found in error.errors() if found["type"] == "missing"]
        if missing:
            return Invalid(f"got no query parameter {', '.join(map(_needed, missing))}", missing)
        places = [".".join(map(str, found["loc"])) for found in error.errors()]
        return Invalid("got a request that this address does not take", places)
    if isinstance(error, HTTPException):
        last = request.url.path.rpartition("/")[2]
        if error.status_code == 404 and last.startswith("$"):
            return NoOperation(last)
        if error.status_code == 405:
            return not_taken(request.method, _allowed(request))
        return _FRAMEWORK.get(error.status_code) or PassportError(
            error.status_code, "processing", "the request was refused"
        )
    return translated(error)
