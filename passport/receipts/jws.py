"""Receipts as signed messages: one compact JWS each, verified by a JWK Set and nothing else.

https://www.rfc-editor.org/rfc/rfc7515
https://www.rfc-editor.org/rfc/rfc8725

The header says what was signed (`typ`), so that nothing else which the passport ever signs passes for a receipt.
A header that brings a key, or asks to fetch one, is refused: the keys are those that the verifier was given.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import JWSRegistry

from fhirstore import base64url
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, Tree, parse, serialise
from passport.outcomes import PassportError
from passport.signing import ALGORITHM, SigningKey, signer

MOST_BYTES: Final = 8_388_608
"""A consent may be as long as a body that the service reads, and its receipt tells it twice, in base64."""

TYPE: Final = "consent-receipt+jws"
HEADER: Final = frozenset({"alg", "kid", "typ"})

REQUIRED: Final = (
    "schema_version",
    "receipt_id",
    "record_id",
    "pii_principal_id",
    "pii_processing",
    "party_identification",
    "events",
)
"""What ISO/IEC TS 27560:2023 makes mandatory at the root."""


class _Registry(JWSRegistry):
    """The library's limits are those of messages that come from anywhere."""

    max_payload_length = MOST_BYTES


_REGISTRY: Final = _Registry(algorithms=[ALGORITHM])


class NoReceipt(PassportError):
    """What was to be verified is no receipt that these keys signed."""

    outcome = "invalid"

    def __init__(self, text: str) -> None:
        super().__init__(400, "invalid", text)


def signed(content: Tree, keys: Sequence[SigningKey]) -> bytes:
    """A receipt as a compact JWS; of the same content by the same key it is the same.

    Raises:
        NoSigningKey: there is no key to sign with.
    """
    key = signer(keys)
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE}
    signing_input = b".".join(map(_encoded, (serialise(header), serialise(content))))
    return signing_input + b"." + _encoded(key.sign(signing_input))


def verified(message: bytes, published: Mapping[str, Any]) -> Tree:
    """The content of a receipt that one of the published keys signed.

    Args:
        message: the compact JWS.
        published: a JWK Set, as `/.well-known/jwks.json` answers it.

    Raises:
        NoReceipt: it is none, another key signed it, or it was changed since.
    """
    keys = _keys(published)
    header = _header(message)
    kid = header["kid"]
    named = [key for key in keys.keys if isinstance(key, ECKey) and key.kid == kid]
    if not named:
        raise NoReceipt(f"got a receipt signed by key `{kid[:64]}`, expected one of the JWK Set")
    try:
        held = jws.deserialize_compact(message, named[0], registry=_REGISTRY)
    except (JoseError, ValueError):
        raise NoReceipt("got a receipt that was changed, or that another key signed") from None
    return _content(held.payload)


def _encoded(part: bytes) -> bytes:
    return base64url.encode(part).encode()


def _keys(published: Mapping[str, Any]) -> KeySet:
    listed = published.get("keys")
    if not isinstance(listed, list):
        raise NoReceipt("got no JWK Set, expected an object with `keys`")
    keys = []
    for entry in listed:
        # A set may hold keys of other kinds, for other uses.
        if isinstance(entry, dict) and (entry.get("kty"), entry.get("crv")) == ("EC", "P-256"):
            try:
                keys.append(ECKey.import_key(entry))
            except (JoseError, ValueError, TypeError):
                raise NoReceipt("got a key in the JWK Set that is none, expected EC on P-256") from None
    return KeySet(list(keys))


def _header(message: bytes) -> Mapping[str, str]:
    try:
        header = jws.extract_compact(message, registry=_REGISTRY).headers()
    except (JoseError, ValueError):
        raise NoReceipt("got no compact JWS, expected one") from None
    if header.get("alg") != ALGORITHM or header.get("typ") != TYPE:
        raise NoReceipt(f"got a message of another kind, expected `typ` {TYPE} and `alg` {ALGORITHM}")
    if header.keys() != HEADER or not isinstance(header["kid"], str):
        raise NoReceipt(f"got a header with other members, expected {', '.join(sorted(HEADER))}")
    return header


def _content(payload: bytes) -> Tree:
    try:
        content = parse(payload, Limits(size_bytes=MOST_BYTES))
    except ParseError:
        raise NoReceipt("got a receipt whose content is no JSON object, expected one") from None
    missing = [name for name in REQUIRED if name not in content]
    if missing:
        raise NoReceipt(f"got a receipt without {', '.join(missing)}, expected them")
    return content
