"""What the mock provider keeps while it runs: its key, its one client, codes and tokens; all of it in memory.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowSteps
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import unquote

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from fhirstore import base64url
from passport.demo.provider.people import Person

CODE_SECONDS: Final = 60
TOKEN_SECONDS: Final = 300
ASSERTION_MAX_SECONDS: Final = 300
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHM: Final = "ES256"
ASSERTION_ALGORITHMS: Final = ("ES256", "ES384", "PS256", "RS256", "EdDSA")

PublicKey = ECKey | RSAKey | OKPKey


class Refused(Exception):
    """What the mock does not do, as OAuth names it."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class Client:
    """The one client of a mock: it proves itself by the key of a JWK, or by a secret."""

    client_id: str
    redirect_uri: str
    jwk: Mapping[str, Any] | None = None
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for until it is redeemed."""

    person: Person
    redirect_uri: str
    challenge: str
    nonce: str
    scopes: tuple[str, ...]
    authenticated_at: int
    ends: float


@dataclass(slots=True)
class Mock:
    """A running mock; `clock` tells the seconds since 1970."""

    issuer: str
    clients: dict[str, Client] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True), repr=False)
    codes: dict[str, Code] = field(default_factory=dict, repr=False)
    tokens: dict[str, tuple[str, Code]] = field(default_factory=dict, repr=False)
    spent: set[str] = field(default_factory=set, repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """What it publishes of itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "scopes_supported": ["openid", "name", "address", "birthdate", "gender", "profile"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    @property
    def jwks(self) -> dict[str, Any]:
        """Its public key."""
        return {"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]}

    def asked(self, fields: Mapping[str, str]) -> Client:
        """The client of a request to the authorization endpoint.

        Raises:
            Refused: the request lacks something, or its client or address is another.
        """
        client = self.clients.get(fields.get("client_id", ""))
        if client is None or fields.get("redirect_uri") != client.redirect_uri:
            raise Refused("invalid_client")
        if fields.get("response_type") != "code" or "openid" not in fields.get("scope", "").split():
            raise Refused("invalid_request")
        if fields.get("code_challenge_method") != "S256" or not fields.get("code_challenge"):
            raise Refused("invalid_request")
        if not fields.get("state") or not fields.get("nonce"):
            raise Refused("invalid_request")
        return client

    def code_for(self, person: Person, fields: Mapping[str, str]) -> str:
        """A code for whoever the person at the page says that they are."""
        code, now = secrets.token_urlsafe(32), self.clock()
        self.codes[code] = Code(
            person=person,
            redirect_uri=fields["redirect_uri"],
            challenge=fields["code_challenge"],
            nonce=fields["nonce"],
            scopes=tuple(fields["scope"].split()),
            authenticated_at=int(now),
            ends=now + CODE_SECONDS,
        )
        return code

    def redeemed(self, client: Client, fields: Mapping[str, str]) -> dict[str, Any]:
        """The tokens for a code, once.

        Raises:
            Refused: it is none, or not for this client, address and verifier.
        """
        code = self.codes.pop(fields.get("code", ""), None)
        if fields.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type")
        made = base64url.encode(sha256(fields.get("code_verifier", "").encode()).digest())
        if code is None or code.ends < self.clock() or fields.get("redirect_uri") != client.redirect_uri:
            raise Refused("invalid_grant")
        if not compare_digest(made.encode(), code.challenge.encode()):
            raise Refused("invalid_grant")
        token = secrets.token_urlsafe(32)
        self.tokens[token] = (client.client_id, code)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "id_token": self.signed(self.claims(client, code, token)),
        }

    def claims(self, client: Client, code: Code, token: str) -> dict[str, Any]:
        """What an ID token says."""
        now = int(self.clock())
        half = sha256(token.encode()).digest()[:16]
        said: dict[str, Any] = {
            "iss": self.issuer,
            "sub": code.person.sub(client.client_id),
            "aud": client.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": code.authenticated_at,
            "nonce": code.nonce,
            "amr": list(code.person.amr),
            "at_hash": base64url.encode(half),
        }
        return said if code.person.acr is None else {**said, "acr": code.person.acr}

    def signed(self, claims: Mapping[str, Any]) -> str:
        """A JWT by its key."""
        header = {"alg": ALGORITHM, "kid": self.key.kid, "typ": "JWT"}
        return jwt.encode(header, dict(claims), self.key, algorithms=[ALGORITHM])

    def user_info(self, token: str) -> dict[str, Any]:
        """What it says of the person for whom a token was made.

        Raises:
            Refused: there is no such token.
        """
        found = self.tokens.get(token)
        if found is None:
            raise Refused("invalid_token")
        client_id, code = found
        return {"sub": code.person.sub(client_id), **code.person.claims(code.scopes)}

    def proved(self, fields: Mapping[str, str], basic: tuple[str, str] | None) -> Client:
        """The client that a request to the token endpoint proves to be from.

        Raises:
            Refused: it proves none.
        """
        if basic is not None:
            client = self.clients.get(unquote(basic[0]))
            if client is None or not client.secret or not compare_digest(client.secret, unquote(basic[1])):
                raise Refused("invalid_client")
            return client
        client = self.clients.get(fields.get("client_id", ""))
        if client is None or client.jwk is None or fields.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refused("invalid_client")
        self._check_assertion(client, client.jwk, fields.get("client_assertion", ""))
        return client

    def _check_assertion(self, client: Client, jwk: Mapping[str, Any], text: str) -> None:
        try:
            claims = jwt.decode(text, _public(jwk), algorithms=ASSERTION_ALGORITHMS).claims
        except (JoseError, ValueError):
            raise Refused("invalid_client") from None
        now, jti = self.clock(), claims.get("jti")
        ours = {f"{self.issuer}/token", self.issuer}
        theirs = claims.get("iss") == claims.get("sub") == client.client_id
        if not theirs or claims.get("aud") not in ours or not isinstance(jti, str) or jti in self.spent:
            raise Refused("invalid_client")
        ends = claims.get("exp")
        if not isinstance(ends, int) or not now - 1 < ends <= now + ASSERTION_MAX_SECONDS:
            raise Refused("invalid_client")
        self.spent.add(jti)


def _public(jwk: Mapping[str, Any]) -> PublicKey:
    key = import_key(dict(jwk))
    if not isinstance(key, ECKey | RSAKey | OKPKey):
        raise Refused("invalid_client")
    return key
