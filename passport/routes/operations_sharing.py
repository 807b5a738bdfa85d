"""The operations of what people share as the description tells them.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Final

from fhirstore.search.query import CURSOR
from passport.routes.operation import Operation, json_body
from passport.routes.operations_fhir import ONLY_ASKED, PAGING, REFERENCE

_ROLE: Final = "PractitionerRole/3c0f3a52-1f0e-4c37-a1f5-52a6dbe7f0c1"

_DRAFTED: Final = {
    "patient": REFERENCE,
    "drafts": [{"resourceType": "Consent", "status": "active", "provision": "as in `POST /fhir/Consent`"}],
    "replaces": ["Consent/7f4f2f0e-6a57-4d0e-8f57-0b1c2d3e4f50"],
}

_FOR: Final = {"patient": "for whom I act, `Patient/…`; without it for myself"}

_SHOWN: Final = {
    "preset": "three-months",
    "language": "ja",
    "version": "1",
    "hash": "of the wording that was shown, see `GET /sharing/presets`",
}

SHARING: Final[Mapping[tuple[str, str], Operation]] = {
    ("/sharing/preview", "post"): Operation(
        "What somebody would see if I saved these Consents: counts, records, and rules that do nothing",
        json_body({**_DRAFTED, "actor": _ROLE, "purpose": "TREAT", "count": 20}),
        errors=(400, *ONLY_ASKED, 429),
    ),
    ("/sharing/changes", "post"): Operation(
        "What saving these Consents would change, and for whom",
        json_body(_DRAFTED),
        errors=(400, *ONLY_ASKED, 429),
    ),
    ("/sharing/explain", "get"): Operation(
        "Who can see a record of mine and why; or which consents an access in my log meets, and why",
        parameters={
            "record": "a record of mine, such as `Observation/…`",
            "access": "the id of an AuditEvent of my own log",
            "patient": "for whom I act, `Patient/…`; without it for myself",
        },
    ),
    ("/sharing/receipts", "get"): Operation(
        "Which of my consents I have a receipt of, the newest first", errors=ONLY_ASKED
    ),
    ("/sharing/receipts/{consent_id}", "get"): Operation(
        "The receipt of a consent, signed: a JWS, or with `Accept: application/json` beside what it says",
        parameters={"version": "the version that gave or withdrew it, by default the last of these"},
        errors=(*ONLY_ASKED, 404),
    ),
    ("/sharing/presets", "get"): Operation(
        "For how long people share, and the wording to be shown for it", errors=()
    ),
    ("/sharing/requests", "post"): Operation(
        "Ask somebody for access by their code or identifier; one answer, whether they are here or not",
        json_body(
            {
                "user_code": "K7QM-2XWD",
                "purpose": "TREAT",
                "categories": ["vital-signs", "medicines"],
                "until": "2099-03-31",
                "reason": "4 to 500 characters: why, as the person will read it",
            }
        ),
        success=(202,),
        errors=(400, *ONLY_ASKED, 429),
    ),
    ("/sharing/requests", "get"): Operation(
        "The requests that wait for my answer; of whoever asks, those that they put",
        parameters=_FOR,
        errors=(400, *ONLY_ASKED),
    ),
    ("/sharing/requests/{request_id}", "get"): Operation("How a request stands"),
    ("/sharing/requests/{request_id}/grant", "post"): Operation(
        "Grant a request, as it was asked or with changes",
        json_body(_SHOWN),
        errors=(400, *ONLY_ASKED, 404, 409, 412),
    ),
    ("/sharing/requests/{request_id}/decline", "post"): Operation(
        "Decline a request", errors=(400, *ONLY_ASKED, 404, 409, 412)
    ),
    ("/sharing/requests/{request_id}/withdraw", "post"): Operation(
        "Take back a request of mine that nobody answered", errors=(*ONLY_ASKED, 404, 409)
    ),
    ("/sharing/codes", "post"): Operation(
        "Give me a code to show: by `request` I am asked, with `share` whoever redeems it first is granted this",
        json_body({"kind": "share", **_SHOWN, "categories": ["vital-signs", "medicines"]}),
        success=(201,),
        errors=(400, *ONLY_ASKED, 409),
    ),
    ("/sharing/codes/{code_id}", "delete"): Operation(
        "Take a code back that nobody used", parameters=_FOR, success=(204,)
    ),
    ("/sharing/redemptions", "post"): Operation(
        "Redeem a share code at the reception, for the organization of my role",
        json_body({"user_code": "K7QM-2XWD-9TBC"}),
        success=(200, 201),
        errors=(400, *ONLY_ASKED, 404, 429),
    ),
    ("/sharing/grants", "get"): Operation(
        "What I share with whom and until when, in words",
        parameters=_FOR | {"state": "`active`, `upcoming`, `ended` or `withdrawn`"},
        errors=(400, *ONLY_ASKED),
    ),
    ("/sharing/grants", "post"): Operation(
        "Share with somebody unasked",
        json_body(
            {
                "recipient": "Organization/24576530-8da4-4886-9106-3e06b58167b6",
                "purpose": "TREAT",
                "categories": ["person", "medicines"],
                **_SHOWN,
            }
        ),
        success=(201,),
        errors=(400, *ONLY_ASKED, 404, 409),
    ),
    ("/sharing/grants/{consent_id}/withdraw", "post"): Operation(
        "Stop sharing", errors=(*ONLY_ASKED, 404, 409)
    ),
    ("/notifications", "get"): Operation(
        "What I was told, newest first",
        parameters={"_count": PAGING["_count"], CURSOR: "where the page before ended, as its `Link` says"},
        errors=(400, *ONLY_ASKED),
    ),
}
"""By address and method."""
