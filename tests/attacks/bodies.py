"""Resources and patches that a caller may send: what they may write, what they may not, and what refers to what."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests import resources as made
from tests.attacks.scene import DAYS, Scene
from tests.hospital import records_of
from tests.unit.consent.words import Json, consent_json, permit
from tests.unit.passport.devices.signing import es256

WEIGHTS: Final = "http://example.test/weights"
"""The system of the identifiers that shown and hidden weights have."""

KEY_REQUEST: Final = es256().request()
"""Of a key that no device has."""


def _observation(draw: Random, scene: Scene) -> Json:
    """Half of them are what the physician may write."""
    if draw.random() < 0.5:
        return made.weight(scene.people[0], time=draw.choice(DAYS), meta=made.labelled("N"))
    build: Callable[..., Json] = draw.choice((made.weight, made.weight, made.weight, made.pressure))
    day = draw.choice(DAYS)
    linked: dict[str, Any] = {}
    if draw.random() < 0.3:
        linked["derivedFrom"] = [made.reference(scene.record(draw, "Observation"))]
    if draw.random() < 0.3:
        linked["identifier"] = made.identifiers((WEIGHTS, day))
    label = made.labelled(draw.choice(("N", "N", "N", "R")))
    return build(scene.patient(draw), time=day, meta=label, **linked)


def _provenance(draw: Random, scene: Scene) -> Json:
    targets = [scene.record(draw) for _ in range(draw.choice((1, 1, 2)))]
    return made.provenance(*targets, agent=scene.directory[0])


def _proposal(draw: Random, scene: Scene) -> Json:
    status = draw.choice(("proposed", "proposed", "active"))
    return consent_json(permit(scene.directory[0]), scene.patient(draw), status=status)


def _of_any_type(draw: Random, scene: Scene) -> Json:
    by_type = records_of(scene.patient(draw))
    return by_type[draw.choice(sorted(by_type))]


def _medicine(draw: Random, scene: Scene) -> Json:
    build: Callable[..., Json] = draw.choice((made.statement, made.prescription, made.dispense))
    return build(scene.patient(draw), made.CANDESARTAN, time=draw.choice(DAYS))


def _bundle(draw: Random, scene: Scene) -> Json:
    return made.bundle(*(_observation(draw, scene) for _ in range(draw.choice((1, 2)))))


def _appointment(draw: Random, scene: Scene) -> Json:
    tree = records_of(scene.patient(draw))["Appointment"]
    other = {"actor": made.reference(scene.patient(draw)), "status": "accepted"}
    return {**tree, "participant": [*tree["participant"], other]}


_BODIES: Final[tuple[Callable[[Random, Scene], Json], ...]] = (
    _observation, _observation, _observation, _observation, _medicine, _provenance, _proposal, _bundle,
    _appointment, _of_any_type,
)  # fmt: skip


def body(draw: Random, scene: Scene) -> Json:
    """Some resource, now and then a broken one."""
    tree = draw.choice(_BODIES)(draw, scene)
    return {**tree, "status": "perhaps"} if draw.random() < 0.05 else tree


def body_of(draw: Random, scene: Scene, type_name: str) -> Json:
    """A resource of this type, if there are such."""
    if type_name == "Observation":
        return _observation(draw, scene)
    return records_of(scene.patient(draw)).get(type_name) or _observation(draw, scene)


def json_patch(draw: Random) -> list[Json]:
    """Changes; some of them only test."""
    choices: tuple[list[Json], ...] = (
        [{"op": "test", "path": "/status", "value": draw.choice(("final", "amended", "active"))}],
        [{"op": "replace", "path": "/status", "value": "amended"}],
        [{"op": "remove", "path": "/component/0"}],
        [{"op": "copy", "from": "/code", "path": "/bodySite"}],
        [{"op": "add", "path": "/note", "value": [{"text": "架空の注記"}]}],
    )
    return draw.choice(choices)


def fhirpath_patch(draw: Random, type_name: str) -> Json:
    """The same in the other form."""
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": f"{type_name}.status"},
        {"name": "value", "valueCode": draw.choice(("amended", "final"))},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def enrolment(draw: Random, scene: Scene, model: str) -> Json:
    """The enrolment of a device for somebody."""
    return {"patient": scene.patient(draw), "model": model, "serial": "HB-000118", "jwk": scene.pen.jwk}


def readings(draw: Random, scene: Scene) -> bytes:
    """The next signed message of the device that both worlds know, or the same once more."""
    scene.readings += draw.choice((0, 1))
    reading = {
        "type": "blood-pressure",
        "time": f"{draw.choice(DAYS)}T07:00:00+09:00",
        "systolic": draw.choice((128, 300)),
        "diastolic": 82,
    }
    return scene.pen.batch(2 + scene.readings, reading)
