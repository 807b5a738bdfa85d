"""The passport's device CA: what it calls itself, what it reads of a request, and what it certifies.

https://www.rfc-editor.org/rfc/rfc5280#section-4
https://www.rfc-editor.org/rfc/rfc2986

A certificate says which device a key belongs to, and nothing of whose device that is. It is good for a week, and never
alone: whether the device is active is read from its enrolment by every request. The CA has an end too, before which
another key takes its place (`passport.certifying`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fhirstore import base64url
from passport.certifying import SLACK, CertifyingKey, key_usage
from passport.devices.jwk import DeviceKey, device_key
from passport.outcomes import Invalid

LIFE: Final = timedelta(days=7)
KEPT: Final = timedelta(days=1)
"""How long others may keep what is published of the CA."""

REQUEST_MAX_BYTES: Final = 8_192
_PEM: Final = b"-----BEGIN"
_COORDINATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A certificate request whose signature holds: the key that it is for, in both forms."""

    key: DeviceKey
    public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def published(authorities: Sequence[CertifyingKey], now: datetime) -> list[CertifyingKey]:
    """Those by whose certificates devices are known now: of the key that certifies, of the next, and of former ones.

    A former one is known for as long as anything that it certified may be good.
    """
    return [key for key in authorities if key.retired is None or now < key.retired + LIFE]


def certified(
    authority: CertifyingKey, request: KeyRequest, device: str, *, serial: bytes, now: datetime
) -> x509.Certificate:
    """A certificate that a key is a device's.

    Args:
        authority: the key of the CA.
        request: the key.
        device: its device, `Device/…`; the one thing that is said of it.
        serial: random bytes, `SERIAL_BYTES` of them.
        now: from when on, a little earlier, it is good for `LIFE`, and no longer than the CA.
    """
    issuer, until = authority.certificate, min(now + LIFE, authority.ends)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder(
            issuer.subject, subject, request.public, int.from_bytes(serial) >> 1 or 1, now - SLACK, until
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(certifies=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(authority.key.private, SHA256(), ecdsa_deterministic=True)
    )


def read_request(content: bytes) -> KeyRequest:
    """Read a PKCS#10 request, DER or PEM; what it calls itself is not read, since the passport knows whose it is.

    Raises:
        Invalid: it is none, its key is not P-256 or Ed25519, or it is not signed by its key.
    """
    try:
        load = x509.load_pem_x509_csr if content.startswith(_PEM) else x509.load_der_x509_csr
        request = load(content)
        public, holds = request.public_key(), request.is_signature_valid
    except (ValueError, TypeError, InvalidSignature, x509.UnsupportedGeneralNameType):
        raise _unfit() from None
    if not holds or not isinstance(public, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise _unfit()
    return KeyRequest(device_key(_jwk(public)), public)


def _jwk(public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> dict[str, str]:
    if isinstance(public, ed25519.Ed25519PublicKey):
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(raw)}
    if not isinstance(public.curve, ec.SECP256R1):
        raise _unfit()
    numbers = public.public_numbers()
    x, y = (number.to_bytes(_COORDINATE_BYTES) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": base64url.encode(x), "y": base64url.encode(y)}


def _unfit() -> Invalid:
    text = "got no certificate request, expected PKCS#10 signed by its own key, P-256 or Ed25519"
    return Invalid(text, ("csr",))
