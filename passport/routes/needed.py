"""What each address outside of `/fhir` needs of a session by which an app acts, or that was narrowed.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

One table, asked before anything else is (`passport.admission`). An address that is missing here is for one's own
sessions alone, and fails `test_every_address_says_what_a_session_needs`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import Request

from passport.identity.record_scopes import ALL_TYPES
from passport.imports.handover import HANDING_OVER, RECORDS
from passport.needs import Kept, Needs, Scoped

_CONSENT: Final = ("Consent",)
_DEVICE: Final = ("Device",)
_LOG: Final = ("AuditEvent",)
_FHIR: Final = "/fhir"

_LOOKING: Final = Scoped("s", _CONSENT)
_GIVING: Final = Scoped("c", _CONSENT)
_CHANGING: Final = Scoped("u", _CONSENT)

_OWN: Final = (
    # Offices of the city.
    ("POST", "/auth/sign-in-codes"),
    ("GET", "/auth/sign-in-codes"),
    ("POST", "/auth/sign-in-codes/{login}/confirm"),
    ("POST", "/auth/sign-in-codes/{login}/decline"),
    ("DELETE", "/auth/sign-in-codes/{login}"),
    ("GET", "/auth/clients"),
    ("GET", "/auth/clients/{client_id}"),
    ("PUT", "/auth/clients/{client_id}"),
    ("POST", "/auth/clients/{client_id}/approve"),
    ("POST", "/auth/clients/{client_id}/decline"),
    ("GET", "/auth/providers"),
    ("PUT", "/auth/providers/{provider_id}"),
    ("POST", "/auth/providers/{provider_id}/approve"),
    ("POST", "/auth/providers/{provider_id}/end"),
    ("POST", "/auth/providers/{provider_id}/links"),
    ("POST", "/auth/providers/{provider_id}/links/{link_id}/confirm"),
    ("GET", "/desk/matters"),
    ("POST", "/desk/matters"),
    ("GET", "/desk/matters/{matter_id}"),
    ("POST", "/desk/matters/{matter_id}/confirm"),
    ("POST", "/desk/matters/{matter_id}/decline"),
    ("GET", "/desk/matters/{matter_id}/receipt"),
    ("POST", "/desk/guardianships/{proxy_id}/end"),
    ("PUT", "/devices/models/{model}"),
    ("POST", "/audit/cases"),
    ("POST", "/audit/cases/{case_id}/close"),
    ("GET", "/emergencies/reviews"),
    ("GET", "/emergencies/reviews/{opening_id}"),
    ("POST", "/emergencies/reviews/{opening_id}"),
    ("GET", "/identity/duplicates"),
    ("GET", "/identity/merges"),
    ("POST", "/identity/merges"),
    ("POST", "/identity/merges/{merge_id}/confirm"),
    ("POST", "/identity/merges/{merge_id}/decline"),
    ("POST", "/identity/merges/{merge_id}/undo"),
    # What is done in person.
    ("GET", "/auth/sessions"),
    ("POST", "/auth/sessions/{session_id}/end"),
    ("POST", "/family/proxies"),
    ("POST", "/family/proxies/{proxy_id}/end"),
)

_TOKENLESS: Final = (
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/sign-in"),
    ("GET", "/recover"),
    ("GET", "/home"),
    ("GET", "/home/sessions"),
    ("GET", "/home/devices"),
    ("GET", "/home/passkeys"),
    ("GET", "/home/token"),
    ("GET", "/device"),
    ("GET", "/assets/{name}"),
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/device-ca.pem"),
    ("GET", "/sharing/presets"),
    ("POST", "/auth/token"),
    ("POST", "/auth/par"),
    ("GET", "/auth/authorize"),
    ("POST", "/auth/authorize"),
    ("POST", "/auth/authorize/decision"),
    ("POST", "/auth/introspect"),
    ("POST", "/auth/revoke"),
    ("POST", "/auth/register"),
    ("GET", "/auth/federation"),
    ("GET", "/auth/federation/{provider_id}/start"),
    ("GET", "/auth/federation/{provider_id}/back"),
    ("GET", "/auth/federation/waiting"),
    ("POST", "/auth/federation/link"),
    ("POST", "/auth/federation/role"),
    ("GET", "/auth/federation/accounts"),
    ("POST", "/auth/federation/accounts/{link_id}/end"),
    ("GET", "/auth/federation/attributes"),
    ("POST", "/auth/federation/attributes"),
    ("POST", "/auth/federation/attributes/{provider}/{name}/forget"),
    ("GET", "/auth/qualifications"),
    ("POST", "/auth/qualifications/challenge"),
    ("POST", "/auth/qualifications"),
    ("POST", "/auth/login/token"),
    ("POST", "/auth/passkeys/challenge"),
    ("POST", "/auth/passkeys/sign-in"),
    ("POST", "/auth/passkeys/options"),
    ("POST", "/auth/passkeys"),
    ("GET", "/auth/passkeys"),
    ("POST", "/auth/passkeys/{passkey_id}/remove"),
    ("POST", "/auth/passkeys/{passkey_id}/rename"),
    ("POST", "/auth/recovery"),
    ("POST", "/auth/device"),
    ("GET", "/auth/device"),
    ("POST", "/auth/device/asked"),
    ("POST", "/auth/device/decision"),
    ("GET", "/auth/login"),
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/sign-in"),
    # A device signs what it sends.
    ("POST", "/devices/claims"),
    ("POST", "/devices/claims/state"),
    ("POST", "/devices/{device_id}/readings"),
    ("POST", "/devices/{device_id}/certificate"),
)

NEEDED: Final[Mapping[tuple[str, str], Needs]] = MappingProxyType(
    {
        **dict.fromkeys(_OWN, Kept.OWN),
        **dict.fromkeys(_TOKENLESS, Kept.TOKENLESS),
        ("POST", "/auth/sign-out"): Kept.ITSELF,
        # What is opened is shown as far as the scopes go: an app that reads every type may open it.
        ("POST", "/auth/break-glass"): Scoped("r", (ALL_TYPES,), in_person=True),
        # A clinician's system says who is open; it knows them.
        ("POST", "/auth/launches"): Scoped("r", ("Patient",)),
        ("GET", "/sharing/grants"): _LOOKING,
        ("POST", "/sharing/grants"): _GIVING,
        ("POST", "/sharing/grants/{consent_id}/withdraw"): _CHANGING,
        ("GET", "/sharing/requests"): _LOOKING,
        ("POST", "/sharing/requests"): _GIVING,
        ("GET", "/sharing/requests/{request_id}"): Scoped("r", _CONSENT),
        ("POST", "/sharing/requests/{request_id}/grant"): _CHANGING,
        ("POST", "/sharing/requests/{request_id}/decline"): _CHANGING,
        ("POST", "/sharing/requests/{request_id}/withdraw"): _CHANGING,
        ("POST", "/sharing/codes"): _GIVING,
        ("DELETE", "/sharing/codes/{code_id}"): _GIVING,
        ("POST", "/sharing/redemptions"): _GIVING,
        ("GET", "/sharing/receipts"): Scoped("s", _CONSENT, whole=False),
        ("GET", "/sharing/receipts/{consent_id}"): Scoped("r", _CONSENT, whole=False),
        ("POST", "/sharing/preview"): _LOOKING,
        ("POST", "/sharing/changes"): _LOOKING,
        ("GET", "/sharing/explain"): _LOOKING,
        ("GET", "/family"): Scoped("s", ("RelatedPerson",)),
        ("GET", "/emergencies"): Scoped("s", _LOG),
        ("POST", "/emergencies/{opening_id}/end"): _CHANGING,
        ("POST", "/emergencies/bars"): _GIVING,
        ("GET", "/audit/accesses"): Scoped("s", _LOG, whole=False),
        ("GET", "/audit/cases"): Scoped("s", _LOG),
        # A notification tells what happened to the passport, so it is read like the log.
        ("GET", "/notifications"): Scoped("s", _LOG, left_over=True),
        ("GET", "/devices"): Scoped("s", _DEVICE),
        ("GET", "/devices/models"): Scoped("s", _DEVICE),
        ("GET", "/devices/quarantine"): Scoped("s", ("Observation",)),
        ("POST", "/devices/enrolments"): Scoped("c", _DEVICE, whole=False),
        ("POST", "/devices/claims/redeem"): Scoped("c", _DEVICE),
        # Each step is a version of the device's Consent; for whoever may not take it the device is not there.
        ("POST", "/devices/{device_id}/{verb}"): Scoped("u", _CONSENT, whole=False, hidden=True),
        ("POST", "/imports"): HANDING_OVER,
        ("GET", "/imports/{import_id}"): Scoped("s", RECORDS),
    }
)


def needed(request: Request) -> Needs | None:
    """What a session needs at the address of a request; None where nothing is said of it."""
    path = getattr(request.scope.get("route"), "path_format", "")
    if path == _FHIR or path.startswith(f"{_FHIR}/"):
        return Kept.RECORDS
    return NEEDED.get((request.method, path))
