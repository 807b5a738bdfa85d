"""What a device does: it holds a key, and signs numbered batches of readings with it."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

PLACE = b"."


@dataclass(frozen=True)
class DevicePen:
    """A private key and the algorithm that goes with it; `name` is what an enrolment calls the key."""

    key: ECKey | OKPKey
    algorithm: str
    name: str = ""

    @property
    def jwk(self) -> dict[str, Any]:
        return dict(self.key.as_dict(private=False))

    @property
    def private_jwk(self) -> dict[str, Any]:
        return dict(self.key.as_dict(private=True))

    @property
    def kid(self) -> str:
        return self.name or self.key.thumbprint()

    def enrolled(self, kid: str) -> "DevicePen":
        return replace(self, name=kid)

    def sign(self, payload: bytes, **header: Any) -> bytes:
        """A compact JWS; members of `header` come beside or instead of `alg` and `kid`."""
        members = {"alg": self.algorithm, "kid": self.kid, **header}
        signing_input = PLACE.join((encoded(orjson.dumps(members)), encoded(payload)))
        return PLACE.join(
            (signing_input, encoded(JWSRegistry.algorithms[self.algorithm].sign(signing_input, self.key)))
        )

    def batch(self, counter: int, *readings: dict[str, Any]) -> bytes:
        """A signed batch."""
        return self.sign(orjson.dumps({"counter": counter, "readings": list(readings)}))

    def stated(self, audience: str, made: datetime, **members: Any) -> bytes:
        """A signed statement to one address."""
        return self.sign(orjson.dumps({"aud": audience, "iat": int(made.timestamp()), **members}))

    def request(self, name: str = "whatever it calls itself") -> bytes:
        """A request for a certificate of this key, in DER."""
        private = self.key.private_key
        assert isinstance(private, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        digest = SHA256() if isinstance(private, ec.EllipticCurvePrivateKey) else None
        request = x509.CertificateSigningRequestBuilder(subject).sign(private, digest)
        return request.public_bytes(Encoding.DER)


def es256() -> DevicePen:
    return DevicePen(ECKey.generate_key("P-256"), "ES256")


def eddsa() -> DevicePen:
    return DevicePen(OKPKey.generate_key("Ed25519"), "EdDSA")


def encoded(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")
