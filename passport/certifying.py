"""The keys of the device CA, each with its certificate: one certifies, one may wait to be the next, and former ones are
known until what they certified has ended.

https://www.rfc-editor.org/rfc/rfc5280#section-4
https://www.rfc-editor.org/rfc/rfc7517#section-4.7
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from passport.signing import SigningKey

LASTS: Final = timedelta(days=5 * 365)
SLACK: Final = timedelta(minutes=5)
"""How far a clock may be behind that looks at a certificate."""

SERIAL_BYTES: Final = 16  # RFC 5280, section 4.1.2.2: at most 20 octets, never negative
NAME: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Healthcare data passport device CA")])

# Of a key that was made before its certificate was kept beside it, that is a function of the key.
_SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280, section 4.1.2.5

_CERTIFICATE: Final = "x5c"
_RETIRED: Final = "retired"


@dataclass(frozen=True, slots=True)
class CertifyingKey:
    """A key of the device CA with its certificate in DER; `retired` is since when another one certifies, UTC."""

    key: SigningKey
    der: bytes
    retired: datetime | None = None

    @classmethod
    def generate(cls, now: datetime) -> Self:
        """Draw a new one, whose certificate begins now."""
        key, since = SigningKey.generate(), now.replace(microsecond=0)
        return cls(key, _certificate(key, since - SLACK, since + LASTS))

    @classmethod
    def read(cls, content: object) -> Self:
        """Read what `stored` wrote, or a key of before its certificate was kept.

        Raises:
            ValueError: it is no key on P-256, or the certificate or the instant is unfit.
        """
        key = SigningKey.read(content)
        tree: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
        if _CERTIFICATE not in tree:
            return cls(key, _certificate(key, _SINCE, _NO_END))
        found = cls(key, _der(tree[_CERTIFICATE]), _instant(tree.get(_RETIRED)))
        public = found.certificate.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.public_numbers() != key.numbers:
            raise ValueError("expected the certificate of the device CA to be of its key")
        return found

    @property
    def kid(self) -> str:
        """The name of the key: its thumbprint by RFC 7638."""
        return self.key.kid

    @property
    def certifies(self) -> bool:
        """Whether there is something to certify by."""
        return self.key.d is not None

    @property
    def certificate(self) -> x509.Certificate:
        """Its certificate, signed by itself."""
        return _loaded(self.der)

    @property
    def made(self) -> datetime:
        """When its certificate began."""
        return self.certificate.not_valid_before_utc + SLACK

    @property
    def ends(self) -> datetime:
        """When its certificate ends."""
        return self.certificate.not_valid_after_utc

    @property
    def endless(self) -> bool:
        """Whether its certificate was made before such certificates had an end."""
        return self.ends == _NO_END

    def retire(self, now: datetime) -> Self:
        """What is kept of it once another one certifies: no private part, and since when."""
        since = self.retired or now.replace(microsecond=0)
        return replace(self, key=replace(self.key, d=None), retired=since)

    @property
    def stored(self) -> dict[str, Any]:
        """It as the key file holds it."""
        since = {} if self.retired is None else {_RETIRED: self.retired.isoformat()}
        return {**self.key.stored, _CERTIFICATE: [b64encode(self.der).decode()], **since}


def certifying_keys(content: object) -> tuple[CertifyingKey, ...]:
    """Read the keys of a key file, in their order.

    Raises:
        ValueError: one of them is none.
    """
    if not isinstance(content, list):
        raise ValueError("expected the keys of the device CA as a list")
    return tuple(map(CertifyingKey.read, content))


def key_usage(*, certifies: bool) -> x509.KeyUsage:
    """What a key may be used for, of the CA or of a device."""
    return x509.KeyUsage(
        digital_signature=not certifies,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(key: SigningKey, since: datetime, until: datetime) -> bytes:
    public = key.private.public_key()
    serial = int.from_bytes(sha256(key.kid.encode()).digest()[:SERIAL_BYTES]) >> 1
    made = (
        x509.CertificateBuilder(NAME, NAME, public, serial, since, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(certifies=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key.private, SHA256(), ecdsa_deterministic=True)
    )
    return made.public_bytes(Encoding.DER)


@lru_cache(maxsize=16)
def _loaded(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _der(content: object) -> bytes:
    """The certificate of a JWK.

    Raises:
        ValueError: there is not one alone.
    """
    if not isinstance(content, list) or len(content) != 1 or not isinstance(content[0], str):
        raise ValueError("expected one certificate of the device CA in `x5c`")
    return b64decode(content[0], validate=True)


def _instant(text: object) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    if instant is None or instant.tzinfo is None:
        raise ValueError("expected instants of the device CA in RFC 3339, with their zone")
    return instant.astimezone(UTC)
