"""The key file and envelope encryption: one key of the installation wraps one key per patient.

https://csrc.nist.gov/pubs/sp/800/38/d/final

Whoever holds the database alone reads nothing of a body, and cannot tell which identifier an index key stands
for; whoever destroys a patient's wrapped key has destroyed what it opened.
"""

import base64
import binascii
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passport.outcomes import PassportError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # SP 800-38D, 5.2.1.1

UNWRAPPED_KEPT: Final = 1_024
"""Patient keys that a process keeps unwrapped. A key is found by its wrapped form alone: without its row, not."""

_SECRETS: Final = ("key_encryption_key", "index_secret", "cursor_secret")


class KeyFileUnusable(PassportError):
    """The key file is missing, readable by others, or not one."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(500, "exception", f"key file `{path}`: {problem}")


class Unsealable(PassportError):
    """A sealed value was changed, or belongs elsewhere."""

    def __init__(self) -> None:
        super().__init__(500, "exception", "got a sealed value that does not open in its place")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The secrets of one installation; `demo` marks keys that a production service refuses.

    `random` gives that many random bytes; tests of rare collisions hand in another.
    """

    key_encryption_key: bytes = field(repr=False)
    index_secret: bytes = field(repr=False)
    cursor_secret: bytes = field(repr=False)
    demo: bool = False
    random: Callable[[int], bytes] = field(default=os.urandom, repr=False, compare=False)
    _opened: Callable[[int, bytes], bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        def opened(patient_key: int, wrapped: bytes) -> bytes:
            return open_sealed(self.key_encryption_key, wrapped, _row(patient_key))

        object.__setattr__(self, "_opened", lru_cache(UNWRAPPED_KEPT)(opened))

    @classmethod
    def generate(cls, *, demo: bool = False, random: Callable[[int], bytes] = os.urandom) -> Self:
        """Draw new secrets."""
        return cls(random(KEY_BYTES), random(KEY_BYTES), random(KEY_BYTES), demo, random)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file.

        Raises:
            KeyFileUnusable: it is missing, others than its owner can read it, or it is no key file.
        """
        try:
            mode = path.stat().st_mode
            text = path.read_bytes()
        except OSError as error:
            raise KeyFileUnusable(path, (error.strerror or "cannot be read").lower()) from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileUnusable(path, f"got mode {stat.S_IMODE(mode):04o}, expected 0600")
        try:
            content = orjson.loads(text)
            wrapping, index, cursor = (base64.b64decode(content[name], validate=True) for name in _SECRETS)
            demo = content["demo"]
        except (orjson.JSONDecodeError, KeyError, TypeError, binascii.Error):
            raise KeyFileUnusable(path, f"expected JSON with {', '.join(_SECRETS)} in base64") from None
        if not isinstance(demo, bool) or {len(wrapping), len(index), len(cursor)} != {KEY_BYTES}:
            raise KeyFileUnusable(path, f"expected secrets of {KEY_BYTES} bytes, and `demo` as a boolean")
        return cls(wrapping, index, cursor, demo)

    def save(self, path: Path) -> None:
        """Write a key file that only its owner reads.

        Raises:
            KeyFileUnusable: there is a file already; secrets are never overwritten.
        """
        values = zip(_SECRETS, (self.key_encryption_key, self.index_secret, self.cursor_secret), strict=True)
        content = {name: base64.b64encode(secret).decode() for name, secret in values} | {"demo": self.demo}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyFileUnusable(path, "there is one already, with keys that may be in use") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())

    def new_wrapped_key(self, patient_key: int) -> bytes:
        """Draw a patient's key and return it wrapped."""
        return self.wrap(patient_key, self.random(KEY_BYTES))

    def wrap(self, patient_key: int, key: bytes) -> bytes:
        """Encrypt a patient's key, bound to the patient's row."""
        return seal(self.key_encryption_key, key, _row(patient_key), random=self.random)

    def unwrap(self, patient_key: int, wrapped: bytes) -> bytes:
        """Return a patient's key.

        Raises:
            Unsealable: it was wrapped for another row or by another installation.
        """
        return self._opened(patient_key, wrapped)


def _row(patient_key: int) -> bytes:
    return b"patient key %d" % patient_key


def seal(key: bytes, plain: bytes, aad: bytes, *, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypt a small value (a reason, a quarantined reading) under a 32-byte key; `aad` names its place."""
    nonce = random(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, aad)


def open_sealed(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Decrypt a value that `seal` made.

    Raises:
        Unsealable: it was changed, or the key or the place is another.
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], aad)
    except (InvalidTag, ValueError):
        raise Unsealable from None
