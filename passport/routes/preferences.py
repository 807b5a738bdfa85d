"""What the caller of a write wants back: nothing, the record, or what is to be said about it.

http://hl7.org/fhir/R4/http.html#ops
https://www.rfc-editor.org/rfc/rfc7240
"""

from typing import Final, Literal, get_args

import orjson
from fastapi import Request, Response

from passport.pieces import Written
from passport.routes.messages import fhir_response, versioned
from passport.runtime import Runtime

Returned = Literal["minimal", "representation", "OperationOutcome"]

DONE: Final = {"severity": "information", "code": "informational", "diagnostics": "done as was asked"}


def returned(request: Request) -> Returned:
    """The caller's preference; the record where none is stated, as the specification's servers do."""
    wishes = ",".join(request.headers.getlist("prefer")).replace(";", ",").split(",")
    stated = (wish.strip().replace('"', "").partition("=") for wish in wishes)
    wanted = next((value.strip() for name, _, value in stated if name.strip().lower() == "return"), "")
    return next((known for known in get_args(Returned) if known.lower() == wanted.lower()), "representation")


def outcome_of_success() -> bytes:
    """The OperationOutcome of what was carried out."""
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [DONE]})


def location(runtime: Runtime, reference: str, version: int) -> str:
    """The address of a version."""
    return f"{runtime.settings.fhir_url}/{reference}/_history/{version}"


def found_response(runtime: Runtime, reference: str) -> Response:
    """The answer to a creation whose record is there already, and is not read."""
    address = f"{runtime.settings.fhir_url}/{reference}"
    return Response(status_code=200, headers={"Cache-Control": "no-store", "Location": address})


def written_response(request: Request, runtime: Runtime, written: Written) -> Response:
    """The answer to a creation or an update."""
    headers = {
        "Location": location(runtime, written.reference, written.version),
        **versioned(request, written.version, written.last_updated),
    }
    status, wanted = 201 if written.created else 200, returned(request)
    if wanted == "minimal":
        return Response(status_code=status, headers={"Cache-Control": "no-store", **headers})
    body = written.body if wanted == "representation" else outcome_of_success()
    return fhir_response(body, headers, status=status)
