"""Where I am signed in and what acts for me, over HTTP; to see it and to end it.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.tables import NOBODY
from passport import admission
from passport.audit.query import recorded
from passport.identity.login import cookies
from passport.identity.overview.listing import at_browser, end, me_of, overview
from passport.routes.at_browser import by_person
from passport.routes.authorization import (
    NO_STORE,
    audit_person,
    json,
    person_form,
    signed_in_person,
    turn_of,
)
from passport.routes.messages import bearer, runtime_of

router = APIRouter(prefix="/auth/sessions", tags=["authorization"])

ENDED: Final = "session-end"


@router.get("")
async def list_sessions(request: Request) -> Response:
    """My browsers, the apps that I allowed, and my other sessions."""
    if "authorization" not in request.headers:
        async with turn_of(request) as turn:
            person = await signed_in_person(request, turn)
            return json(await overview(turn.connection, at_browser(person), now=turn.now))
    asked = admission.Request(Action.ACCESS, "read", recorded("GET", "auth/sessions"))
    async with admission.admitted(runtime_of(request), bearer(request), asked) as desk:
        me = await me_of(desk.connection, desk.subject)
        return json(await overview(desk.connection, me, now=desk.now))


@router.post("/{session_id}/end")
async def end_session(request: Request, session_id: UUID) -> Response:
    """End one of them; a browser sends its `csrf`, and a sign-in elsewhere wants one of late."""
    query = f"POST auth/sessions/{session_id}/end"
    if "authorization" not in request.headers:
        cookies.require_own_page(request, runtime_of(request).settings)
        fields = await person_form(request)
        async with by_person(request, fields, query, ENDED) as (turn, person):
            settings = turn.runtime.settings
            await end(settings, turn.connection, at_browser(person), session_id, now=turn.now)
            await audit_person(turn, person, query, None, str(session_id), action=ENDED)
        return Response(status_code=204, headers=NO_STORE)
    asked = admission.Request(Action.ACCESS, ENDED, query, isolation="write")
    async with admission.admitted(runtime_of(request), bearer(request), asked) as desk:
        me = await me_of(desk.connection, desk.subject)
        await end(desk.runtime.settings, desk.connection, me, session_id, now=desk.now)
        own = desk.standing.own
        await desk.audit(desk.row(NOBODY if own is None else own, detail=str(session_id)))
    return Response(status_code=204, headers=NO_STORE)
