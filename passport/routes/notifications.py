"""Notifications over HTTP: what the resident was told, newest first.

http://hl7.org/fhir/R4/communication.html
"""

from typing import Final
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.search.query import CURSOR
from passport import admission
from passport.audit.query import recorded
from passport.identity.principals import resident_concerned
from passport.notices import read
from passport.notices.paging import Cursors, shown
from passport.outcomes import Refused
from passport.routes.messages import NO_STORE, bearer, runtime_of
from passport.routes.subsets import single

ADDRESS: Final = "notifications"

_READERS: Final = (
    "notifications are read by the person whose passport it is, and by those who act for them: "
    "no consent shares them"
)

router = APIRouter(prefix=f"/{ADDRESS}", tags=["notifications"])


@router.get("")
async def list_notifications(request: Request) -> Response:
    """The caller's own notifications, newest first; those of whoever acts for somebody are their own.

    Parameters: `_count`. A further page is named by the header `Link`.
    """
    runtime, cursor = runtime_of(request), single(request, CURSOR)
    count = shown(single(request, "_count"))
    asked = admission.Request(Action.ACCESS, "read", recorded("GET", ADDRESS))
    async with admission.admitted(runtime, bearer(request), asked) as desk:
        subject = desk.subject
        own = desk.standing.own
        recipient = None if own is not None else subject.reference
        if subject.kind == "proxy":
            # What is told to them is theirs, also when nothing else is left to them.
            own = await resident_concerned(desk.runtime, desk.connection, subject)
        elif own is not None:
            # A notification tells what happened to the passport, so it is read like the audit log.
            desk.require("s", "AuditEvent")
        if own is None:
            raise Refused(_READERS)
        cursors = Cursors(runtime.ring.cursor_secret, subject.reference, own)
        before = cursors.opened(cursor)
        notices = await read(
            desk.connection, own, now=desk.now, recipient=recipient, limit=count + 1, before=before
        )
        await desk.audit(desk.row(own, detail="notifications"))
    page = notices[:count]
    answer = Response(
        orjson.dumps([notice.as_json() for notice in page]), headers=NO_STORE, media_type="application/json"
    )
    if len(notices) > len(page):
        further = urlencode({"_count": count, CURSOR: cursors.after(page)})
        answer.headers["Link"] = f'<{runtime.settings.base_url}/{ADDRESS}?{further}>; rel="next"'
    return answer
