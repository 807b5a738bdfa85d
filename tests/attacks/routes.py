"""Every route of the service, and how to ask it about what is hidden, or why it has nothing of a person to tell.

A route that is not here fails `test_route_registry`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from tests.attacks import asking
from tests.attacks.asking import Ask
from tests.attacks.scene import NEVER

Route = tuple[str, str]
"""Method and template of an address."""


@dataclass(frozen=True)
class Silent:
    """A route that no record can show in, and why."""

    reason: str


_PAGES: Final = Silent("shows the same pages to everybody, with or without a token")
_HEALTH: Final = Silent(
    "says whether the service and its database answer, and whether `relabel` is to be run"
)
_SESSIONS: Final = Silent("tells of the caller's own credentials and session alone; no record is looked at")
_AT_BROWSER: Final = Silent("takes no token: it tells of whoever signed in at this browser, and of a client")
_KEYS: Final = Silent("shows the same public keys to everybody, with or without a token")
_DEVICE: Final = Silent("tells a device that nobody has claimed what it said of itself, and no person of it")
_OFFICE: Final = Silent(
    "for operators alone, about clients and models of devices, which are no one's records"
)

ROUTES: Final[Mapping[Route, Ask | Silent]] = MappingProxyType(
    {
        ("GET", "/"): _PAGES,
        ("GET", "/docs"): _PAGES,
        ("GET", "/sign-in"): _PAGES,
        ("GET", "/recover"): _PAGES,
        ("GET", "/home"): _PAGES,
        ("GET", "/home/sessions"): _PAGES,
        ("GET", "/home/devices"): _PAGES,
        ("GET", "/home/passkeys"): _PAGES,
        ("GET", "/home/token"): _PAGES,
        ("GET", "/device"): _PAGES,
        ("GET", "/assets/{name}"): _PAGES,
        ("GET", "/openapi.json"): _PAGES,
        ("HEAD", "/openapi.json"): _PAGES,
        ("MOUNT", "/static-offline-docs"): _PAGES,
        ("GET", "/healthz"): _HEALTH,
        ("GET", "/readyz"): _HEALTH,
        ("GET", "/fhir"): asking.search_across,
        ("GET", "/fhir/"): asking.search_across,
        ("POST", "/fhir/_search"): asking.search_across_by_post,
        ("GET", "/fhir/metadata"): _PAGES,
        ("GET", "/.well-known/jwks.json"): _KEYS,
        ("GET", "/sharing/receipts"): asking.plainly("/sharing/receipts"),
        ("GET", "/sharing/receipts/{consent_id}"): asking.receipt,
        ("POST", "/auth/token"): _SESSIONS,
        ("POST", "/auth/par"): _SESSIONS,
        ("GET", "/auth/authorize"): _AT_BROWSER,
        ("POST", "/auth/authorize"): _AT_BROWSER,
        ("POST", "/auth/authorize/decision"): _AT_BROWSER,
        ("POST", "/auth/introspect"): _SESSIONS,
        ("POST", "/auth/revoke"): _SESSIONS,
        ("POST", "/auth/register"): Silent(
            "keeps what a client says of itself; nothing of anybody is looked at"
        ),
        ("GET", "/.well-known/oauth-authorization-server"): _PAGES,
        ("GET", "/.well-known/openid-configuration"): _PAGES,
        ("GET", "/fhir/.well-known/smart-configuration"): _PAGES,
        ("POST", "/auth/launches"): Silent(
            "keeps what a clinician says that they have open, and looks at none of it"
        ),
        ("GET", "/auth/clients"): _OFFICE,
        ("GET", "/auth/clients/{client_id}"): _OFFICE,
        ("POST", "/auth/clients/{client_id}/approve"): _OFFICE,
        ("POST", "/auth/clients/{client_id}/decline"): _OFFICE,
        ("GET", "/auth/federation"): _PAGES,
        ("GET", "/auth/federation/{provider_id}/start"): _AT_BROWSER,
        ("GET", "/auth/federation/{provider_id}/back"): _AT_BROWSER,
        ("GET", "/auth/federation/waiting"): _AT_BROWSER,
        ("POST", "/auth/federation/link"): _AT_BROWSER,
        ("POST", "/auth/federation/role"): _AT_BROWSER,
        ("GET", "/auth/federation/accounts"): _AT_BROWSER,
        ("POST", "/auth/federation/accounts/{link_id}/end"): _AT_BROWSER,
        ("GET", "/auth/federation/attributes"): _AT_BROWSER,
        ("POST", "/auth/federation/attributes"): _AT_BROWSER,
        ("POST", "/auth/federation/attributes/{provider}/{name}/forget"): _AT_BROWSER,
        ("GET", "/auth/qualifications"): _AT_BROWSER,
        ("POST", "/auth/qualifications/challenge"): _AT_BROWSER,
        ("POST", "/auth/qualifications"): _AT_BROWSER,
        ("GET", "/auth/providers"): _OFFICE,
        ("PUT", "/auth/providers/{provider_id}"): _OFFICE,
        ("POST", "/auth/providers/{provider_id}/approve"): _OFFICE,
        ("POST", "/auth/providers/{provider_id}/end"): _OFFICE,
        ("POST", "/auth/providers/{provider_id}/links"): _OFFICE,
        ("POST", "/auth/providers/{provider_id}/links/{link_id}/confirm"): _OFFICE,
        ("POST", "/auth/login/token"): _AT_BROWSER,
        ("POST", "/auth/passkeys/challenge"): _AT_BROWSER,
        ("POST", "/auth/passkeys/sign-in"): _AT_BROWSER,
        ("POST", "/auth/passkeys/options"): _AT_BROWSER,
        ("POST", "/auth/passkeys"): _AT_BROWSER,
        ("GET", "/auth/passkeys"): _AT_BROWSER,
        ("POST", "/auth/passkeys/{passkey_id}/remove"): _AT_BROWSER,
        ("POST", "/auth/passkeys/{passkey_id}/rename"): _AT_BROWSER,
        ("POST", "/auth/recovery"): _AT_BROWSER,
        ("GET", "/auth/sessions"): _AT_BROWSER,
        ("POST", "/auth/sessions/{session_id}/end"): _AT_BROWSER,
        ("POST", "/auth/device"): _SESSIONS,
        ("GET", "/auth/device"): _AT_BROWSER,
        ("POST", "/auth/device/asked"): _AT_BROWSER,
        ("POST", "/auth/device/decision"): _AT_BROWSER,
        ("GET", "/auth/login"): _AT_BROWSER,
        ("POST", "/auth/login"): _AT_BROWSER,
        ("POST", "/auth/logout"): _AT_BROWSER,
        ("POST", "/auth/sign-in"): _SESSIONS,
        ("POST", "/auth/sign-out"): _SESSIONS,
        ("POST", "/auth/break-glass"): asking.break_glass,
        ("GET", "/emergencies"): asking.plainly("/emergencies"),
        ("POST", "/emergencies/{opening_id}/end"): asking.end_opening,
        ("POST", "/emergencies/bars"): asking.bar_emergencies,
        ("GET", "/emergencies/reviews"): asking.plainly("/emergencies/reviews"),
        ("GET", "/emergencies/reviews/{opening_id}"): asking.plainly(f"/emergencies/reviews/{NEVER}"),
        ("POST", "/emergencies/reviews/{opening_id}"): asking.review_opening,
        ("GET", "/family"): asking.plainly("/family"),
        ("POST", "/family/proxies"): asking.invite,
        ("POST", "/family/proxies/{proxy_id}/end"): asking.end_proxy,
        ("GET", "/desk/matters"): asking.plainly("/desk/matters"),
        ("POST", "/desk/matters"): asking.enter_matter,
        ("GET", "/desk/matters/{matter_id}"): asking.plainly(f"/desk/matters/{NEVER}"),
        ("POST", "/desk/matters/{matter_id}/confirm"): asking.decide_matter,
        ("POST", "/desk/matters/{matter_id}/decline"): asking.decide_matter,
        ("GET", "/desk/matters/{matter_id}/receipt"): asking.plainly(f"/desk/matters/{NEVER}/receipt"),
        ("POST", "/desk/guardianships/{proxy_id}/end"): asking.end_guardian,
        ("PUT", "/auth/clients/{client_id}"): _OFFICE,
        ("POST", "/auth/sign-in-codes"): asking.hand_out_code,
        ("GET", "/auth/sign-in-codes"): _OFFICE,
        ("POST", "/auth/sign-in-codes/{login}/decline"): _OFFICE,
        ("POST", "/auth/sign-in-codes/{login}/confirm"): asking.confirm_code,
        ("DELETE", "/auth/sign-in-codes/{login}"): asking.withdraw_code,
        ("GET", "/devices/models"): _OFFICE,
        ("PUT", "/devices/models/{model}"): _OFFICE,
        ("POST", "/devices/enrolments"): asking.enrol,
        ("POST", "/devices/claims"): _DEVICE,
        ("POST", "/devices/claims/state"): _DEVICE,
        ("POST", "/devices/claims/redeem"): asking.redeem_claim,
        ("GET", "/.well-known/device-ca.pem"): _KEYS,
        ("POST", "/devices/{device_id}/certificate"): asking.certify,
        ("GET", "/devices"): asking.plainly("/devices"),
        ("GET", "/devices/quarantine"): asking.plainly("/devices/quarantine"),
        ("POST", "/devices/{device_id}/readings"): asking.send_readings,
        ("POST", "/devices/{device_id}/{verb}"): asking.change_device,
        ("POST", "/imports"): asking.hand_over,
        ("GET", "/imports/{import_id}"): asking.import_status,
        ("GET", "/sharing/presets"): _PAGES,
        ("POST", "/sharing/requests"): asking.share_request,
        ("GET", "/sharing/requests"): asking.plainly("/sharing/requests"),
        ("GET", "/sharing/requests/{request_id}"): asking.share_request_status,
        ("POST", "/sharing/requests/{request_id}/grant"): asking.share_answer("grant"),
        ("POST", "/sharing/requests/{request_id}/decline"): asking.share_answer("decline"),
        ("POST", "/sharing/requests/{request_id}/withdraw"): asking.share_answer("withdraw"),
        ("POST", "/sharing/codes"): asking.share_code,
        ("DELETE", "/sharing/codes/{code_id}"): asking.share_code_end,
        ("POST", "/sharing/redemptions"): asking.share_redeem,
        ("GET", "/sharing/grants"): asking.share_grants,
        ("POST", "/sharing/grants"): asking.share_grant,
        ("POST", "/sharing/grants/{consent_id}/withdraw"): asking.share_withdraw,
        ("GET", "/notifications"): asking.plainly("/notifications"),
        ("GET", "/audit/accesses"): asking.accesses,
        ("GET", "/audit/cases"): asking.plainly("/audit/cases"),
        ("POST", "/audit/cases"): asking.open_case,
        ("POST", "/audit/cases/{case_id}/close"): asking.close_case,
        ("POST", "/sharing/preview"): asking.preview_sharing,
        ("POST", "/sharing/changes"): asking.sharing_changes,
        ("GET", "/sharing/explain"): asking.explain_sharing,
        ("GET", "/identity/duplicates"): asking.plainly("/identity/duplicates"),
        ("GET", "/identity/merges"): asking.plainly("/identity/merges"),
        ("POST", "/identity/merges"): asking.merge,
        ("POST", "/identity/merges/{merge_id}/confirm"): asking.decide_merge("confirm"),
        ("POST", "/identity/merges/{merge_id}/decline"): asking.decide_merge("decline"),
        ("POST", "/identity/merges/{merge_id}/undo"): asking.decide_merge("undo"),
        ("POST", "/fhir"): asking.bundle,
        ("POST", "/fhir/"): asking.bundle,
        ("GET", "/fhir/_history"): asking.history_of_all,
        ("GET", "/fhir/$meta"): asking.system_meta,
        ("POST", "/fhir/$meta"): asking.system_meta,
        ("GET", "/fhir/{type_name}"): asking.search,
        ("POST", "/fhir/{type_name}"): asking.create,
        ("PUT", "/fhir/{type_name}"): asking.update_by_condition,
        ("PATCH", "/fhir/{type_name}"): asking.patch_by_condition,
        ("DELETE", "/fhir/{type_name}"): asking.delete_by_condition,
        ("POST", "/fhir/{type_name}/_search"): asking.search_by_post,
        ("GET", "/fhir/{type_name}/_history"): asking.history_of_type,
        ("GET", "/fhir/{type_name}/$meta"): asking.type_meta,
        ("POST", "/fhir/{type_name}/$meta"): asking.type_meta,
        ("POST", "/fhir/{type_name}/$validate"): asking.validate,
        ("GET", "/fhir/{type_name}/{id_}"): asking.read,
        ("PUT", "/fhir/{type_name}/{id_}"): asking.update,
        ("PATCH", "/fhir/{type_name}/{id_}"): asking.patch,
        ("DELETE", "/fhir/{type_name}/{id_}"): asking.delete,
        ("GET", "/fhir/{type_name}/{id_}/_history"): asking.history,
        ("GET", "/fhir/{type_name}/{id_}/_history/{version}"): asking.vread,
        ("GET", "/fhir/{type_name}/{id_}/$meta"): asking.meta,
        ("POST", "/fhir/{type_name}/{id_}/$meta"): asking.meta,
        ("POST", "/fhir/{type_name}/{id_}/$meta-add"): asking.meta_add,
        ("POST", "/fhir/{type_name}/{id_}/$meta-delete"): asking.meta_delete,
        ("GET", "/fhir/{type_name}/{id_}/$validate"): asking.validate_instance,
        ("POST", "/fhir/{type_name}/{id_}/$validate"): asking.validate_instance,
        ("GET", "/fhir/Patient/{id_}/{type_name}"): asking.search_compartment,
        ("POST", "/fhir/Patient/{id_}/_search"): asking.search_whole_compartment_by_post,
        ("POST", "/fhir/Patient/{id_}/{type_name}/_search"): asking.search_compartment_by_post,
        ("GET", "/fhir/Patient/{id_}/$everything"): asking.everything,
        ("POST", "/fhir/Patient/{id_}/$everything"): asking.everything,
        ("GET", "/fhir/Patient/{id_}/$summary"): asking.summary,
        ("POST", "/fhir/Patient/{id_}/$summary"): asking.summary,
        ("GET", "/fhir/Observation/$lastn"): asking.lastn,
        ("POST", "/fhir/Observation/$lastn"): asking.lastn,
    }
)

TELLING: Final[Mapping[Route, Ask]] = MappingProxyType(
    {route: ask for route, ask in ROUTES.items() if not isinstance(ask, Silent)}
)
"""The routes through which something of a record could show."""


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Every route of an application, those of routers inside of routers too; what is mounted counts as one."""
    for context in iter_route_contexts(app.routes):
        methods = ("MOUNT",) if isinstance(context.original_route, Mount) else sorted(context.methods or ())
        yield from ((method, context.path or "") for method in methods)
