"""The story, step by step: what each persona does over HTTP, and what came back.

The steps know a persona file and nothing else. What should come back stands in `passport.demo.expectations`.
"""

from collections.abc import Mapping
from typing import Final

from passport.demo.story import emergency, reception, sharing, signing
from passport.demo.story.scene import (
    BODY_WEIGHT,
    HEART_RATE,
    Got,
    Scene,
    Step,
    medicines,
    notified,
    pressures,
    staged,
)

__all__ = ["STEPS", "Got", "Scene", "Step", "staged"]

STEPS: Final[Mapping[str, Step]] = {
    "stranger-searches": pressures("physician"),
    "stranger-reads": sharing.read_by_id,
    "asks": sharing.ask,
    "asking-gives-nothing": pressures("physician"),
    "is-told-of-the-request": notified("access-requested"),
    "previews": sharing.preview,
    "grants": sharing.turn("granted", "active"),
    "sees-pressures": pressures("physician"),
    "sees-medicines": medicines("physician"),
    "no-heart-rate": lambda scene: scene.search("physician", "Observation", HEART_RATE),
    "no-weight": lambda scene: scene.search("physician", "Observation", BODY_WEIGHT),
    "no-allergies": lambda scene: scene.search("physician", "AllergyIntolerance"),
    "colleague": pressures("physician_elsewhere"),
    "shares-with-telemedicine": sharing.share,
    "telemedicine-pressures": pressures("telemedicine"),
    "telemedicine-medicines": medicines("telemedicine"),
    "measures": signing.measure,
    "sees-the-new-one": pressures("physician"),
    "forges": signing.forge,
    "tampers": signing.tamper,
    "repeats": signing.repeat,
    "forgery-left-nothing": signing.count,
    "withdraws": sharing.turn("granted", "inactive"),
    "next-request": pressures("physician"),
    "next-medicines": medicines("physician"),
    "next-read": sharing.read_by_id,
    "telemedicine-keeps": pressures("telemedicine"),
    "makes-a-code": reception.make_code,
    "redeems": reception.redeem,
    "sees-at-the-visit": pressures("physician_elsewhere"),
    "no-allergies-at-the-visit": lambda scene: scene.search("physician_elsewhere", "AllergyIntolerance"),
    "redeems-elsewhere": reception.redeem_elsewhere,
    "reads-what-is-shared": reception.listed,
    "ends-the-visit": reception.end_visit,
    "after-the-visit": pressures("physician_elsewhere"),
    "who-looked": emergency.who_looked,
    "emergency-closed": lambda scene: scene.search("emergency_physician", "AllergyIntolerance"),
    "no-reason": emergency.without_reason,
    "breaks-the-glass": emergency.break_glass,
    "emergency-allergies": emergency.opened("AllergyIntolerance"),
    "emergency-medicines": emergency.opened("MedicationDispense"),
    "emergency-of-another": emergency.neighbour,
    "is-told": notified("emergency-opened"),
    "emergency-on-record": emergency.emergency_on_record,
    "auditor": emergency.audited,
    "auditor-sees-no-values": pressures("auditor"),
    "stops-telemedicine": sharing.turn("shared", "inactive"),
}
