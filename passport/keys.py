"""The key file and envelope encryption: one key of the installation wraps one key per patient.

https://csrc.nist.gov/pubs/sp/800/38/d/final

Whoever holds the database alone reads nothing of a body, and cannot tell which identifier an index key stands
for; whoever destroys a patient's wrapped key has destroyed what it opened. The file also holds the keys by which
the passport signs; one that was made before there were any gets its first when the installation is prepared.
"""

import base64
import binascii
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passport.certifying import CertifyingKey, certifying_keys
from passport.outcomes import PassportError
from passport.rsa_signing import RsaKey, rsa_keys
from passport.signing import SigningKey, signing_keys

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # SP 800-38D, 5.2.1.1

UNWRAPPED_KEPT: Final = 1_024
"""Patient keys that a process keeps unwrapped. A key is found by its wrapped form alone: without its row, not."""

_SECRETS: Final = ("key_encryption_key", "index_secret", "cursor_secret")
_SIGNING: Final = "signing_keys"
_CERTIFYING: Final = "device_authorities"
_CERTIFYING_ONE: Final = "device_authority"
"""As it was called when there was one alone."""
_IDENTIFYING: Final = "id_token_keys"


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

    Of the `signing_keys` the first with a private part signs, and so with the `id_token_keys`, by which ID tokens are
    signed for apps that expect RSA, and with the `device_authorities`, which certify the keys of devices and sign
    nothing else. `random` gives that many random bytes; tests of rare collisions hand in another.
    """

    key_encryption_key: bytes = field(repr=False)
    index_secret: bytes = field(repr=False)
    cursor_secret: bytes = field(repr=False)
    demo: bool = False
    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)
    random: Callable[[int], bytes] = field(default=os.urandom, repr=False, compare=False)
    device_authorities: tuple[CertifyingKey, ...] = field(default=(), repr=False)
    id_token_keys: tuple[RsaKey, ...] = field(default=(), repr=False)
    _opened: Callable[[int, bytes], bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        def opened(patient_key: int, wrapped: bytes) -> bytes:
            return open_sealed(self.key_encryption_key, wrapped, _row(patient_key))

        object.__setattr__(self, "_opened", lru_cache(UNWRAPPED_KEPT)(opened))

    @classmethod
    def generate(cls, *, demo: bool = False, random: Callable[[int], bytes] = os.urandom) -> Self:
        """Draw new secrets."""
        secrets = (random(KEY_BYTES), random(KEY_BYTES), random(KEY_BYTES))
        signing, identifying = SigningKey.generate(), RsaKey.generate()
        authority = CertifyingKey.generate(datetime.now(UTC))
        return cls(*secrets, demo, (signing,), random, (authority,), (identifying,))

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
            demo, listed, identifying = (
                content["demo"],
                content.get(_SIGNING, []),
                content.get(_IDENTIFYING, []),
            )
            one = content.get(_CERTIFYING_ONE)
            certifying = content.get(_CERTIFYING, [] if one is None else [one])
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, binascii.Error):
            raise KeyFileUnusable(path, f"expected JSON with {', '.join(_SECRETS)} in base64") from None
        if not isinstance(demo, bool) or {len(wrapping), len(index), len(cursor)} != {KEY_BYTES}:
            raise KeyFileUnusable(path, f"expected secrets of {KEY_BYTES} bytes, and `demo` as a boolean")
        try:
            return cls(
                wrapping,
                index,
                cursor,
                demo,
                signing_keys(listed),
                device_authorities=certifying_keys(certifying),
                id_token_keys=rsa_keys(identifying),
            )
        except ValueError as error:
            raise KeyFileUnusable(path, str(error)) from None

    @classmethod
    def completed(cls, path: Path) -> Self:
        """Read a key file; one without a key to sign or to certify by gets one, and loses nothing.

        Raises:
            KeyFileUnusable: as `load`, or it lacks a key and cannot be written.
        """
        if (ring := cls.load(path)).complete:
            return ring
        try:
            with _held(path):
                # Whoever waited for the lock finds what the one before them wrote.
                ring = cls.load(path)
                if not ring.complete:
                    signing = ring.signing_keys or (SigningKey.generate(),)
                    authorities = ring.device_authorities or (CertifyingKey.generate(datetime.now(UTC)),)
                    identifying = ring.id_token_keys or (RsaKey.generate(),)
                    ring = replace(
                        ring, signing_keys=signing, device_authorities=authorities, id_token_keys=identifying
                    )
                    ring.replace(path)
        except OSError as error:
            reason = (error.strerror or "cannot be written").lower()
            raise KeyFileUnusable(path, f"it lacks a key, and cannot be given one: {reason}") from None
        return ring

    @property
    def complete(self) -> bool:
        """Whether there is something to sign and to certify by."""
        return bool(self.signing_keys) and bool(self.device_authorities) and bool(self.id_token_keys)

    @property
    def device_authority(self) -> CertifyingKey | None:
        """The key that certifies devices now, None where there is none."""
        return next((key for key in self.device_authorities if key.certifies), None)

    @classmethod
    def with_another_key(cls, path: Path) -> Self:
        """Add a key to a key file that signs nothing yet, so that everybody has learnt of it before it does.

        Raises:
            KeyFileUnusable: as `load`, one is there already that never signed, or the file cannot be written.
        """

        def joined(ring: Self) -> Self:
            return replace(
                ring,
                signing_keys=(*ring.signing_keys, SigningKey.generate()),
                id_token_keys=(*ring.id_token_keys, RsaKey.generate()),
            )

        return cls._changed(path, joined, _able_to_sign, waiting=False)

    @classmethod
    def with_the_next_key(cls, path: Path) -> Self:
        """Let the key sign that was added last; the former ones stay to be verified by, and sign no more.

        Raises:
            KeyFileUnusable: as `load`, none was added, or the file cannot be written.
        """

        def turned(ring: Self) -> Self:
            *former, following = ring.signing_keys
            rsa = ring.id_token_keys
            return replace(
                ring,
                signing_keys=(following, *(replace(key, d=None) for key in former)),
                id_token_keys=(*rsa[-1:], *(key.retired for key in rsa[:-1])),
            )

        return cls._changed(path, turned, _able_to_sign, waiting=True)

    @classmethod
    def with_another_authority(cls, path: Path, now: datetime) -> Self:
        """Add a key to a key file that certifies no device yet, so that every proxy knows it before it does.

        Raises:
            KeyFileUnusable: as `load`, one is there already that never certified, or the file cannot be written.
        """

        def joined(ring: Self) -> Self:
            return replace(ring, device_authorities=(*ring.device_authorities, CertifyingKey.generate(now)))

        return cls._changed(path, joined, _able_to_certify, waiting=False)

    @classmethod
    def with_the_next_authority(cls, path: Path, now: datetime) -> Self:
        """Let the key certify devices that was added last; the former ones certify no more, and are known on.

        Raises:
            KeyFileUnusable: as `load`, none was added, or the file cannot be written.
        """

        def turned(ring: Self) -> Self:
            *former, following = ring.device_authorities
            return replace(ring, device_authorities=(following, *(key.retire(now) for key in former)))

        return cls._changed(path, turned, _able_to_certify, waiting=True)

    @classmethod
    def _changed(
        cls,
        path: Path,
        change: Callable[[Self], Self],
        able: Callable[["KeyRing"], list[bool]],
        *,
        waiting: bool,
    ) -> Self:
        """Change the keys of a file of which one waits for its turn, or none does; `able` have a private part."""
        try:
            with _held(path):
                ring = cls.load(path)
                told = able(ring)
                if (sum(told) > 1 and told[-1]) is not waiting:
                    problem = (
                        "no key was added that could be next"
                        if waiting
                        else "a key waits for its turn already"
                    )
                    raise KeyFileUnusable(path, problem)
                ring = change(ring)
                ring.replace(path)
        except OSError as error:
            raise KeyFileUnusable(path, (error.strerror or "cannot be written").lower()) from None
        return ring

    def save(self, path: Path) -> None:
        """Write a key file that only its owner reads.

        Raises:
            KeyFileUnusable: there is a file already; secrets are never overwritten.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyFileUnusable(path, "there is one already, with keys that may be in use") from None
        self._write(descriptor)

    def replace(self, path: Path) -> None:
        """Write the file anew in one step: at every instant there is a whole one."""
        beside = path.with_name(f"{path.name}.new")
        beside.unlink(missing_ok=True)
        self._write(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, descriptor: int) -> None:
        values = zip(_SECRETS, (self.key_encryption_key, self.index_secret, self.cursor_secret), strict=True)
        content: dict[str, object] = {name: base64.b64encode(secret).decode() for name, secret in values}
        content |= {"demo": self.demo, _SIGNING: [key.stored for key in self.signing_keys]}
        if self.device_authorities:
            content[_CERTIFYING] = [key.stored for key in self.device_authorities]
        if self.id_token_keys:
            content[_IDENTIFYING] = [key.stored for key in self.id_token_keys]
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


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let processes that start together complete the file one after the other."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _able_to_sign(ring: KeyRing) -> list[bool]:
    return [key.d is not None for key in ring.signing_keys]


def _able_to_certify(ring: KeyRing) -> list[bool]:
    return [key.certifies for key in ring.device_authorities]


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
