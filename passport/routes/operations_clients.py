"""The operations of clients as the description tells them.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.operation import Operation, json_body
from passport.routes.operations_devices import JWK
from passport.routes.operations_fhir import ONLY_ASKED, REFERENCE

CLIENTS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/auth/clients/{client_id}", "put"): Operation(
        "Propose what is registered of a client, for another operator to approve; `active: false` ends it (operator)",
        json_body(
            {
                "name": "見本薬局",
                "subject": "Organization/24576530-8da4-4886-9106-3e06b58167b6",
                "jwks": {"keys": [{**JWK, "kid": "2026-11"}]},
                "purposes": ["TREAT"],
            }
        ),
        success=(200, 202),
        errors=(400, *ONLY_ASKED, 404, 409),
    ),
    ("/auth/clients/{client_id}", "get"): Operation(
        "What is registered of a client, and what is proposed beside it (operator)", errors=(*ONLY_ASKED, 404)
    ),
    ("/auth/launches", "post"): Operation(
        "Say what I have open before I open an app (clinician)",
        json_body({"patient": REFERENCE, "encounter": "Encounter/9d1f1c52-7c0e-4a25-b1a9-5a1c3b7f0e11"}),
        success=(201,),
        errors=(400, *ONLY_ASKED),
    ),
    ("/auth/clients", "get"): Operation(
        "Clients, those about which there is something to do by default (operator)",
        parameters={"state": "`waiting`, `active` or `ended`", "after": "the last id of the page before"},
        errors=(400, *ONLY_ASKED),
    ),
    ("/auth/clients/{client_id}/approve", "post"): Operation(
        "Let count what is proposed of a client (another operator than the one who proposed it)",
        json_body({"proposal": "6ed4d0b1d8e9f4a5d2c17d6d3c5a0f0f6a5d8f4b7f0c1d2e3a4b5c6d7e8f9a0b"}),
        errors=(400, *ONLY_ASKED, 404, 409),
    ),
    ("/auth/clients/{client_id}/decline", "post"): Operation(
        "Let nothing come of what is proposed of a client (operator)", errors=(*ONLY_ASKED, 404)
    ),
}
"""By address and method."""
