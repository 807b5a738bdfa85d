"""A certificate of the health-care PKI is believed if it leads to an authority that this installation trusts, now.

https://www.rfc-editor.org/rfc/rfc5280#section-6
https://cryptography.io/en/latest/x509/verification/

The certificate has to be one for authentication (`digitalSignature`): one for signing documents is made for documents.
Whether it was taken back is looked up in the lists of the installation's folder; where there are none, that is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from passport.identity.qualifications.errors import NotQualified
from passport.settings import Settings

FOLDER: Final = "hpki"
ROOTS: Final = "roots.pem"
REVOKED: Final = "revoked.pem"

CERTIFICATES_MAX: Final = 4
BYTES_MAX: Final = 32_768
DEPTH_MAX: Final = 3
RSA_BITS_MIN: Final = 2_048

Revocation = Literal["not-checked", "good"]


@dataclass(frozen=True, slots=True)
class Trusted:
    """The authorities of an installation, and their lists of what was taken back."""

    roots: Sequence[x509.Certificate]
    lists: Sequence[x509.CertificateRevocationList]

    @classmethod
    def read(cls, settings: Settings) -> "Trusted":
        """Read them from the installation's folder.

        Raises:
            NotQualified: there is no authority, or a file is none.
        """
        folder = settings.state / FOLDER
        try:
            roots = x509.load_pem_x509_certificates((folder / ROOTS).read_bytes())
            lists = _lists(folder / REVOKED)
        except (OSError, ValueError):
            raise NotQualified("authority", "this passport trusts no authority of certificates") from None
        return cls(roots, lists)


def certificates_of(texts: Sequence[bytes]) -> list[x509.Certificate]:
    """Read certificates, each in PEM or DER, the holder's first.

    Raises:
        NotQualified: they are none, or too many.
    """
    found: list[x509.Certificate] = []
    try:
        for text in texts[: CERTIFICATES_MAX + 1]:
            if len(text) > BYTES_MAX:
                raise ValueError
            if text.lstrip().startswith(b"-----BEGIN"):
                found += x509.load_pem_x509_certificates(text)
            else:
                found.append(x509.load_der_x509_certificate(text))
    except ValueError:
        found = []
    if not 0 < len(found) <= CERTIFICATES_MAX:
        expected = f"expected 1 to {CERTIFICATES_MAX} certificates in PEM or DER, the holder's first"
        raise NotQualified("certificate", expected)
    return found


def checked(found: Sequence[x509.Certificate], trusted: Trusted, *, now: datetime) -> Revocation:
    """Whether the first certificate leads by the others to a trusted authority, and was not taken back.

    Raises:
        NotQualified: it does not, or it was.
    """
    holder, *between = found
    builder = PolicyBuilder().store(Store(list(trusted.roots))).time(now.astimezone(UTC).replace(tzinfo=None))
    verifier = (
        builder.max_chain_depth(DEPTH_MAX)
        .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_OF_HOLDER)
        .build_client_verifier()
    )
    if not _signs(holder):
        raise NotQualified("key-usage", "expected a certificate for authentication (digitalSignature)")
    try:
        chain = verifier.verify(holder, between).chain
    except (VerificationError, ValueError):
        raise NotQualified("chain", "the certificate leads to no trusted authority, or not now") from None
    return _revocation(chain, trusted.lists, now)


def signed_by(holder: x509.Certificate, signature: bytes, message: bytes) -> None:
    """Let a signature through that the certificate's key made: ECDSA, or RSA with PKCS #1 padding, with SHA-256.

    Raises:
        NotQualified: it made none such.
    """
    key = holder.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key.verify(signature, message, ec.ECDSA(SHA256()))
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS_MIN:
            return key.verify(signature, message, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        pass
    raise NotQualified("signature", "expected the challenge, signed by the key of the certificate")


def encoded(certificate: x509.Certificate) -> bytes:
    """What a certificate is known by."""
    return certificate.public_bytes(Encoding.DER)


def _signs(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return usage.digital_signature and not usage.key_cert_sign


def _no_authority(_: Policy, __: x509.Certificate, constraints: x509.BasicConstraints | None) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("expected the certificate of a person")


_OF_HOLDER: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, None)
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _no_authority)
)


def _revocation(
    chain: Sequence[x509.Certificate], lists: Sequence[x509.CertificateRevocationList], now: datetime
) -> Revocation:
    """Look every certificate below the root up in its issuer's list; where there are lists, none may be missing."""
    if not lists:
        return "not-checked"
    for certificate, issuer in pairwise(chain):
        current = [each for each in lists if _is_current(each, issuer, now)]
        if not current:
            raise NotQualified("revocation", "it is not known whether the certificate was taken back")
        serial = certificate.serial_number
        if any(each.get_revoked_certificate_by_serial_number(serial) is not None for each in current):
            raise NotQualified("revocation", "the certificate was taken back")
    return "good"


def _is_current(listed: x509.CertificateRevocationList, issuer: x509.Certificate, now: datetime) -> bool:
    key, ends = issuer.public_key(), listed.next_update_utc
    if listed.issuer != issuer.subject or ends is None or not listed.last_update_utc <= now < ends:
        return False
    return isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) and listed.is_signature_valid(key)


def _lists(path: Path) -> list[x509.CertificateRevocationList]:
    """The lists in a file, one after the other; none where there is no file."""
    if not path.exists():
        return []
    mark = b"-----BEGIN X509 CRL-----"
    _, *parts = path.read_bytes().split(mark)
    if not parts:
        raise ValueError
    return [x509.load_pem_x509_crl(mark + part) for part in parts]
