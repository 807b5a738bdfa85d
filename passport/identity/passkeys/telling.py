"""Telling a resident what becomes of the passkeys by which their passport is opened.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4
"""

from datetime import datetime
from typing import Any

from passport.identity import tokens
from passport.identity.principals import UnknownPrincipal, principal, resident_concerned
from passport.notices import Kind, tell
from passport.runtime import Runtime
from passport.sql import Connection


async def tell_person(
    runtime: Runtime, connection: Connection, owner: Any, kind: Kind, *, now: datetime
) -> None:
    """Tell the resident whose passport the owner of a passkey opens; nobody, where it is a clinician or the city's.

    It moves the wall of the open transaction, to that passport.
    """
    if owner.kind not in {"patient", "proxy"}:
        return
    try:
        subject = await principal(runtime, connection, owner.subject, purpose="", scopes=frozenset(), now=now)
    except UnknownPrincipal:
        return
    concerned = await resident_concerned(runtime, connection, subject)
    if concerned is not None:
        about = {"for": owner.subject}
        await tell(connection, concerned, kind, about, notice_id=tokens.random_uuid(runtime), now=now)
