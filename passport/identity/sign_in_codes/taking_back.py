"""Taking sign-in codes back, with all that leads to the same login; one operator does it, since it opens nothing.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4.6
"""

from datetime import datetime
from typing import Any

from passport.identity import persons, sign_in
from passport.identity import store as codes
from passport.identity.federation import store as federation
from passport.identity.login import sessions
from passport.identity.passkeys import store as passkeys
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.sign_in_codes import store, telling
from passport.outcomes import NotFound
from passport.runtime import Runtime
from passport.sql import Connection, fetch


async def withdraw(runtime: Runtime, connection: Connection, login: str, *, now: datetime) -> int | None:
    """Take a login's code back, and end the passkeys and sessions of whoever it is for; whose passport they opened.

    Raises:
        NotFound: it has neither, and none waits for it.
    """
    if not persons.LOGIN.fullmatch(login):
        raise NotFound
    held = await fetch(connection, passkeys.OWNERS, {"login": login})
    ended = await fetch(connection, codes.END_CODE, {"login": login})
    dropped = await fetch(connection, store.DROP_PROPOSAL, {"login": login})
    # A statement of its own: it sees what was linked by somebody who held the code until now.
    await fetch(connection, federation.END_LINKS_OF_LOGIN, {"login": login, "now": now})
    owners = {(row.subject, row.role): row for row in (*held, *ended)}
    if not owners and not dropped:
        raise NotFound
    concerned = None
    for row in owners.values():
        # A passkey that is being registered is there when the session in which that is done could be ended.
        await sign_in.end_open(connection, row.subject, row.role, now=now)
        await fetch(connection, passkeys.END_OF_ROLE, {"subject": row.subject, "role": row.role, "now": now})
        await fetch(connection, passkeys.END_RECOVERIES, {"subject": row.subject, "now": now})
        # Statements of their own: they see the session of a sign-in that held code or passkey until now.
        await sign_in.end_open(connection, row.subject, row.role, now=now)
        concerned = await _told(runtime, connection, row, now=now)
    return concerned


async def withdraw_from(connection: Connection, subject: str, *, now: datetime) -> None:
    """Take every code and passkey of somebody back, and end whatever they have open."""
    await fetch(connection, codes.END_CODES, {"subject": subject})
    await fetch(connection, store.DROP_PROPOSALS_OF_SUBJECT, {"subject": subject})
    await fetch(connection, federation.END_LINKS_OF_SUBJECT, {"subject": subject, "now": now})
    # A passkey that is being registered is there when the session in which that is done could be ended.
    await sessions.end_of_subject(connection, subject, now=now)
    await fetch(connection, passkeys.END_OF_SUBJECT, {"subject": subject, "now": now})
    await fetch(connection, passkeys.END_RECOVERIES, {"subject": subject, "now": now})
    # A statement of its own: it sees the session of a sign-in that held the code until now.
    await fetch(connection, codes.END_SESSIONS, {"subject": subject, "now": now})
    await sessions.end_of_subject(connection, subject, now=now)


async def _told(runtime: Runtime, connection: Connection, row: Any, *, now: datetime) -> int | None:
    """Tell of it where there is a resident to be told."""
    if row.kind not in {"patient", "proxy"}:
        return None
    try:
        subject = await principal(runtime, connection, row.subject, purpose="", scopes=frozenset(), now=now)
    except UnknownPrincipal:
        return None
    return await telling.tell(runtime, connection, subject, "sign-in-code-withdrawn", known=True, now=now)
