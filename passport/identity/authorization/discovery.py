"""What this server can do, made of the tables that the code executes.

https://www.rfc-editor.org/rfc/rfc8414
https://openid.net/specs/openid-connect-discovery-1_0-final.html
https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
"""

from typing import Any, Final

from fhirstore.search.scoped import arguments_of
from fhirstore.types import types_of
from passport.identity.authorization import proofs
from passport.identity.authorization.profiles import PROFILES
from passport.identity.authorization.wanted import BESIDE
from passport.identity.purposes import GRANTABLE
from passport.identity.record_scopes import DECIDING, RIGHTS
from passport.settings import Settings

_OBSERVATION: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_CONDITION: Final = "http://terminology.hl7.org/CodeSystem/condition-category"

CATEGORIES: Final = (
    ("Condition", _CONDITION, "encounter-diagnosis"),
    ("Condition", _CONDITION, "problem-list-item"),
    ("Observation", _OBSERVATION, "laboratory"),
    ("Observation", _OBSERVATION, "social-history"),
    ("Observation", _OBSERVATION, "survey"),
    ("Observation", _OBSERVATION, "vital-signs"),
)
"""Scopes with search arguments that many systems have; others are made of `scope_search_arguments_supported`."""

CAPABILITIES: Final = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)

SESSIONS_PAGE: Final = "/home/sessions"
"""Where people see what they allowed, and end it."""


def metadata(settings: Settings) -> dict[str, Any]:
    """What anybody is told of the server, as OAuth and OpenID Connect name it."""
    base = settings.base_url
    signing = sorted({each for profile in PROFILES.values() for each in profile.algorithms.values()})
    methods = ["private_key_jwt", "none"]
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/auth/authorize",
        "token_endpoint": settings.token_url,
        "pushed_authorization_request_endpoint": f"{base}/auth/par",
        "device_authorization_endpoint": f"{base}/auth/device",
        "introspection_endpoint": f"{base}/auth/introspect",
        "revocation_endpoint": f"{base}/auth/revoke",
        "registration_endpoint": f"{base}/auth/register",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "scopes_supported": [
            *sorted(BESIDE),
            *(f"{each}/*.{''.join(RIGHTS)}" for each in ("patient", "user", "system")),
            *(
                f"{each}/{name}.{''.join(RIGHTS)}"
                for each in ("patient", "user", "system")
                for name in sorted(DECIDING)
            ),
            *(f"patient/{type_}.rs?category={system}|{code}" for type_, system, code in CATEGORIES),
        ],
        "scope_search_arguments_supported": {
            name: sorted(arguments_of(name))
            for name in types_of(sandbox=settings.sandbox)
            if arguments_of(name)
        },
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": sorted(
            {each for profile in PROFILES.values() for each in profile.grant_types}
        ),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": signing,
        "introspection_endpoint_auth_methods_supported": methods[:1],
        "introspection_endpoint_auth_signing_alg_values_supported": signing,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": signing,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "dpop_signing_alg_values_supported": sorted(proofs.ALGORITHMS.values()),
        "tls_client_certificate_bound_access_tokens": bool(settings.trusted_proxies),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": sorted(
            {each for profile in PROFILES.values() for each in profile.id_token_algorithms}
        ),
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "purposes_of_use_supported": list(GRANTABLE),
    }


def smart(settings: Settings) -> dict[str, Any]:
    """The same as SMART App Launch names it."""
    own = {"capabilities": list(CAPABILITIES), "management_endpoint": f"{settings.base_url}{SESSIONS_PAGE}"}
    return {**metadata(settings), **own}
