"""A receipt as short as one can be, and messages that only look like one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import orjson

from passport.receipts.jws import REQUIRED, TYPE
from passport.signing import ALGORITHM, SigningKey

KEY: Final = SigningKey.generate()
CONTENT: Final[dict[str, Any]] = {**dict.fromkeys(REQUIRED, "架空"), "note": "見本"}


def encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def decoded(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def message(content: Any = CONTENT, *, key: SigningKey = KEY, **header: Any) -> bytes:
    """A message that this key signed, whatever its header says."""
    named = {"alg": ALGORITHM, "kid": key.kid, "typ": TYPE} | header
    shown = {name: value for name, value in named.items() if value is not None}
    signing_input = b".".join(encoded(orjson.dumps(part)) for part in (shown, content))
    return signing_input + b"." + encoded(key.sign(signing_input))
