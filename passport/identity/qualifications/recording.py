"""A clinician shows a certificate and signs a challenge by its key; what it says of them is recorded.

https://www.iso.org/standard/63019.html
https://www.rfc-editor.org/rfc/rfc5280

It opens nothing: what a clinician sees is what consents allow to their role. A certificate is one person's: whoever
recorded it first keeps it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from fhirstore import base64url
from passport.identity import tokens
from passport.identity.authorization.core import Turn
from passport.identity.login.sessions import SignedIn
from passport.identity.qualifications import store
from passport.identity.qualifications.chain import Trusted, certificates_of, checked, encoded, signed_by
from passport.identity.qualifications.der import NotDer
from passport.identity.qualifications.errors import NotQualified
from passport.identity.qualifications.role import titles_of
from passport.outcomes import Refused
from passport.records import written_instant
from passport.sql import Connection, Row, fetch

LASTS: Final = timedelta(minutes=5)
CHALLENGE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Shown:
    """What a clinician sends: certificates, the holder's first, and the challenge with its signature."""

    certificates: Sequence[bytes]
    challenge: str
    signature: bytes


def require_clinician(person: SignedIn) -> None:
    """Let a clinician go on.

    Raises:
        Refused: it is somebody else.
    """
    if person.kind != "practitioner":
        raise Refused("expected a clinician")


async def challenge(turn: Turn, person: SignedIn) -> dict[str, str]:
    """What a clinician is to sign at this browser, within five minutes."""
    text = base64url.encode(turn.runtime.ring.random(CHALLENGE_BYTES))
    params = {
        "challenge_hash": _hashed(text),
        "login_id": person.login_id,
        "now": turn.now,
        "expires_at": turn.now + LASTS,
    }
    await fetch(turn.connection, store.CHALLENGE, params)
    return {"challenge": text, "to_sign": message(turn.runtime.settings.base_url, text)}


def message(base_url: str, text: str) -> str:
    """What is signed: it says for whom, so that a signature for another service is none for this one."""
    return f"healthcare passport qualification\n{base_url}\n{text}"


async def took(turn: Turn, person: SignedIn, shown: Shown) -> bool:
    """Whether the challenge is one of this browser's; it is gone by this."""
    params = {"challenge_hash": _hashed(shown.challenge), "login_id": person.login_id, "now": turn.now}
    return bool(await fetch(turn.connection, store.TAKE, params))


async def record(turn: Turn, person: SignedIn, shown: Shown) -> dict[str, Any]:
    """Record what a certificate says of a clinician, whose challenge was taken.

    Raises:
        NotQualified: it is not believed, says nothing, or is somebody else's.
    """
    found = certificates_of(shown.certificates)
    holder = found[0]
    signed_by(holder, shown.signature, message(turn.runtime.settings.base_url, shown.challenge).encode())
    revocation = checked(found, Trusted.read(turn.runtime.settings), now=turn.now)
    try:
        titles = titles_of(holder)
    except NotDer:
        titles = ()
    if not titles:
        raise NotQualified("role", "expected a certificate that names a qualification (hcRole)")
    params = {
        "qualification_id": tokens.random_uuid(turn.runtime),
        "subject": person.subject,
        "role": person.role,
        "titles": list(titles),
        "certificate_hash": sha256(encoded(holder)).digest(),
        "authority": holder.issuer.rfc4514_string(),
        "serial": f"{holder.serial_number:x}",
        "starts": holder.not_valid_before_utc,
        "ends": holder.not_valid_after_utc,
        "revocation": revocation,
        "now": turn.now,
    }
    rows = await fetch(turn.connection, store.RECORD, params)
    if not rows:
        raise NotQualified("another", "this certificate is somebody else's")
    return _told(rows[0])


async def qualifications(connection: Connection, subject: str, *, now: datetime) -> list[dict[str, Any]]:
    """What certificates say of somebody that are not over, the newest first."""
    return [_told(row) for row in await fetch(connection, store.OF_PERSON, {"subject": subject, "now": now})]


def _told(row: Row) -> dict[str, Any]:
    return {
        "id": str(row.qualification_id),
        "titles": list(row.titles),
        "authority": row.authority,
        "serial": row.serial,
        "valid_from": written_instant(row.starts),
        "valid_until": written_instant(row.ends),
        "revocation": row.revocation,
        "recorded": written_instant(row.recorded_at),
    }


def _hashed(text: str) -> bytes:
    return sha256(text.encode()).digest()
