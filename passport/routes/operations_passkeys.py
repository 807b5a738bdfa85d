"""The operations of passkeys as the description tells them.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.operation import Operation, json_body

_CREATED: Final = {
    "id": "…",
    "rawId": "…",
    "type": "public-key",
    "response": {"clientDataJSON": "…", "attestationObject": "…", "transports": ["internal"]},
}
_USED: Final = {
    "id": "…",
    "rawId": "…",
    "type": "public-key",
    "response": {"clientDataJSON": "…", "authenticatorData": "…", "signature": "…", "userHandle": "…"},
}

PASSKEYS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/auth/login/token", "post"): Operation(
        "A token of who is signed in at this browser, for the passport's own pages",
        json_body({"csrf": "…", "purpose": "PATRQT", "scope": "patient/Observation.rs"}),
        errors=(400, 401, 403),
    ),
    ("/auth/passkeys/challenge", "post"): Operation(
        "What a device is asked to sign in by", json_body({}), errors=(403, 409)
    ),
    ("/auth/passkeys/sign-in", "post"): Operation(
        "Sign in at this browser, by a passkey",
        json_body({"credential": _USED}),
        errors=(400, 401, 403, 429),
    ),
    ("/auth/passkeys/options", "post"): Operation(
        "What my device is asked to make a passkey", json_body({"csrf": "…"}), errors=(400, 401, 403, 409)
    ),
    ("/auth/passkeys", "post"): Operation(
        "Register a passkey of mine",
        json_body({"csrf": "…", "credential": _CREATED, "name": "電話"}),
        success=(201,),
        errors=(400, 401, 403, 409),
    ),
    ("/auth/passkeys", "get"): Operation("By what I may sign in", errors=(401,)),
    ("/auth/passkeys/{passkey_id}/remove", "post"): Operation(
        "Let a passkey of mine sign in no more; `last` says that I know that nothing else is left",
        json_body({"csrf": "…", "last": False}),
        success=(204,),
        errors=(400, 401, 403, 404, 409),
    ),
    ("/auth/passkeys/{passkey_id}/rename", "post"): Operation(
        "Call a passkey of mine something else",
        json_body({"csrf": "…", "name": "新しい電話"}),
        success=(204,),
        errors=(400, 401, 403, 404),
    ),
    ("/auth/recovery", "post"): Operation(
        "Come back by a code of the city desk, to register one passkey; `lost` ends those of before",
        json_body({"code": "XXXXX-XXXXX-XXXXX-XXXXX", "lost": True}),
        errors=(400, 401, 403, 429),
    ),
}
"""By address and method."""
