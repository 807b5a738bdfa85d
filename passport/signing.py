"""The keys by which the passport signs: made once, named by their thumbprint, published as a JWK Set.

https://www.rfc-editor.org/rfc/rfc7517
https://www.rfc-editor.org/rfc/rfc7638

The first key that has its private part signs. The others are there to be verified by: whatever was signed by a key
holds for as long as its public part is published.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Protocol, Self

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from fhirstore import base64url
from passport.outcomes import PassportError

ALGORITHM: Final = "ES256"
"""RFC 7518, section 3.4: what every JOSE library and every browser verifies."""

_COORDINATE_BYTES: Final = 32  # RFC 7518, section 6.2.1.2
_MEMBER: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PUBLIC: Final = ("x", "y")


class NoSigningKey(PassportError):
    """Nothing can be signed, since there is no key to sign with."""

    def __init__(self) -> None:
        text = "got no key that signs, expected one in the key file, where `passport init` or `serve` puts it"
        super().__init__(500, "exception", text)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair on P-256, or the public half of one that signs no more; members are those of RFC 7518."""

    x: str
    y: str
    d: str | None = field(default=None, repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Draw a new pair."""
        numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
        public = numbers.public_numbers
        return cls(_written(public.x), _written(public.y), _written(numbers.private_value))

    @classmethod
    def read(cls, content: object) -> Self:
        """Read what `stored` wrote.

        Raises:
            ValueError: it is no key on P-256.
        """
        if not isinstance(content, Mapping) or (content.get("kty"), content.get("crv")) != ("EC", "P-256"):
            raise ValueError("expected signing keys as JWK, EC on P-256")
        names = [name for name in (*_PUBLIC, "d") if content.get(name) is not None]
        if names[:2] != list(_PUBLIC) or not all(_is_member(content[name]) for name in names):
            raise ValueError("expected signing keys with `x`, `y` and maybe `d` of 32 octets in base64url")
        key = cls(**{name: content[name] for name in names})
        if not key._belongs_together():
            raise ValueError("expected signing keys that are points of the curve, and pairs")
        return key

    def _belongs_together(self) -> bool:
        public = self.numbers
        try:
            public.public_key()
            return self.d is None or _of_private(self.d) == public
        except ValueError:
            return False

    @property
    def kid(self) -> str:
        """The name of the key: its thumbprint by RFC 7638."""
        members = {"crv": "P-256", "kty": "EC", "x": self.x, "y": self.y}
        return base64url.encode(sha256(orjson.dumps(members)).digest())

    def sign(self, message: bytes) -> bytes:
        """The ES256 signature of a message, r and s side by side; always the same one (RFC 6979).

        Raises:
            NoSigningKey: the private part is not here.
        """
        signature = self.private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        return b"".join(part.to_bytes(_COORDINATE_BYTES, "big") for part in decode_dss_signature(signature))

    @property
    def numbers(self) -> ec.EllipticCurvePublicNumbers:
        """The point of the curve."""
        return ec.EllipticCurvePublicNumbers(_number(self.x), _number(self.y), ec.SECP256R1())

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """The private part.

        Raises:
            NoSigningKey: it is not here.
        """
        if self.d is None:
            raise NoSigningKey
        return ec.derive_private_key(_number(self.d), ec.SECP256R1())

    @property
    def public(self) -> dict[str, str]:
        """The JWK that anyone may have."""
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": self.x,
            "y": self.y,
            "kid": self.kid,
            "use": "sig",
            "alg": ALGORITHM,
        }

    @property
    def stored(self) -> dict[str, str]:
        """The JWK as the key file holds it."""
        return self.public if self.d is None else {**self.public, "d": self.d}


def signing_keys(content: object) -> tuple[SigningKey, ...]:
    """Read the keys of a key file, in their order.

    Raises:
        ValueError: one of them is none.
    """
    if not isinstance(content, list):
        raise ValueError("expected signing keys as a list")
    return tuple(map(SigningKey.read, content))


def signer(keys: Sequence[SigningKey]) -> SigningKey:
    """The key that signs now.

    Raises:
        NoSigningKey: there is none.
    """
    found = next((key for key in keys if key.d is not None), None)
    if found is None:
        raise NoSigningKey
    return found


class Published(Protocol):
    """A key of any kind, whose public part anyone may have."""

    @property
    def public(self) -> dict[str, str]:
        """Its JWK."""


def jwk_set(keys: Sequence[Published]) -> dict[str, Any]:
    """The public parts of all keys, as they are published."""
    return {"keys": [key.public for key in keys]}


def _written(number: int) -> str:
    return base64url.encode(number.to_bytes(_COORDINATE_BYTES, "big"))


def _number(text: str) -> int:
    return int.from_bytes(base64url.decode(text), "big")


def _of_private(text: str) -> ec.EllipticCurvePublicNumbers:
    return ec.derive_private_key(_number(text), ec.SECP256R1()).public_key().public_numbers()


def _is_member(value: object) -> bool:
    return isinstance(value, str) and _MEMBER.fullmatch(value) is not None and base64url.is_text(value)
