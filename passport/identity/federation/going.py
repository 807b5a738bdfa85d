"""Going to a provider, and coming back to the browser that one went from.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
https://www.rfc-editor.org/rfc/rfc9700#section-2.1
https://www.rfc-editor.org/rfc/rfc9207

`state` is bound to the browser by a cookie, good once and for ten minutes. `nonce` and the verifier of S256 are keyed
hashes of it, so that nothing of them is kept. An answer counts at the address of the provider that was gone to, whose
issuer it names wherever that provider names itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Final
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from fhirstore import base64url
from passport.identity.federation import knowing, registry, store
from passport.identity.federation.errors import Disbelieved
from passport.identity.federation.providers import redirect_uri
from passport.runtime import Runtime
from passport.sql import Row, fetch

LASTS: Final = timedelta(minutes=10)
SECRET_BYTES: Final = 32
VALUE_MAX_CHARACTERS: Final = 4_096

_ANSWERED: Final = ("state", "code", "iss", "error")


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a browser is sent, and the cookie by which it is known when it comes back."""

    location: str = field(repr=False)
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Back:
    """What came back, each of which stood there once."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    iss: str | None
    denied: bool


def hashed(text: str) -> bytes:
    """What is kept of a secret."""
    return sha256(text.encode()).digest()


def secret(runtime: Runtime) -> str:
    """A text that nobody guesses."""
    return base64url.encode(runtime.ring.random(SECRET_BYTES))


async def begin(
    runtime: Runtime, provider_id: str, *, leads_to: str, query: str, fresh: bool, now: datetime
) -> Sent:
    """Begin a way to a provider.

    Args:
        runtime: the service's parts.
        provider_id: which one.
        leads_to: the page that the person wanted, by name.
        query: the query of that page's address.
        fresh: whether the person is to prove anew who they are.
        now: when it begins.

    Raises:
        NotFound: there is no such provider.
        ProviderSilent: it cannot be reached.
    """
    async with runtime.pool.connection() as connection:
        provider = await registry.active(connection, provider_id)
    document = await knowing.document(runtime, provider, now=now)
    state, cookie = secret(runtime), secret(runtime)
    attempt = {
        "state_hash": hashed(state),
        "browser_hash": hashed(cookie),
        "provider_id": provider_id,
        "issuer": provider.issuer,
        "leads_to": leads_to,
        "query": query,
        "fresh": fresh,
        "now": now,
        "expires_at": now + LASTS,
    }
    async with runtime.pool.connection() as connection:
        await fetch(connection, store.BEGIN, attempt)
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(runtime.settings, provider_id),
        "scope": " ".join(provider.profile.scopes),
        "state": state,
        "nonce": of_state(runtime, "nonce", state),
        "code_challenge": create_s256_code_challenge(of_state(runtime, "code verifier", state)),
        "code_challenge_method": "S256",
    }
    if provider.profile.acr_values:
        asked["acr_values"] = " ".join(provider.profile.acr_values)
    if fresh:
        asked |= {"prompt": "login", "max_age": "0"}
    return Sent(f"{document.authorization}?{urlencode(asked)}", cookie)


def back(pairs: Sequence[tuple[str, str]]) -> Back:
    """Read what came back.

    Raises:
        Disbelieved: something stands there twice, or what has to stand there does not.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in _ANSWERED:
            continue
        if name in found or not 0 < len(value) <= VALUE_MAX_CHARACTERS or not value.isprintable():
            raise Disbelieved("state")
        found[name] = value
    if "state" not in found or ("code" in found) == ("error" in found):
        raise Disbelieved("state")
    return Back(found["state"], found.get("code", ""), found.get("iss"), "error" in found)


async def spent(runtime: Runtime, provider_id: str, answer: Back, cookie: str, *, now: datetime) -> Row:
    """The way that led here, which is gone by this.

    Raises:
        Disbelieved: none began at this browser, or it was gone before, or is too old.
    """
    params = {
        "state_hash": hashed(answer.state),
        "browser_hash": hashed(cookie),
        "provider_id": provider_id,
        "now": now,
    }
    async with runtime.pool.connection() as connection:
        rows = await fetch(connection, store.SPEND_STATE, params)
    if not rows:
        raise Disbelieved("state")
    return rows[0]


def of_state(runtime: Runtime, purpose: str, state: str) -> str:
    """What belongs to a state, and is kept nowhere: its `nonce`, or its `code verifier`."""
    return base64url.encode(
        digest(runtime.ring.index_secret, f"federation {purpose}\n{state}".encode(), "sha256")
    )
