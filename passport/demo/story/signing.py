"""The device measures and signs; whoever signs in its name, or changes what it signed, is refused."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from passport.demo.client import granted
from passport.demo.devices import key_of, message, new_key
from passport.demo.readings import Reading
from passport.demo.story.scene import BLOOD_PRESSURE, Got, Scene, refused

JOSE: Final = "application/jose"


def measure(scene: Scene) -> Got:
    """The resident's own cuff sends one reading."""
    scene.kept["pressures"] = len(scene.ids("resident", "Observation", BLOOD_PRESSURE))
    scene.kept["message"] = _signed(scene, [scene.reading])
    answer = _deliver(scene, scene.kept["message"])
    scene.kept["answer"] = answer.content
    return Got(answer.status_code, granted(answer).json()["results"][0]["status"])


def forge(scene: Scene) -> Got:
    """A stranger's key signs, and the message names the cuff's."""
    forged = message(new_key("P-256"), _jwk(scene)["kid"], _counter(scene) + 1, _lowered(scene))
    return refused(_deliver(scene, forged))


def tamper(scene: Scene) -> Got:
    """The cuff's own key signs other readings under a counter that was answered already."""
    return refused(_deliver(scene, _signed(scene, _lowered(scene))))


def repeat(scene: Scene) -> Got:
    """The genuine message arrives once more, as it does after a lost answer."""
    again = _deliver(scene, scene.kept["message"])
    same = again.content == scene.kept["answer"]
    return Got(again.status_code, "the first answer again" if same else "another answer")


def count(scene: Scene) -> Got:
    """The resident counts what came of all this."""
    more = len(scene.ids("resident", "Observation", BLOOD_PRESSURE)) - scene.kept["pressures"]
    return Got(200, "one more than before" if more == 1 else f"{more} more than before")


def _signed(scene: Scene, readings: Sequence[Reading]) -> bytes:
    jwk = _jwk(scene)
    return message(key_of(jwk), jwk["kid"], _counter(scene), readings)


def _deliver(scene: Scene, content: bytes) -> httpx.Response:
    device_id = scene.persona("device").reference.removeprefix("Device/")
    return scene.callers["nobody"].send(f"/devices/{device_id}/readings", content, JOSE)


def _jwk(scene: Scene) -> Mapping[str, Any]:
    return scene.persona("device").jwk or {}


def _counter(scene: Scene) -> int:
    return scene.persona("device").next_counter or 1


def _lowered(scene: Scene) -> Sequence[Reading]:
    return [{**scene.reading, "systolic": scene.reading["systolic"] - 20}]
