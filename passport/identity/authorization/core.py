"""Authlib's framework-free server over one request of ours: it decides what comes when, and asks us for the rest.

https://docs.authlib.org/en/latest/oauth2/
https://www.rfc-editor.org/rfc/rfc6749

Authlib's core is synchronous. A request runs it in a worker thread, and what it asks for is answered on the one open
connection of the event loop. A request is one transaction, which is committed whatever is answered: what was spent
stays spent, and what was revoked stays revoked.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, ParamSpec, TypeVar
from uuid import UUID

from anyio import from_thread
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc9207 import IssuerParameter

from fhirstore import base64url
from passport.identity import clients
from passport.identity.authorization import redirects
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.profiles import CODE
from passport.identity.authorization.wanted import ScopeRefused, contexts_of, wanted
from passport.identity.scopes import within
from passport.runtime import Runtime
from passport.sql import Connection
from passport.subjects import Subject

_KEY_BYTES: Final = 32  # SHA-256
_Asked = ParamSpec("_Asked")
_Answered = TypeVar("_Answered")

# Authlib refuses addresses that are not `https`. What a request came by is known to the server, not to its text.
_ANY_SECURE_ADDRESS: Final = "https://passport.invalid/"


_OF_CERTIFICATE: Final = b"x5t#S256"


@dataclass(frozen=True, slots=True)
class Proved:
    """The key that a caller proved to have: SHA-256 of it, and how it was proved."""

    digest: bytes
    kind: Literal["DPoP", "certificate"]

    @property
    def thumbprint(self) -> bytes:
        """What a session is bound to: of a key and of a certificate it is never the same."""
        return self.digest if self.kind == "DPoP" else _OF_CERTIFICATE + self.digest


def confirmation(thumbprint: bytes) -> dict[str, str]:
    """What a session is bound to as others are told of it (RFC 9449, section 6; RFC 8705, section 3.2)."""
    name = "x5t#S256" if thumbprint.startswith(_OF_CERTIFICATE) and len(thumbprint) > _KEY_BYTES else "jkt"
    told = base64url.encode(thumbprint[-_KEY_BYTES:])
    return {name: told}


@dataclass(slots=True)
class Turn:
    """One request with its open transaction; `client`, `subject` and `family_id` are what is known of it so far.

    `spent` is the family whose code or token this request spent: it ends unless the request succeeds.
    """

    runtime: Runtime
    connection: Connection
    now: datetime
    proved: Proved | None = None
    client: clients.Client | None = None
    subject: Subject | None = None
    session_id: UUID | None = None
    spent: UUID | None = None

    def wait(
        self, ask: Callable[_Asked, Awaitable[_Answered]], *args: _Asked.args, **kwargs: _Asked.kwargs
    ) -> _Answered:
        """Have the event loop answer; called in the worker thread."""

        async def asked() -> _Answered:
            return await ask(*args, **kwargs)

        return from_thread.run(asked)

    @property
    def thumbprint(self) -> bytes | None:
        """The key that was proved, if one was."""
        return None if self.proved is None else self.proved.thumbprint


class Asked(OAuth2Request):
    """A request as Authlib reads it: fields that stand in it once."""

    def __init__(self, method: str, fields: Mapping[str, str]) -> None:
        super().__init__(method, _ANY_SECURE_ADDRESS)
        self.payload = BasicOAuth2Payload(dict(fields))

    @property
    def form(self) -> dict[str, str]:
        """The fields."""
        fields: dict[str, str] = self.payload.data
        return fields

    args = form


@dataclass(slots=True)
class Answer:
    """What is answered: a status with JSON, or an address that the person is sent to."""

    status: int
    body: Mapping[str, Any]
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """The code of a refusal."""
        code = self.body.get("error")
        return code if isinstance(code, str) else None


class CoreClient(ClientMixin):
    """A registered client as Authlib asks about it."""

    def __init__(self, client: clients.Client, *, sandbox: bool) -> None:
        self.client, self._sandbox = client, sandbox

    def get_client_id(self) -> str:
        """Its id."""
        return self.client.client_id

    def get_default_redirect_uri(self) -> None:
        """None: an answer is sent where the request says, or nowhere."""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether answers may be sent there."""
        return redirects.matches(redirect_uri, self.client.redirect_uris)

    def check_response_type(self, response_type: str) -> bool:
        """Whether it may ask for this: for codes alone."""
        return response_type == "code" and self.check_grant_type(CODE)

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether an operator allowed this grant."""
        return grant_type in self.client.grant_types

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether this is how it proves who it is, wherever it does."""
        return method == self.client.auth_method

    def get_allowed_scope(self, scope: str | None) -> str:
        """The scopes that it may ask people for.

        Raises:
            Refusal: one of them cannot be granted, or goes beyond its registration.
        """
        try:
            contexts = contexts_of(self.client.grant_types) - {"system"}
            asked = wanted((scope or "").split(), contexts=contexts, sandbox=self._sandbox)
        except ScopeRefused as error:
            raise Refusal("invalid_scope", error.text) from None
        if not asked.texts:
            raise Refusal("invalid_scope", "expected scopes")
        beyond = asked.beside - self.client.scopes
        beyond |= {str(each) for each in asked.records if not within([str(each)], self.client.scopes)}
        if beyond:
            raise Refusal("invalid_scope", f"not allowed for the client: {' '.join(sorted(beyond))}")
        return " ".join(sorted(asked.texts))


class _Issuer(IssuerParameter):
    """Names this server in each answer that goes by an address, so that no other one's is taken for it."""

    def __init__(self, server: "Core") -> None:
        self._issuer = server.turn.runtime.settings.base_url
        super().__call__(server)

    def get_issuer(self) -> str:
        return self._issuer


class Core(AuthorizationServer):
    """The server of one request; what it does not know itself it asks the turn for."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn
        self.register_extension(_Issuer)

    def core_client(self, client: clients.Client) -> CoreClient:
        """A client as Authlib asks about it."""
        return CoreClient(client, sandbox=self.turn.runtime.settings.sandbox)

    def query_client(self, client_id: str) -> CoreClient | None:
        """The active client of this id."""
        found = self.turn.wait(clients.client, self.turn.connection, client_id)
        return self.core_client(found) if found is not None and found.active else None

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        """It is one."""
        return request

    def save_token(self, token: object, request: Asked) -> None:
        """Nothing: a token is stored when it is made."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        """The answer in our words."""
        location = next((value for name, value in headers if name == "Location"), None)
        return Answer(status, dict(body) if body else {}, location)
