"""Going to a provider, and coming back to the browser that one went from.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
https://www.rfc-editor.org/rfc/rfc9700#section-2.1
https://www.rfc-editor.org/rfc/rfc9207

`state` is bound to the browser by a cookie, good once and for ten minutes. `nonce` and the verifier of S256 are keyed
hashes of it, so that nothing of them is kept. An answer counts at the address of the provider that was gone to, whose
issuer it names wherever that provider names itself.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Any, Final
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from passport.identity.federation import credentials, id_token, knowing, registry, store
from passport.identity.federation.asking import fetched, posted
from passport.identity.federation.errors import Disbelieved, ProviderSilent
from passport.identity.federation.my_number import names_one
from passport.identity.federation.providers import Provider, redirect_uri
from passport.identity.federation.published import Document
from passport.identity.federation.saying import said_of
from passport.identity.login.factors import two_by
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


@dataclass(frozen=True, slots=True)
class Met:
    """Whom a provider's answer is about: not by name, and with what it says of them sealed nowhere yet."""

    provider: Provider
    sub_hash: bytes
    authenticated_at: datetime
    second_factor: bool
    said: dict[str, str] = field(repr=False)


def hashed(text: str) -> bytes:
    """What is kept of a secret."""
    return sha256(text.encode()).digest()


def secret(runtime: Runtime) -> str:
    """A text that nobody guesses."""
    return _encoded(runtime.ring.random(SECRET_BYTES))


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
        "nonce": _of_state(runtime, "nonce", state),
        "code_challenge": create_s256_code_challenge(_of_state(runtime, "code verifier", state)),
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


async def met(runtime: Runtime, way: Any, answer: Back, *, now: datetime) -> Met:
    """Whom a provider's answer is about.

    Raises:
        Disbelieved: the answer is not believed.
        ProviderSilent: the provider cannot be reached, or refuses.
        NotFound: it is asked no more.
    """
    async with runtime.pool.connection() as connection:
        provider = await registry.active(connection, way.provider_id)
    if provider.issuer != way.issuer:
        raise Disbelieved("provider")
    document = await knowing.document(runtime, provider, now=now)
    if answer.iss != provider.issuer and (answer.iss is not None or document.names_itself):
        raise Disbelieved("issuer")
    if answer.denied:
        raise Disbelieved("denied")
    tokens = await _redeemed(runtime, provider, document, answer, now)
    told = await _told(runtime, provider, tokens, way, answer.state, now)
    said = await _said(provider, document, tokens["access_token"], told)
    trusted = told.acr is not None and told.acr in provider.two_factors
    return Met(
        provider=provider,
        sub_hash=sub_hash(runtime, provider, told.sub),
        authenticated_at=told.authenticated_at,
        second_factor=trusted or two_by(told.amr, told.acr),
        said=said,
    )


def sub_hash(runtime: Runtime, provider: Provider, sub: str) -> bytes:
    """What stands here for a provider's name for somebody: another one per provider, and nothing without the key."""
    named = f"federated subject\n{provider.provider_id}\n{provider.issuer}\n{sub}"
    return digest(runtime.ring.index_secret, named.encode(), "sha256")


async def _redeemed(
    runtime: Runtime, provider: Provider, document: Document, answer: Back, now: datetime
) -> dict[str, str]:
    """The tokens that a code is good for."""
    proof = credentials.proof_of(
        runtime.settings,
        provider,
        document.token,
        document.assertion_algorithms,
        random=runtime.ring.random,
        now=now,
    )
    fields = {
        "grant_type": "authorization_code",
        "code": answer.code,
        "redirect_uri": redirect_uri(runtime.settings, provider.provider_id),
        "code_verifier": _of_state(runtime, "code verifier", answer.state),
        **proof.fields,
    }
    tree = await posted(document.token, fields, basic=proof.basic)
    access, bearer, identity = tree.get("access_token"), tree.get("token_type"), tree.get("id_token")
    if not isinstance(bearer, str) or bearer.lower() != "bearer" or not isinstance(identity, str):
        raise ProviderSilent
    if not isinstance(access, str) or not 0 < len(access) <= VALUE_MAX_CHARACTERS or not access.isascii():
        raise ProviderSilent
    return {"access_token": access, "id_token": identity}


async def _told(
    runtime: Runtime, provider: Provider, tokens: dict[str, str], way: Any, state: str, now: datetime
) -> id_token.Told:
    presented = id_token.read(tokens["id_token"], provider.profile.algorithms)
    key = await knowing.key(runtime, provider, presented.kid, presented.algorithm, now=now)
    expected = id_token.Expected(
        issuer=provider.issuer,
        client_id=provider.client_id,
        nonce=_of_state(runtime, "nonce", state),
        access_token=tokens["access_token"],
        fresh=way.fresh,
        now=now,
    )
    return id_token.believed(presented, key, expected)


async def _said(provider: Provider, document: Document, token: str, told: id_token.Told) -> dict[str, str]:
    """What the provider says of the person, of whom it says it in two places alike."""
    names = provider.profile.attributes
    if not names:
        return {}
    claims = dict(told.claims)
    if document.user_info is not None:
        beside = await fetched(document.user_info, token=token)
        if id_token.subject_of(beside) != told.sub:
            raise Disbelieved("user-info")
        if names_one(beside):
            raise Disbelieved("my-number")
        claims |= beside
    return said_of(claims, names)


def _of_state(runtime: Runtime, purpose: str, state: str) -> str:
    return _encoded(digest(runtime.ring.index_secret, f"federation {purpose}\n{state}".encode(), "sha256"))


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
