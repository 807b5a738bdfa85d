"""What the story must show, step by step: the one table that the demo is held against.

The steps are carried out in `story/`; what comes back must equal `status` and `finding`, word for word.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Expectation:
    """One step: who does what, the HTTP status of the answer, and what the answer shows."""

    key: str
    who: str
    does: str
    status: int
    finding: str


EXPECTATIONS: Final = (
    Expectation("stranger-searches", "physician", "searches the resident's blood pressures", 200, "nothing"),
    Expectation(
        "stranger-reads",
        "physician",
        "reads one of them by its id",
        404,
        "the same answer as for an unknown id",
    ),
    Expectation("asks", "physician", "asks for blood pressure and medicines", 201, "proposed"),
    Expectation("asking-gives-nothing", "physician", "searches again", 200, "nothing"),
    Expectation("is-told-of-the-request", "resident", "reads the notifications", 200, "access-requested"),
    Expectation(
        "previews",
        "resident",
        "looks at what the physician would see",
        200,
        "blood pressure, medicines and the request",
    ),
    Expectation("grants", "resident", "grants the request for three months", 200, "active"),
    Expectation("sees-pressures", "physician", "searches blood pressures", 200, "all that the resident has"),
    Expectation(
        "sees-medicines", "physician", "searches dispensed medicines", 200, "all that the resident has"
    ),
    Expectation("no-heart-rate", "physician", "searches heart rates", 200, "nothing"),
    Expectation("no-weight", "physician", "searches body weights", 200, "nothing"),
    Expectation("no-allergies", "physician", "searches allergies", 200, "nothing"),
    Expectation("colleague", "physician_elsewhere", "searches blood pressures", 200, "nothing"),
    Expectation(
        "shares-with-telemedicine", "resident", "shares blood pressure with telemedicine", 201, "active"
    ),
    Expectation(
        "telemedicine-pressures", "telemedicine", "searches blood pressures", 200, "all that the resident has"
    ),
    Expectation("telemedicine-medicines", "telemedicine", "searches dispensed medicines", 200, "nothing"),
    Expectation("measures", "device", "sends a signed reading", 200, "stored"),
    Expectation(
        "sees-the-new-one", "physician", "searches blood pressures", 200, "all that the resident has"
    ),
    Expectation("forges", "device", "a stranger signs in the device's name", 401, "refused"),
    Expectation("tampers", "device", "signs other bytes under the same counter", 409, "refused"),
    Expectation("repeats", "device", "sends the first message once more", 200, "the first answer again"),
    Expectation(
        "forgery-left-nothing", "resident", "counts the blood pressures", 200, "one more than before"
    ),
    Expectation("withdraws", "resident", "withdraws what the physician was granted", 200, "inactive"),
    Expectation("next-request", "physician", "searches blood pressures at once", 200, "nothing"),
    Expectation("next-medicines", "physician", "searches dispensed medicines", 200, "nothing"),
    Expectation(
        "next-read",
        "physician",
        "reads the one from above by its id",
        404,
        "the same answer as for an unknown id",
    ),
    Expectation(
        "telemedicine-keeps", "telemedicine", "searches blood pressures", 200, "all that the resident has"
    ),
    Expectation("makes-a-code", "resident", "makes a code for today's visit", 201, "good for 15 minutes"),
    Expectation("redeems", "physician_elsewhere", "redeems it at the reception", 201, "shared"),
    Expectation(
        "sees-at-the-visit",
        "physician_elsewhere",
        "searches blood pressures",
        200,
        "all that the resident has",
    ),
    Expectation("no-allergies-at-the-visit", "physician_elsewhere", "searches allergies", 200, "nothing"),
    Expectation("redeems-elsewhere", "physician", "redeems the same code", 404, "refused"),
    Expectation(
        "reads-what-is-shared", "resident", "reads what is shared with whom", 200, "the visit, for a day"
    ),
    Expectation("ends-the-visit", "resident", "ends the visit's sharing", 200, "withdrawn"),
    Expectation("after-the-visit", "physician_elsewhere", "searches blood pressures", 200, "nothing"),
    Expectation(
        "who-looked",
        "resident",
        "reads who looked, and under which consent",
        200,
        "each look with its consent",
    ),
    Expectation("emergency-closed", "emergency_physician", "searches allergies", 200, "nothing"),
    Expectation("no-reason", "emergency_physician", "breaks the glass without a reason", 400, "refused"),
    Expectation(
        "breaks-the-glass",
        "emergency_physician",
        "breaks the glass with a reason",
        200,
        "a token for this resident",
    ),
    Expectation(
        "emergency-allergies",
        "emergency_physician",
        "searches allergies with it",
        200,
        "all that the resident has",
    ),
    Expectation(
        "emergency-medicines",
        "emergency_physician",
        "searches dispensed medicines with it",
        200,
        "all that the resident has",
    ),
    Expectation(
        "emergency-of-another", "emergency_physician", "searches another's allergies with it", 200, "nothing"
    ),
    Expectation("is-told", "resident", "reads the notifications", 200, "emergency-opened"),
    Expectation(
        "emergency-on-record", "resident", "reads who looked", 200, "the emergency physician, purpose BTG"
    ),
    Expectation("auditor", "auditor", "searches the audit log for the emergency", 200, "the emergency"),
    Expectation("auditor-sees-no-values", "auditor", "searches blood pressures", 200, "nothing"),
    Expectation("stops-telemedicine", "resident", "withdraws what telemedicine was granted", 200, "inactive"),
)
