"""Keys of callers, and the proofs that they sign: genuine ones and forged ones."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from tests.unit.passport.identity.assertions import PrivateKey, Signer, encoded


@dataclass
class Prover:
    """A key; `nonce` is the last that the service gave."""

    algorithm: str = "ES256"
    key: PrivateKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    nonce: str = ""

    @property
    def jwk(self) -> dict[str, Any]:
        return dict(self.key.as_dict(private=False))

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    def claims(
        self, method: str, address: str, now: datetime, token: str = "", **changes: Any
    ) -> dict[str, Any]:
        genuine = {
            "jti": uuid4().hex,
            "htm": method,
            "htu": address,
            "iat": int(now.timestamp()),
            "nonce": self.nonce or None,
            "ath": urlsafe_b64encode(sha256(token.encode()).digest()).decode().rstrip("=") if token else None,
            **changes,
        }
        return {name: value for name, value in genuine.items() if value is not None}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        named = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk, **header}
        head = encoded(json.dumps({k: v for k, v in named.items() if v is not None}).encode())
        text = f"{head}.{encoded(json.dumps(claims).encode())}"
        signature = JWSRegistry.algorithms[self.algorithm].sign(text.encode(), self.key)
        return f"{text}.{encoded(signature)}"

    def proof(self, method: str, address: str, now: datetime, token: str = "", **changes: Any) -> str:
        return self.sign(self.claims(method, address, now, token, **changes))


def prover_of(signer: Signer) -> Prover:
    return Prover(signer.algorithm, signer.key)
