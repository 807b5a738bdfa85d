"""Authorities of certificates for tests, made when the tests run: a root, one below it, and what they issue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from passport.identity.qualifications.role import HC_ROLE, NATIONAL_SCHEME

YEAR: Final = timedelta(days=365)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def tlv(tag: int, *content: bytes) -> bytes:
    """One element in DER."""
    inside = b"".join(content)
    if len(inside) < 128:
        return bytes([tag, len(inside)]) + inside
    length = len(inside).to_bytes((len(inside).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + inside


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    encoded = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return tlv(0x06, bytes(encoded))


def hc_role(*titles: str, scheme: str = NATIONAL_SCHEME, attribute: str = HC_ROLE) -> bytes:
    """The extension subjectDirectoryAttributes with these titles."""
    actors = [
        tlv(
            0x30,
            tlv(0xA0, tlv(0x31, tlv(0xA0, oid(scheme)), tlv(0xA2, tlv(0x0C, title.encode())))),
        )
        for title in titles
    ]
    return tlv(0x30, tlv(0x30, oid(attribute), tlv(0x31, tlv(0x31, *actors))))


def named(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def usage(*given: str) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in given for name in names})


@dataclass
class Holder:
    """Somebody with a certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass
class Authority:
    """An authority that issues certificates; `above` is who certified it."""

    name: str
    now: datetime
    above: "Authority | None" = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        issuer = self.above or self
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(named(self.name))
            .issuer_name(named(issuer.name))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - YEAR)
            .not_valid_after(self.now + 5 * YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
            )
            .sign(issuer.key, SHA256())
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def issued(
        self,
        *titles: str,
        used_for: Sequence[str] = ("digital_signature",),
        begins: timedelta = -YEAR,
        ends: timedelta = YEAR,
        key: PrivateKey | None = None,
        extension: bytes | None = None,
        ca: bool = False,
        **role: Any,
    ) -> Holder:
        """A certificate for somebody with these titles."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(named("KAKU Ichiro"))
            .issuer_name(named(self.name))
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + begins)
            .not_valid_after(self.now + ends)
            .add_extension(usage(*used_for), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if titles or extension is not None:
            value = extension if extension is not None else hc_role(*titles, **role)
            attribute = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_DIRECTORY_ATTRIBUTES, value)
            builder = builder.add_extension(attribute, critical=False)
        return Holder(builder.sign(self.key, SHA256()), own)

    def revoked(self, *certificates: x509.Certificate, ends: timedelta = timedelta(days=1)) -> str:
        """Its list of what was taken back."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(named(self.name))
            .last_update(self.now - timedelta(days=2))
            .next_update(self.now + ends)
        )
        for certificate in certificates:
            taken_back = (
                x509.RevokedCertificateBuilder()
                .serial_number(certificate.serial_number)
                .revocation_date(self.now - timedelta(days=1))
                .build()
            )
            builder = builder.add_revoked_certificate(taken_back)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM).decode()
