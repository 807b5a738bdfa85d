"""An emergency physician breaks the glass, and everybody who should know of it does."""

from typing import Any, Final

from passport.demo.client import Caller, granted
from passport.demo.story.scene import NOTHING, Got, Scene, Step, refused, shown

REASON: Final = "意識障害で救急搬送。アレルギーと内服薬を確かめるため（架空の訓練）"
BREAK_GLASS: Final = "/auth/break-glass"


def without_reason(scene: Scene) -> Got:
    """The emergency physician gives no reason."""
    return refused(
        scene.callers["emergency_physician"].post(BREAK_GLASS, {"patient": scene.patient, "reason": ""})
    )


def break_glass(scene: Scene) -> Got:
    """The emergency physician gives a reason and gets a token for this one resident."""
    asked = {"patient": scene.patient, "reason": REASON}
    answer = scene.callers["emergency_physician"].post(BREAK_GLASS, asked)
    scene.kept["opening"] = granted(answer).json()["access_token"]
    return Got(answer.status_code, "a token for this resident")


def opened(kind: str) -> Step:
    """A search with that token."""

    def step(scene: Scene) -> Got:
        seen, own = _seen(scene, kind, scene.patient), scene.ids("resident", kind)
        return shown(seen, own)

    return step


def neighbour(scene: Scene) -> Got:
    """A search with that token for somebody else."""
    seen = _seen(scene, "AllergyIntolerance", scene.neighbour)
    return Got(200, f"{len(seen)} of another resident" if seen else NOTHING)


def who_looked(scene: Scene) -> Got:
    """The resident reads who saw something, and under which consent."""
    under = {
        name: f"Consent/{scene.kept[consent]}/"
        for name, consent in (("physician", "granted"), ("telemedicine", "shared"))
    }
    looks = _looks(scene)
    explained = all(
        any(
            _by(scene, look, name)
            and look["records"]
            and any(grant.startswith(consent) for grant in look["grants"])
            for look in looks
        )
        for name, consent in under.items()
    )
    return Got(200, "each look with its consent" if explained else "a look without its consent")


def emergency_on_record(scene: Scene) -> Got:
    """The resident reads of the emergency among them."""
    found = any(
        _by(scene, look, "emergency_physician") and look["purpose"] == "BTG" and look["records"]
        for look in _looks(scene)
    )
    return Got(200, "the emergency physician, purpose BTG" if found else NOTHING)


def audited(scene: Scene) -> Got:
    """The auditor finds the emergency in the log, as FHIR."""
    events = scene.callers["auditor"].found("AuditEvent", patient=scene.patient)
    codes = (
        coding["code"]
        for event in events
        for purpose in event.get("purposeOfEvent", ())
        for coding in purpose.get("coding", ())
    )
    return Got(200, "the emergency" if "BTG" in codes else NOTHING)


def _seen(scene: Scene, kind: str, patient: str) -> frozenset[str]:
    with Caller(scene.people.base_url, scene.kept["opening"]) as caller:
        return frozenset(resource["id"] for resource in caller.found(kind, patient=patient))


def _looks(scene: Scene) -> list[dict[str, Any]]:
    answer = granted(scene.callers["resident"].get("/audit/accesses", patient=scene.patient))
    looks: list[dict[str, Any]] = answer.json()
    return looks


def _by(scene: Scene, look: dict[str, Any], name: str) -> bool:
    return scene.persona(name).reference in {look["who"], look["role"]}
