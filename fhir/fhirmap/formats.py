"""The formats that `passport map` knows, each as a function from a file to a Bundle.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from fhirmap.bundle import bundle
from fhirmap.deviations import Deviation
from fhirmap.errors import MalformedJson, MalformedReading, MappingError, UnreadableSource
from fhirmap.gatt import Decoded, decode
from fhirmap.identity import Stamp, full_url
from fhirmap.instant import Instant, parse_instant
from fhirmap.jahis.model import Person
from fhirmap.jahis.person import to_patient
from fhirmap.jahis.to_fhir import import_jahis
from fhirmap.jsonformat import Json, loads
from fhirmap.observation import to_observations
from fhirmap.plausibility import implausible
from fhirmap.reading import Reading
from fhirmap.submitted import octets, text_of

SOURCE = "file"
DEVICE_CLOCK_ZONE = timezone(timedelta(hours=9))  # for files that leave the time to the device's clock


@dataclass(frozen=True, slots=True)
class Mapped:
    """The Bundle that a file becomes, and where the file deviates from its format."""

    bundle: Json
    deviations: tuple[Deviation, ...]


def map_jahis(data: bytes) -> Mapped:
    """Map an お薬手帳 file, with the person it names as a Patient of its own.

    Raises:
        MappingError: what no person could read, or two persons in one file.
    """
    patient_url, stamped = _stand_in("Patient")
    imported = import_jahis(data, patient=patient_url, source=SOURCE)
    patient = {**to_patient(imported.person or Person(None, None, None, None)), **stamped}
    return Mapped(bundle([patient, *imported.resources]), imported.deviations)


def map_gatt(data: bytes) -> Mapped:
    """Map Bluetooth payloads: one JSON reading, a list, JSON lines, or `{"vectors": […]}`.

    A reading is `{"gatt": "2A35", "hex": …, "time": …}`; `uuid` stands for `gatt` as well. Without a
    time the clock of the device is taken, in Japanese time; without that either, the time is absent.
    Deviations name the reading by its number.

    Raises:
        MappingError: not JSON, or no reading in it that can be decoded.
    """
    patient_url, patient = _stand_in("Patient")
    device_url, device = _stand_in("Device")
    resources: list[Json] = [{"resourceType": "Patient", **patient}, {"resourceType": "Device", **device}]
    stamp, deviations = Stamp(patient_url, SOURCE), list[Deviation]()
    refusal: MappingError = UnreadableSource("got a file without any reading")
    for number, members in enumerate(_readings(data), start=1):
        try:
            record, decoded = _decoded(members)
        except MalformedReading as error:
            refusal = error
            deviations.append(Deviation(number, "?", str(error)))
            continue
        reading, found = _timed(decoded)
        deviations += [Deviation(number, record, text) for text in found]
        for observation in to_observations(reading, patient=patient_url, device=device_url):
            identifier = stamp.identifier("Observation", number, observation["code"]["text"])
            resources.append({**observation, "identifier": [identifier]})
    if len(resources) == 2:  # the stand-ins alone
        raise refusal
    return Mapped(bundle(resources), tuple(deviations))


FORMATS: dict[str, Callable[[bytes], Mapped]] = {"gatt": map_gatt, "jahis": map_jahis}


def _stand_in(resource_type: str) -> tuple[str, Json]:
    """Return the reference and the identifier of the resource that stands for an unnamed one."""
    identifier = Stamp("", SOURCE).identifier(resource_type)
    return full_url(resource_type, identifier["value"]), {"identifier": [identifier]}


def _readings(data: bytes) -> Iterator[Mapping[str, object]]:
    found: object
    try:
        found = loads(data)
    except MalformedJson:
        found = [loads(line) for line in data.splitlines() if line.strip()]
    if isinstance(found, dict):
        found = next((found[name] for name in ("vectors", "readings") if name in found), [found])
    for each in found if isinstance(found, list) else ():
        yield each if isinstance(each, dict) else {}


def _decoded(members: Mapping[str, object]) -> tuple[str, Decoded]:
    uuid = text_of(members, "uuid" if "gatt" not in members and "uuid" in members else "gatt")
    text = text_of(members, "hex")
    time = parse_instant(members["time"]) if "time" in members else None
    return uuid.upper(), decode(uuid, octets(text), time)


def _timed(decoded: Decoded) -> tuple[Reading, list[str]]:
    reading, found = decoded.reading, []
    if reading.time is None and decoded.device_time is not None:
        found.append("no time given, the clock of the device is taken in Japanese time")
        reading = _at(reading, decoded.device_time.replace(tzinfo=DEVICE_CLOCK_ZONE))
    elif reading.time is None:
        found.append("no time given, and none in the payload")
    if reading.time is not None and (reason := implausible(reading, reading.time.at)):
        found.append(reason.english)
    return reading, found


def _at(reading: Reading, at: datetime) -> Reading:
    time = Instant(at.isoformat(), at)
    return replace(reading, time=time, companions=tuple(_at(each, at) for each in reading.companions))
