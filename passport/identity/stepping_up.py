"""Stepping up: what asks for more than a token asks its person to prove anew who they are.

https://www.rfc-editor.org/rfc/rfc9470

A token carries when its person proved that, whoever got the token since: an app that goes on by refreshing gets none
that is fresh, and sends its person to sign in with `max_age`.
"""

from passport.admission import Desk
from passport.identity import store
from passport.identity.login.factors import stale
from passport.identity.purposes import EMERGENCY
from passport.sql import fetch


async def require_fresh(desk: Desk) -> None:
    """Let a caller go on who proved lately who they are.

    Raises:
        InsufficientAuthentication: it is too long ago, or not known.
    """
    rows = await fetch(desk.connection, store.AUTHENTICATED, {"session_id": desk.subject.session_id})
    proved = [row.authenticated_at for row in rows if row.authenticated_at is not None]
    if not proved or desk.now - proved[0] > desk.runtime.settings.step_up:
        raise stale(desk.runtime.settings)


async def require_fresh_export(desk: Desk) -> None:
    """Let a clinician take all of a patient with them who proved lately who they are; an emergency is not interrupted.

    Raises:
        InsufficientAuthentication: it is too long ago, or not known.
    """
    if desk.subject.kind == "practitioner" and desk.subject.purpose != EMERGENCY:
        await require_fresh(desk)
