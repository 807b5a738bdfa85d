"""The device CA: one certificate for one key, and requests that prove what they ask for."""

from datetime import UTC, datetime
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from passport.devices.authority import LIFE, SLACK, ca_certificate, certified, read_request
from passport.outcomes import Invalid
from passport.signing import SigningKey
from tests.unit.passport.devices.signing import DevicePen, eddsa, es256

NOW: Final = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_the_certificate_of_the_authority_is_a_function_of_its_key() -> None:
    authority = SigningKey.generate()
    first = ca_certificate(authority)
    ca_certificate.cache_clear()
    assert ca_certificate(authority) == first
    assert ca_certificate(SigningKey.generate()).serial_number != first.serial_number
    constraints = first.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    usage = first.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)


@pytest.mark.parametrize("serial", [bytes(16), b"\xff" * 16], ids=["zero", "greatest"])
@pytest.mark.parametrize("pen", [es256(), eddsa()], ids=["P-256", "Ed25519"])
def test_a_certificate_says_whose_key_it_is_for_a_week(pen: DevicePen, serial: bytes) -> None:
    authority = SigningKey.generate()
    found = certified(authority, read_request(pen.request()), "Device/1", serial=serial, now=NOW)
    found.verify_directly_issued_by(ca_certificate(authority))
    assert found.subject.rfc4514_string() == "CN=Device/1"
    assert (found.not_valid_before_utc, found.not_valid_after_utc) == (NOW - SLACK, NOW + LIFE)
    assert found.serial_number > 0
    with pytest.raises(ValueError, match="issuer"):
        found.verify_directly_issued_by(found)


def test_a_request_is_read_in_both_forms_and_for_its_key_alone() -> None:
    pen = es256()
    der = pen.request("Device/another one's")
    pem = x509.load_der_x509_csr(der).public_bytes(Encoding.PEM)
    assert read_request(der).key == read_request(pem).key
    assert dict(read_request(der).key.jwk).items() <= pen.jwk.items()


def _of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, SHA256())
    return request.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN CERTIFICATE REQUEST-----",
        es256().request()[:-2] + b"\x00\x00",
        es256().request()[:40],
        _of(ec.generate_private_key(ec.SECP384R1())),
        _of(rsa.generate_private_key(65537, 2048)),
    ],
    ids=["nothing", "a beginning", "another signature", "half of it", "P-384", "RSA"],
)
def test_what_is_no_request_of_a_device_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="PKCS#10"):
        read_request(content)
