"""The operations as the description tells them: what each is called, what it takes, what it answers.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.operation import Operation, json_body
from passport.routes.operations_authorization import AUTHORIZATION
from passport.routes.operations_clients import CLIENTS
from passport.routes.operations_codes import CODES
from passport.routes.operations_devices import DEVICES, FROM_ANYONE
from passport.routes.operations_federation import PROVIDERS
from passport.routes.operations_fhir import FHIR_OPERATIONS, LOG, ONLY_ASKED, PAGING, REFERENCE
from passport.routes.operations_people import PEOPLE
from passport.routes.operations_sharing import SHARING

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/healthz", "get"): Operation("Whether the process answers", errors=()),
    ("/readyz", "get"): Operation("Whether the service can serve", success=(200, 503), errors=()),
    **FHIR_OPERATIONS,
    **PROVIDERS,
    **CODES,
    **SHARING,
    **PEOPLE,
    **DEVICES,
    **CLIENTS,
    ("/audit/accesses", "get"): Operation(
        "誰が見たか: who looked, when, why, and under which consent",
        parameters=LOG | {"_count": PAGING["_count"]},
        errors=(400, *ONLY_ASKED),
    ),
    ("/audit/cases", "get"): Operation(
        "My cases as an auditor, or those in which auditors looked into my log", errors=ONLY_ASKED
    ),
    ("/audit/cases", "post"): Operation(
        "Open a case: for eight hours I see what the requests that it names asked for (auditor)",
        json_body(
            {"reason": "苦情 2026-17 の確認", "patient": REFERENCE, "from": "2026-11-01", "to": "2026-11-22"}
        ),
        success=(201,),
        errors=(400, *ONLY_ASKED, 404),
    ),
    ("/audit/cases/{case_id}/close", "post"): Operation(
        "Close a case before its time", errors=(400, *ONLY_ASKED, 404)
    ),
    ("/.well-known/jwks.json", "get"): Operation("The keys by which receipts are verified", errors=()),
    **AUTHORIZATION,
    ("/auth/sign-in", "post"): Operation(
        "A token for a person, by login and code",
        json_body({"login": "operator-1", "code": "XXXXX-XXXXX-XXXXX-XXXXX", "purpose": "HOPERAT"}),
        errors=(*FROM_ANYONE, 403),
    ),
    ("/auth/sign-out", "post"): Operation("End my session", success=(204,), errors=(401,)),
    ("/auth/break-glass", "post"): Operation(
        "Open one patient's records in an emergency; the patient is told",
        json_body({"patient": REFERENCE, "reason": "4 to 500 characters: why now, without consent"}),
        errors=(400, *ONLY_ASKED),
    ),
}
