"""The device CA: one certificate for one key, and requests that prove what they ask for."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from passport.certifying import LASTS, SLACK, CertifyingKey
from passport.devices.authority import LIFE, certified, published, read_request
from passport.outcomes import Invalid
from passport.signing import SigningKey
from tests.unit.passport.devices.signing import DevicePen, eddsa, es256

NOW: Final = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_the_certificate_of_the_authority_is_kept_with_its_key_and_has_an_end() -> None:
    authority = CertifyingKey.generate(NOW)
    first = authority.certificate
    first.verify_directly_issued_by(first)
    read = CertifyingKey.read(authority.stored)
    assert (read, read.certificate) == (authority, first)
    assert (authority.made, authority.ends) == (NOW, NOW + LASTS)
    assert CertifyingKey.generate(NOW).certificate.serial_number != first.serial_number
    constraints = first.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    usage = first.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)


@pytest.mark.parametrize("serial", [bytes(16), b"\xff" * 16], ids=["zero", "greatest"])
@pytest.mark.parametrize("pen", [es256(), eddsa()], ids=["P-256", "Ed25519"])
def test_a_certificate_says_whose_key_it_is_for_a_week(pen: DevicePen, serial: bytes) -> None:
    authority = CertifyingKey.generate(NOW)
    found = certified(authority, read_request(pen.request()), "Device/1", serial=serial, now=NOW)
    found.verify_directly_issued_by(authority.certificate)
    assert found.subject.rfc4514_string() == "CN=Device/1"
    assert (found.not_valid_before_utc, found.not_valid_after_utc) == (NOW - SLACK, NOW + LIFE)
    assert found.serial_number > 0
    with pytest.raises(ValueError, match="issuer"):
        found.verify_directly_issued_by(found)


def test_no_certificate_outlives_the_authority() -> None:
    authority = CertifyingKey.generate(NOW - LASTS + timedelta(days=1))
    found = certified(authority, read_request(es256().request()), "Device/1", serial=bytes(16), now=NOW)
    assert found.not_valid_after_utc == authority.ends == NOW + timedelta(days=1)


def test_a_key_of_before_its_certificate_was_kept_has_the_one_that_it_had() -> None:
    key = SigningKey.generate()
    found = CertifyingKey.read(key.stored)
    assert CertifyingKey.read(key.stored) == found
    assert (found.made.year, found.ends.year) == (2026, 9999)
    # It stays what it was, however the file is written.
    assert CertifyingKey.read(found.stored) == found


def test_a_former_key_keeps_its_certificate_and_signs_nothing() -> None:
    authority = CertifyingKey.generate(NOW)
    former = CertifyingKey.read(authority.retire(NOW + LIFE).stored)
    assert former.certificate == authority.certificate
    assert (former.certifies, former.retired) == (False, NOW + LIFE)
    assert former.retire(NOW) == former
    assert published([authority, former], NOW + LIFE * 2 - timedelta(seconds=1)) == [authority, former]
    assert published([authority, former], NOW + LIFE * 2) == [authority]


@pytest.mark.parametrize(
    "changes",
    [
        {"x5c": CertifyingKey.generate(NOW).stored["x5c"]},
        {"x5c": []},
        {"x5c": ["?"]},
        {"x5c": 5},
        {"retired": "yesterday"},
        {"retired": "2026-01-01T00:00:00"},
        {"x": "AAAA"},
    ],
    ids=["another key's", "none", "no base 64", "no list", "no instant", "no zone", "no point"],
)
def test_what_is_no_key_of_the_authority_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        CertifyingKey.read({**CertifyingKey.generate(NOW).stored, **changes})


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
