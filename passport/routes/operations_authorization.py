"""The operations of the authorization server as the description tells them.

https://www.rfc-editor.org/rfc/rfc6749#section-3
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.operation import FORM, Operation, json_body
from passport.routes.operations_federation import FEDERATION
from passport.routes.operations_passkeys import PASSKEYS

_ASKED: Final = {
    "response_type": "`code`",
    "client_id": "of a registered client",
    "redirect_uri": "one of its addresses, letter by letter; of a loopback address the port is free",
    "scope": "such as `launch/patient openid fhirUser patient/Observation.rs`",
    "state": "comes back with the answer",
    "aud": "the base of the FHIR addresses",
    "code_challenge": "by S256",
    "code_challenge_method": "`S256`",
    "purpose_of_use": "such as `PATRQT`; without it the person chooses",
    "nonce": "comes back in the ID token",
    "request_uri": "what `POST /auth/par` answered, instead of everything else but `client_id`",
}
_ASSERTION: Final = {
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii…",
}
_QUERY: Final = "response_type=code&client_id=…"


def _form(**example: str) -> Mapping[str, object]:
    return _form_of(example)


def _form_of(example: Mapping[str, str]) -> Mapping[str, object]:
    return {FORM: {"schema": {"type": "object"}, "example": example}}


AUTHORIZATION: Final[Mapping[tuple[str, str], Operation]] = {
    ("/auth/token", "post"): Operation(
        "A token for a client, by a grant that an operator allowed it",
        _form(grant_type="client_credentials", purpose_of_use="TREAT", **_ASSERTION),
        success=(200, 400, 401),
        errors=(),
    ),
    ("/auth/par", "post"): Operation(
        "Send beforehand what a person is to be asked for (RFC 9126)",
        _form(response_type="code", redirect_uri="https://app.example.jp/callback", **_ASSERTION),
        success=(201, 400, 401, 429),
        errors=(),
    ),
    ("/auth/authorize", "get"): Operation(
        "Ask a person, who is shown what an app wants; with `Accept: application/json` what there is to show",
        parameters=_ASKED,
        success=(200, 303, 400, 401),
        errors=(),
    ),
    ("/auth/authorize", "post"): Operation(
        "The same, sent as a form: the browser goes on by GET",
        _form(response_type="code", client_id="…"),
        success=(303, 400),
        errors=(),
    ),
    ("/auth/authorize/decision", "post"): Operation(
        "What the person decides, from a page of the passport's own",
        json_body({"request": _QUERY, "csrf": "…", "decision": "allow", "purpose": "PATRQT"}),
        success=(200, 303),
        errors=(400, 401, 403),
    ),
    ("/auth/device", "post"): Operation(
        "Ask for a code that a device shows, and one by which it asks whether somebody decided (RFC 8628)",
        _form(scope="patient/Observation.cu offline_access", client_id="cuff-gateway"),
        success=(200, 400, 401, 429),
        errors=(),
    ),
    ("/auth/device", "get"): Operation("The page for the code that a device shows", errors=()),
    ("/auth/device/asked", "post"): Operation(
        "What the device asks for that shows a code",
        json_body({"user_code": "K7QM-2XWD", "csrf": "…"}),
        errors=(400, 401, 403, 404, 429),
    ),
    ("/auth/device/decision", "post"): Operation(
        "What the person decides about a device",
        json_body({"request": "K7QM-2XWD", "csrf": "…", "decision": "allow", "purpose": "PATRQT"}),
        success=(200, 204),
        errors=(400, 401, 403, 404, 429),
    ),
    ("/auth/introspect", "post"): Operation(
        "What a token is good for, for a client with a key of its own (RFC 7662)",
        _form_of({"token": "…", **_ASSERTION}),
        success=(200, 400, 401),
        errors=(),
    ),
    ("/auth/revoke", "post"): Operation(
        "Take a token back (RFC 7009)",
        _form_of({"token": "…", "client_id": "…"}),
        success=(200, 400, 401),
        errors=(),
    ),
    ("/auth/register", "post"): Operation(
        "Register a client, which waits for two operators (RFC 7591)",
        json_body(
            {
                "client_name": "見本アプリ",
                "redirect_uris": ["https://app.example.jp/callback"],
                "token_endpoint_auth_method": "none",
                "scope": "launch/patient patient/Observation.rs",
            }
        ),
        success=(201,),
        errors=(400, 429),
    ),
    ("/.well-known/oauth-authorization-server", "get"): Operation("What the server can do", errors=()),
    ("/.well-known/openid-configuration", "get"): Operation("What the server can do", errors=()),
    ("/fhir/.well-known/smart-configuration", "get"): Operation("What the server can do", errors=()),
    ("/auth/login", "get"): Operation("Who is signed in at this browser", errors=()),
    ("/auth/login", "post"): Operation(
        "Sign in at this browser, by login and code",
        json_body({"login": "hanako", "code": "XXXXX-XXXXX-XXXXX-XXXXX"}),
        success=(200, 303),
        errors=(400, 401, 403),
    ),
    **FEDERATION,
    **PASSKEYS,
    ("/auth/sessions", "get"): Operation(
        "My browsers, the apps that I allowed, and my other sessions", errors=(401, 403)
    ),
    ("/auth/sessions/{session_id}/end", "post"): Operation(
        "End one of them, with all that follows from it",
        json_body({"csrf": "…"}),
        success=(204,),
        errors=(401, 403, 404),
    ),
    ("/auth/logout", "post"): Operation(
        "Sign out of this browser", json_body({"csrf": "…"}), success=(200, 204), errors=(400, 401, 403)
    ),
}
"""By address and method."""

ASKING_NO_TOKEN: Final = frozenset(path for path, _ in AUTHORIZATION)
"""What asks for no bearer token: a client proves itself in the request, a person by the cookie of their browser."""
