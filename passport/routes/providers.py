"""Providers over HTTP, and whom their names for clinicians stand for: two operators for each.

https://openid.net/specs/openid-connect-registration-1_0.html
"""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fhirstore.tables import NOBODY
from passport.identity.federation import credentials, knowing, linked, registry
from passport.identity.federation.providers import provider_of, redirect_uri
from passport.routes.auth import json_tree, operator_desk
from passport.routes.authorization import json
from passport.routes.messages import runtime_of

router = APIRouter(prefix="/auth/providers", tags=["authorization"])


@router.get("")
async def list_providers(request: Request) -> Response:
    """Every provider, with what it waits for; operators only."""
    async with operator_desk(request, "provider-list", "auth/providers") as desk:
        found = await registry.everyone(desk.connection)
        await desk.audit(desk.row(NOBODY))
    return json({"providers": [each.answer for each in found]})


@router.put("/{provider_id}")
async def put_provider(request: Request, provider_id: str) -> Response:
    """Propose a provider, or another registration of one; it is asked once another operator approved it."""
    tree, settings = await json_tree(request), runtime_of(request).settings
    async with operator_desk(request, "provider-register", f"auth/providers/{provider_id}") as desk:
        provider = provider_of(provider_id, tree, loopback=knowing.loopback(desk.runtime))
        key = credentials.public_part(settings, provider)
        by = desk.subject.reference
        provider = await registry.propose(desk.runtime, desk.connection, provider, now=desk.now, by=by)
        await desk.audit(desk.row(NOBODY, detail=provider.provider_id))
    there = {"redirect_uri": redirect_uri(settings, provider_id), "public_key": key}
    return json({**provider.answer, **there})


@router.post("/{provider_id}/approve")
async def approve_provider(request: Request, provider_id: str) -> Response:
    """Let a provider be asked, for `{"proposal"}` as it was shown; another operator than the one who proposed it."""
    # Who may not approve is told that first.
    named = await json_tree(request) if "content-type" in request.headers else {}
    runtime, path = runtime_of(request), f"auth/providers/{provider_id}/approve"
    async with operator_desk(request, "provider-read", path) as desk:
        by = desk.subject.reference
        waiting = await registry.to_approve(desk.connection, provider_id, named.get("proposal"), by=by)
        await desk.audit(desk.row(NOBODY, detail=provider_id))
    # No connection is held while the provider is asked.
    published = await knowing.read(runtime, waiting, now=runtime.clock())
    async with operator_desk(request, "provider-approve", path) as desk:
        provider = await registry.approve(
            desk.connection,
            waiting,
            published.document,
            published.keys,
            now=desk.now,
            by=desk.subject.reference,
        )
        await desk.audit(desk.row(NOBODY, detail=provider_id))
    return json(provider.answer)


@router.post("/{provider_id}/end")
async def end_provider(request: Request, provider_id: str) -> Response:
    """Let a provider be asked no more, and end the sessions that were begun by it; operators only."""
    async with operator_desk(request, "provider-end", f"auth/providers/{provider_id}/end") as desk:
        provider = await registry.end(desk.connection, provider_id, now=desk.now)
        await desk.audit(desk.row(NOBODY, detail=provider_id))
    return json(provider.answer)


@router.post("/{provider_id}/links")
async def post_link(request: Request, provider_id: str) -> Response:
    """Say whom a hospital's name for a clinician stands for, for `{"sub", "login"}`; another operator confirms it."""
    tree = await json_tree(request)
    async with operator_desk(request, "provider-link", f"auth/providers/{provider_id}/links") as desk:
        provider = await registry.active(desk.connection, provider_id)
        by = desk.subject.reference
        link_id = await linked.propose(desk.runtime, desk.connection, provider, tree, now=desk.now, by=by)
        await desk.audit(desk.row(NOBODY, detail=str(link_id)))
    return json({"id": str(link_id), "waits_for": "another operator"}, 201)


@router.post("/{provider_id}/links/{link_id}/confirm")
async def confirm_link(request: Request, provider_id: str, link_id: UUID) -> Response:
    """Let what one operator said of a clinician count; another operator."""
    path = f"auth/providers/{provider_id}/links/{link_id}/confirm"
    async with operator_desk(request, "provider-link-confirm", path) as desk:
        provider = await registry.active(desk.connection, provider_id)
        by = desk.subject.reference
        subject = await linked.confirm(desk.runtime, desk.connection, provider, link_id, now=desk.now, by=by)
        await desk.audit(desk.row(NOBODY, detail=subject))
    return json({"id": str(link_id), "subject": subject})
