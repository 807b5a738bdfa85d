"""The RSA keys by which ID tokens are signed where an app expects them so: SMART asks each server for RS256 at least.

https://openid.net/specs/openid-connect-core-1_0-final.html#IDToken
https://www.rfc-editor.org/rfc/rfc7518#section-3.3

Nothing else is signed by them. A pair signs both by RS256 and by PS256, as TLS 1.3 lets RSA keys do: which one counts
is what the app registered, so the published key names neither.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final, Self

import orjson
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from fhirstore import base64url
from passport.signing import NoSigningKey

BITS: Final = 2048  # RFC 7518, section 3.3: or larger
EXPONENT: Final = 65537

_SECRET: Final = ("d", "p", "q", "dp", "dq", "qi")
_MEMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,1024}")

_PADDINGS: Final[Mapping[str, padding.AsymmetricPadding]] = {
    "RS256": padding.PKCS1v15(),
    # RFC 7518, section 3.5: the salt is as long as the hash.
    "PS256": padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size),
}


@dataclass(frozen=True, slots=True)
class RsaKey:
    """One RSA pair, or the public half of one that signs no more; members are those of RFC 7518, section 6.3.

    `secret` are `d`, `p`, `q`, `dp`, `dq` and `qi`.
    """

    n: str
    e: str
    secret: tuple[str, ...] | None = field(default=None, repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Draw a new pair; it takes some tenths of a second."""
        numbers = rsa.generate_private_key(EXPONENT, BITS).private_numbers()
        public = numbers.public_numbers
        private = (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        return cls(_written(public.n), _written(public.e), tuple(map(_written, private)))

    @classmethod
    def read(cls, content: object) -> Self:
        """Read what `stored` wrote.

        Raises:
            ValueError: it is no RSA key of 2048 bits, or no pair.
        """
        if not isinstance(content, Mapping) or content.get("kty") != "RSA":
            raise ValueError("expected keys of ID tokens as JWK, RSA")
        present = [name for name in _SECRET if content.get(name) is not None]
        names = ("n", "e", *present)
        if present not in ([], list(_SECRET)) or not all(_is_member(content.get(name)) for name in names):
            raise ValueError(
                "expected keys of ID tokens with `n`, `e` and maybe the private members, in base64url"
            )
        secret = tuple(content[name] for name in present) or None
        key = cls(content["n"], content["e"], secret)
        if not key._belongs_together():
            raise ValueError(f"expected keys of ID tokens of {BITS} bits, and pairs")
        return key

    def _belongs_together(self) -> bool:
        modulus, exponent = _number(self.n), _number(self.e)
        if modulus.bit_length() != BITS or exponent != EXPONENT:
            return False
        if self.secret is None:
            return True
        d, p, q, dp, dq, qi = map(_number, self.secret)
        # Whether the factors are primes is not asked again: that takes longer than the start of the service should.
        return (
            1 < p < modulus
            and p * q == modulus
            and (dp, dq, qi * q % p) == (d % (p - 1), d % (q - 1), 1)
            and d * exponent % (p - 1) == d * exponent % (q - 1) == 1
        )

    @property
    def kid(self) -> str:
        """The name of the key: its thumbprint by RFC 7638."""
        members = {"e": self.e, "kty": "RSA", "n": self.n}
        return base64url.encode(sha256(orjson.dumps(members)).digest())

    @property
    def signs(self) -> bool:
        """Whether the private part is here."""
        return self.secret is not None

    @property
    def retired(self) -> "RsaKey":
        """The public half alone."""
        return RsaKey(self.n, self.e)

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """The signature of a message by RS256 or PS256.

        Raises:
            NoSigningKey: the private part is not here.
        """
        if self.secret is None:
            raise NoSigningKey
        return _private(self.n, self.secret).sign(message, _PADDINGS[algorithm], SHA256())

    @property
    def public(self) -> dict[str, str]:
        """The JWK that anyone may have."""
        return {"kty": "RSA", "n": self.n, "e": self.e, "kid": self.kid, "use": "sig"}

    @property
    def stored(self) -> dict[str, str]:
        """The JWK as the key file holds it."""
        return {**self.public, **dict(zip(_SECRET, self.secret or (), strict=False))}


def rsa_keys(content: object) -> tuple[RsaKey, ...]:
    """Read the RSA keys of a key file, in their order.

    Raises:
        ValueError: one of them is none.
    """
    if not isinstance(content, list):
        raise ValueError("expected keys of ID tokens as a list")
    return tuple(map(RsaKey.read, content))


def rsa_signer(keys: Sequence[RsaKey]) -> RsaKey:
    """The key that signs now.

    Raises:
        NoSigningKey: there is none.
    """
    found = next((key for key in keys if key.signs), None)
    if found is None:
        raise NoSigningKey
    return found


@lru_cache(maxsize=4)
def _private(n: str, secret: tuple[str, ...]) -> rsa.RSAPrivateKey:
    d, p, q, dp, dq, qi = map(_number, secret)
    numbers = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, rsa.RSAPublicNumbers(EXPONENT, _number(n)))
    # `read` and `generate` saw that they belong together; the library's own test takes 50 ms.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _written(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _number(text: str) -> int:
    return int.from_bytes(base64url.decode(text), "big")


def _is_member(value: object) -> bool:
    return isinstance(value, str) and _MEMBER.fullmatch(value) is not None and base64url.is_text(value)
