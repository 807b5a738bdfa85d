"""The public key of a device: P-256 or Ed25519, named by its thumbprint and by the enrolment it stands in.

https://www.rfc-editor.org/rfc/rfc7517
https://www.rfc-editor.org/rfc/rfc7638
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from fhirstore import base64url
from passport.outcomes import Invalid

_SECRET: Final = frozenset(
    {"d", "k", "p", "q", "dp", "dq", "qi", "oth"}
)  # RFC 7518, sections 6.2.2, 6.3.2, 6.4.1
_COORDINATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 octets in base64url, RFC 7518, section 6.2.1.2


@dataclass(frozen=True, slots=True)
class _Kind:
    coordinates: tuple[str, ...]
    algorithms: tuple[str, ...]


_KINDS: Final[Mapping[tuple[object, object], _Kind]] = {
    ("EC", "P-256"): _Kind(("x", "y"), ("ES256",)),
    # RFC 9864 names `Ed25519` what RFC 8037 called `EdDSA` with this curve.
    ("OKP", "Ed25519"): _Kind(("x",), ("EdDSA", "Ed25519")),
}


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A public key; `jwk` holds the members that RFC 7638 requires and nothing else."""

    jwk: Mapping[str, str]

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The signature algorithms of this key; a message under any other is not by it."""
        return _KINDS[self.jwk["kty"], self.jwk["crv"]].algorithms

    @property
    def thumbprint(self) -> str:
        """The name of the key as such, by RFC 7638: its members are those, and no others."""
        return _digest(orjson.dumps(dict(self.jwk), option=orjson.OPT_SORT_KEYS))

    def kid(self, device: str) -> str:
        """The name of the key as that of one enrolled device (`Device/…`).

        A public key may be enrolled by anyone, so its thumbprint alone would not say for which device a message
        was signed. The name stands in the signed header, so a message holds at one enrolment.
        """
        return _digest(f"{self.thumbprint}.{device}".encode())

    def imported(self) -> ECKey | OKPKey:
        """The key as the signature library holds it.

        Raises:
            JoseError, ValueError: the coordinates are no point of the curve.
        """
        members: dict[str, str | list[str]] = {**self.jwk}
        return ECKey.import_key(members) if members["kty"] == "EC" else OKPKey.import_key(members)


def device_key(jwk: object) -> DeviceKey:
    """Read the `jwk` of an enrolment.

    Raises:
        Invalid: not a public P-256 or Ed25519 key, or one that brings its private part along.
    """
    if not isinstance(jwk, dict):
        raise _unfit("got no JSON object in `jwk`, expected a public key")
    if _SECRET & jwk.keys():
        raise _unfit("got a private or symmetric key in `jwk`, expected the public part alone")
    kind = _kind(jwk)
    names = ("kty", "crv", *kind.coordinates)
    if not all(
        isinstance(jwk.get(name), str) and _COORDINATE.fullmatch(jwk[name]) for name in kind.coordinates
    ):
        raise _unfit("got a coordinate in `jwk` that is not 32 octets in base64url")
    if jwk.get("alg", kind.algorithms[0]) not in kind.algorithms or jwk.get("use", "sig") != "sig":
        raise _unfit("got a key in `jwk` that is not for signing with its own algorithm")
    key = DeviceKey({name: jwk[name] for name in names})
    try:
        key.imported()
    except (JoseError, ValueError):
        raise _unfit("got coordinates in `jwk` that are no point of the curve") from None
    return key


def _digest(named: bytes) -> str:
    return base64url.encode(sha256(named).digest())


def _kind(jwk: Mapping[str, Any]) -> _Kind:
    stated = (jwk.get("kty"), jwk.get("crv"))
    if not all(isinstance(part, str) for part in stated) or stated not in _KINDS:
        raise _unfit("got another kind of key in `jwk`, expected EC P-256 or OKP Ed25519")
    return _KINDS[stated]


def _unfit(text: str) -> Invalid:
    return Invalid(text, ("jwk",))
