"""The operations of people's registrations, emergencies, families and the city desk as the description tells them.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.operation import Operation, json_body
from passport.routes.operations_fhir import ONLY_ASKED, REFERENCE

PEOPLE: Final[Mapping[tuple[str, str], Operation]] = {
    ("/identity/duplicates", "get"): Operation(
        "Registrations that share an identifier, and of which systems (operator)",
        parameters={"after": "the place at which the page before ended"},
        errors=(400, *ONLY_ASKED),
    ),
    ("/identity/merges", "get"): Operation(
        "Which merges of registrations wait, were declined, stand and were undone (operator)",
        errors=ONLY_ASKED,
    ),
    ("/identity/merges", "post"): Operation(
        "Ask another operator to merge two registrations of one person; the person alone sees more by it",
        json_body(
            {
                "survivor": REFERENCE,
                "duplicate": "Patient/0b1c9c52-55c6-4a86-bf35-1d4e1f8a9a77",
                "reason": "4 to 500 characters: how it is known that both are one person",
            }
        ),
        success=(201,),
    ),
    ("/identity/merges/{merge_id}/confirm", "post"): Operation(
        "Agree to a merge that another operator asked for", errors=(*ONLY_ASKED, 404, 409)
    ),
    ("/identity/merges/{merge_id}/decline", "post"): Operation(
        "Let nothing come of a merge that was asked for (operator)", errors=(*ONLY_ASKED, 404, 409)
    ),
    ("/identity/merges/{merge_id}/undo", "post"): Operation("Separate two registrations again (operator)"),
    ("/emergencies", "get"): Operation(
        "Who opened my passport in an emergency, why, until when, and what an auditor found of it",
        errors=ONLY_ASKED,
    ),
    ("/emergencies/{opening_id}/end", "post"): Operation(
        "End an emergency opening of my passport at once", errors=(*ONLY_ASKED, 404)
    ),
    ("/emergencies/bars", "post"): Operation(
        "Bar emergencies from my passport, or from some of its records; withdraw the Consents to take it back",
        json_body({"categories": ["medicines", "Condition"]}),
        success=(201,),
        errors=(400, *ONLY_ASKED),
    ),
    ("/emergencies/reviews", "get"): Operation(
        "Openings that wait for review, the oldest first (auditor)",
        parameters={"state": "`waiting`, `overdue` or `reviewed`"},
        errors=(400, *ONLY_ASKED),
    ),
    ("/emergencies/reviews/{opening_id}", "get"): Operation(
        "One opening with every request that was made by it (auditor)", errors=(*ONLY_ASKED, 404)
    ),
    ("/emergencies/reviews/{opening_id}", "post"): Operation(
        "Say, once, whether an opening was justified; the patient is told (auditor)",
        json_body(
            {
                "verdict": "justified",
                "comment": "4 to 1000 characters: what was looked at, and what was found",
            }
        ),
        success=(201,),
    ),
    ("/family", "get"): Operation("Who acts for me, or did", errors=ONLY_ASKED),
    ("/family/proxies", "post"): Operation(
        "Let somebody act for me; their sign-in code is shown this once",
        json_body(
            {
                "name": "見本 春子",
                "relationship": "child",
                "categories": ["medicines", "vital-signs"],
                "decides": False,
                "until": "2027-03-31",
            }
        ),
        success=(201,),
        errors=(400, *ONLY_ASKED),
    ),
    ("/family/proxies/{proxy_id}/end", "post"): Operation(
        "Let somebody act for me no more: grants, code and sessions end in one step",
        errors=(*ONLY_ASKED, 404),
    ),
    ("/desk/matters", "get"): Operation("What waits for a second clerk (clerk)", errors=ONLY_ASKED),
    ("/desk/matters", "post"): Operation(
        "Enter a `consent`, `withdrawal`, `guardian`, `statement`, `sign-in` or `recovery`; a second clerk decides",
        json_body(
            {
                "kind": "consent",
                "patient": REFERENCE,
                "grant": {
                    "recipient": "Organization/24576530-8da4-4886-9106-3e06b58167b6",
                    "purpose": "TREAT",
                    "categories": ["medicines"],
                    "preset": "three-months",
                },
                "scan": {"contentType": "image/jpeg", "data": "/9j/4AAQSkZJRg…"},
            }
        ),
        success=(201,),
    ),
    ("/desk/matters/{matter_id}", "get"): Operation(
        "A matter, with what was entered as long as it waits (clerk)", errors=(*ONLY_ASKED, 404)
    ),
    ("/desk/matters/{matter_id}/confirm", "post"): Operation(
        "Agree to what another clerk entered (clerk)", errors=(*ONLY_ASKED, 404)
    ),
    ("/desk/matters/{matter_id}/decline", "post"): Operation(
        "Let nothing come of what was entered (clerk)", errors=(*ONLY_ASKED, 404)
    ),
    ("/desk/matters/{matter_id}/receipt", "get"): Operation(
        "The receipt of a consent on paper as a page to be printed: for its patient, and an hour long for the desk",
        errors=(401, 404),
    ),
    ("/desk/guardianships/{proxy_id}/end", "post"): Operation(
        "Let a guardian act no more, before the child is of age (clerk)", errors=(*ONLY_ASKED, 404)
    ),
}
"""By address and method."""
