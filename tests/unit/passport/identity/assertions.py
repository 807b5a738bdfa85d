"""Clients' keys and the assertions that they sign, genuine ones and forged ones."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

AUDIENCE = "http://passport.test/auth/token"

PrivateKey = ECKey | OKPKey | RSAKey


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass(frozen=True)
class Signer:
    """A client's key pair; `algorithm` is the one of its kind of key."""

    algorithm: str
    key: PrivateKey
    kid: str = field(default_factory=lambda: uuid4().hex)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half as it is registered."""
        return {**self.key.as_dict(private=False), "kid": self.kid}

    def claims(self, client_id: str, now: datetime, **changes: Any) -> dict[str, Any]:
        """The claims of a genuine assertion; a change to None leaves the claim out."""
        genuine = {
            "iss": client_id,
            "sub": client_id,
            "aud": AUDIENCE,
            "exp": int(now.timestamp()) + 240,
            "iat": int(now.timestamp()),
            "jti": uuid4().hex,
        }
        return {name: value for name, value in {**genuine, **changes}.items() if value is not None}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A compact JWS; `header` changes what stands in it, not how it is signed."""
        named = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT", **header}
        head = encoded(json.dumps({k: v for k, v in named.items() if v is not None}).encode())
        signing_input = f"{head}.{encoded(json.dumps(claims).encode())}"
        signature = JWSRegistry.algorithms[self.algorithm].sign(signing_input.encode(), self.key)
        return f"{signing_input}.{encoded(signature)}"

    def assertion(self, client_id: str, now: datetime, **changes: Any) -> str:
        """An assertion that is genuine but for the changed claims."""
        return self.sign(self.claims(client_id, now, **changes))


def es384() -> Signer:
    return Signer("ES384", ECKey.generate_key("P-384"))


def es256() -> Signer:
    return Signer("ES256", ECKey.generate_key("P-256"))


def eddsa() -> Signer:
    return Signer("EdDSA", OKPKey.generate_key("Ed25519"))


def rs384() -> Signer:
    return Signer("RS384", RSAKey.generate_key(2048))


def hmac_with(public: dict[str, Any], claims: dict[str, Any], kid: str) -> str:
    """A JWS whose MAC is keyed with the text of a public key: the classic confusion of algorithms."""
    head = encoded(json.dumps({"alg": "HS256", "kid": kid, "typ": "JWT"}).encode())
    signing_input = f"{head}.{encoded(json.dumps(claims).encode())}"
    key = OctKey.import_key(json.dumps(public).encode())
    signature = JWSRegistry.algorithms["HS256"].sign(signing_input.encode(), key)
    return f"{signing_input}.{encoded(signature)}"
