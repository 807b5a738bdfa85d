"""Telling a person what becomes of their apps: that one was allowed, and that one lost its tokens as one came twice.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14

Whoever took a person's browser may allow an app by it, and whoever took a token uses it beside its owner. Either is
told to the person, who reads it wherever they sign in; of somebody who acts for a patient both are told.
"""

from typing import Any, Final, Literal

from passport.identity import tokens
from passport.identity.authorization.core import Turn
from passport.identity.authorization.families import end
from passport.identity.clients import Client
from passport.notices import tell
from passport.patients.store import HOLDERS
from passport.sql import fetch

ALLOWED: Final = "app-allowed"
REUSED: Final = "app-token-reused"


async def allowed(turn: Turn, whose: Any, client: Client) -> None:
    """Tell that an app was allowed; `whose` has the kind and reference of who allowed it."""
    await _told(turn, whose, client, ALLOWED)


async def end_reused(turn: Turn, family_id: Any, client: Client) -> None:
    """End a family of which a code or a token came twice, and tell whose it is; once, however often it comes."""
    for family in await end(turn.connection, family_id, now=turn.now):
        await _told(turn, family, client, REUSED)


async def _told(
    turn: Turn, whose: Any, client: Client, kind: Literal["app-allowed", "app-token-reused"]
) -> None:
    if whose.kind not in {"patient", "proxy"}:
        return
    keys = {"record_keys": [turn.runtime.keys.reference(whose.subject)]}
    recipients = (None, whose.subject) if whose.kind == "proxy" else (None,)
    about = {"by": whose.subject, **({"app": client.subject} if client.subject else {})}
    for row in await fetch(turn.connection, HOLDERS, keys):
        for recipient in recipients:
            notice_id = tokens.random_uuid(turn.runtime)
            await tell(
                turn.connection,
                row.patient_key,
                kind,
                about,
                notice_id=notice_id,
                now=turn.now,
                recipient=recipient,
            )
