"""Clients: what operators registered, each with its profile, keys, addresses, purposes and scopes.

https://www.rfc-editor.org/rfc/rfc7591

A client acts as an Organization or Device of the directory, or is that through which a person acts. What it may ask
for is what an operator allowed; what is then seen is what consents allow.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal, get_args

import orjson
from psycopg.types.json import Jsonb

from passport.identity import assertion, store
from passport.identity.authorization import redirects, wanted
from passport.identity.authorization.profiles import (
    CODE,
    CREDENTIALS,
    DEVICE,
    EXCHANGE,
    PROFILES,
    REFRESH,
    SMART,
    GrantType,
    IdTokenAlgorithm,
    Profile,
)
from passport.identity.purposes import EMERGENCY, all_grantable
from passport.members import check_members
from passport.outcomes import Conflict, Invalid
from passport.sql import Connection, Row, fetch

State = Literal["waiting", "active", "ended"]
AuthMethod = Literal["private_key_jwt", "none"]

CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_MAX_CHARACTERS: Final = 128

MEMBERS: Final = frozenset(
    {
        "name",
        "subject",
        "jwks",
        "purposes",
        "scopes",
        "active",
        "profile",
        "redirect_uris",
        "grant_types",
        "token_endpoint_auth_method",
        "introspects",
        "id_token_signed_response_alg",
    }
)
_OF_PERSONS: Final = frozenset({CODE, DEVICE})
_WITH_A_KEY: Final = frozenset({CREDENTIALS, EXCHANGE})


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; `subject` is what it acts as or through, `keys` its public keys.

    One that `introspects` may ask about tokens of others, as a resource server does.
    """

    client_id: str
    name: str
    subject: str | None
    keys: tuple[Mapping[str, str], ...]
    purposes: tuple[str, ...]
    scopes: frozenset[str]
    state: State = "active"
    profile: Profile = SMART
    redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[GrantType] = frozenset({CREDENTIALS})
    auth_method: AuthMethod = "private_key_jwt"
    introspects: bool = False
    identity_algorithm: IdTokenAlgorithm = "RS256"
    asked_by: str | None = None
    approved_by: str | None = None

    @property
    def active(self) -> bool:
        """Whether it is asked by anybody: neither one that waits, nor one that ended."""
        return self.state == "active" and self.subject is not None

    @property
    def public(self) -> bool:
        """Whether it has no key by which it could prove who it is."""
        return self.auth_method == "none"

    @property
    def registration(self) -> dict[str, object]:
        """The registration as an operator writes it: what `client_of` reads."""
        members: dict[str, object] = {
            "name": self.name,
            "subject": self.subject,
            "profile": self.profile.name,
            "token_endpoint_auth_method": self.auth_method,
            "grant_types": sorted(self.grant_types),
            "redirect_uris": list(self.redirect_uris),
            "purposes": list(self.purposes),
            "scopes": sorted(self.scopes),
            "introspects": self.introspects,
            "id_token_signed_response_alg": self.identity_algorithm,
        }
        return members if self.public else {**members, "jwks": {"keys": [dict(key) for key in self.keys]}}

    @property
    def digest(self) -> str:
        """A name of the registration's content: of two that differ in anything, another one."""
        content = orjson.dumps([self.client_id, self.registration], option=orjson.OPT_SORT_KEYS)
        return sha256(content).hexdigest()


def client_of(client_id: str, tree: Mapping[str, Any], *, sandbox: bool = False) -> Client:
    """Read what an operator registers as the client named `client_id`; `sandbox` tells which types are held.

    Raises:
        Invalid: an unfit id, a missing or unknown member, or a key, address, purpose or scope that cannot be given.
    """
    if not CLIENT_ID.fullmatch(client_id):
        raise Invalid("got an unfit client id, expected letters, digits, `.`, `_` and `-`, at most 64")
    check_members(tree, MEMBERS)
    if tree.get("active", True) is not True:
        raise Invalid("got no boolean in `active`", ("active",))
    subject, introspects = tree.get("subject"), tree.get("introspects", False)
    if not isinstance(subject, str) or subject.partition("/")[0] not in {"Organization", "Device"}:
        raise Invalid("got no reference to an Organization or Device in `subject`", ("subject",))
    if not isinstance(introspects, bool):
        raise Invalid("got no boolean in `introspects`", ("introspects",))
    described = description_of(tree, sandbox=sandbox)
    if introspects and described.auth_method == "none":
        raise Invalid("got a client without a key that asks about tokens of others", ("introspects",))
    return Client(
        client_id=client_id,
        name=described.name,
        subject=subject,
        keys=described.keys,
        purposes=all_grantable(tree.get("purposes")),
        scopes=described.scopes,
        profile=described.profile,
        redirect_uris=described.redirect_uris,
        grant_types=described.grant_types,
        auth_method=described.auth_method,
        introspects=introspects,
        identity_algorithm=described.identity_algorithm,
    )


@dataclass(frozen=True, slots=True)
class Description:
    """What a client may say of itself: everything but what an operator decides."""

    name: str
    keys: tuple[Mapping[str, str], ...]
    scopes: frozenset[str]
    profile: Profile
    redirect_uris: tuple[str, ...]
    grant_types: frozenset[GrantType]
    auth_method: AuthMethod
    identity_algorithm: IdTokenAlgorithm


def description_of(tree: Mapping[str, Any], *, sandbox: bool) -> Description:
    """Read what describes a client, by the rules of its profile.

    Raises:
        Invalid: a member is missing or unfit, or they do not go together.
    """
    name, profile = tree.get("name"), _profile(tree.get("profile", SMART.name))
    if not isinstance(name, str) or not 0 < len(name.strip()) <= NAME_MAX_CHARACTERS:
        raise Invalid(f"got no text of 1 to {NAME_MAX_CHARACTERS} characters in `name`", ("name",))
    addresses = redirects.registered(tree.get("redirect_uris", []), loopback=profile.loopback)
    grant_types = _grant_types(tree.get("grant_types"), addresses, profile)
    method = _auth_method(tree.get("token_endpoint_auth_method", "private_key_jwt"), grant_types, profile)
    if method == "none" and tree.get("jwks") is not None:
        raise Invalid("got keys of a client that proves itself by none", ("jwks",))
    keys = () if method == "none" else assertion.registered_keys(tree.get("jwks"), profile=profile)
    return Description(
        name=name.strip(),
        keys=tuple(keys),
        scopes=_scopes(tree.get("scopes", []), grant_types, sandbox=sandbox),
        profile=profile,
        redirect_uris=addresses,
        grant_types=grant_types,
        auth_method=method,
        identity_algorithm=_identity_algorithm(tree.get("id_token_signed_response_alg"), profile),
    )


def _profile(name: object) -> Profile:
    profile = PROFILES.get(name) if isinstance(name, str) else None
    if profile is None:
        raise Invalid(f"got another profile, expected one of {', '.join(PROFILES)}", ("profile",))
    return profile


def _identity_algorithm(name: object, profile: Profile) -> IdTokenAlgorithm:
    if name is None:
        return profile.id_token_algorithms[0]
    found = next((each for each in profile.id_token_algorithms if each == name), None)
    if found is None:
        expected = " or ".join(profile.id_token_algorithms)
        text = f"got another `id_token_signed_response_alg`, expected {expected} of profile `{profile.name}`"
        raise Invalid(text, ("id_token_signed_response_alg",))
    return found


def _grant_types(listed: object, addresses: tuple[str, ...], profile: Profile) -> frozenset[GrantType]:
    if listed is None:
        return frozenset({CODE, REFRESH} if addresses else {CREDENTIALS})
    taken = [known for known in get_args(GrantType) if known in profile.grant_types]
    if not isinstance(listed, list) or not listed or not all(asked in taken for asked in listed):
        raise Invalid(f"got no list of {', '.join(taken)} in `grant_types`", ("grant_types",))
    grant_types: frozenset[GrantType] = frozenset(listed)
    if (CODE in grant_types) != bool(addresses):
        text = "expected `redirect_uris` with `authorization_code`, and without it none"
        raise Invalid(text, ("redirect_uris", "grant_types"))
    if REFRESH in grant_types and not grant_types & _OF_PERSONS:
        raise Invalid("got `refresh_token` without a grant that begins with a person", ("grant_types",))
    return grant_types


def _auth_method(method: object, grant_types: frozenset[GrantType], profile: Profile) -> AuthMethod:
    if method == "private_key_jwt":
        return "private_key_jwt"
    if method != "none" or not profile.public or grant_types & _WITH_A_KEY:
        text = "got another `token_endpoint_auth_method`, expected `private_key_jwt`, or `none` for an app of persons"
        raise Invalid(text, ("token_endpoint_auth_method",))
    return "none"


def _scopes(listed: object, grant_types: frozenset[GrantType], *, sandbox: bool) -> frozenset[str]:
    if not isinstance(listed, list) or not all(isinstance(scope, str) for scope in listed):
        raise Invalid("got no list of scopes in `scopes`", ("scopes",))
    contexts = wanted.contexts_of(grant_types)
    try:
        asked = wanted.wanted(listed, contexts=contexts, sandbox=sandbox)
    except Invalid as error:
        raise Invalid(error.text, ("scopes",), code=error.code) from None
    return asked.texts or wanted.everything_for(contexts)


async def end(connection: Connection, client_id: str, subject: str, *, now: datetime) -> None:
    """End whatever a client has open: as itself, and for people."""
    ended = {"client_id": client_id, "subject": subject, "now": now}
    await fetch(connection, store.END_FAMILIES_OF_CLIENT, ended)
    # A statement of its own: it sees the session of whoever held the family until now.
    await fetch(connection, store.END_SESSIONS_OF_CLIENT, ended)


def row_of(client: Client) -> dict[str, object]:
    """What is stored of a registration."""
    return {
        "client_id": client.client_id,
        "name": client.name,
        "subject": client.subject,
        "profile": client.profile.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": sorted(client.grant_types),
        "auth_method": client.auth_method,
        "introspects": client.introspects,
        "identity_algorithm": client.identity_algorithm,
        "jwks": Jsonb({"keys": [dict(key) for key in client.keys]}),
        "purposes": list(client.purposes),
        "scopes": sorted(client.scopes),
        "state": client.state,
    }


async def client(connection: Connection, client_id: str) -> Client | None:
    """Return a registered client, None for an unknown id."""
    rows = await fetch(connection, store.CLIENT, {"client_id": client_id})
    return stored(rows[0]) if rows else None


async def ask_to_register(connection: Connection, client: Client) -> None:
    """Keep what a client says of itself, waiting for operators.

    Raises:
        Conflict: the id is taken.
    """
    params = {**row_of(client), "asked_by": None, "approved_by": None}
    if not await fetch(connection, store.ADD_CLIENT, params):
        raise Conflict("got an id that is taken")


def stored(row: Row) -> Client:
    """The client of a row."""
    return Client(
        client_id=row.client_id,
        name=row.name,
        subject=row.subject,
        keys=tuple(row.jwks["keys"]),
        purposes=tuple(row.purposes),
        scopes=frozenset(row.scopes),
        state=row.state,
        profile=PROFILES[row.profile],
        redirect_uris=tuple(row.redirect_uris),
        grant_types=frozenset(row.grant_types),
        auth_method=row.auth_method,
        introspects=row.introspects,
        identity_algorithm=row.identity_algorithm,
        asked_by=row.asked_by,
        approved_by=row.approved_by,
    )


def may_ask_for(client: Client, purpose: str) -> bool:
    """Return whether an operator allowed the client this purpose; BTG is never one of them."""
    return purpose in client.purposes and purpose != EMERGENCY
