"""What a provider publishes, as it is known now: kept for a while, fetched anew when it is old or a key is missing.

https://openid.net/specs/openid-connect-core-1_0.html#RotateEncKeys

What it publishes is fetched once in ten seconds at most, however many people set out or tokens name a key that nobody
knows: nobody makes the passport knock at another door. All processes share what was fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from passport.identity.assertion import PublicKey
from passport.identity.federation import store
from passport.identity.federation.addresses import document_address
from passport.identity.federation.asking import fetched
from passport.identity.federation.errors import ProviderSilent
from passport.identity.federation.providers import Provider
from passport.identity.federation.published import Document, document_of, kept, key_for, keys_of
from passport.runtime import Runtime
from passport.sql import fetch

KEPT: Final = timedelta(hours=1)
BELIEVED: Final = timedelta(hours=24)
"""How long what was published counts while the provider cannot be reached."""

BETWEEN: Final = timedelta(seconds=10)
"""How long after one fetch nobody fetches again."""


@dataclass(frozen=True, slots=True)
class Published:
    """A provider's document and keys as they came, to be kept with its approval."""

    document: Mapping[str, Any]
    keys: Mapping[str, Any]


def loopback(runtime: Runtime) -> bool:
    """Whether a provider may be on this machine, by plain HTTP: nowhere but where tokens are handed out."""
    return runtime.settings.hands_out_tokens


async def read(runtime: Runtime, provider: Provider, *, now: datetime) -> Published:
    """What a provider publishes now.

    Raises:
        ProviderSilent: it cannot be reached, or what it publishes cannot be used.
    """
    tree = kept(await fetched(document_address(provider.issuer)))
    found = _document(runtime, provider, tree)
    return Published(tree, _stamped(await fetched(found.keys), now))


async def document(runtime: Runtime, provider: Provider, *, now: datetime) -> Document:
    """Where a provider is asked.

    Raises:
        ProviderSilent: it cannot be reached, and has not been for long.
    """
    age = None if provider.document_at is None else now - provider.document_at
    if provider.document is not None and age is not None and age < KEPT:
        return _document(runtime, provider, provider.document)
    if await _may_fetch(runtime, provider, now):
        try:
            published = await read(runtime, provider, now=now)
        except ProviderSilent:
            pass
        else:
            await _keep(runtime, provider, published, now)
            return _document(runtime, provider, published.document)
    if provider.document is None or age is None or age >= BELIEVED:
        raise ProviderSilent
    return _document(runtime, provider, provider.document)


async def key(
    runtime: Runtime, provider: Provider, kid: str | None, algorithm: str, *, now: datetime
) -> PublicKey | None:
    """The key by which a token says that it is signed, None where the provider publishes none.

    Raises:
        ProviderSilent: its keys cannot be fetched, and have not been for long.
    """
    age = _age(provider.keys, now)
    known = None if age is None or age >= BELIEVED else provider.keys
    found = None if known is None else key_for(keys_of(known), kid, algorithm)
    if found is not None and age is not None and age < KEPT:
        return found
    if not await _may_fetch(runtime, provider, now):
        return found
    try:
        tree = _stamped(await fetched((await document(runtime, provider, now=now)).keys), now)
    except ProviderSilent:
        if found is None:
            raise
        return found
    async with runtime.pool.connection() as connection:
        await fetch(connection, store.KEEP_KEYS, {**_named(provider), "keys": Jsonb(tree)})
    return key_for(keys_of(tree), kid, algorithm)


async def _may_fetch(runtime: Runtime, provider: Provider, now: datetime) -> bool:
    """Whether this request is the one of all that may ask the provider what it publishes."""
    limits = {"provider_id": provider.provider_id, "now": now, "since": now - BETWEEN}
    async with runtime.pool.connection() as connection:
        return bool(await fetch(connection, store.MAY_FETCH, limits))


async def _keep(runtime: Runtime, provider: Provider, published: Published, now: datetime) -> None:
    kept_now = {
        **_named(provider),
        "document": Jsonb(dict(published.document)),
        "keys": Jsonb(dict(published.keys)),
        "now": now,
    }
    async with runtime.pool.connection() as connection:
        await fetch(connection, store.KEEP_PUBLISHED, kept_now)


def _document(runtime: Runtime, provider: Provider, tree: Mapping[str, Any]) -> Document:
    return document_of(tree, provider.issuer, provider.asked_hosts, loopback=loopback(runtime))


def _stamped(tree: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The keys that are kept, with when they were fetched: never anything else that stood beside them."""
    return {"keys": keys_of(tree), "fetched": int(now.timestamp())}


def _age(keys: Mapping[str, Any] | None, now: datetime) -> timedelta | None:
    return None if keys is None else now - datetime.fromtimestamp(keys["fetched"], UTC)


def _named(provider: Provider) -> dict[str, object]:
    return {"provider_id": provider.provider_id, "issuer": provider.issuer}
