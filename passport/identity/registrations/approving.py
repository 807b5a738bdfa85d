"""Two operators for each client: one proposes what is to be registered, another one approves exactly that.

https://www.rfc-editor.org/rfc/rfc7591
https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)

What is proposed lies beside what is registered, so an active client goes on as it was until then. An approval names
the proposal that its operator has read, by a digest of the content: another one that took its place meanwhile is not
approved by it. Ending a client, and dropping a proposal, takes rights away, so one operator does it alone.
"""

from datetime import datetime, timedelta
from typing import Final

from psycopg.types.json import Jsonb

from passport.identity import clients
from passport.identity.clients import Client, row_of, stored
from passport.identity.persons import require_another
from passport.identity.principals import principal
from passport.identity.registrations import store
from passport.identity.registrations.registered import Registered, registered
from passport.outcomes import Conflict, Invalid, NotFound
from passport.runtime import Runtime
from passport.sql import Connection, fetch

GOOD_FOR: Final = timedelta(days=14)
"""How long a proposal waits: whoever would approve it later approves what nobody remembers."""

_OTHER_PROFILE: Final = "got another profile than the client has, expected a client of its own"


async def propose(
    runtime: Runtime, connection: Connection, client: Client, *, now: datetime, by: str
) -> Registered:
    """Keep what `by` proposes, in the place of what was proposed before; what is active already is proposed by nobody.

    The same proposal again stays that of whoever made it first.

    Raises:
        Invalid: its subject is not in the directory, or is a patient's own device.
        Conflict: it is of another profile than it was.
    """
    await _require_service(runtime, connection, client, now=now)
    known = await _held(runtime, connection, client.client_id, now=now)
    if known is not None and known.client is not None:
        if known.client.profile != client.profile:
            raise Conflict(_OTHER_PROFILE, ("profile",))
        if known.client.active and known.client.digest == client.digest:
            await fetch(connection, store.DROP_PROPOSAL, {"client_id": client.client_id})
            return Registered(client.client_id, known.client)
    if known is None or known.proposal is None or known.proposal.client.digest != client.digest:
        params = {
            "client_id": client.client_id,
            "registration": Jsonb(client.registration),
            "by": by,
            "now": now,
            "expires_at": now + GOOD_FOR,
        }
        await fetch(connection, store.PROPOSE, params)
    return await _known(runtime, connection, client.client_id, now=now)


async def approve(
    runtime: Runtime, connection: Connection, client_id: str, digest: object, *, now: datetime, by: str
) -> Registered:
    """Let count what was proposed, if it is what `digest` names.

    Raises:
        NotFound: nothing waits under this id.
        Conflict: what waits is something else than what is named, or no operator has proposed anything yet.
        Invalid: nothing is named, or what it would act as is in the directory no more.
        Refused: whoever approves proposed it, or is the same person.
    """
    known = await _held(runtime, connection, client_id, now=now)
    if known is None or (known.proposal is None and known.state != "waiting"):
        raise NotFound("nothing waits for an approval under this id")
    proposal = known.proposal
    if proposal is None:
        raise Conflict("got a client that no operator has proposed yet, expected `PUT` of it before")
    # First who, then what: whoever may not approve is not told to try again.
    await require_another(connection, proposal.by, by)
    if digest is None:
        text = (
            f"got no `proposal`, expected the one that GET /auth/clients/{client_id} shows, once it was read"
        )
        raise Invalid(text, ("proposal",))
    if digest != proposal.client.digest:
        raise Conflict("got another `proposal` than the one that waits, expected it to be read again")
    await _require_service(runtime, connection, proposal.client, now=now)
    client = await _put(connection, proposal.client, asked_by=proposal.by, approved_by=by)
    await fetch(connection, store.DROP_PROPOSAL, {"client_id": client_id})
    former = None if known.client is None else known.client.subject
    if former is not None and former != client.subject:
        # What people allowed it, they allowed to whom it acted as.
        await clients.end(connection, client_id, former, now=now)
    return Registered(client_id, client)


async def decline(runtime: Runtime, connection: Connection, client_id: str, *, now: datetime) -> Registered:
    """Let nothing come of a proposal, or of a client that registered itself; what is active goes on.

    Raises:
        NotFound: nothing waits under this id.
    """
    known = await _held(runtime, connection, client_id, now=now)
    if known is None or (known.proposal is None and known.state != "waiting"):
        raise NotFound("nothing waits for an approval under this id")
    await fetch(connection, store.DROP_PROPOSAL, {"client_id": client_id})
    if known.client is None or known.client.state != "waiting":
        return Registered(client_id, known.client)
    (row,) = await fetch(connection, store.END_CLIENT, {"client_id": client_id})
    return Registered(client_id, stored(row))


async def end(runtime: Runtime, connection: Connection, client_id: str, *, now: datetime) -> Registered:
    """End a client at once, with whatever it has open and whatever is proposed of it.

    Raises:
        NotFound: there is none of this id.
    """
    known = await _held(runtime, connection, client_id, now=now)
    if known is None:
        raise NotFound("no such client")
    await fetch(connection, store.DROP_PROPOSAL, {"client_id": client_id})
    if known.client is None:
        return Registered(client_id, None)
    (row,) = await fetch(connection, store.END_CLIENT, {"client_id": client_id})
    if known.client.subject is not None:
        await clients.end(connection, client_id, known.client.subject, now=now)
    return Registered(client_id, stored(row))


async def _held(
    runtime: Runtime, connection: Connection, client_id: str, *, now: datetime
) -> Registered | None:
    """What there is of a client; nobody else decides about it until the transaction ends."""
    key = runtime.keys.token(f"client {client_id}")
    await fetch(connection, store.HOLD_REGISTRATION, {"client_key": key})
    return await registered(connection, client_id, now=now, sandbox=runtime.settings.sandbox)


async def _known(runtime: Runtime, connection: Connection, client_id: str, *, now: datetime) -> Registered:
    known = await registered(connection, client_id, now=now, sandbox=runtime.settings.sandbox)
    if known is None:
        raise NotFound("no such client")
    return known


async def _put(connection: Connection, client: Client, *, asked_by: str, approved_by: str) -> Client:
    params = {**row_of(client), "asked_by": asked_by, "approved_by": approved_by}
    rows = await fetch(connection, store.PUT_CLIENT, params)
    if not rows:
        raise Conflict(_OTHER_PROFILE, ("profile",))
    return stored(rows[0])


async def _require_service(
    runtime: Runtime, connection: Connection, client: Client, *, now: datetime
) -> None:
    if client.subject is None:
        raise Invalid("got no `subject`", ("subject",))
    acting = await principal(
        runtime, connection, client.subject, purpose=client.purposes[0], scopes=client.scopes, now=now
    )
    if acting.kind != "service":
        raise Invalid("got a patient's own device in `subject`, expected one of the directory", ("subject",))
