"""DPoP: a caller signs each request with a key, and a token that is bound to the key is none without it.

https://www.rfc-editor.org/rfc/rfc9449

A proof is for one request: its method, its address, the token beside it, and a nonce that this service made within the
last minutes. It is taken by an insertion, so that of fifty presentations one counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from fhirstore import base64url
from fhirstore.errors import ParseError
from fhirstore.parse import parse
from passport.identity import assertion
from passport.identity.authorization import store
from passport.identity.authorization.core import Proved
from passport.identity.authorization.errors import Refusal
from passport.keys import KeyRing
from passport.runtime import Runtime
from passport.sql import fetch

ALGORITHMS: Final[Mapping[tuple[object, object], str]] = {
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("OKP", "Ed25519"): "EdDSA",
    ("RSA", None): "PS256",
}
"""The one algorithm of each kind of key."""

PROOF_TYPE: Final = "dpop+jwt"  # RFC 9449, section 4.2
LASTS: Final = timedelta(minutes=1)
NONCE_SECONDS: Final = 120
"""How long a nonce is handed out; it is good for as long again."""

_HEADER_NAMES: Final = frozenset({"typ", "alg", "jwk"})
_NOT_PROVED: Final = (
    "expected one proof of a key for this very request, signed within the last minute, and sent once"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that a proof is for; `token` is the access token beside it, empty where there is none."""

    method: str
    path: str
    token: str


@dataclass(frozen=True, slots=True)
class _Proof:
    thumbprint: bytes
    claims: Mapping[str, Any]


async def proved(runtime: Runtime, text: str, sent: Sent) -> Proved:
    """The key of a proof, which is taken from now on.

    Raises:
        Refusal: it is none for this request, or came before; `use_dpop_nonce` where only the nonce is missing.
    """
    now = runtime.clock()
    proof = _read(text)
    if proof is None or not _is_for(proof.claims, sent, runtime.settings.base_url, now):
        raise Refusal("invalid_dpop_proof", _NOT_PROVED)
    if not _is_fresh(runtime.ring, proof.claims.get("nonce"), now):
        raise Refusal("use_dpop_nonce", "expected the nonce that stands beside this answer")
    proof_hash = sha256(proof.thumbprint + str(proof.claims["jti"]).encode()).digest()
    seen = {
        "proof_hash": proof_hash,
        "expires_at": now + LASTS + 2 * assertion.CLOCK_SKEW,
        "tidies": proof_hash[0] < 4,
    }
    async with runtime.pool.connection() as connection:
        if not await fetch(connection, store.SEE_PROOF, seen):
            raise Refusal("invalid_dpop_proof", _NOT_PROVED)
    return Proved(proof.thumbprint, "DPoP")


def nonce(ring: KeyRing, now: datetime) -> str:
    """The nonce of these minutes: nobody foresees it, and nothing is kept of it."""
    return _nonce_of(ring, int(now.timestamp()) // NONCE_SECONDS)


def _is_fresh(ring: KeyRing, given: object, now: datetime) -> bool:
    window = int(now.timestamp()) // NONCE_SECONDS
    taken = [_nonce_of(ring, each).encode() for each in (window, window - 1)]
    told = given.encode("utf-8", "replace") if isinstance(given, str) else b""
    current, former = (compare_digest(told, each) for each in taken)
    return current or former


def _nonce_of(ring: KeyRing, window: int) -> str:
    made = digest(ring.cursor_secret, b"DPoP nonce %d" % window, "sha256")
    return base64url.encode(made)


def _read(text: str) -> _Proof | None:
    """A proof whose signature holds by the key that it brings along; None for anything else."""
    found = assertion.COMPACT.fullmatch(text.encode("ascii", "replace"))
    if found is None:
        return None
    try:
        header_part, claims_part, signature_part = found.groups()
        header = parse(base64url.decode(header_part), assertion.LIMITS)
        claims = parse(base64url.decode(claims_part), assertion.LIMITS)
        signature = base64url.decode(signature_part)
        key = _key(header)
        if key is None:
            return None
        algorithm = JWSRegistry.algorithms[str(header["alg"])]
        held = algorithm.verify(header_part + b"." + claims_part, signature, key)
        return _Proof(base64url.decode(key.thumbprint().encode()), claims) if held else None
    except (ParseError, JoseError, ValueError):
        return None


def _key(header: Mapping[str, Any]) -> assertion.PublicKey | None:
    jwk = header.get("jwk")
    if header.keys() != _HEADER_NAMES or header["typ"] != PROOF_TYPE or not isinstance(jwk, dict):
        return None
    kind = jwk.get("kty"), jwk.get("crv")
    if (
        not all(part is None or isinstance(part, str) for part in kind)
        or assertion.SECRET_MEMBERS & jwk.keys()
    ):
        return None
    algorithm = ALGORITHMS.get(kind)
    names = assertion.PUBLIC_MEMBERS.get(kind[0], ())
    if algorithm is None or header["alg"] != algorithm:
        return None
    if not all(isinstance(jwk.get(name), str) for name in names):
        return None
    if "n" in names and assertion.bits(jwk["n"]) not in assertion.RSA_BITS:
        return None
    return assertion.imported({name: jwk[name] for name in names})


def _is_for(claims: Mapping[str, Any], sent: Sent, base_url: str, now: datetime) -> bool:
    made, jti = assertion.instant_of(claims.get("iat")), claims.get("jti")
    expected = None if not sent.token else _hash(sent.token)
    return (
        made is not None
        and now - LASTS - assertion.CLOCK_SKEW <= made <= now + assertion.CLOCK_SKEW
        and isinstance(jti, str)
        and 0 < len(jti) <= assertion.JTI_MAX_CHARACTERS
        and claims.get("htm") == sent.method
        and _address(claims.get("htu")) == _address(f"{base_url}{sent.path}")
        and (expected is None or claims.get("ath") == expected)
    )


def _hash(token: str) -> str:
    return base64url.encode(sha256(token.encode()).digest())


def _address(text: object) -> tuple[str, str, str] | None:
    """Scheme, host and path of an address, without query and fragment (RFC 9449, section 4.3)."""
    try:
        parts = urlsplit(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if parts is None else (parts.scheme.lower(), parts.netloc.lower(), parts.path or "/")
