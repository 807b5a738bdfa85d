"""The resident shows a code at a reception where nobody knows them: today's visit is shared, and nothing after it."""

from datetime import datetime, timedelta
from typing import Any, Final

from passport.demo.client import granted
from passport.demo.story.scene import NOTHING, Got, Scene, refused

SHARED: Final = ("vital-signs", "medicines")
PRESET: Final = "visit"


def make_code(scene: Scene) -> Got:
    """The resident reads what today's visit means, and gets a code for it."""
    resident = scene.callers["resident"]
    wording = granted(resident.get("/sharing/presets")).json()["presets"][PRESET]["ja"]
    shown = {"language": "ja", "version": wording["version"], "hash": wording["hash"]}
    offer = {"kind": "share", "preset": PRESET, "categories": list(SHARED), **shown}
    answer = resident.post("/sharing/codes", offer)
    code = granted(answer).json()
    scene.kept["code"] = code["user_code"]
    return Got(answer.status_code, f"good for {code['expires_in'] // 60} minutes")


def redeem(scene: Scene) -> Got:
    """The physician of the other hospital types it in at the reception."""
    answer = scene.callers["physician_elsewhere"].post("/sharing/redemptions", _typed(scene))
    redeemed = granted(answer).json()
    scene.kept["visit"] = redeemed["consent"].removeprefix("Consent/")
    return Got(answer.status_code, "shared" if redeemed["patient"] == scene.patient else "another's passport")


def redeem_elsewhere(scene: Scene) -> Got:
    """Somebody of another hospital overheard it."""
    return refused(scene.callers["physician"].post("/sharing/redemptions", _typed(scene)))


def listed(scene: Scene) -> Got:
    """The resident reads with whom they share, and until when."""
    answer = granted(scene.callers["resident"].get("/sharing/grants", state="active"))
    for given in answer.json():
        if given["id"] == scene.kept["visit"]:
            ends = datetime.fromisoformat(given["until"])
            within = scene.began < ends <= scene.began + timedelta(hours=25)
            return Got(answer.status_code, "the visit, for a day" if within else given["text"]["en"])
    return Got(answer.status_code, NOTHING)


def end_visit(scene: Scene) -> Got:
    """The resident leaves, and ends it before its day is over."""
    answer = scene.callers["resident"].post(f"/sharing/grants/{scene.kept['visit']}/withdraw")
    return Got(answer.status_code, granted(answer).json()["state"])


def _typed(scene: Scene) -> dict[str, Any]:
    return {"user_code": scene.kept["code"].lower()}
