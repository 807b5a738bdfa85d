"""The two ceremonies of Web Authentication: what a device is asked, and whether its answer holds.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations

The library checks type, origin, relying party, flags and signature. Here stands what it leaves to its caller: that the
page was in no frame of somebody else's, that no attestation but a device's own is looked at, that the key is one that
can sign later, and the counter, which says something only once the signature holds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import digest
from ipaddress import ip_address
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEKTY, COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from passport.identity.authorization.redirects import origin
from passport.identity.passkeys.challenges import LASTS
from passport.outcomes import Conflict, Invalid
from passport.runtime import Runtime
from passport.settings import Settings

ALGORITHMS: Final = (
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
RSA_BITS_MIN: Final = 2048
CREDENTIAL_ID_MAX_BYTES: Final = 1023  # WebAuthn, section 4, Credential ID
NAME: Final = "Healthcare data passport"

_ALGORITHM_OF: Final[Mapping[int, int]] = {
    COSEKTY.OKP: COSEAlgorithmIdentifier.EDDSA,
    COSEKTY.EC2: COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEKTY.RSA: COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
}

_Credential = TypeVar("_Credential", RegistrationCredential, AuthenticationCredential)

_TIMEOUT_MS: Final = int(LASTS.total_seconds() * 1000)

# What the library raises where it meets what is no answer of a device.
_UNFIT: Final = (
    WebAuthnException,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
)

# A key that nobody has the other half of: P-256, its generator (SEC 2, section 2.4.2).
NOBODYS_KEY: Final = bytes.fromhex(
    "a5010203262001215820"
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "225820"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
"""By what the answer of an unknown credential is checked, so that it costs what a wrong one does."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A key of a device that recognised its person."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Used:
    """A use of a key whose signature held."""

    sign_count: int
    backed_up: bool


class Unfit(Invalid):
    """What was sent is no credential as a browser makes it."""

    def __init__(self) -> None:
        super().__init__(
            "expected in `credential` what `credential.toJSON()` gives, for the options that were answered",
            ("credential",),
        )


def available(settings: Settings) -> bool:
    """Whether browsers take passkeys for the address of this installation: for a name, and for no number."""
    try:
        ip_address(relying_party(settings))
    except ValueError:
        return True
    return False


def relying_party(settings: Settings) -> str:
    """The relying party: the host by whose name the passport is reached."""
    return urlsplit(settings.base_url).hostname or ""


def user_handle(runtime: Runtime, subject: str, role: str | None) -> bytes:
    """What a device keeps of whose key it is: it names nobody, and is the same for one person in one role."""
    made = f"passkey user\n{subject}\n{role or ''}"
    return digest(runtime.ring.index_secret, made.encode(), "sha256")


def creation(
    runtime: Runtime,
    handle: bytes,
    login: str,
    challenge: bytes,
    known: Iterable[tuple[bytes, Sequence[str]]],
) -> dict[str, Any]:
    """What a device is asked to make a key; it makes none where it has one of those that are `known`.

    Raises:
        Conflict: no browser takes passkeys for the address of this installation.
    """
    _require_name(runtime.settings)
    options = generate_registration_options(
        rp_id=relying_party(runtime.settings),
        rp_name=NAME,
        user_id=handle,
        user_name=login,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=id_, transports=[AuthenticatorTransport(each) for each in ways])
            for id_, ways in known
        ],
        supported_pub_key_algs=list(ALGORITHMS),
    )
    return options_to_json_dict(options)


def request(runtime: Runtime, challenge: bytes) -> dict[str, Any]:
    """What a device is asked to sign in by; which of its keys is between it and its person.

    Raises:
        Conflict: no browser takes passkeys for the address of this installation.
    """
    _require_name(runtime.settings)
    options = generate_authentication_options(
        rp_id=relying_party(runtime.settings),
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def made_of(tree: object) -> tuple[RegistrationCredential, bytes]:
    """A new credential as a browser sends it, and the challenge that it says it answers.

    Raises:
        Unfit: it is none.
    """
    return _sent(parse_registration_credential_json, tree)


def used_of(tree: object) -> tuple[AuthenticationCredential, bytes]:
    """A credential as a browser sends it for a sign-in, and the challenge that it says it answers.

    Raises:
        Unfit: it is none.
    """
    return _sent(parse_authentication_credential_json, tree)


def registered(settings: Settings, credential: RegistrationCredential, challenge: bytes) -> Registered:
    """The key of a credential that was made for us just now.

    Raises:
        Unfit: it was not, or not as we asked for it.
    """
    try:
        _require_own(credential.response.client_data_json)
        attestation = parse_attestation_object(credential.response.attestation_object)
        if (
            attestation.fmt not in {AttestationFormat.NONE, AttestationFormat.PACKED}
            or attestation.att_stmt.x5c
        ):
            raise Unfit
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=relying_party(settings),
            expected_origin=origin(settings.base_url),
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
        )
        _require_key(verified.credential_public_key)
    except _UNFIT:
        raise Unfit from None
    if verified.credential_id != credential.raw_id or len(verified.credential_id) > CREDENTIAL_ID_MAX_BYTES:
        raise Unfit
    return Registered(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=tuple(sorted({each.value for each in credential.response.transports or ()})),
        backed_up=verified.credential_backed_up,
    )


def used(
    settings: Settings, credential: AuthenticationCredential, challenge: bytes, public_key: bytes
) -> Used | None:
    """What a device said when it signed; None where it did not, or not what we asked for."""
    try:
        _require_own(credential.response.client_data_json)
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=relying_party(settings),
            expected_origin=origin(settings.base_url),
            credential_public_key=public_key,
            # The library would compare counters before it looks at the signature.
            credential_current_sign_count=-1,
            require_user_verification=True,
        )
    except (Unfit, *_UNFIT):
        return None
    return Used(verified.new_sign_count, verified.credential_backed_up)


def went_back(kept: int, told: int) -> bool:
    """Whether a counter tells of a copy of the key; one that always says nought counts nothing."""
    return (kept > 0 or told > 0) and told <= kept


def _sent(parse: Callable[[dict[str, Any]], _Credential], tree: object) -> tuple[_Credential, bytes]:
    """A credential of either ceremony, and the challenge that it says it answers.

    Raises:
        Unfit: it is none.
    """
    try:
        credential = parse(dict(tree) if isinstance(tree, Mapping) else {})
        return credential, parse_client_data_json(credential.response.client_data_json).challenge
    except _UNFIT:
        raise Unfit from None


def _require_own(client_data: bytes) -> None:
    """Take no answer that was given in a frame of somebody else's page."""
    told = orjson.loads(client_data)
    if told.get("crossOrigin", False) is not False or "topOrigin" in told:
        raise Unfit


def _require_key(public_key: bytes) -> None:
    """Take no key that could not be used: the library does not look into it until somebody signs in."""
    told = decode_credential_public_key(public_key)
    key = decoded_public_key_to_cryptography(told)
    fit = (
        (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1))
        or isinstance(key, Ed25519PublicKey)
        or (isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS_MIN)
    )
    # The one algorithm of each kind of key: it says itself what it is, and signs by what it is.
    if not fit or told.alg != _ALGORITHM_OF[told.kty]:
        raise Unfit


def _require_name(settings: Settings) -> None:
    if not available(settings):
        raise Conflict(
            "this installation is reached by a number, and browsers take passkeys for a name alone"
        )
