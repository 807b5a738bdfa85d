"""Sifting a batch: which readings can be believed, and why the others cannot.

https://hl7.org/fhir/R4/observation-vitalsigns.html

A reading is known again by what was measured, when, and by which device, whatever number its message
bears and however its time was written. The digest is keyed with the person's own key: without it it tells nothing.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID

import orjson

from fhirmap.errors import MalformedReading
from fhirmap.observation import to_observations
from fhirmap.plausibility import implausible
from fhirmap.reading import Absent, Measured, Reading
from fhirmap.submitted import parse_reading
from fhirmap.units import convert
from fhirstore.parse import Tree, serialise

UNDECODABLE: Final = "undecodable"
NOT_OF_MODEL: Final = "kind-not-of-model"
"""Reasons beside those of `fhirmap.plausibility`."""

_READING: Final = b"device-reading"
_DOUBTED: Final = b"device-doubt"
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Believed:
    """A reading and the Observations that it becomes: its own first, then those of its companions."""

    observations: tuple[tuple[UUID, Tree], ...]


@dataclass(frozen=True, slots=True)
class Doubted:
    """A reading that is kept apart, as it was sent; `reason` is a stable code and holds no value.

    `text` names the member that cannot be read, for whoever writes the sender; it holds no value either.
    """

    id: UUID
    reason: str
    content: bytes
    text: str | None = None


def unread(tree: Tree) -> str | None:
    """What of a reading cannot be read, without any value of it; None where all can."""
    try:
        parse_reading(tree)
    except MalformedReading as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class Sieve:
    """By what the readings of one message are judged: whose they are, and what their device may send.

    `secret` is the person's own key, `kinds` are the readings of the device's model.
    """

    patient: str
    device: str
    kinds: frozenset[str]
    secret: bytes
    now: datetime

    def sift(self, tree: Tree) -> Believed | Doubted:
        """Judge one reading as it was sent."""
        try:
            reading = parse_reading(tree)
        except MalformedReading as error:
            return replace(self._doubted(tree, UNDECODABLE), text=str(error))
        if not {each.vital.type for each in (reading, *reading.companions)} <= self.kinds:
            return self._doubted(tree, NOT_OF_MODEL)
        reason = implausible(reading, self.now)
        return self._believed(reading) if reason is None else self._doubted(tree, reason.code)

    def _believed(self, reading: Reading) -> Believed:
        observations = to_observations(
            reading,
            patient=self.patient,
            device=self.device,
            issued=self.now.isoformat(timespec="milliseconds"),
        )
        readings = (reading, *reading.companions)
        ids = (self._id(_READING, self._measured(each)) for each in readings)
        return Believed(tuple(zip(ids, observations, strict=True)))

    def _doubted(self, tree: Tree, reason: str) -> Doubted:
        content = serialise(tree)
        return Doubted(self._id(_DOUBTED, self.device.encode() + content), reason, content)

    def _measured(self, reading: Reading) -> bytes:
        at = reading.time.at.astimezone(UTC).isoformat() if reading.time else None
        values = [[each.measurand.name, _value(each)] for each in reading.values]
        return orjson.dumps([self.device, reading.vital.type, at, values])

    def _id(self, person: bytes, content: bytes) -> UUID:
        return UUID(
            bytes=blake2b(content, digest_size=_DIGEST_BYTES, key=self.secret, person=person).digest()
        )


def _value(measured: Measured) -> str:
    """A value as it compares: in the unit that is stored, without the zeros that only tell its precision."""
    if isinstance(measured.value, Absent):
        return measured.value.value
    return format(convert(measured.value, measured.unit).normalize(), "f")
