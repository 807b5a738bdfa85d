"""An ID token is believed if it is signed by a key of its provider and made for this very sign-in.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
https://www.rfc-editor.org/rfc/rfc8725

The algorithm is one of a list and has to be that of the key, which comes from the provider's own set: a header that
brings a key along, or says where to fetch one, is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final

from authlib.oidc.core.util import create_half_hash
from joserfc.jws import JWSRegistry

from fhirstore import base64url
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from passport.identity.assertion import COMPACT, PublicKey, instant_of
from passport.identity.federation.errors import Disbelieved
from passport.identity.federation.my_number import holds_one, names_one

CLOCK_SKEW: Final = timedelta(seconds=30)
MADE_WITHIN: Final = timedelta(minutes=10)
LATELY: Final = timedelta(minutes=5)
"""How long ago a person may have proved who they are where that is asked for anew."""

SUBJECT_MAX_CHARACTERS: Final = 255  # OpenID Connect Core, section 2

_LIMITS: Final = Limits(size_bytes=16_384, depth=8)
# Thumbprints of certificates say nothing that is needed, and common products send them.
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})


@dataclass(frozen=True, slots=True)
class Presented:
    """An ID token as it came, not yet believed."""

    algorithm: str
    kid: str | None
    signing_input: bytes
    signature: bytes
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token of this sign-in says; `fresh` wants a person who proved who they are just now."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    fresh: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a believed ID token tells: who it is there, since when, and how they proved it."""

    sub: str
    authenticated_at: datetime
    amr: tuple[str, ...]
    acr: str | None
    claims: Mapping[str, Any]


def read(text: object, algorithms: frozenset[str]) -> Presented:
    """Take an ID token apart.

    Raises:
        Disbelieved: it is none, its algorithm is not one of these, or its header holds more than it may.
    """
    found = COMPACT.fullmatch(text.encode("ascii", "replace")) if isinstance(text, str) else None
    if found is None:
        raise Disbelieved("header")
    try:
        header_part, claims_part, signature_part = found.groups()
        header, claims = (
            parse(base64url.decode(header_part), _LIMITS),
            parse(base64url.decode(claims_part), _LIMITS),
        )
        signature = base64url.decode(signature_part)
    except (ParseError, ValueError):
        raise Disbelieved("header") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    unfit = header.keys() - _HEADER_NAMES or header.get("typ", "JWT") != "JWT"
    if unfit or not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Disbelieved("header")
    if kid is not None and not isinstance(kid, str):
        raise Disbelieved("header")
    return Presented(algorithm, kid, header_part + b"." + claims_part, signature, claims)


def believed(presented: Presented, key: PublicKey | None, expected: Expected) -> Told:
    """What an ID token tells, once it is known to be genuine and of this sign-in.

    Raises:
        Disbelieved: it is not.
    """
    if key is None:
        raise Disbelieved("key")
    algorithm = JWSRegistry.algorithms[presented.algorithm]
    if not algorithm.verify(presented.signing_input, presented.signature, key):
        raise Disbelieved("signature")
    claims = presented.claims
    _check_parties(claims, expected)
    _check_times(claims, expected)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not compare_digest(nonce.encode(), expected.nonce.encode()):
        raise Disbelieved("nonce")
    half = create_half_hash(expected.access_token, presented.algorithm)
    if "at_hash" in claims and claims["at_hash"] != half.decode():
        raise Disbelieved("token-hash")
    sub = subject_of(claims)
    if names_one(claims) or holds_one(sub):
        raise Disbelieved("my-number")
    return Told(sub, _authenticated_at(claims, expected), _amr(claims), _acr(claims), claims)


def subject_of(claims: Mapping[str, Any]) -> str:
    """What the provider calls somebody.

    Raises:
        Disbelieved: it is no text that could be that.
    """
    sub = claims.get("sub")
    if not isinstance(sub, str) or not sub.isascii() or not sub.isprintable():
        raise Disbelieved("subject")
    if not 0 < len(sub) <= SUBJECT_MAX_CHARACTERS:
        raise Disbelieved("subject")
    return sub


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise Disbelieved("issuer")
    # A token for others as well is one that others have as well.
    if claims.get("aud") not in (expected.client_id, [expected.client_id]):
        raise Disbelieved("audience")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise Disbelieved("audience")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    ends, made, now = instant_of(claims.get("exp")), instant_of(claims.get("iat")), expected.now
    if ends is None or made is None or now >= ends + CLOCK_SKEW:
        raise Disbelieved("time")
    if not now - MADE_WITHIN <= made <= now + CLOCK_SKEW:
        raise Disbelieved("time")
    if "nbf" in claims and ((begins := instant_of(claims["nbf"])) is None or begins > now + CLOCK_SKEW):
        raise Disbelieved("time")


def _authenticated_at(claims: Mapping[str, Any], expected: Expected) -> datetime:
    """When the person proved who they are: as the provider says, and never later than now."""
    told = instant_of(claims.get("auth_time"))
    if "auth_time" in claims and (told is None or told > expected.now + CLOCK_SKEW):
        raise Disbelieved("time")
    if expected.fresh and (told is None or told < expected.now - LATELY):
        raise Disbelieved("too-long-ago")
    return expected.now if told is None else min(told, expected.now)


def _amr(claims: Mapping[str, Any]) -> tuple[str, ...]:
    listed = claims.get("amr")
    return tuple(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()


def _acr(claims: Mapping[str, Any]) -> str | None:
    value = claims.get("acr")
    return value if isinstance(value, str) else None
