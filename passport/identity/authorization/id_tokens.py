"""ID tokens: what an app is told of who signed in, signed by the passport.

https://openid.net/specs/openid-connect-core-1_0-final.html#IDToken
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data

The same person is called otherwise towards each client, so that two of them cannot compare what they know.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from hmac import digest
from typing import Any, Final

import orjson

from fhirstore import base64url
from passport.identity.authorization.profiles import IdTokenAlgorithm
from passport.identity.authorization.wanted import FHIR_USER
from passport.identity.clients import Client
from passport.identity.persons import city_kind
from passport.rsa_signing import rsa_signer
from passport.runtime import Runtime
from passport.signing import ALGORITHM, signer
from passport.subjects import Subject

LASTS: Final = timedelta(minutes=5)


def id_token(runtime: Runtime, family: Any, client: Client, subject: Subject, *, now: datetime) -> str:
    """The ID token for the person of a family.

    Raises:
        NoSigningKey: there is no key to sign with.
    """
    settings = runtime.settings
    claims: dict[str, object] = {
        "iss": settings.base_url,
        "sub": pairwise(runtime, client.client_id, subject.reference),
        "aud": client.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LASTS).timestamp()),
        "auth_time": int(family.authenticated_at.timestamp()),
    }
    if family.nonce is not None:
        claims["nonce"] = family.nonce
    if FHIR_USER in family.beside and city_kind(subject.reference) is None:
        claims["fhirUser"] = f"{settings.fhir_url}/{subject.actor}"
    return signed(runtime, claims, algorithm=client.identity_algorithm)


def pairwise(runtime: Runtime, client_id: str, reference: str) -> str:
    """What a person is called towards one client (OpenID Connect Core, section 8.1)."""
    named = f"pairwise subject\n{client_id}\n{reference}"
    return base64url.encode(digest(runtime.ring.index_secret, named.encode(), "sha256"))


def signed(
    runtime: Runtime,
    claims: dict[str, object],
    kind: str = "JWT",
    *,
    algorithm: IdTokenAlgorithm = ALGORITHM,
) -> str:
    """A compact JWS by the key that signs now; its header names the key and what it is.

    Raises:
        NoSigningKey: there is no key of this algorithm.
    """
    key, sign = _signer(runtime, algorithm)
    header = orjson.dumps({"alg": algorithm, "kid": key, "typ": kind})
    text = f"{base64url.encode(header)}.{base64url.encode(orjson.dumps(claims))}"
    return f"{text}.{base64url.encode(sign(text.encode()))}"


def _signer(runtime: Runtime, algorithm: IdTokenAlgorithm) -> tuple[str, Callable[[bytes], bytes]]:
    if algorithm == ALGORITHM:
        key = signer(runtime.ring.signing_keys)
        return key.kid, key.sign
    by_rsa = rsa_signer(runtime.ring.id_token_keys)
    return by_rsa.kid, lambda message: by_rsa.sign(message, algorithm)
