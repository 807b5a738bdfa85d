"""Clients: the services that operators registered, each with its keys, purposes and scopes.

https://www.rfc-editor.org/rfc/rfc7591

A client acts as an Organization or Device of the directory. What it may ask for is what an operator allowed;
what it then sees is what consents allow.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from passport.identity import assertion, scopes, store
from passport.identity.principals import principal
from passport.identity.purposes import EMERGENCY, all_grantable
from passport.outcomes import Invalid
from passport.runtime import Runtime
from passport.sql import Connection, fetch

CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_MAX_CHARACTERS: Final = 128

_MEMBERS: Final = frozenset({"name", "subject", "jwks", "purposes", "scopes", "active"})


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; `subject` is what it acts as, `keys` its public keys."""

    client_id: str
    name: str
    subject: str
    keys: tuple[Mapping[str, str], ...]
    purposes: tuple[str, ...]
    scopes: frozenset[str]
    active: bool = True

    @property
    def answer(self) -> dict[str, object]:
        """The registration as it is answered to an operator."""
        return {
            "client_id": self.client_id,
            "name": self.name,
            "subject": self.subject,
            "jwks": {"keys": list(self.keys)},
            "purposes": list(self.purposes),
            "scopes": sorted(self.scopes),
            "active": self.active,
        }


def client_of(client_id: str, tree: Mapping[str, Any], *, sandbox: bool = False) -> Client:
    """Read what an operator registers as the client named `client_id`; `sandbox` tells which types are held.

    Raises:
        Invalid: an unfit id, a missing or unknown member, or a key, purpose or scope that cannot be given.
    """
    if not CLIENT_ID.fullmatch(client_id):
        raise Invalid("got an unfit client id, expected letters, digits, `.`, `_` and `-`, at most 64")
    if tree.keys() - _MEMBERS:
        raise Invalid(f"got a member that a client does not have, expected {', '.join(sorted(_MEMBERS))}")
    name, subject, active = tree.get("name"), tree.get("subject"), tree.get("active", True)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= NAME_MAX_CHARACTERS:
        raise Invalid(f"got no text of 1 to {NAME_MAX_CHARACTERS} characters in `name`", ("name",))
    if not isinstance(subject, str) or subject.partition("/")[0] not in {"Organization", "Device"}:
        raise Invalid("got no reference to an Organization or Device in `subject`", ("subject",))
    asked = tree.get("scopes", [])
    if not isinstance(asked, list) or not all(isinstance(scope, str) for scope in asked):
        raise Invalid("got no list of scopes in `scopes`", ("scopes",))
    if not isinstance(active, bool):
        raise Invalid("got no boolean in `active`", ("active",))
    return Client(
        client_id=client_id,
        name=name.strip(),
        subject=subject,
        keys=tuple(assertion.registered_keys(tree.get("jwks"))),
        purposes=all_grantable(tree.get("purposes")),
        scopes=scopes.checked(asked, "service", sandbox=sandbox) or scopes.everything("service"),
        active=active,
    )


async def register(runtime: Runtime, connection: Connection, client: Client, *, now: datetime) -> None:
    """Store a registration in the open transaction; whatever an inactive client had open ends.

    Raises:
        Invalid: its subject is not in the directory, or is a patient's own device.
    """
    acting = await principal(
        runtime, connection, client.subject, purpose=client.purposes[0], scopes=client.scopes, now=now
    )
    if acting.kind != "service":
        raise Invalid("got a patient's own device in `subject`, expected one of the directory", ("subject",))
    await fetch(
        connection,
        store.PUT_CLIENT,
        {
            "client_id": client.client_id,
            "name": client.name,
            "subject": client.subject,
            "jwks": Jsonb({"keys": [dict(key) for key in client.keys]}),
            "purposes": list(client.purposes),
            "scopes": sorted(client.scopes),
            "active": client.active,
        },
    )
    if not client.active:
        await fetch(connection, store.END_SESSIONS_OF_CLIENT, {"subject": client.subject, "now": now})


async def client(connection: Connection, client_id: str) -> Client | None:
    """Return a registered client, None for an unknown id."""
    rows = await fetch(connection, store.CLIENT, {"client_id": client_id})
    if not rows:
        return None
    (row,) = rows
    return Client(
        client_id=row.client_id,
        name=row.name,
        subject=row.subject,
        keys=tuple(row.jwks["keys"]),
        purposes=tuple(row.purposes),
        scopes=frozenset(row.scopes),
        active=row.active,
    )


def may_ask_for(client: Client, purpose: str) -> bool:
    """Return whether an operator allowed the client this purpose; BTG is never one of them."""
    return purpose in client.purposes and purpose != EMERGENCY
