"""Storing the readings of a message: what is believed becomes Observations, once, whatever brings it again.

https://hl7.org/fhir/R4/provenance.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from fhirmap.provenance import provenance
from passport.admission import Desk
from passport.devices import messages, store
from passport.devices.enrolments import Enrolment
from passport.devices.quarantine import keep
from passport.devices.sifting import Believed, Doubted, Sieve
from passport.intake import write
from passport.outcomes import Refused
from passport.pieces import Write
from passport.sql import fetch


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


async def stored(
    desk: Desk, enrolment: Enrolment, message: messages.Message, digest: bytes, secret: bytes
) -> bytes:
    """Store a message that was not seen before, and return its answer; any number of readings costs as much.

    Raises:
        Refused: the person's consents do not let the device store this.
    """
    sieve = Sieve(enrolment.patient, enrolment.device, enrolment.kinds, secret, desk.now)
    sifted = Sifted(tuple(sieve.sift(reading) for reading in message.readings))
    known = await _known(desk, enrolment, sifted)
    new = {identity: tree for identity, tree in sifted.observations.items() if identity not in known}
    references = known | dict(zip(new, await _write(desk, enrolment, list(new.values())), strict=True))
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
    origin = provenance(
        # What the device signed is the first version; of what is made of it later others tell.
        [f"{reference}/_history/1" for reference in references],
        author=enrolment.device,
        patient=enrolment.patient,
        recorded=desk.now,
        assembler=enrolment.gateway.device if enrolment.gateway else None,
    )
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
