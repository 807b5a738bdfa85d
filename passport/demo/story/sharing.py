"""The resident shares and takes back; the physician asks, sees exactly that, and then nothing again."""

from datetime import timedelta

import httpx

from passport.demo import consents
from passport.demo.client import granted
from passport.demo.story.scene import BLOOD_PRESSURE, Got, Scene, Step


def read_by_id(scene: Scene) -> Got:
    """The physician reads a blood pressure by its id, and one that never existed."""
    known = scene.kept.setdefault("known", min(scene.ids("resident", "Observation", BLOOD_PRESSURE)))
    physician = scene.callers["physician"]
    denied = physician.get(f"/fhir/Observation/{known}")
    unknown = physician.get(f"/fhir/Observation/{known[::-1]}")
    same = (denied.status_code, denied.content) == (unknown.status_code, unknown.content)
    return Got(denied.status_code, "the same answer as for an unknown id" if same else "another answer")


def ask(scene: Scene) -> Got:
    """The physician writes the Consent that they would like to have, proposed."""
    physician = scene.persona("physician").reference
    last_day = (scene.began + timedelta(days=consents.GRANTED_DAYS)).date()
    wanted = consents.blood_pressure_and_medicines(scene.patient, physician, last_day, status="proposed")
    answer = scene.callers["physician"].post("/fhir/Consent", wanted)
    scene.kept["granted"] = granted(answer).json()["id"]
    return _status(answer)


def preview(scene: Scene) -> Got:
    """The resident looks, before granting the request, at what the physician would see by it."""
    resident, physician = scene.callers["resident"], scene.persona("physician").reference
    request = granted(resident.get(f"/fhir/Consent/{scene.kept['granted']}")).json()
    look = {"drafts": [request], "actor": physician, "purpose": "TREAT", "count": 0}
    answer = resident.post("/sharing/preview", look)
    told = granted(answer).json()
    counts = {one["type"]: one["total"] for one in told["counts"]}
    expected = {kind: len(scene.ids("resident", kind)) for kind in consents.MEDICINES}
    expected |= {"Observation": len(scene.ids("resident", "Observation", BLOOD_PRESSURE)), "Consent": 1}
    asked_for = counts == {kind: total for kind, total in expected.items() if total} and not told["warnings"]
    return Got(answer.status_code, "blood pressure, medicines and the request" if asked_for else str(counts))


def share(scene: Scene) -> Got:
    """The resident shares blood pressure with the telemedicine service, unasked."""
    shared = consents.blood_pressure_alone(scene.patient, scene.persona("telemedicine").reference)
    answer = scene.callers["resident"].post("/fhir/Consent", shared)
    scene.kept["shared"] = granted(answer).json()["id"]
    return _status(answer)


def turn(which: str, status: str) -> Step:
    """The resident reads a Consent as it stands and writes it back with another status."""

    def step(scene: Scene) -> Got:
        resident, path = scene.callers["resident"], f"/fhir/Consent/{scene.kept[which]}"
        current = granted(resident.get(path)).json()
        return _status(resident.put(path, {**current, "status": status}))

    return step


def _status(answer: httpx.Response) -> Got:
    return Got(answer.status_code, answer.json().get("status", "no Consent"))
