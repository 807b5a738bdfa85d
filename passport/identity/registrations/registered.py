"""One client as operators see it: what is registered, what is proposed beside it, and who has to do what.

https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from passport.identity.clients import CLIENT_ID, Client, State, client_of, stored
from passport.identity.registrations import store
from passport.outcomes import Invalid
from passport.records import written_instant
from passport.sql import Connection, Row, fetch

LISTED_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one operator proposes; it counts once another one has approved it."""

    client: Client
    by: str
    at: datetime
    until: datetime

    @property
    def answer(self) -> dict[str, object]:
        """The proposal as operators are shown it; `proposal` is what an approval names."""
        return {
            "proposal": self.client.digest,
            "by": self.by,
            "at": written_instant(self.at),
            "until": written_instant(self.until),
            **self.client.registration,
        }


@dataclass(frozen=True, slots=True)
class Registered:
    """A client, with what is registered and what is proposed of it, one of the two at least while it lasts."""

    client_id: str
    client: Client | None
    proposal: Proposal | None = None

    @property
    def state(self) -> State:
        """How it stands, whatever is proposed; one of which nothing came is one that ended."""
        if self.client is not None:
            return self.client.state
        return "ended" if self.proposal is None else "waiting"

    @property
    def answer(self) -> dict[str, object]:
        """What is registered, and apart from that what is proposed, and what is to be done next."""
        members = {} if self.client is None else self.client.registration
        return {
            "client_id": self.client_id,
            **members,
            "active": self.state == "active",
            "state": self.state,
            "proposed": None if self.proposal is None else self.proposal.answer,
            "next": self._next,
        }

    @property
    def _next(self) -> str | None:
        path = f"/auth/clients/{self.client_id}"
        if self.proposal is not None:
            meanwhile = "stays as it is until" if self.state == "active" else "is nobody before"
            named = f'{{"proposal": "{self.proposal.client.digest}"}}'
            who = f"another operator than `{self.proposal.by}`"
            return (
                f"the client {meanwhile} {who} has read `proposed` and sent `{named}` to POST {path}/approve"
            )
        if self.state == "waiting":
            return f"one operator sends PUT {path} with what it acts as, another one approves that"
        return None


async def registered(
    connection: Connection, client_id: str, *, now: datetime, sandbox: bool
) -> Registered | None:
    """What there is of a client, None where there is nothing."""
    # What is no id is asked for nowhere: an address may hold what no database takes.
    if not CLIENT_ID.fullmatch(client_id):
        return None
    rows = await fetch(connection, store.REGISTRATION, {"client_id": client_id, "now": now})
    return _registered(rows[0], sandbox=sandbox) if rows else None


async def listed(
    connection: Connection, state: State, *, after: str, now: datetime, sandbox: bool
) -> list[Registered]:
    """Clients in a state, in the order of their ids, those behind `after`; waiting are those with a proposal too."""
    statement = store.WAITING if state == "waiting" else store.IN_STATE
    params: Mapping[str, Any] = {"after": after, "most": LISTED_MAX, "now": now, "state": state}
    return [_registered(row, sandbox=sandbox) for row in await fetch(connection, statement, params)]


def _registered(row: Row, *, sandbox: bool) -> Registered:
    client = None if row.state is None else stored(row)
    return Registered(row.client_id, client, _proposal(row, sandbox=sandbox))


def _proposal(row: Row, *, sandbox: bool) -> Proposal | None:
    if row.registration is None:
        return None
    try:
        client = client_of(row.client_id, row.registration, sandbox=sandbox)
    except Invalid:
        # What the rules of today refuse is proposed no more.
        return None
    return Proposal(client, row.proposed_by, row.proposed_at, row.expires_at)
