"""Providers as operators keep them: proposed by one, approved by another, ended by anybody of them.

https://openid.net/specs/openid-connect-registration-1_0.html

Whoever says who is a provider says who is who. So each registration, and each change of one, waits for a second
operator. Ending one ends the sessions that were begun by it, and what apps were allowed in them, offline access too.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from passport.identity.authorization import families
from passport.identity.federation import store
from passport.identity.federation.profiles import PROFILES
from passport.identity.federation.providers import PROVIDER_ID, Provider
from passport.identity.persons import require_another
from passport.identity.principals import principal
from passport.outcomes import Conflict, Invalid, NotFound
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch


async def propose(
    runtime: Runtime, connection: Connection, provider: Provider, *, now: datetime, by: str
) -> Provider:
    """Keep a registration, which waits for another operator; one that was active is asked no more until then.

    Raises:
        Invalid: its Organization is not in the directory.
    """
    if provider.organization is not None:
        # Whoever may act as an organization has to be there.
        await principal(runtime, connection, provider.organization, purpose="", scopes=frozenset(), now=now)
    params = {
        "provider_id": provider.provider_id,
        "name": provider.name,
        "profile": provider.profile.name,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "auth_method": provider.auth_method,
        "key_file": provider.key_file,
        "people": provider.profile.people,
        "organization": provider.organization,
        "hosts": list(provider.hosts),
        "two_factors": list(provider.two_factors),
        "asked_by": by,
    }
    (row,) = await fetch(connection, store.PUT_PROVIDER, params)
    await end_sessions(connection, provider.method, now=now)
    return stored(row)


async def to_approve(
    connection: Connection, provider_id: str, proposal: object, *, by: str, held: bool = False
) -> Provider:
    """A provider that waits, and that this operator may approve, as they read it.

    Args:
        connection: a connection inside a transaction.
        provider_id: which one.
        proposal: the digest that whoever approves was shown with it.
        by: who approves.
        held: whether nothing else may take its place until the transaction ends.

    Raises:
        NotFound: there is none of this id.
        Conflict: it does not wait, or another proposal took its place.
        Refused: whoever approves proposed it, or is the same person.
        Invalid: it is not said what is approved.
    """
    waiting = await known(connection, provider_id, held=held)
    if waiting.state != "waiting":
        raise Conflict("got a provider that was decided before, expected one that waits")
    await require_another(connection, waiting.asked_by, by)
    if not isinstance(proposal, str):
        raise Invalid("got no `proposal`, expected the one that GET /auth/providers shows", ("proposal",))
    if proposal != waiting.digest:
        raise Conflict("got another `proposal` than the one that waits, expected it to be read again")
    return waiting


async def approve(
    connection: Connection,
    provider: Provider,
    document: Mapping[str, Any],
    keys: Mapping[str, Any],
    *,
    now: datetime,
    by: str,
) -> Provider:
    """Let a provider be asked, as it was when what it publishes was read.

    Raises:
        Conflict: another registration took its place meanwhile.
    """
    if await to_approve(connection, provider.provider_id, provider.digest, by=by, held=True) != provider:
        raise Conflict("got another registration than the one that was read, expected it to be read again")
    params = {
        "provider_id": provider.provider_id,
        "by": by,
        "document": Jsonb(dict(document)),
        "keys": Jsonb(dict(keys)),
        "now": now,
    }
    await fetch(connection, store.APPROVE_PROVIDER, params)
    return await known(connection, provider.provider_id)


async def end(connection: Connection, provider_id: str, *, now: datetime) -> Provider:
    """Let a provider be asked no more, and end the browser sessions that were begun by it, and what was allowed there.

    Raises:
        NotFound: there is none of this id.
    """
    await known(connection, provider_id, held=True)
    await fetch(connection, store.END_PROVIDER, {"provider_id": provider_id})
    ended = await known(connection, provider_id)
    await end_sessions(connection, ended.method, now=now)
    # A statement of its own: it sees what was allowed in a session until that was ended.
    await families.end_of_method(connection, ended.method, now=now)
    return ended


async def end_sessions(connection: Connection, method: str, *, now: datetime) -> None:
    """End the browser sessions that were begun by a provider, with what apps have only as long as they last."""
    for row in await fetch(connection, store.SESSIONS_BY, {"method": method, "now": now}):
        await families.end_of_login(connection, row.login_id, now=now)


async def end_begun_by(connection: Connection, method: str, subject: str, *, now: datetime) -> None:
    """End what one person began by a provider: their browser sessions, and what apps were allowed in them."""
    for row in await fetch(
        connection, store.END_SESSIONS_BY, {"subject": subject, "method": method, "now": now}
    ):
        await families.end_of_login(connection, row.login_id, now=now)
    # A statement of its own: it sees what was allowed in a session until that was ended.
    await families.end_of_method(connection, method, now=now, subject=subject)


async def end_other_links(connection: Connection, provider: Provider, login: str, *, now: datetime) -> None:
    """End what a login was linked to at a provider so far, with what its person began by that account."""
    keyed = {"provider_id": provider.provider_id, "login": login, "now": now}
    for row in await fetch(connection, store.END_OTHER_LINKS, keyed):
        await end_begun_by(connection, provider.method, row.subject, now=now)


async def known(connection: Connection, provider_id: str, *, held: bool = False) -> Provider:
    """A registered provider, whatever its state; `held` until the transaction ends.

    Raises:
        NotFound: there is none of this id.
    """
    # What is no id is asked for nowhere: an address may hold what no database takes.
    fit = PROVIDER_ID.fullmatch(provider_id)
    statement = store.HOLD_PROVIDER if held else store.PROVIDER
    rows = await fetch(connection, statement, {"provider_id": provider_id}) if fit else []
    if not rows:
        raise NotFound("no such provider")
    return stored(rows[0])


async def active(connection: Connection, provider_id: str) -> Provider:
    """A provider that may be asked.

    Raises:
        NotFound: there is none of this id that may.
    """
    provider = await known(connection, provider_id)
    if provider.state != "active":
        raise NotFound("no such provider")
    return provider


async def everyone(connection: Connection) -> list[Provider]:
    """Every provider, in the order of their ids."""
    return [stored(row) for row in await fetch(connection, store.PROVIDERS, {})]


def stored(row: Row) -> Provider:
    """The provider of a row."""
    return Provider(
        provider_id=row.provider_id,
        name=row.name,
        profile=PROFILES[row.profile],
        issuer=row.issuer,
        client_id=row.client_id,
        auth_method=row.auth_method,
        key_file=row.key_file,
        organization=row.organization,
        hosts=tuple(row.hosts),
        two_factors=tuple(row.two_factors),
        state=row.state,
        asked_by=row.asked_by,
        approved_by=row.approved_by,
        document=row.document,
        document_at=row.document_at,
        keys=row.keys,
    )
