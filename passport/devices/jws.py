"""Signed device messages: one compact JWS, its header read strictly, its signature checked at equal work.

https://www.rfc-editor.org/rfc/rfc7515

Nothing of the payload is looked at before the signature holds. A message that names a device nobody enrolled,
the wrong key or another algorithm costs the same verification as a genuine one, against a key of the
specification's own examples, and is then refused all the same.
"""

import re
from dataclasses import dataclass
from typing import Final

from joserfc.jws import JWSRegistry

from fhirstore import base64url
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from passport.devices.jwk import DeviceKey

MESSAGE_MAX_BYTES: Final = 524_288
"""A thousand readings are about 130,000 bytes in base64url."""

HEADER_MAX_BYTES: Final = 1_024
SIGNATURE_BYTES: Final = 64  # RFC 7518, section 3.4 (P-256) and RFC 8037, section 3.1 (Ed25519)

# A header that names anything else (jwk, jku, x5c, x5u, crit, b64 …) asks to be trusted for what it brings.
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})
_COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_HEADER_LIMITS: Final = Limits(size_bytes=HEADER_MAX_BYTES, depth=1)

# RFC 8037, appendix A.2
_ED25519: Final = DeviceKey(
    {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
)
_DECOYS: Final = {
    # RFC 7515, appendix A.3.1
    "ES256": DeviceKey(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
    ),
    "EdDSA": _ED25519,
    "Ed25519": _ED25519,
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A message as it was sent, not yet believed."""

    algorithm: str
    kid: str
    signing_input: bytes
    payload: bytes
    signature: bytes


NOTHING_SIGNED: Final = Signed("", "", b"", b"", bytes(SIGNATURE_BYTES))
"""What stands for bytes that are no compact JWS, so that they cost what a forged one costs."""


def read(message: bytes) -> Signed:
    """Take a compact JWS apart; `NOTHING_SIGNED` when it is none, or its header holds more than it may."""
    found = _COMPACT.fullmatch(message) if len(message) <= MESSAGE_MAX_BYTES else None
    if found is None:
        return NOTHING_SIGNED
    try:
        header_part, payload_part, signature_part = found.groups()
        header = parse(base64url.decode(header_part), _HEADER_LIMITS)
        payload, signature = base64url.decode(payload_part), base64url.decode(signature_part)
    except (ParseError, ValueError):
        return NOTHING_SIGNED
    algorithm, kid = header.get("alg"), header.get("kid")
    if not (header.keys() <= _HEADER_NAMES and isinstance(algorithm, str) and isinstance(kid, str)):
        return NOTHING_SIGNED
    return Signed(algorithm, kid, header_part + b"." + payload_part, payload, signature)


def verified(signed: Signed, key: DeviceKey | None, kid: str) -> bool:
    """Whether `key` (None: no such device) signed this message as `kid` and under its own algorithm."""
    named = key is not None and signed.kid == kid and signed.algorithm in key.algorithms
    against = key if key is not None and named else _DECOYS.get(signed.algorithm, _DECOYS["ES256"])
    held = JWSRegistry.algorithms[against.algorithms[0]].verify(
        signed.signing_input, signed.signature, against.imported()
    )
    return held and named
