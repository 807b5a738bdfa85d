"""Clients as operators keep them: one proposes what is registered, another one approves it.

https://www.rfc-editor.org/rfc/rfc7591
"""

from collections.abc import Mapping
from typing import Any, cast, get_args

from fastapi import APIRouter, Request, Response

from fhirstore.tables import NOBODY
from passport.identity.clients import State, client_of
from passport.identity.registrations import approving
from passport.identity.registrations.registered import Registered, listed, registered
from passport.outcomes import Invalid, NotFound
from passport.routes.auth import json_tree, operator_desk
from passport.routes.authorization import json
from passport.settings import Settings

router = APIRouter(prefix="/auth/clients", tags=["authorization"])


@router.put("/{client_id}")
async def put_client(request: Request, client_id: str) -> Response:
    """Propose what is to be registered of a client, or end it at once with `"active": false`; operators only."""
    tree = await json_tree(request)
    path = f"auth/clients/{client_id}"
    if tree.get("active") is False:
        async with operator_desk(request, "client-end", path) as desk:
            found = await approving.end(desk.runtime, desk.connection, client_id, now=desk.now)
            await desk.audit(desk.row(NOBODY, detail=client_id))
        return _answered(desk.runtime.settings, found)
    async with operator_desk(request, "client-register", path) as desk:
        client = client_of(client_id, tree, sandbox=desk.runtime.settings.sandbox)
        by = desk.subject.reference
        found = await approving.propose(desk.runtime, desk.connection, client, now=desk.now, by=by)
        await desk.audit(desk.row(NOBODY, detail=f"{client_id} {client.digest}"))
    return _answered(desk.runtime.settings, found)


@router.get("")
async def list_clients(request: Request, state: str = "waiting", after: str = "") -> Response:
    """Clients in a state, those about which there is something to do by default; operators only."""
    if state not in get_args(State):
        raise Invalid(f"got another state, expected one of {', '.join(get_args(State))}", ("state",))
    async with operator_desk(request, "client-list", "auth/clients") as desk:
        settings = desk.runtime.settings
        found = await listed(
            desk.connection, cast(State, state), after=after, now=desk.now, sandbox=settings.sandbox
        )
        await desk.audit(desk.row(NOBODY, detail=state))
    return json({"clients": [_told(settings, each) for each in found]})


@router.get("/{client_id}")
async def get_client(request: Request, client_id: str) -> Response:
    """What is registered of a client, and what is proposed beside it; operators only."""
    async with operator_desk(request, "client-read", f"auth/clients/{client_id}") as desk:
        sandbox = desk.runtime.settings.sandbox
        found = await registered(desk.connection, client_id, now=desk.now, sandbox=sandbox)
        if found is None:
            raise NotFound("no such client")
        await desk.audit(desk.row(NOBODY, detail=client_id))
    return json(_told(desk.runtime.settings, found))


@router.post("/{client_id}/approve")
async def approve_client(request: Request, client_id: str) -> Response:
    """Let count what another operator proposed, named as `{"proposal"}`."""
    named = (await _tree(request)).get("proposal")
    async with operator_desk(request, "client-approve", "auth/clients") as desk:
        by = desk.subject.reference
        found = await approving.approve(desk.runtime, desk.connection, client_id, named, now=desk.now, by=by)
        await desk.audit(desk.row(NOBODY, detail=f"{client_id} {named}"))
    return json(_told(desk.runtime.settings, found))


@router.post("/{client_id}/decline")
async def decline_client(request: Request, client_id: str) -> Response:
    """Let nothing come of what is proposed; what is active goes on; operators only."""
    async with operator_desk(request, "client-decline", "auth/clients") as desk:
        found = await approving.decline(desk.runtime, desk.connection, client_id, now=desk.now)
        await desk.audit(desk.row(NOBODY, detail=client_id))
    return json(_told(desk.runtime.settings, found))


def _answered(settings: Settings, found: Registered) -> Response:
    return json(_told(settings, found), 200 if found.proposal is None else 202)


def _told(settings: Settings, found: Registered) -> dict[str, object]:
    """The answer; in a demo it names who the other operator may be."""
    told = found.answer
    if settings.mode == "production" or found.proposal is None:
        return told
    return {
        **told,
        "next": f"{told['next']}; here `operator` and `second_operator` of the persona file are two",
    }


async def _tree(request: Request) -> Mapping[str, Any]:
    """What is sent, nothing where there is no body: whoever may not approve is told that first."""
    return await json_tree(request) if "content-type" in request.headers else {}
