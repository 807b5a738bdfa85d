"""The token endpoint: client credentials with a signed assertion, and nothing else.

https://www.rfc-editor.org/rfc/rfc6749#section-4.4
https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
https://profiles.ihe.net/ITI/IUA/
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal
from urllib.parse import parse_qsl

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import assertion, clients, scopes, store, tokens
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.purposes import GRANTABLE
from passport.outcomes import Outcome, PassportError
from passport.runtime import Runtime
from passport.sql import Connection, fetch

GRANT_TYPE: Final = "client_credentials"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, section 2.2

FORM_MAX_BYTES: Final = 16_384
_FIELDS_MAX: Final = 16

ErrorCode = Literal[
    "invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"
]


class OAuthError(PassportError):
    """A refusal of the token endpoint (RFC 6749, section 5.2)."""

    outcome: ClassVar = "refused"

    def __init__(self, error: ErrorCode, text: str) -> None:
        super().__init__(401 if error == "invalid_client" else 400, "login", text)
        self.error = error

    @property
    def answer(self) -> dict[str, str]:
        """The error answer of RFC 6749, section 5.2."""
        return {"error": self.error, "error_description": self.text}


# One text for every reason, so that it does not tell which clients are registered.
_NOT_THIS_CLIENT: Final = (
    "got no assertion that one of the client's registered keys signed for this endpoint, once, for 5 minutes"
)


def form(body: bytes) -> Mapping[str, str]:
    """Read a form; a parameter may stand in it once (RFC 6749, section 3.2).

    Raises:
        OAuthError: it is no form, or a parameter is repeated.
    """
    try:
        pairs: Sequence[tuple[str, str]] = parse_qsl(
            body.decode("ascii"), keep_blank_values=False, strict_parsing=True, max_num_fields=_FIELDS_MAX
        )
    except ValueError:
        pairs = ()
    fields = dict(pairs)
    if not fields or len(fields) != len(pairs):
        raise OAuthError("invalid_request", "expected a form in which no parameter is repeated")
    return fields


async def token(runtime: Runtime, fields: Mapping[str, str]) -> tokens.Issued:
    """Answer a request for a token; issued or refused, it has its audit row.

    Raises:
        OAuthError: the request is refused.
    """
    now = runtime.clock()
    presented = assertion.read(fields.get("client_assertion", ""))
    client: clients.Client | None = None
    async with runtime.pool.connection() as connection:
        try:
            client = await _authenticated(runtime, connection, fields, presented, now)
            async with connection.transaction():
                return await _granted(runtime, connection, client, fields, now)
        except OAuthError as refusal:
            await record(connection, [_row(runtime, client, now, "refused", detail=refusal.error)])
            raise


async def _authenticated(
    runtime: Runtime,
    connection: Connection,
    fields: Mapping[str, str],
    presented: assertion.Presented,
    now: datetime,
) -> clients.Client:
    """The client that signed; its assertion is spent from now on, whatever becomes of the request."""
    if fields.get("grant_type") != GRANT_TYPE:
        raise OAuthError("unsupported_grant_type", f"expected grant_type `{GRANT_TYPE}`")
    if fields.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthError("invalid_client", f"expected client_assertion_type `{ASSERTION_TYPE}`")
    client = await clients.client(connection, presented.client_id)
    signed = assertion.verified(presented, client.keys if client else ())
    until = assertion.spent_until(presented, audience=runtime.settings.token_url, now=now)
    named = fields.get("client_id", presented.client_id) == presented.client_id
    if (
        client is None
        or client.subject is None
        or not client.active
        or not signed
        or until is None
        or not named
    ):
        raise OAuthError("invalid_client", _NOT_THIS_CLIENT)
    spending = {
        "client_id": client.client_id,
        "jti": presented.claims["jti"],
        "expires_at": until + assertion.CLOCK_SKEW,
    }
    if not await fetch(connection, store.SPEND_ASSERTION, spending):
        raise OAuthError("invalid_client", _NOT_THIS_CLIENT)
    return client


async def _granted(
    runtime: Runtime,
    connection: Connection,
    client: clients.Client,
    fields: Mapping[str, str],
    now: datetime,
) -> tokens.Issued:
    purpose = fields.get("purpose_of_use", "")
    if purpose not in GRANTABLE:
        raise OAuthError("invalid_request", f"expected purpose_of_use, one of {', '.join(GRANTABLE)}")
    if not clients.may_ask_for(client, purpose):
        raise OAuthError("unauthorized_client", "this purpose of use is not allowed for the client")
    given = _scopes(client, fields.get("scope", ""), sandbox=runtime.settings.sandbox)
    try:
        subject = await principal(
            runtime, connection, client.subject or "", purpose=purpose, scopes=given, now=now
        )
    except UnknownPrincipal:
        raise OAuthError("invalid_client", _NOT_THIS_CLIENT) from None
    lifetime = timedelta(seconds=runtime.settings.access_token_seconds)
    issued = await tokens.issue(runtime, connection, subject, now=now, lifetime=lifetime)
    row = _row(runtime, client, now, "success", detail=str(issued.session_id), purpose=purpose)
    await record(connection, [row])
    return issued


def _row(
    runtime: Runtime,
    client: clients.Client | None,
    now: datetime,
    outcome: Outcome,
    *,
    detail: str,
    purpose: str | None = None,
) -> AuditRow:
    return AuditRow(
        patient_key=NOBODY,
        audit_id=tokens.random_uuid(runtime),
        recorded=now,
        action="token",
        kind="service" if client else "",
        outcome=outcome,
        subject=client.subject if client else None,
        purpose=purpose,
        query="POST auth/token",
        detail=detail,
    )


def _scopes(client: clients.Client, text: str, *, sandbox: bool) -> frozenset[str]:
    """What is asked for of what the client may have; all of that if nothing is asked for."""
    if not text.split():
        return client.scopes
    try:
        asked = scopes.read(text, "service", sandbox=sandbox)
    except scopes.UnusableScope as refusal:
        raise OAuthError("invalid_scope", refusal.text) from None
    if not scopes.within(asked, client.scopes):
        raise OAuthError("invalid_scope", "this scope is not allowed for the client")
    return asked
