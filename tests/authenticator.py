"""An authenticator in software: it keeps keys, recognises its person, and signs what a browser hands it.

https://www.w3.org/TR/webauthn-3/#sctn-authenticator-model

It is the client's side for real, browser and device in one: CBOR, COSE keys, authenticator data, DER signatures. What a
test wants to be wrong it says in `Manners`; everything else stays as a device does it.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT: Final = 0x01
USER_VERIFIED: Final = 0x04
BACKUP_ELIGIBLE: Final = 0x08
ATTESTED: Final = 0x40

ES256: Final = -7
EDDSA: Final = -8

Json = dict[str, Any]
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Manners:
    """How an answer is made; a test changes one of them."""

    origin: str
    rp_id: str = ""
    verifies: bool = True
    present: bool = True
    counts: bool = True
    kind: str = ""
    handle: bytes | None = None
    algorithm: int = ES256
    told_algorithm: int | None = None
    fmt: str = "none"
    told: Json = field(default_factory=dict)


@dataclass
class Credential:
    """A key that the authenticator made, for a relying party and one of its users."""

    id: bytes
    key: Key
    rp_id: str
    handle: bytes
    count: int = 0


@dataclass
class Authenticator:
    """A device with a browser in front of it; `manners` say from which origin, and what it gets wrong."""

    manners: Manners
    credentials: list[Credential] = field(default_factory=list)

    @classmethod
    def at(cls, origin: str) -> "Authenticator":
        """A device whose browser shows pages of an origin."""
        return cls(Manners(origin))

    def but(self, **manners: Any) -> "Authenticator":
        """The same device with the same keys, and other manners."""
        return Authenticator(replace(self.manners, **manners), self.credentials)

    def create(self, options: Json) -> Json:
        """Make a key as `navigator.credentials.create()` has it made, unless it has one that is to be left out."""
        known = {decoded(each["id"]) for each in options.get("excludeCredentials", ())}
        if any(one.id in known for one in self.credentials):
            raise AlreadyRegistered
        assert self.manners.algorithm in [each["alg"] for each in options["pubKeyCredParams"]]
        key = _key(self.manners.algorithm)
        made = Credential(secrets.token_bytes(32), key, options["rp"]["id"], decoded(options["user"]["id"]))
        self.credentials.append(made)
        told = self.manners.algorithm if self.manners.told_algorithm is None else self.manners.told_algorithm
        public = cbor2.dumps(_cose(key, told))
        attested = bytes(16) + len(made.id).to_bytes(2, "big") + made.id + public
        data = self._data(made, ATTESTED) + attested
        statement: Json = {}
        client = self._client("webauthn.create", options["challenge"])
        if self.manners.fmt == "packed":
            statement = {"alg": self.manners.algorithm, "sig": _sign(key, data + sha256(client).digest())}
        response = {
            "clientDataJSON": encoded(client),
            "attestationObject": encoded(
                cbor2.dumps({"fmt": self.manners.fmt, "attStmt": statement, "authData": data})
            ),
            "transports": ["internal", "hybrid"],
        }
        return _credential(made, response)

    def get(self, options: Json, credential: Credential | None = None) -> Json:
        """Sign as `navigator.credentials.get()` has it signed, by the newest key for the relying party."""
        used = credential or next(one for one in reversed(self.credentials) if one.rp_id == options["rpId"])
        if self.manners.counts:
            used.count += 1
        data = self._data(used)
        client = self._client("webauthn.get", options["challenge"])
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(_sign(used.key, data + sha256(client).digest())),
            "userHandle": encoded(used.handle if self.manners.handle is None else self.manners.handle),
        }
        return _credential(used, response)

    def _data(self, credential: Credential, flags: int = 0) -> bytes:
        manners = self.manners
        flags |= BACKUP_ELIGIBLE
        flags |= USER_PRESENT if manners.present else 0
        flags |= USER_VERIFIED if manners.verifies else 0
        rp_id = manners.rp_id or credential.rp_id
        return sha256(rp_id.encode()).digest() + bytes([flags]) + credential.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {
            "type": self.manners.kind or kind,
            "challenge": challenge,
            "origin": self.manners.origin,
            "crossOrigin": False,
            **self.manners.told,
        }
        return json.dumps(told).encode()


class AlreadyRegistered(Exception):
    """The device has a key that it was told to make no other one beside."""


def encoded(data: bytes) -> str:
    """Base64url as WebAuthn has it, without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """What stands in base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _credential(made: Credential, response: Json) -> Json:
    return {
        "id": encoded(made.id),
        "rawId": encoded(made.id),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {"credProps": {"rk": True}},
        "response": response,
    }


def _key(algorithm: int) -> Key:
    return (
        ed25519.Ed25519PrivateKey.generate()
        if algorithm == EDDSA
        else ec.generate_private_key(ec.SECP256R1())
    )


def _cose(key: Key, algorithm: int) -> dict[int, Any]:
    """The public half as a COSE key (RFC 9053, section 7)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: algorithm, -1: 6, -2: key.public_key().public_bytes_raw()}
    numbers = key.public_key().public_numbers()
    x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
    return {1: 2, 3: algorithm, -1: 1, -2: x, -3: y}


def _sign(key: Key, data: bytes) -> bytes:
    return (
        key.sign(data) if isinstance(key, ed25519.Ed25519PrivateKey) else key.sign(data, ec.ECDSA(SHA256()))
    )
