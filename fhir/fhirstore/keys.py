"""Keyed 64-bit hashes that stand for references, codes and identifiers in columns and indexes.

https://www.rfc-editor.org/rfc/rfc7693

A key is made from the text alone, so a write needs no dictionary table and no round trip; and it is
made with a secret, so a copy of the database does not tell which identifier or code a row stands for
to someone who can only guess it. Each kind of text has its own BLAKE2b personalisation: the key of
the reference `Patient/1` and the key of an identifier with that value are unrelated.

Texts are compared exactly: nothing is trimmed, folded or normalised, because two identifiers that
differ in one code point are two identifiers (a caller that issues identifiers normalises them before).

Sixty-four bits: among a hundred million references two collide with a probability of 1 in 3,700.
A collision of two record keys shows as a refused creation, never as another record.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import NewType

from fhirstore.errors import WeakSecret

Key = NewType("Key", int)

SECRET_MIN_BYTES = 16
SECRET_MAX_BYTES = 64  # RFC 7693, section 2.1: the longest BLAKE2b key
KEY_BYTES = 8
REMEMBERED_TEXTS = 4096  # of each kind of code


class KeyMaker:
    """Makes the keys of one installation; safe to share between threads."""

    __slots__ = (
        "_bare_category",
        "_bare_code",
        "_bare_identifier",
        "_category",
        "_code",
        "_identifier",
        "_identifier_system",
        "_implied",
        "_label",
        "_reference",
        "_system",
        "_token",
    )

    def __init__(self, secret: bytes) -> None:
        """Prepare one hash per domain.

        Args:
            secret: the index key of the installation, 16 to 64 random bytes.

        Raises:
            WeakSecret: when the secret is shorter or longer.
        """
        if not SECRET_MIN_BYTES <= len(secret) <= SECRET_MAX_BYTES:
            raise WeakSecret(len(secret), SECRET_MIN_BYTES, SECRET_MAX_BYTES)
        self._reference = _hasher(secret, b"ref")
        self._code = _remembered(secret, b"code")
        self._bare_code = _remembered(secret, b"bare-code")
        self._system = _remembered(secret, b"system")
        self._category = _remembered(secret, b"category")
        self._bare_category = _remembered(secret, b"bare-category")
        self._implied = _remembered(secret, b"implied-category")
        self._label = _remembered(secret, b"label")
        self._identifier = _hasher(secret, b"identifier")
        self._bare_identifier = _hasher(secret, b"bare-identifier")
        self._identifier_system = _hasher(secret, b"identifier-sys")
        self._token = _remembered(secret, b"token")

    def reference(self, reference: str) -> Key:
        """Return the key of a literal reference `Type/id`, which is also the record key of its target.

        The caller strips a version suffix (`/_history/1`) before.
        """
        return self._reference(reference)

    def code(self, system: str, code: str) -> Key:
        """Return the key of a coding; `system` is empty where the coding has none."""
        return self._code(_pair(system, code))

    def bare_code(self, code: str) -> Key:
        """Return the key under which a code of any system is found by its code alone."""
        return self._bare_code(code)

    def system(self, system: str) -> Key:
        """Return the key of a code system."""
        return self._system(system)

    def category(self, system: str, code: str) -> Key:
        """Return the key of a category that the record itself states."""
        return self._category(_pair(system, code))

    def bare_category(self, code: str) -> Key:
        """Return the key under which a category of any system is found by its code alone."""
        return self._bare_category(code)

    def implied_category(self, system: str, code: str) -> Key:
        """Return the key of a category that only the record's profile implies."""
        return self._implied(_pair(system, code))

    def label(self, system: str, code: str) -> Key:
        """Return the key of a sensitivity label."""
        return self._label(_pair(system, code))

    def identifier(self, system: str | None, value: str) -> Key:
        """Return the key of an identifier (search `system|value`); without system, of `|value`."""
        return self._identifier(_pair(system or "", value))

    def bare_identifier(self, value: str) -> Key:
        """Return the key under which an identifier of any system is found (search `value`)."""
        return self._bare_identifier(value)

    def identifier_system(self, system: str) -> Key:
        """Return the key under which every identifier of a system is found (search `system|`)."""
        return self._identifier_system(system)

    def token(self, text: str) -> Key:
        """Return the key of a plain code whose element fixes its system, such as a status."""
        return self._token(text)


def _remembered(secret: bytes, domain: bytes) -> Callable[[str], Key]:
    # Few codes make up nearly all; nothing that names a person is remembered.
    return lru_cache(REMEMBERED_TEXTS)(_hasher(secret, domain))


def _pair(system: str, code: str) -> str:
    # Escaped as in a FHIR token search, so that no two pairs share one text.
    if "|" in system or "\\" in system:
        system = system.replace("\\", "\\\\").replace("|", "\\|")
    return f"{system}|{code}"


def _hasher(secret: bytes, domain: bytes) -> Callable[[str], Key]:
    keyed = blake2b(digest_size=KEY_BYTES, key=secret, person=domain)

    def key_of(text: str) -> Key:
        state = keyed.copy()
        state.update(text.encode("utf-8", "surrogatepass"))
        return Key(int.from_bytes(state.digest(), "big", signed=True))

    return key_of
