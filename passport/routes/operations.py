"""The operations as the description tells them: what each is called, what it takes, what it answers.

https://spec.openapis.org/oas/v3.1.0#operation-object
"""

from collections.abc import Mapping
from typing import Final

from fhirstore.search.query import CURSOR
from passport.routes.imports import FILES
from passport.routes.operation import Operation, json_body
from passport.routes.operations_authorization import AUTHORIZATION
from passport.routes.operations_codes import CODES
from passport.routes.operations_federation import PROVIDERS
from passport.routes.operations_fhir import FHIR_OPERATIONS, LOG, ONLY_ASKED, PAGING, REFERENCE

_JWK: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",  # RFC 7515, appendix A.3.1
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}

_SIGNED_BY_DEVICE: Final = {
    "application/jose": {"schema": {"type": "string"}, "example": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii…"}
}

_ROLE: Final = "PractitionerRole/3c0f3a52-1f0e-4c37-a1f5-52a6dbe7f0c1"

_DRAFTED: Final = {
    "patient": REFERENCE,
    "drafts": [{"resourceType": "Consent", "status": "active", "provision": "as in `POST /fhir/Consent`"}],
    "replaces": ["Consent/7f4f2f0e-6a57-4d0e-8f57-0b1c2d3e4f50"],
}

_FROM_ANYONE: Final = (400, 401)

_FOR: Final = {"patient": "for whom I act, `Patient/…`; without it for myself"}

_SHOWN: Final = {
    "preset": "three-months",
    "language": "ja",
    "version": "1",
    "hash": "of the wording that was shown, see `GET /sharing/presets`",
}

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/healthz", "get"): Operation("Whether the process answers", errors=()),
    ("/readyz", "get"): Operation("Whether the service can serve", success=(200, 503), errors=()),
    **FHIR_OPERATIONS,
    **PROVIDERS,
    **CODES,
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
    ("/.well-known/jwks.json", "get"): Operation("The keys by which receipts are verified", errors=()),
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
        json_body({"patient": REFERENCE, "model": "kaku-bp-1", "serial": "SAMPLE-1", "jwk": _JWK}),
        success=(201,),
        errors=(400, *ONLY_ASKED, 415, 422),
    ),
    ("/.well-known/device-ca.pem", "get"): Operation("The certificate of the device CA", errors=()),
    ("/devices/claims", "post"): Operation(
        "Say what a device is, signed by its key, and get the code that it shows",
        _SIGNED_BY_DEVICE,
        success=(201,),
        errors=_FROM_ANYONE,
    ),
    ("/devices/claims/state", "post"): Operation(
        "What became of a claim, for the device that opened it", _SIGNED_BY_DEVICE, errors=_FROM_ANYONE
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
    **AUTHORIZATION,
    ("/auth/sign-in", "post"): Operation(
        "A token for a person, by login and code",
        json_body({"login": "operator-1", "code": "XXXXX-XXXXX-XXXXX-XXXXX", "purpose": "HOPERAT"}),
        errors=(*_FROM_ANYONE, 403),
    ),
    ("/auth/sign-out", "post"): Operation("End my session", success=(204,), errors=(401,)),
    ("/auth/break-glass", "post"): Operation(
        "Open one patient's records in an emergency; the patient is told",
        json_body({"patient": REFERENCE, "reason": "4 to 500 characters: why now, without consent"}),
        errors=(400, *ONLY_ASKED),
    ),
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
    ("/auth/clients/{client_id}", "put"): Operation(
        "Propose what is registered of a client, for another operator to approve; `active: false` ends it (operator)",
        json_body(
            {
                "name": "見本薬局",
                "subject": "Organization/24576530-8da4-4886-9106-3e06b58167b6",
                "jwks": {"keys": [{**_JWK, "kid": "2026-11"}]},
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
