"""The operations of devices and imports as the description tells them.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.imports import FILES
from passport.routes.operation import Operation, json_body
from passport.routes.operations_fhir import ONLY_ASKED, PAGING, REFERENCE

JWK: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",  # RFC 7515, appendix A.3.1
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}

_SIGNED_BY_DEVICE: Final = {
    "application/jose": {"schema": {"type": "string"}, "example": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii…"}
}

FROM_ANYONE: Final = (400, 401)

DEVICES: Final[Mapping[tuple[str, str], Operation]] = {
    ("/devices", "get"): Operation("My devices and how they stand", errors=ONLY_ASKED),
    ("/devices/models", "get"): Operation("Which models can be enrolled", errors=(401,)),
    ("/devices/models/{model}", "put"): Operation(
        "Register a model (device approver)",
        json_body(
            {"manufacturer": "見本計器", "display": "上腕式血圧計 見本1", "readings": ["blood-pressure"]}
        ),
        success=(200, 201),
        errors=(400, *ONLY_ASKED),
    ),
    ("/devices/enrolments", "post"): Operation(
        "Enrol a device; it waits for its person's approval",
        json_body({"patient": REFERENCE, "model": "kaku-bp-1", "serial": "SAMPLE-1", "jwk": JWK}),
        success=(201,),
        errors=(400, *ONLY_ASKED, 415, 422),
    ),
    ("/.well-known/device-ca.pem", "get"): Operation("The certificate of the device CA", errors=()),
    ("/devices/claims", "post"): Operation(
        "Say what a device is, signed by its key, and get the code that it shows",
        _SIGNED_BY_DEVICE,
        success=(201,),
        errors=FROM_ANYONE,
    ),
    ("/devices/claims/state", "post"): Operation(
        "What became of a claim, for the device that opened it", _SIGNED_BY_DEVICE, errors=FROM_ANYONE
    ),
    ("/devices/claims/redeem", "post"): Operation(
        "Enrol the device that shows a code; it waits for its person's approval",
        json_body({"code": "7Q2M-4XZK"}),
        success=(201,),
        errors=(400, *ONLY_ASKED, 404, 415, 422),
    ),
    ("/devices/{device_id}/certificate", "post"): Operation(
        "Certify a key of the device, asked for by its enrolled key",
        {
            "application/pkcs10": {"schema": {"type": "string", "format": "binary"}},
            **_SIGNED_BY_DEVICE,
        },
        success=(201,),
        errors=(400, *ONLY_ASKED),
    ),
    ("/devices/quarantine", "get"): Operation(
        "My readings that could not be believed, newest first",
        parameters={
            "_count": PAGING["_count"],
            "before": "where the page before ended, as its `Link` says",
        },
        errors=(400, *ONLY_ASKED),
    ),
    ("/devices/{device_id}/readings", "post"): Operation(
        "Deliver a batch of readings, signed by the device",
        _SIGNED_BY_DEVICE,
        errors=(400, *ONLY_ASKED),
    ),
    ("/devices/{device_id}/{verb}", "post"): Operation("Approve, suspend, resume or revoke a device"),
    ("/imports", "post"): Operation(
        "Hand over an お薬手帳 file",
        {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES},
        success=(202,),
        errors=(400, *ONLY_ASKED, 415, 429),
    ),
    ("/imports/{import_id}", "get"): Operation("What became of a file", errors=(401, 404)),
}
"""By address and method."""
