"""Whom a provider's answer is about: its code is redeemed, its ID token believed, and what it says of the person read.

https://openid.net/specs/openid-connect-core-1_0.html#TokenEndpoint
https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
https://www.rfc-editor.org/rfc/rfc9207
"""

from dataclasses import dataclass, field
from datetime import datetime
from hmac import digest
from typing import Any

from passport.identity.federation import credentials, id_token, knowing, registry
from passport.identity.federation.asking import fetched, posted
from passport.identity.federation.errors import Disbelieved, ProviderSilent
from passport.identity.federation.going import VALUE_MAX_CHARACTERS, Back, of_state
from passport.identity.federation.my_number import names_one
from passport.identity.federation.providers import Provider, redirect_uri
from passport.identity.federation.published import Document
from passport.identity.federation.saying import said_of
from passport.identity.login.factors import two_by
from passport.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Met:
    """Whom a provider's answer is about: not by name, and with what it says of them sealed nowhere yet."""

    provider: Provider
    sub_hash: bytes
    authenticated_at: datetime
    second_factor: bool
    said: dict[str, str] = field(repr=False)


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
        "code_verifier": of_state(runtime, "code verifier", answer.state),
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
        nonce=of_state(runtime, "nonce", state),
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
