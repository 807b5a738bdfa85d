"""A device's certificate: asked for with its enrolled key, renewed by itself, also with another key.

https://www.rfc-editor.org/rfc/rfc5967
https://www.rfc-editor.org/rfc/rfc8705#section-3

A request that is signed by an enrolled key proves the device by itself. One for a new key comes in a statement that
the enrolled key signs: both keys are proved, and both sign messages until the new one is first used, so that a device
that never got the answer is not shut out.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_der_x509_certificate
from psycopg.types.json import Jsonb

from consent.model import Action
from fhirstore.parse import Tree
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.certifying import SERIAL_BYTES, CertifyingKey
from passport.devices import jws, store
from passport.devices.authority import KeyRequest, certified, published, read_request
from passport.devices.enrolments import Enrolment, enrolment_of, keep_key
from passport.devices.errors import NoAuthority, Unverified
from passport.devices.identity import device_of, subject_of
from passport.devices.statements import read_statement
from passport.devices.unproven import noted
from passport.outcomes import Invalid, Refused, TooMany
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Acting

WINDOW: Final = timedelta(days=1)
CERTIFICATES_MAX: Final = 12
"""How many certificates a device gets within the window by statements that it signs: it needs one in a week.

A plain request is answered with the certificate that it got before, so that whoever sends it again uses none up.
"""

_NOBODY: Final = (-1, 0)
"""No device, for whom a certificate is looked up all the same."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a certificate as it came: of PKCS#10 alone, or within a statement (`signed`)."""

    content: bytes
    signed: bool


def ca_of(runtime: Runtime) -> CertifyingKey:
    """The key of the device CA that certifies.

    Raises:
        NoAuthority: the key file has none, or its certificate has ended.
    """
    authority = runtime.ring.device_authority
    if authority is None or authority.ends <= runtime.clock():
        raise NoAuthority
    return authority


def ca_pem(runtime: Runtime) -> str:
    """The certificates by which devices are known: of the CA, of the next one, and of former ones that still count.

    Raises:
        NoAuthority: the key file has no key for it.
    """
    if runtime.ring.device_authority is None:
        raise NoAuthority
    known = published(runtime.ring.device_authorities, runtime.clock())
    return "".join(_pem(key.certificate) for key in known)


async def certify(runtime: Runtime, device_id: str, asked: Asked, *, address: str) -> Tree:
    """Certify a key of a device; return the certificate with the CA's.

    `address` is the network address that the request came from.

    Raises:
        Unverified: no enrolled key of the device signed the request, or there is no such device.
        Refused: the device is not active, or has no key of its own.
        Invalid: it is no request for a certificate.
        TooMany: the device got too many lately, or too much came from this address that nobody signed.
    """
    authority, device = ca_of(runtime), device_of(device_id)
    path = f"devices/{device_id}/certificate"
    # Whether a request can be read at all says nothing of any device, and is told before one is looked for.
    plain = None if asked.signed else read_request(asked.content)
    request = Request(Action.COLLECT, "certificate", recorded("POST", path), device, "write")
    async with (
        noted(runtime, request, address=address),
        admitted(runtime, Acting(subject_of(device)), request) as desk,
    ):
        audience = f"{runtime.settings.base_url}/{path}"
        enrolment, wanted = await _proved(desk, device, asked, plain, audience)
        if enrolment.status != "active":
            raise Refused("the device is not active")
        if wanted.key not in enrolment.keys:
            await _announce(desk, enrolment, wanted)
        kid = wanted.key.kid(device)
        certificate = await _known(desk, enrolment, kid, authority, again=not asked.signed)
        if certificate is None:
            serial = runtime.ring.random(SERIAL_BYTES)
            certificate = certified(authority, wanted, device, serial=serial, now=desk.now)
            await _keep(desk, enrolment, kid, certificate)
        detail = f"{certificate.serial_number:x}"
        row = desk.row(enrolment.patient_key, record_keys=[enrolment.device_key], versions=[0], detail=detail)
        await desk.audit(row)
    ends = written_instant(certificate.not_valid_after_utc)
    return {"certificate": _pem(certificate), "issuer": _pem(authority.certificate), "kid": kid, "ends": ends}


async def _proved(
    desk: Desk, device: str, asked: Asked, plain: KeyRequest | None, audience: str
) -> tuple[Enrolment, KeyRequest]:
    """The device that asks, and what for; `plain` is what is asked without a statement.

    Raises:
        Unverified: an enrolled key of the device did not sign the request.
        Refused: another device signs for it.
        Invalid: it is no request for a certificate.
    """
    enrolment = await enrolment_of(desk.connection, desk.runtime.keys.reference(device))
    if plain is None:
        signed = jws.read(asked.content)
        key = enrolment.key_named(signed.kid) if enrolment else None
        if not jws.verified(signed, key, signed.kid) or enrolment is None:
            raise Unverified
        said = read_statement(signed.payload, ("csr",), audience=audience, now=desk.now)
        wanted = read_request(_decoded(said["csr"]))
        await keep_key(desk, enrolment, signed.kid)
    else:
        wanted = plain
        if enrolment is None or wanted.key not in enrolment.keys:
            raise Unverified
    if enrolment.gateway is not None:
        raise Refused("the device has no key of its own: its gateway has a certificate")
    return enrolment, wanted


async def _announce(desk: Desk, enrolment: Enrolment, wanted: KeyRequest) -> None:
    row = {"patient_key": enrolment.patient_key, "device_key": enrolment.device_key}
    await fetch(desk.connection, store.ANNOUNCE_KEY, {**row, "jwk": Jsonb(dict(wanted.key.jwk))})


async def _known(
    desk: Desk, enrolment: Enrolment, kid: str, authority: CertifyingKey, *, again: bool
) -> Certificate | None:
    """The certificate that a request gets `again` which somebody may have seen and sends once more; None for a new one.

    What a former key of the CA certified is renewed by the one of now.

    Raises:
        TooMany: the device asked for too many by itself.
    """
    device = {"patient_key": enrolment.patient_key, "device_key": enrolment.device_key}
    await fetch(desk.connection, store.LOCK, device)
    rows = await fetch(desk.connection, store.CERTIFIED_LATELY, {**device, "since": desk.now - WINDOW})
    found = (load_der_x509_certificate(row.content) for row in rows if row.kid == kid)
    certified_now = next((each for each in found if _is_of(authority, each)), None)
    if again and certified_now is not None:
        return certified_now
    if len(rows) >= CERTIFICATES_MAX and not again:
        raise TooMany(int(WINDOW.total_seconds()))
    return None


async def _keep(desk: Desk, enrolment: Enrolment, kid: str, certificate: Certificate) -> None:
    row = {
        "patient_key": enrolment.patient_key,
        "device_key": enrolment.device_key,
        "thumbprint": thumbprint(certificate),
        "kid": kid,
        "content": certificate.public_bytes(Encoding.DER),
        "now": desk.now,
        "ends_at": certificate.not_valid_after_utc,
    }
    await fetch(desk.connection, store.CERTIFY, row)


async def is_certified(desk: Desk, thumbprint: bytes, enrolment: Enrolment | None) -> bool:
    """Whether a certificate is one that this CA issued to whoever signs for a device, and is good now."""
    signer = _NOBODY if enrolment is None else (enrolment.patient_key, enrolment.signer_key)
    row = {"patient_key": signer[0], "device_key": signer[1], "thumbprint": thumbprint, "now": desk.now}
    return bool(await fetch(desk.connection, store.CERTIFIED, row))


def _is_of(authority: CertifyingKey, certificate: Certificate) -> bool:
    """Whether this key of the CA certified it; all of them have one name."""
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except InvalidSignature:
        return False
    return True


def thumbprint(certificate: Certificate) -> bytes:
    """By what a certificate is known again: the SHA-256 of it."""
    return sha256(certificate.public_bytes(Encoding.DER)).digest()


def _pem(certificate: Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _decoded(value: object) -> bytes:
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        raise Invalid("got `csr` that is not base 64", ("csr",)) from None
