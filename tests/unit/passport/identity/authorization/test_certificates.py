"""A certificate counts where a trusted proxy tells of it, and nowhere else."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from passport.identity.authorization.certificates import shown
from passport.identity.authorization.core import confirmation

PROXY, PROXIES = "10.0.0.7", "10.0.0.7,10.1.0.0/24"


@pytest.fixture(scope="module")
def certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "見本システム（架空）")])
    began = datetime(2031, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(began).not_valid_after(began + timedelta(days=1))
    return dated.sign(key, SHA256()).public_bytes(Encoding.DER)


def header(certificate: bytes) -> bytes:
    return b":" + b64encode(certificate) + b":"


@pytest.mark.parametrize("peer", [PROXY, "10.1.0.200"])
def test_a_trusted_proxy_is_believed(certificate: bytes, peer: str) -> None:
    found = shown([header(certificate)], peer, PROXIES)
    assert found is not None
    assert (found.digest, found.kind) == (sha256(certificate).digest(), "certificate")
    assert confirmation(found.thumbprint).keys() == {"x5t#S256"}


@pytest.mark.parametrize("peer", ["10.0.0.8", "127.0.0.1", "", "unix", "203.0.113.9"])
def test_anybody_elses_word_is_not_heard(certificate: bytes, peer: str) -> None:
    assert shown([header(certificate)], peer, PROXIES) is None


def test_without_trusted_proxies_nobody_is_believed(certificate: bytes) -> None:
    assert shown([header(certificate)], PROXY, "") is None


def test_what_is_no_certificate_or_comes_twice_is_none(certificate: bytes) -> None:
    whole = header(certificate)
    for values in ([whole, whole], [whole[1:-1]], [header(b"x")], [b"::"], [b""], [whole[:-5] + b":"], []):
        assert shown(values, PROXY, PROXIES) is None
