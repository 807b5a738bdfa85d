"""Receiving readings: a signed message in, one transaction, and the same answer however often it comes.

https://www.rfc-editor.org/rfc/rfc7515
https://hl7.org/fhir/R4/provenance.html

What a device may store is decided by the Consent that approved it, like every other write; its signature only
says who it is. Messages of one device are taken one after the other (its row is locked), so a message that is
sent twice at once is stored once and answered twice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import orjson

from consent.model import Action, Purpose
from fhirmap.provenance import provenance
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.devices import jws, messages, store
from passport.devices.enrolments import Enrolment, enrolment_of
from passport.devices.quarantine import keep
from passport.devices.sifting import Believed, Doubted, Sieve
from passport.intake import write
from passport.outcomes import Conflict, PassportError, Refused
from passport.pieces import Write
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Acting, Subject

ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")  # http://hl7.org/fhir/R4/datatypes.html#id
NO_ID: Final = "-"
"""Stands for what cannot be the id of anything."""

SCOPES: Final = frozenset({"system/Observation.c", "system/Provenance.c"})

_MESSAGE: Final = b"device-message"


class Unverified(PassportError):
    """No such device, another key, or a signature that does not hold: one identical answer."""

    outcome = "refused"

    def __init__(self) -> None:
        super().__init__(401, "security", "got a message that no enrolled device signed")

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 9110, section 11.6.1: a message has to bear its device's signature."""
        return {"WWW-Authenticate": "JWS"}


@dataclass(frozen=True, slots=True)
class Sifted:
    """A batch as it was judged, in its order."""

    judged: tuple[Believed | Doubted, ...]

    @property
    def doubted(self) -> list[Doubted]:
        """What is quarantined; the same reading twice in a batch is kept once."""
        return list({each.id: each for each in self.judged if isinstance(each, Doubted)}.values())

    @property
    def observations(self) -> dict[UUID, dict[str, Any]]:
        """What is stored unless it is known already, by what it is known again."""
        believed = (each for each in self.judged if isinstance(each, Believed))
        return {identity: tree for each in believed for identity, tree in each.observations}

    def answer(self, references: dict[UUID, str]) -> bytes:
        """The answer to the message; `references` maps what was stored now or before."""
        return orjson.dumps({"results": [_result(each, references) for each in self.judged]})


def _result(judged: Believed | Doubted, references: dict[UUID, str]) -> dict[str, str]:
    if isinstance(judged, Doubted):
        told = {"status": "quarantined", "reason": judged.reason}
        return told if judged.text is None else {**told, "text": judged.text}
    return {"status": "stored", "reference": references[judged.observations[0][0]]}


async def receive(runtime: Runtime, device_id: str, body: bytes) -> bytes:
    """Take a message that a device sent to its own address; return the answer as JSON.

    Raises:
        Unverified: it is not by this device, or there is no such device.
        Refused: the device is not active, or its person's consents do not let it store this.
        Invalid: the signed payload is not a batch.
        Conflict: the counter was used for other bytes.
    """
    device = f"Device/{device_id if ID.fullmatch(device_id) else NO_ID}"
    signed = jws.read(body)
    request = Request(
        Action.COLLECT, "create", recorded("POST", f"devices/{device_id}/readings"), device, "write"
    )
    async with admitted(runtime, Acting(subject_of(device)), request) as desk:
        enrolment = await enrolment_of(desk.connection, runtime.keys.reference(device))
        named = (enrolment.key, enrolment.kid) if enrolment else (None, "")
        if not jws.verified(signed, *named) or enrolment is None:
            raise Unverified
        if enrolment.status != "active":
            raise Refused("the device is not active")
        message = messages.read(signed.payload)
        secret = runtime.ring.unwrap(enrolment.patient_key, enrolment.wrapped_key)
        digest = blake2b(signed.payload, digest_size=32, key=secret, person=_MESSAGE).digest()
        earlier = await _earlier(desk, enrolment, message.counter)
        if earlier is None:
            return await _store(desk, enrolment, message, digest, secret)
        if earlier.digest != digest:
            raise Conflict("got a counter that was used for another message")
        return bytes(earlier.answer)


def subject_of(device: str) -> Subject:
    """The subject that a device acts as: itself, at its person's request."""
    return Subject(
        kind="device",
        reference=device,
        role=None,
        client=None,
        patient_key=None,
        patient=None,
        purpose=Purpose.PATRQT,
        scopes=SCOPES,
        session_id=None,
        opened_patient_key=None,
    )


async def _earlier(desk: Desk, enrolment: Enrolment, counter: int) -> Any:
    """The message of this counter, if there is one; nobody else takes the counter until this is over."""
    place = {"patient_key": enrolment.patient_key, "device_key": enrolment.device_key}
    await fetch(desk.connection, store.LOCK, place)
    # A statement of its own: it sees what was committed while the lock was waited for.
    rows = await fetch(desk.connection, store.ANSWERED, {**place, "counter": counter})
    return next(iter(rows), None)


async def _store(
    desk: Desk, enrolment: Enrolment, message: messages.Message, digest: bytes, secret: bytes
) -> bytes:
    """Store a message that was not seen before; any number of readings costs the same statements."""
    sieve = Sieve(enrolment.patient, enrolment.device, enrolment.kinds, secret, desk.now)
    sifted = Sifted(tuple(sieve.sift(reading) for reading in message.readings))
    known = await _known(desk, enrolment, sifted)
    new = {identity: tree for identity, tree in sifted.observations.items() if identity not in known}
    stored = await _write(desk, enrolment, list(new.values()))
    references = known | dict(zip(new, stored, strict=True))
    answer = sifted.answer(references)
    await _remember(desk, enrolment, {identity: references[identity] for identity in new})
    await keep(desk, enrolment, sifted.doubted, secret)
    await fetch(
        desk.connection,
        store.ANSWER,
        {
            "patient_key": enrolment.patient_key,
            "device_key": enrolment.device_key,
            "counter": message.counter,
            "digest": digest,
            "answer": answer,
            "now": desk.now,
        },
    )
    return answer


async def _known(desk: Desk, enrolment: Enrolment, sifted: Sifted) -> dict[UUID, str]:
    """Which of the readings are stored already, and where."""
    parameters = {"patient_key": enrolment.patient_key, "readings": list(sifted.observations)}
    rows = await fetch(desk.connection, store.KNOWN, parameters)
    return {row.reading: f"Observation/{row.observation_id}" for row in rows}


async def _write(desk: Desk, enrolment: Enrolment, observations: Sequence[dict[str, Any]]) -> list[str]:
    """Write new Observations and one Provenance for them; return their references.

    Raises:
        Refused: the person's consents do not let the device store this.
    """
    if not observations:
        # Nothing is decided record by record here, so the approval itself has to stand at this instant.
        if not _stands(desk, enrolment):
            raise Refused
        await desk.audit(desk.row(enrolment.patient_key))
        return []
    # Named here, so that the Provenance goes with what it tells of in one write.
    names = [desk.runtime.new_id() for _ in observations]
    references = [f"Observation/{name}" for name in names]
    origin = provenance(references, author=enrolment.device, patient=enrolment.patient, recorded=desk.now)
    readings = [
        Write("create", "Observation", tree, id=name, confirm=False)
        for name, tree in zip(names, observations, strict=True)
    ]
    await write(desk, [*readings, Write("create", "Provenance", origin, confirm=False)])
    return references


def _stands(desk: Desk, enrolment: Enrolment) -> bool:
    relied = desk.standing.refs.get(enrolment.patient_key, ())
    return any(ref.partition("/_history/")[0] == enrolment.consent for ref in relied)


async def _remember(desk: Desk, enrolment: Enrolment, references: dict[UUID, str]) -> None:
    parameters = {
        "patient_key": enrolment.patient_key,
        "readings": list(references),
        "observation_ids": [reference.partition("/")[2] for reference in references.values()],
    }
    await fetch(desk.connection, store.REMEMBER, parameters)
