"""How the passport proves itself to a provider: by a key or a secret from a file in the installation's folder.

https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
https://www.rfc-editor.org/rfc/rfc7523
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from fhirstore import base64url
from passport.identity.federation.providers import Provider
from passport.outcomes import Invalid
from passport.settings import Settings

FOLDER: Final = "federation"
"""Below the folder of the installation, beside its keys."""

LASTS: Final = timedelta(minutes=1)
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET_MAX_BYTES: Final = 16_384
_JTI_BYTES: Final = 16

_BY_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384"}

OwnKey = ECKey | OKPKey | RSAKey


@dataclass(frozen=True, slots=True)
class Proof:
    """What goes with a request: fields of the form, or what stands in the header."""

    fields: dict[str, str] = field(default_factory=dict, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)


class KeyFileUnfit(Invalid):
    """The file of a provider's key is missing, is readable by others, or holds no such key."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"got a file in `key_file` that cannot be used: {problem}", ("key_file",))


def proof_of(
    settings: Settings,
    provider: Provider,
    audience: str,
    taken: frozenset[str],
    *,
    random: Callable[[int], bytes],
    now: datetime,
) -> Proof:
    """How the passport proves itself at the address `audience` of a provider.

    Args:
        settings: where the file is.
        provider: who is to believe it.
        audience: the token endpoint.
        taken: by which algorithms the provider takes assertions; empty where it does not say.
        random: what draws the assertion's id.
        now: when it is made.

    Raises:
        KeyFileUnfit: the file cannot be used.
    """
    if provider.auth_method == "client_secret_basic":
        # RFC 6749, section 2.3.1: both are written as in a form before they are joined.
        return Proof(basic=(quote(provider.client_id, safe=""), quote(_secret(settings, provider), safe="")))
    key, algorithm = own_key(settings, provider)
    if algorithm == "RS256" and "PS256" in taken:
        algorithm = "PS256"
    claims = {
        "iss": provider.client_id,
        "sub": provider.client_id,
        "aud": audience,
        "jti": base64url.encode(random(_JTI_BYTES)),
        "iat": int(now.timestamp()),
        "exp": int((now + LASTS).timestamp()),
    }
    header = {"alg": algorithm, "kid": key.thumbprint(), "typ": "JWT"}
    text = f"{base64url.encode(orjson.dumps(header))}.{base64url.encode(orjson.dumps(claims))}"
    signature = JWSRegistry.algorithms[algorithm].sign(text.encode(), key)
    return Proof(
        fields={
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": f"{text}.{base64url.encode(signature)}",
            "client_id": provider.client_id,
        }
    )


def public_part(settings: Settings, provider: Provider) -> dict[str, Any] | None:
    """The key that the provider has to know, None where the two share a secret.

    Raises:
        KeyFileUnfit: the file cannot be used.
    """
    if provider.auth_method == "client_secret_basic":
        _secret(settings, provider)
        return None
    key, algorithm = own_key(settings, provider)
    members = {"kid": key.thumbprint(), "use": "sig", "alg": algorithm}
    return {**key.as_dict(private=False), **members}


def own_key(settings: Settings, provider: Provider) -> tuple[OwnKey, str]:
    """The key by which assertions are signed, and their algorithm.

    Raises:
        KeyFileUnfit: the file cannot be used.
    """
    pem = _content(settings, provider)
    try:
        loaded = load_pem_private_key(pem, None)
        if isinstance(loaded, EllipticCurvePrivateKey) and loaded.curve.name in _BY_CURVE:
            return ECKey.import_key(pem), _BY_CURVE[loaded.curve.name]
        if isinstance(loaded, RSAPrivateKey) and loaded.key_size >= 2_048:
            return RSAKey.import_key(pem), "RS256"
        if isinstance(loaded, Ed25519PrivateKey):
            return OKPKey.import_key(pem), "EdDSA"
    except (JoseError, ValueError, TypeError):
        pass
    raise KeyFileUnfit("expected a private key in PEM: P-256, P-384, Ed25519, or RSA of 2048 bits and more")


def _secret(settings: Settings, provider: Provider) -> str:
    text = _content(settings, provider).decode("ascii", "replace").strip()
    if not text or not text.isascii() or not text.isprintable():
        raise KeyFileUnfit("expected a secret in one line")
    return text


def _content(settings: Settings, provider: Provider) -> bytes:
    path: Path = settings.state / FOLDER / provider.key_file
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > SECRET_MAX_BYTES:
            raise KeyFileUnfit("expected a file")
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileUnfit(f"got mode {stat.S_IMODE(found.st_mode):04o}, expected 0600")
        return path.read_bytes()
    except OSError as error:
        raise KeyFileUnfit((error.strerror or "cannot be read").lower()) from None
