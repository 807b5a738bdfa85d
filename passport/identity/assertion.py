"""Client assertions: a short-lived JWT, signed with a key that was registered beforehand.

https://www.rfc-editor.org/rfc/rfc7523
https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html

Only the registered keys count: a header that brings a key along, or says where to fetch one, is refused. An
assertion by an unknown client costs the same verification as a genuine one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from fhirstore import base64url
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from passport.identity.authorization.profiles import SMART, Profile
from passport.outcomes import Invalid

LIFETIME: Final = timedelta(minutes=5)
CLOCK_SKEW: Final = timedelta(seconds=10)
JTI_MAX_CHARACTERS: Final = 256
KEYS_MAX: Final = 8
RSA_BITS: Final = range(2_048, 4_097)

LIMITS: Final = Limits(size_bytes=8_192, depth=3)
COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]{2,1024})\.([A-Za-z0-9_-]{2,8192})\.([A-Za-z0-9_-]{2,1024})")
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})
PUBLIC_MEMBERS: Final[Mapping[object, tuple[str, ...]]] = {
    "EC": ("kty", "crv", "x", "y"),
    "RSA": ("kty", "n", "e"),
    "OKP": ("kty", "crv", "x"),
}
# RFC 7518, sections 6.2.2, 6.3.2, 6.4.1
SECRET_MEMBERS: Final = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})

# Public keys whose private halves nobody kept.
_RSA_DECOY: Final = {
    "kty": "RSA",
    "n": (
        "yJpIYXbiCHAcgaisMROhwsdl3eaXECvJ0qm2R8Y6ue106UI4L33ns3z_tygBEQxJeqJr2RLb4EbDPtzG63pguQoF7rng"
        "9kF7DRsnB5TED41Br91UrFNKUGfoHKCf_VwIMXbsPc9hUf702ZRQdRDnCKbeCw1Qhn9K1ggU7ata0m8NORb2yAnypzcr"
        "nSXBIi2qGtcEORsOAvNrgPIu3d-vIWhMwbqbnUD2Loxoh7d00T8WCtz38HyrID8-2k_oh3qlvITrk1i8dl34f8cTbSiJ"
        "CPhVdEgTN3kVOR_LsX4Y2uqyulcEs6UGqx0mzatWo7Vou4J7nvcLnJyEWSqmPeliCQ"
    ),
    "e": "AQAB",
}
_DECOYS: Final[Mapping[str, Mapping[str, str]]] = {
    "RS384": _RSA_DECOY,
    "PS256": _RSA_DECOY,
    "ES384": {
        "kty": "EC",
        "crv": "P-384",
        "x": "xgI0fyGg8vidKNDw2TY8YVbiOLbK5BLrOMmRUekST0zO5zdjCW61MoVH8W6-lzR5",
        "y": "vEgMOUmBNszzVAoFLux7Fhj3Sagy0kiyVYTzeEFKtwvUyvSRMOvlgZX7B8nDrGYB",
    },
    # RFC 7515, appendix A.3.1
    "ES256": {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    },
    # RFC 8037, appendix A.2
    "EdDSA": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
}

PublicKey = ECKey | OKPKey | RSAKey


@dataclass(frozen=True, slots=True)
class Presented:
    """An assertion as it was sent, not yet believed."""

    algorithm: str
    kid: str
    signing_input: bytes
    signature: bytes
    claims: Mapping[str, Any]

    @property
    def client_id(self) -> str:
        """Whose it says it is: issuer and subject are one and the same, or nobody's."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) and issuer == self.claims.get("sub") else ""


NOTHING: Final = Presented("ES384", "", b"", bytes(96), {})
"""What stands for a text that is no assertion, so that it costs what a forged one costs."""


def read(text: str) -> Presented:
    """Take an assertion apart; `NOTHING` when it is none, or its header holds more than it may."""
    found = COMPACT.fullmatch(text.encode("ascii", "replace"))
    if found is None:
        return NOTHING
    try:
        header_part, claims_part, signature_part = found.groups()
        header, claims = (
            parse(base64url.decode(header_part), LIMITS),
            parse(base64url.decode(claims_part), LIMITS),
        )
        signature = base64url.decode(signature_part)
    except (ParseError, ValueError):
        return NOTHING
    algorithm, kid = header.get("alg"), header.get("kid")
    unfit = header.keys() - _HEADER_NAMES or header.get("typ", "JWT") != "JWT"
    if unfit or not isinstance(kid, str) or not isinstance(algorithm, str) or algorithm not in _DECOYS:
        return NOTHING
    return Presented(algorithm, kid, header_part + b"." + claims_part, signature, claims)


def verified(presented: Presented, keys: Sequence[Mapping[str, str]], *, profile: Profile = SMART) -> bool:
    """Return whether one of the registered `keys` signed it under its own kid and its own algorithm."""
    named = [
        key
        for key in keys
        if key["kid"] == presented.kid and algorithm_of(key, profile) == presented.algorithm
    ]
    key = imported(named[0] if named else _DECOYS[presented.algorithm])
    algorithm = JWSRegistry.algorithms[presented.algorithm]
    held = algorithm.verify(presented.signing_input, presented.signature, key)
    return held and bool(named)


def spent_until(presented: Presented, *, audience: str, now: datetime) -> datetime | None:
    """Return until when the assertion's id is to be remembered, or None when its claims do not hold.

    They hold if it is meant for `audience`, ends within five minutes, and neither begins nor was made later
    than now; clocks may differ by `CLOCK_SKEW`.
    """
    claims = presented.claims
    expires_at = instant_of(claims.get("exp"))
    jti = claims.get("jti")
    begun = [instant_of(claims[name]) for name in ("iat", "nbf") if name in claims]
    holds = (
        expires_at is not None
        and now < expires_at <= now + LIFETIME + CLOCK_SKEW
        and all(instant is not None and instant <= now + CLOCK_SKEW for instant in begun)
        and _is_for(claims.get("aud"), audience)
        and isinstance(jti, str)
        and 0 < len(jti) <= JTI_MAX_CHARACTERS
    )
    return expires_at if holds else None


def registered_keys(jwks: object, *, profile: Profile = SMART) -> list[dict[str, str]]:
    """Read the key set of a registration; only the members that make a public key are kept.

    Raises:
        Invalid: no key, too many, one without a kid of its own, of another kind, or with its private part.
    """
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= KEYS_MAX:
        raise Invalid(f"got no list of 1 to {KEYS_MAX} keys in `jwks`", ("jwks.keys",))
    keys = [_public(key, profile, f"jwks.keys[{at}]") for at, key in enumerate(listed)]
    if len({key["kid"] for key in keys}) != len(keys):
        raise Invalid("got one `kid` for several keys in `jwks`", ("jwks.keys",))
    return keys


def algorithm_of(key: Mapping[str, object], profile: Profile = SMART) -> str | None:
    """The one algorithm that assertions by this key have, None for a kind of key that is not taken."""
    kind = key.get("kty"), key.get("crv")
    # A registration may hold anything, and a list or an object is no key of a mapping.
    return (
        profile.algorithms.get(kind) if all(part is None or isinstance(part, str) for part in kind) else None
    )


def _public(key: object, profile: Profile, place: str) -> dict[str, str]:
    if not isinstance(key, dict) or SECRET_MEMBERS & key.keys():
        raise Invalid("got a private or symmetric key in `jwks`, expected public ones", ("jwks.keys",))
    algorithm, kid = algorithm_of(key, profile), key.get("kid")
    if algorithm is None or key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        expected = ", ".join(profile.algorithms.values())
        raise Invalid(f"got a key of another kind in `jwks`, expected one for {expected}", ("jwks.keys",))
    names = PUBLIC_MEMBERS[key["kty"]]
    for name in ("kid", *names):
        if not isinstance(key.get(name), str) or not key[name]:
            raise Invalid(f"got a key without `{name}` in `jwks`, expected a text", (f"{place}.{name}",))
    members = {name: key[name] for name in names}
    try:
        if "n" in members and bits(members["n"]) not in RSA_BITS:
            raise Invalid("got an RSA key of another size, expected 2048 to 4096 bits", ("jwks.keys",))
        imported(members)
    except (JoseError, ValueError):
        raise Invalid("got a key in `jwks` that is none", ("jwks.keys",)) from None
    return {**members, "kid": str(kid)}


def bits(modulus: str) -> int:
    """How long the modulus of an RSA key is."""
    return int.from_bytes(base64url.decode(modulus.encode()), "big").bit_length()


def imported(members: Mapping[str, str]) -> PublicKey:
    """The public key of a JWK, of which only the members that make it one count.

    Raises:
        JoseError, ValueError: it is none.
    """
    bare: dict[str, str | list[str]] = {name: members[name] for name in PUBLIC_MEMBERS[members["kty"]]}
    match members["kty"]:
        case "EC":
            return ECKey.import_key(bare)
        case "RSA":
            return RSAKey.import_key(bare)
        case _:
            return OKPKey.import_key(bare)


def _is_for(audience: object, expected: str) -> bool:
    return expected in audience if isinstance(audience, list) else audience == expected


def instant_of(value: object) -> datetime | None:
    """Read a NumericDate (RFC 7519, section 2)."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (OverflowError, ValueError, OSError):
        return None
