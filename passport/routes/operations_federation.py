"""The operations of federation and of qualifications as the description tells them.

https://openid.net/specs/openid-connect-core-1_0.html
"""

from collections.abc import Mapping
from typing import Final

from passport.routes.operation import Operation, json_body

FEDERATION: Final[Mapping[tuple[str, str], Operation]] = {
    ("/auth/federation", "get"): Operation(
        "Where people may sign in elsewhere",
        parameters={"to": "where the person wanted to", "request": "the query of that address"},
        errors=(400,),
    ),
    ("/auth/federation/{provider_id}/start", "get"): Operation(
        "Go to a provider to sign in there",
        parameters={
            "to": "`authorize` or `device`: where the person wanted to",
            "request": "the query of that address",
            "fresh": "`true`: the person is to prove anew who they are",
        },
        success=(303,),
        errors=(400, 404),
    ),
    ("/auth/federation/{provider_id}/back", "get"): Operation(
        "Where a provider sends people back to",
        parameters={
            "state": "as it was sent",
            "code": "what the provider's token endpoint takes",
            "iss": "whose answer it is (RFC 9207)",
            "error": "that there is none",
        },
        success=(200, 303),
        errors=(403, 404, 429),
    ),
    ("/auth/federation/waiting", "get"): Operation(
        "What a person has to say before they are signed in: their code, or as whom they act",
        success=(200, 303),
        errors=(401,),
    ),
    ("/auth/federation/link", "post"): Operation(
        "Link the account at the provider to the owner of a sign-in code, and sign in",
        json_body({"login": "hanako", "code": "XXXXX-XXXXX-XXXXX-XXXXX"}),
        success=(200, 303),
        errors=(400, 401, 403, 429),
    ),
    ("/auth/federation/role", "post"): Operation(
        "Say as whom one acts, of those that were offered, and sign in",
        json_body({"login": "dr-kaku-hoshimi"}),
        success=(200, 303),
        errors=(400, 401, 403),
    ),
    ("/auth/federation/accounts", "get"): Operation(
        "By which accounts elsewhere I may sign in", errors=(401,)
    ),
    ("/auth/federation/accounts/{link_id}/end", "post"): Operation(
        "Let one of them sign me in no more",
        json_body({"csrf": "…"}),
        success=(204,),
        errors=(400, 401, 403, 404),
    ),
    ("/auth/federation/attributes", "get"): Operation(
        "What a provider said of me that I may take over, and what I took over", errors=(401, 403)
    ),
    ("/auth/federation/attributes", "post"): Operation(
        "Take over what I choose of it; the rest is forgotten",
        json_body({"csrf": "…", "take": ["address"]}),
        errors=(400, 401, 403, 404),
    ),
    ("/auth/federation/attributes/{provider}/{name}/forget", "post"): Operation(
        "Forget one thing that I took over",
        json_body({"csrf": "…"}),
        success=(204,),
        errors=(400, 401, 403, 404),
    ),
    ("/auth/qualifications", "get"): Operation(
        "What certificates of the health-care PKI say of me (clinician)", errors=(401, 403)
    ),
    ("/auth/qualifications/challenge", "post"): Operation(
        "What I am to sign by the key of my certificate (clinician)",
        json_body({"csrf": "…"}),
        success=(201,),
        errors=(400, 401, 403),
    ),
    ("/auth/qualifications", "post"): Operation(
        "Record what my certificate says (clinician)",
        json_body(
            {
                "csrf": "…",
                "certificates": ["-----BEGIN CERTIFICATE-----\n…"],
                "challenge": "as it was answered",
                "signature": "of `to_sign`, in base64url",
            }
        ),
        success=(201,),
        errors=(400, 401, 403),
    ),
}
"""What asks for no bearer token, by address and method: a person at a browser."""

PROVIDERS: Final[Mapping[tuple[str, str], Operation]] = {
    ("/auth/providers", "get"): Operation(
        "Every provider, with what it waits for (operator)", errors=(401, 403)
    ),
    ("/auth/providers/{provider_id}", "put"): Operation(
        "Propose a provider, or another registration of one (operator)",
        json_body(
            {
                "name": "星見総合病院（架空）",
                "profile": "hospital",
                "issuer": "https://login.hospital.example.jp",
                "client_id": "passport",
                "token_endpoint_auth_method": "private_key_jwt",
                "key_file": "hospital.pem",
                "organization": "Organization/3c0f3a52-1f0e-4c37-a1f5-52a6dbe7f0c1",
                "two_factors": ["https://refeds.org/profile/mfa"],
            }
        ),
        errors=(400, 401, 403),
    ),
    ("/auth/providers/{provider_id}/approve", "post"): Operation(
        "Let a provider be asked, once what it publishes was read (another operator)",
        json_body({"proposal": "as it was shown with the provider"}),
        errors=(400, 401, 403, 404, 409),
    ),
    ("/auth/providers/{provider_id}/end", "post"): Operation(
        "Let a provider be asked no more, and end the sessions that were begun by it (operator)",
        errors=(401, 403, 404),
    ),
    ("/auth/providers/{provider_id}/links", "post"): Operation(
        "Say whom a hospital's name for a clinician stands for (operator)",
        json_body({"sub": "as the hospital names them", "login": "dr-kaku-hoshimi"}),
        success=(201,),
        errors=(400, 401, 403, 404),
    ),
    ("/auth/providers/{provider_id}/links/{link_id}/confirm", "post"): Operation(
        "Let what one operator said of a clinician count (another operator)",
        errors=(401, 403, 404, 409),
    ),
}
"""What operators do about providers, by address and method."""
