"""Coming back from a provider: believed and signed in, believed and asked for a code, or refused; always in the log.

https://openid.net/specs/openid-connect-core-1_0.html#AuthResponse

What was not believed counts as the caller's own failure, and reads the same whatever it was. No connection is held
while a provider is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from passport.identity import attempts, sign_in
from passport.identity.federation import acting, going, meeting, registry
from passport.identity.federation.errors import Disbelieved, ProviderSilent
from passport.identity.federation.providers import Provider
from passport.identity.sign_in import Attempt
from passport.outcomes import NotFound, Refused, TooMany
from passport.runtime import Runtime

LINKING: Final = "POST auth/federation/link"
CHOOSING: Final = "POST auth/federation/role"


@dataclass(frozen=True, slots=True)
class Returned:
    """Where the person goes on; `cookie` is that of their session, empty where they have to say more before."""

    leads_to: str
    query: str
    cookie: str = field(repr=False, default="")


async def come_back(
    runtime: Runtime, provider_id: str, pairs: Sequence[tuple[str, str]], cookie: str, *, address: str
) -> Returned:
    """Answer what a provider sent a browser back with.

    Args:
        runtime: the service's parts.
        provider_id: whose address it came back to.
        pairs: the parameters that it came with.
        cookie: by which the browser is known.
        address: the caller's network address, whose own failures are limited.

    Raises:
        TooMany: this caller failed too often.
        Disbelieved: it is not believed.
        ProviderSilent: the provider cannot be reached.
        NotFound: there is no such provider, or no more.
    """
    now = runtime.clock()
    async with runtime.pool.connection() as connection:
        provider = await registry.active(connection, provider_id)
        await _check(runtime, connection, provider, address, now)
    try:
        answer = going.back(pairs)
        way = await going.spent(runtime, provider_id, answer, cookie, now=now)
        found = await meeting.met(runtime, way, answer, now=now)
    except Disbelieved as refusal:
        counted = refusal.reason != "denied"
        await _refused(runtime, provider, refusal.reason, now, address if counted else None)
        raise
    except (ProviderSilent, NotFound) as refusal:
        await _refused(runtime, provider, refusal.code, now, None)
        raise
    async with runtime.pool.connection() as connection, connection.transaction():
        await acting.keep(connection, runtime, answer.state, found, now=now)
        waiting = await acting.waiting(runtime, connection, cookie, now=now)
        if len(waiting.choices) != 1:
            await acting.audit(runtime, connection, provider, None, "success", "recognised", now=now)
            return Returned(way.leads_to, way.query)
        login = waiting.choices[0].login
    return await choose(runtime, cookie, login, now=now)


async def choose(runtime: Runtime, cookie: str, login: str, *, now: datetime) -> Returned:
    """Sign somebody in as one of those as whom they may act.

    Raises:
        Unauthenticated: nobody was sent back to this browser.
        Refused: it is none of them, or may act no more.
    """
    async with runtime.pool.connection() as connection:
        found: acting.Waiting | None = None
        try:
            async with connection.transaction():
                found = await acting.waiting(runtime, connection, cookie, now=now)
                session = await acting.choose(runtime, connection, found, login, now=now)
        except Refused:
            provider = found.provider if found else None
            await acting.audit(
                runtime, connection, provider, None, "refused", "forbidden", now=now, query=CHOOSING
            )
            raise
    return Returned(found.way.leads_to, found.way.query, session)


async def link(runtime: Runtime, cookie: str, login: str, code: str, *, address: str) -> Returned:
    """Link whom a provider sent back to the owner of a code, and sign them in.

    Raises:
        Unauthenticated: nobody was sent back to this browser.
        TooMany: this caller failed too often.
        WrongCode: no such login, or not its code.
        Refused: the provider signs nobody in whom this code is for.
    """
    now = runtime.clock()
    async with runtime.pool.connection() as connection:
        await acting.waiting(runtime, connection, cookie, now=now)
    row = await sign_in.recognised(runtime, login, code, Attempt(None, "", address, now, LINKING))
    async with runtime.pool.connection() as connection:
        try:
            async with connection.transaction():
                found = await acting.waiting(runtime, connection, cookie, now=now)
                session = await acting.link(runtime, connection, found, row, now=now)
        except (Refused, sign_in.WrongCode):
            await acting.audit(runtime, connection, None, row, "refused", "forbidden", now=now, query=LINKING)
            raise
    return Returned(found.way.leads_to, found.way.query, session)


async def _check(runtime: Runtime, connection: Any, provider: Provider, address: str, now: datetime) -> None:
    try:
        await attempts.check(runtime, connection, address, now=now)
    except TooMany:
        await acting.audit(runtime, connection, provider, None, "refused", "throttled", now=now)
        raise


async def _refused(
    runtime: Runtime, provider: Provider, reason: str, now: datetime, address: str | None
) -> None:
    """Keep why somebody was not signed in; a failure of the caller's own counts."""
    async with runtime.pool.connection() as connection, connection.transaction():
        if address is not None:
            await attempts.count(runtime, connection, address, now=now)
        await acting.audit(runtime, connection, provider, None, "refused", reason, now=now)
