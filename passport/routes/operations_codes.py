"""The operations of sign-in codes as the description tells them.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.operation import Operation, json_body
from passport.routes.operations_fhir import ONLY_ASKED, REFERENCE

CODES: Final[Mapping[tuple[str, str], Operation]] = {
    ("/auth/sign-in-codes", "post"): Operation(
        "Hand out a sign-in code, shown this once; a further one of somebody who signs in waits (operator)",
        json_body({"login": "hanako", "subject": REFERENCE, "purposes": ["PATRQT"]}),
        success=(201,),
        errors=(400, *ONLY_ASKED, 409),
    ),
    ("/auth/sign-in-codes", "get"): Operation(
        "Codes that wait for another operator: for whom, and by whom (operator)",
        parameters={"after": "the last login of the page before"},
        errors=ONLY_ASKED,
    ),
    ("/auth/sign-in-codes/{login}/confirm", "post"): Operation(
        "Let a code be good that waits (another operator than the one who handed it out)",
        json_body({"proposal": "6ed4d0b1d8e9f4a5d2c17d6d3c5a0f0f6a5d8f4b7f0c1d2e3a4b5c6d7e8f9a0b"}),
        errors=(400, *ONLY_ASKED, 404, 409),
    ),
    ("/auth/sign-in-codes/{login}/decline", "post"): Operation(
        "Let nothing come of a code that waits; the one that is good goes on (operator)",
        errors=(*ONLY_ASKED, 404),
    ),
    ("/auth/sign-in-codes/{login}", "delete"): Operation(
        "Take a sign-in code back (operator)", success=(204,), errors=(*ONLY_ASKED, 404)
    ),
}
"""By address and method."""
