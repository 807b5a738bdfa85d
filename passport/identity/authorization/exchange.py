"""Token exchange: a clinician's service acts for them, with no more than both of them have.

https://www.rfc-editor.org/rfc/rfc8693

The clinician's token goes in, and a token of the clinician through the service comes out: the service is the actor, and
stands as the client in the session, the consents and the log. It is never wider, ends no later, and is exchanged no
further.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from passport.identity import clients, scopes, tokens
from passport.identity.authorization import families, store
from passport.identity.authorization.core import Asked, Core, CoreClient, Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.grants import METHODS
from passport.identity.authorization.issuing import answered, client_of, require_key
from passport.identity.authorization.profiles import EXCHANGE
from passport.identity.authorization.wanted import ScopeRefused, left_of, wanted
from passport.identity.record_scopes import covered, record_scope
from passport.sql import Row, fetch

ACCESS_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"  # RFC 8693, section 3

_NO_SUBJECT: Final = (
    "expected the access token of a clinician, which has not ended and is for this client to use"
)
_UNREAD: Final = ("actor_token", "actor_token_type", "audience", "purpose_of_use")


class ExchangeGrant(BaseGrant, TokenEndpointMixin):
    """A token of a clinician through a service, for a token of the clinician."""

    GRANT_TYPE = EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = METHODS
    server: Core
    request: Asked

    @property
    def turn(self) -> Turn:
        """The request with its transaction."""
        return self.server.turn

    def validate_token_request(self) -> None:
        """Let a client go on that an operator allowed to exchange access tokens, and those alone.

        Raises:
            Refusal: it is another one, or it asks for something else.
        """
        client: CoreClient = self.authenticate_token_endpoint_client()
        fields = self.request.form
        if not client.check_grant_type(self.GRANT_TYPE):
            raise Refusal("unauthorized_client", "this grant is not allowed for the client")
        if fields.get("subject_token_type") != ACCESS_TYPE:
            raise Refusal("invalid_request", f"expected subject_token_type {ACCESS_TYPE}")
        if fields.get("requested_token_type", ACCESS_TYPE) != ACCESS_TYPE:
            raise Refusal("invalid_request", f"expected requested_token_type {ACCESS_TYPE}")
        unread = [name for name in _UNREAD if name in fields]
        if unread:
            raise Refusal("invalid_request", f"parameters that are not read here: {', '.join(unread)}")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Exchange the token."""
        return 200, self.turn.wait(_exchanged, self.turn, self.request.form), self.TOKEN_RESPONSE_HEADER


async def _exchanged(turn: Turn, fields: Mapping[str, str]) -> dict[str, Any]:
    client = client_of(turn)
    require_key(turn, client)
    session, family = await _held(turn, fields.get("subject_token", ""))
    if not clients.may_ask_for(client, session.purpose):
        raise Refusal("unauthorized_client", "this purpose of use is not allowed for the client")
    given = _scopes(turn, client, session, fields.get("scope", "")) | scopes.bound(session.scopes)
    subject = await families.subject_of(turn.runtime, turn.connection, session, client, now=turn.now)
    if subject is None:
        raise Refusal("invalid_grant", _NO_SUBJECT)
    turn.subject = subject = replace(subject, scopes=given)
    seconds = turn.runtime.settings.access_token_seconds
    family_id = None if family is None else family.family_id
    issued = await tokens.issue(
        turn.runtime,
        turn.connection,
        subject,
        now=turn.now,
        lifetime=min(timedelta(seconds=seconds), session.expires_at - turn.now),
        authenticated_at=session.authenticated_at,
        bound=tokens.Bound(family_id, turn.thumbprint, session.session_id, client.client_id),
    )
    context = {} if family is None else family.launch
    return {**answered(turn, issued, ()), "issued_token_type": ACCESS_TYPE, **context}


async def _held(turn: Turn, text: str) -> tuple[Row, Row | None]:
    """The clinician's session and its family, held until the transaction ends."""
    params = {"token_hash": tokens.token_hash(text), "now": turn.now}
    rows = await fetch(turn.connection, store.HOLD_SESSION, params)
    if not rows:
        raise Refusal("invalid_grant", _NO_SUBJECT)
    (session,) = rows
    # A token that is bound to somebody else's key was taken from them.
    usable = session.confirmation in {None, turn.thumbprint}
    original = session.derived_from is None and session.opened_patient_key is None
    if session.kind != "practitioner" or not usable or not original:
        raise Refusal("invalid_grant", _NO_SUBJECT)
    if session.family_id is None:
        return session, None
    family = await families.held(turn.connection, session.family_id, now=turn.now)
    if family is None:
        raise Refusal("invalid_grant", _NO_SUBJECT)
    return session, family


def _scopes(turn: Turn, client: clients.Client, session: Row, text: str) -> frozenset[str]:
    """What is asked for of what both have; all of that if nothing is asked for."""
    own = [scope for scope in client.scopes if scope.startswith("user/")]
    shared = left_of(filter(None, map(record_scope, session.scopes)), own)
    if not text.split():
        return frozenset(map(str, shared))
    sandbox = turn.runtime.settings.sandbox
    try:
        asked = wanted(text.split(), contexts=("patient", "user"), sandbox=sandbox)
    except ScopeRefused as error:
        raise Refusal("invalid_scope", error.text) from None
    if asked.beside or not all(covered(each, shared) for each in asked.records):
        raise Refusal("invalid_scope", "expected no more than the clinician and the service have")
    return frozenset(map(str, asked.records))
