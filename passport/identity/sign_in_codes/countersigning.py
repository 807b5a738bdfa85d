"""The second operator of a sign-in code: reads for whom it is, and lets exactly that be good, or drops it.

https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from passport.identity import persons
from passport.identity.login import store as logins
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.sign_in_codes import handing_out, store
from passport.identity.sign_in_codes.proposal import Proposal
from passport.outcomes import Conflict, Invalid, NotFound
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch
from passport.subjects import Subject

LISTED_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Whose code is good from now on; `concerned` is the patient_key of whose passport it opens."""

    subject: Subject
    concerned: int | None


async def waiting(connection: Connection, *, after: str, now: datetime) -> Sequence[Proposal]:
    """Codes that wait for another operator, in the order of their logins, those behind `after`."""
    # What is no login is asked for nowhere: an address may hold what no database takes.
    behind = after if persons.LOGIN.fullmatch(after) else ""
    asked = {"after": behind, "now": now, "limit": LISTED_MAX}
    return [Proposal(row) for row in await fetch(connection, store.PROPOSALS, asked)]


async def confirm(
    runtime: Runtime, connection: Connection, login: str, proposal: object, *, now: datetime, by: str
) -> Confirmed:
    """Let a code be good that another operator handed out, if it is what `proposal` names.

    Raises:
        NotFound: none waits for the login.
        Refused: whoever confirms handed it out, or it is their own.
        Invalid: nothing is named.
        Conflict: another one waits than is named, or its person may not sign in as that any more.
    """
    row = await _held(connection, login, now=now)
    # First who, then what: whoever may not confirm is not told to try again.
    for other in (row.proposed_by, row.subject, *([row.person] if row.person else [])):
        await persons.require_another(connection, other, by)
    if proposal is None:
        text = "got no `proposal`, expected the one that GET /auth/sign-in-codes shows, once it was read"
        raise Invalid(text, ("proposal",))
    if proposal != Proposal(row).digest:
        raise Conflict("got another `proposal` than the one that waits, expected it to be read again")
    subject = await _still(runtime, connection, row, now=now)
    await handing_out.hold(runtime, connection, subject)
    known = await handing_out.entered(runtime, connection, subject)
    holders = await fetch(connection, logins.HOLD_LOGIN, {"login": login})
    good = {**{name: getattr(row, name) for name in _KEPT}, "vouched": True}
    concerned = await handing_out.let_in(
        runtime, connection, subject, good, replaces=bool(holders), known=known, now=now
    )
    return Confirmed(subject, concerned)


async def decline(connection: Connection, login: str, *, now: datetime) -> str:
    """Let nothing come of a code that waits; whose it was to be. The one that is good goes on.

    Raises:
        NotFound: none waits for the login.
    """
    row = await _held(connection, login, now=now)
    await fetch(connection, store.DROP_PROPOSAL, {"login": login})
    subject: str = row.subject
    return subject


async def _held(connection: Connection, login: str, *, now: datetime) -> Row:
    fit = persons.LOGIN.fullmatch(login)
    rows = await fetch(connection, store.HOLD_PROPOSAL, {"login": login, "now": now}) if fit else []
    if not rows:
        raise NotFound("no code waits for this login")
    return rows[0]


async def _still(runtime: Runtime, connection: Connection, row: Row, *, now: datetime) -> Subject:
    """As whom the code signs in, as they stand now."""
    reference = row.subject if persons.city_kind(row.subject) else row.role or row.subject
    try:
        subject = await principal(
            runtime, connection, reference, purpose=row.purposes[0], scopes=frozenset(), now=now
        )
    except UnknownPrincipal:
        subject = None
    # A role may have been given to somebody else.
    if subject is None or (subject.reference, subject.role) != (row.subject, row.role):
        raise Conflict("got a code for somebody who signs in as that no more")
    return subject


_KEPT: Final = (
    *("login", "secret_hash", "kind", "subject", "role", "patient_key"),
    *("purposes", "scopes", "person"),
)
