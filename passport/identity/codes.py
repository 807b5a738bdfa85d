"""Sign-in codes: what the city desk hands out until residents have passkeys and clinicians federation.

https://www.rfc-editor.org/rfc/rfc7914
https://pages.nist.gov/800-63-4/sp800-63b.html#lookupsecrets

A code is drawn by the service, 100 random bits, never chosen by a person, so it cannot be guessed; it is stored
as its scrypt hash all the same.
"""

from collections.abc import Callable
from hashlib import scrypt
from hmac import compare_digest
from typing import Final
from unicodedata import normalize

from passport.identity.persons import LOGIN
from passport.outcomes import Invalid

# Crockford's base 32: no letter that is mistaken for another, https://www.crockford.com/base32.html
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans(
    {"O": "0", "I": "1", "L": "1", "-": None, " ": None, "−": None, "‐": None, "ー": None}
)

CODE_CHARACTERS: Final = 20
GROUP_CHARACTERS: Final = 5
CODE_MAX_CHARACTERS: Final = 40
LOGIN_MAX_TYPED: Final = 128
"""A longer text is no code, whatever it holds."""


# Memory is 128 · N · r bytes: 16 MiB, about 30 ms.
SCRYPT_N: Final = 2**14
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32

NO_CODE: Final = "scrypt$" + "00" * SALT_BYTES + "$" + "00" * HASH_BYTES
"""What a sign-in with an unknown login is compared with: no text has this hash, and it costs the same."""


def login_of(text: object) -> str:
    """Return a login as an operator gives it.

    Raises:
        Invalid: it is no text of 3 to 64 small letters, digits, `.`, `_`, `@` and `-`.
    """
    if not isinstance(text, str) or not LOGIN.fullmatch(text):
        raise Invalid("got an unfit login, expected 3 to 64 of a-z, 0-9, `.`, `_`, `@`, `-`", ("login",))
    return text


def draw(random: Callable[[int], bytes], characters: int = CODE_CHARACTERS) -> str:
    """Draw a code of so many letters, five bits each, written in groups as it is printed."""
    letters = "".join(ALPHABET[byte & 31] for byte in random(characters))
    groups = range(0, characters, GROUP_CHARACTERS)
    return "-".join(letters[start : start + GROUP_CHARACTERS] for start in groups)


def typed(code: str) -> bytes:
    """The bytes of a code as it is compared, typed in small letters, in full width, grouped or not."""
    read = normalize("NFKC", code[:CODE_MAX_CHARACTERS]).upper().translate(_READ_AS)
    return read.encode("utf-8", "replace")


def typed_login(login: str) -> str:
    """A login as it is looked up, typed with capitals, in full width, or with the space that a phone adds."""
    return normalize("NFKC", login).strip().lower() if len(login) <= LOGIN_MAX_TYPED else login


def hashed(code: str, *, salt: bytes) -> str:
    """Return what is stored of a code."""
    return f"scrypt${salt.hex()}${_hash(code, salt).hex()}"


def matches(code: str, stored: str) -> bool:
    """Return whether `stored` was made of this code; the work does not depend on the answer."""
    _, salt, expected = stored.split("$")
    return compare_digest(_hash(code, bytes.fromhex(salt)), bytes.fromhex(expected))


def _hash(code: str, salt: bytes) -> bytes:
    return scrypt(typed(code), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, dklen=HASH_BYTES)
