"""What somebody does themselves at a browser, over HTTP: the frame of such a request, and a token of their own.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request, Response

from passport.identity.authorization.core import Turn
from passport.identity.login import cookies, own_tokens, sessions
from passport.outcomes import InsufficientAuthentication, Refused
from passport.records import written_instant
from passport.routes import identity_pages as pages
from passport.routes.authorization import (
    audit_person,
    json,
    person_form,
    signed_in_person,
    text_of,
    turn_of,
)
from passport.routes.messages import runtime_of

router = APIRouter(prefix="/auth", tags=["authorization"])


@router.post("/login/token")
async def post_own_token(request: Request) -> Response:
    """A token of who is signed in, for the passport's own pages and `{"csrf", "purpose", "scope"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await person_form(request)
    async with by_person(request, fields, "POST auth/login/token", "token") as (turn, person):
        issued = await own_tokens.issue(turn, person, fields.get("purpose"), text_of(fields, "scope"))
        await audit_person(
            turn, person, "POST auth/login/token", None, str(issued.session_id), action="token"
        )
    if not pages.wants_json(request):
        return pages.token_page(request, issued.text, issued.seconds)
    return json({**issued.answer, "expires_at": written_instant(issued.expires_at)})


@asynccontextmanager
async def by_person(
    request: Request, fields: Mapping[str, Any], query: str, action: str, *, limited_to: str | None = None
) -> AsyncIterator[tuple[Turn, sessions.SignedIn]]:
    """The transaction of who is signed in, whose form it is; a refusal is audited, though its work is undone.

    Raises:
        Unauthenticated: nobody is signed in any more.
        Refused: the form is none of their session.
    """
    person = None
    try:
        async with turn_of(request) as turn:
            person = await signed_in_person(request, turn, limited_to=limited_to)
            person.require_csrf(fields.get("csrf"))
            yield turn, person
    except (Refused, InsufficientAuthentication):
        if person is not None:
            async with turn_of(request) as turn:
                await audit_person(turn, person, query, "forbidden", "", action=action)
        raise
