"""Notifications over HTTP: what the resident was told, newest first.

http://hl7.org/fhir/R4/communication.html
"""

import orjson
from fastapi import APIRouter, Request, Response

from consent.model import Action
from passport import admission
from passport.audit.query import recorded
from passport.identity.principals import resident_concerned
from passport.notices import read
from passport.outcomes import Refused
from passport.routes.messages import NO_STORE, bearer, runtime_of

router = APIRouter(prefix="/notifications", tags=["notifications"])


@router.get("")
async def list_notifications(request: Request) -> Response:
    """The caller's own notifications, newest first; those of whoever acts for somebody are their own."""
    asked = admission.Request(Action.ACCESS, "read", recorded("GET", "notifications"))
    async with admission.admitted(runtime_of(request), bearer(request), asked) as desk:
        subject = desk.subject
        own = desk.standing.own
        recipient = None if own is not None else subject.reference
        if subject.kind == "proxy":
            # What is told to them is theirs, also when nothing else is left to them.
            own = await resident_concerned(desk.runtime, desk.connection, subject)
        else:
            # A notification tells what happened to the passport, so it is read like the audit log.
            desk.require("s", "AuditEvent")
        if own is None:
            raise Refused
        notices = await read(desk.connection, own, now=desk.now, recipient=recipient)
        await desk.audit(desk.row(own, detail="notifications"))
    told = [notice.as_json() for notice in notices]
    return Response(orjson.dumps(told), headers=NO_STORE, media_type="application/json")
