"""The accounts elsewhere by which somebody may sign in: seen and ended by themselves, or linked by two operators.

https://pages.nist.gov/800-63-4/sp800-63c.html
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passport.identity import tokens
from passport.identity.codes import login_of
from passport.identity.federation import registry, store
from passport.identity.federation.acting import tell_linked
from passport.identity.federation.id_token import SUBJECT_MAX_CHARACTERS
from passport.identity.federation.meeting import sub_hash
from passport.identity.federation.my_number import holds_one
from passport.identity.federation.providers import Provider, method_of
from passport.identity.persons import require_another
from passport.outcomes import Conflict, Invalid, NotFound
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import Connection, fetch

_SUB: Final = re.compile(rf"[\x21-\x7e]{{1,{SUBJECT_MAX_CHARACTERS}}}")


async def accounts(connection: Connection, subject: str) -> list[dict[str, str]]:
    """By which providers somebody may sign in, the newest link first."""
    rows = await fetch(connection, store.LINKS, {"subject": subject})
    return [
        {
            "id": str(row.link_id),
            "provider": row.provider_id,
            "name": row.name,
            "linked": written_instant(row.linked_at),
        }
        for row in rows
    ]


async def end(connection: Connection, subject: str, link_id: UUID, *, now: datetime) -> None:
    """Let a link of somebody's own lead nowhere, and end what they began by its provider.

    Raises:
        NotFound: it is none of theirs.
    """
    params = {"link_id": link_id, "subject": subject, "now": now}
    rows = await fetch(connection, store.END_LINK, params)
    if not rows:
        raise NotFound("no such account")
    await registry.end_begun_by(connection, method_of(rows[0].provider_id), subject, now=now)


async def propose(
    runtime: Runtime,
    connection: Connection,
    provider: Provider,
    tree: Mapping[str, Any],
    *,
    now: datetime,
    by: str,
) -> UUID:
    """Keep that an operator says whom a hospital's name for somebody stands for, until another one confirms it.

    Args:
        runtime: the service's parts.
        connection: a connection inside a transaction.
        provider: whose name it is.
        tree: `sub`, which is not kept, and `login`, whose code says who it is.
        now: when it is said.
        by: who says so.

    Raises:
        Invalid: a member is missing or unfit, or the provider is one for residents.
        NotFound: nobody has such a login.
    """
    if provider.profile.people != "clinicians":
        raise Invalid("got a provider for residents, who are linked by their own code alone")
    if tree.keys() - {"sub", "login"}:
        raise Invalid("got an unknown member, expected sub, login")
    sub, login = tree.get("sub"), login_of(tree.get("login"))
    if not isinstance(sub, str) or not _SUB.fullmatch(sub) or holds_one(sub):
        raise Invalid("got no name that a provider has for somebody in `sub`", ("sub",))
    rows = await fetch(connection, store.HOLD_LOGIN, {"login": login})
    if not rows or rows[0].kind not in provider.kinds:
        raise NotFound("no clinician has this login")
    link_id = tokens.random_uuid(runtime)
    params = {
        "link_id": link_id,
        "provider_id": provider.provider_id,
        "sub_hash": sub_hash(runtime, provider, sub),
        "login": login,
        "subject": rows[0].subject,
        "asked_by": by,
        "now": now,
    }
    await fetch(connection, store.LINK, params)
    return link_id


async def confirm(
    runtime: Runtime,
    connection: Connection,
    provider: Provider,
    link_id: UUID,
    *,
    now: datetime,
    by: str,
) -> str:
    """Let what one operator said count; whom it is about.

    Raises:
        NotFound: nothing of this id waits.
        Refused: whoever confirms said so, or it is themselves.
        Conflict: the login has no code any more.
    """
    waiting = {"link_id": link_id, "provider_id": provider.provider_id}
    rows = await fetch(connection, store.HOLD_WAITING_LINK, waiting)
    if not rows:
        raise NotFound("no such link waits")
    (row,) = rows
    for other in (row.asked_by, row.subject):
        await require_another(connection, other, by)
    if not await fetch(connection, store.HOLD_LOGIN, {"login": row.login}):
        raise Conflict("got a login whose code was taken back")
    await registry.end_other_links(connection, provider, row.login, now=now)
    await fetch(connection, store.CONFIRM_LINK, {"link_id": link_id, "by": by, "now": now})
    await tell_linked(runtime, connection, row.subject, now=now)
    subject: str = row.subject
    return subject
