"""Issuing: a session for a person through a client, or for a service as itself, and what is answered of it.

https://www.rfc-editor.org/rfc/rfc6749#section-5.1
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from passport.identity import clients, scopes, tokens
from passport.identity.authorization import families, store
from passport.identity.authorization.authentication import NOT_THIS_CLIENT
from passport.identity.authorization.core import Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.id_tokens import id_token
from passport.identity.authorization.profiles import REFRESH
from passport.identity.authorization.wanted import OFFLINE, OPENID
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.purposes import GRANTABLE
from passport.sql import Row, fetch
from passport.subjects import Subject

TOKEN_TYPES: Final = {"DPoP": "DPoP", "certificate": "Bearer"}  # RFC 9449, section 5; RFC 8705, section 3


def client_of(turn: Turn) -> clients.Client:
    """The client of a request that has proved which one it is."""
    if turn.client is None:
        raise Refusal("invalid_client", NOT_THIS_CLIENT)
    return turn.client


async def for_person(
    turn: Turn, family: Row, subject: Subject, given: frozenset[str], *, refreshable: bool
) -> dict[str, Any]:
    """A token for the person of a family; `refreshable` if a refresh token may go with it.

    Raises:
        Refusal: no key was proved where one has to be, or more is given than was allowed.
    """
    client = client_of(turn)
    if not scopes.within(given, family.scopes):
        raise Refusal("invalid_scope", "expected no more than was allowed")
    require_key(turn, client)
    if turn.thumbprint is not None and family.confirmation is None:
        key = {"family_id": family.family_id, "confirmation": turn.thumbprint}
        await fetch(turn.connection, store.BIND_FAMILY, key)
    # Whoever has no scopes left, such as a guardian out of office, gets none by asking for some.
    given |= await _one_patient(turn, family, given)
    subject = turn.subject = replace(subject, scopes=given if subject.scopes else frozenset())
    lasts = min(_lifetime(turn), family.expires_at - turn.now)
    bound = tokens.Bound(family.family_id, turn.thumbprint, client_id=client.client_id)
    issued = await tokens.issue(
        turn.runtime,
        turn.connection,
        subject,
        now=turn.now,
        lifetime=lasts,
        authenticated_at=family.authenticated_at,
        bound=bound,
    )
    answer = answered(turn, issued, family.beside)
    if refreshable and OFFLINE in family.beside and REFRESH in client.grant_types:
        answer["refresh_token"] = await families.new_refresh(
            turn.runtime, turn.connection, family.family_id, client, now=turn.now
        )
    if OPENID in family.beside:
        answer["id_token"] = id_token(turn.runtime, family, client, subject, now=turn.now)
    turn.spent = None
    return {**answer, **family.launch}


async def _one_patient(turn: Turn, family: Row, given: frozenset[str]) -> frozenset[str]:
    """What binds scopes of the context `patient/` to the one whom the app is told, whoever allowed it.

    They are all registrations of that person as they are now. Who is not here is nobody, which no answer tells.
    """
    if not any(scope.startswith("patient/") for scope in given):
        return frozenset()
    rows = await fetch(turn.connection, store.PATIENT_KEYS, {"patient_id": family.launch.get("patient", "")})
    bind = scopes.of_one_patient if family.kind == "practitioner" else scopes.of_one_passport
    return bind(row.patient_key for row in rows)


async def for_service(turn: Turn, fields: Mapping[str, str]) -> dict[str, Any]:
    """A token for a service as itself, for a purpose that an operator allowed it.

    Raises:
        Refusal: the purpose or a scope is not allowed, or the service is nobody any more.
    """
    client = client_of(turn)
    require_key(turn, client)
    purpose = fields.get("purpose_of_use", "") or _only_purpose(client)
    if purpose not in GRANTABLE:
        raise Refusal("invalid_request", f"expected purpose_of_use, one of {', '.join(GRANTABLE)}")
    if not clients.may_ask_for(client, purpose):
        raise Refusal("unauthorized_client", "this purpose of use is not allowed for the client")
    given = _own_scopes(client, fields.get("scope", ""), sandbox=turn.runtime.settings.sandbox)
    try:
        subject = await principal(
            turn.runtime, turn.connection, client.subject or "", purpose=purpose, scopes=given, now=turn.now
        )
    except UnknownPrincipal:
        raise Refusal("invalid_client", NOT_THIS_CLIENT) from None
    turn.subject = subject
    bound = tokens.Bound(confirmation=turn.thumbprint, client_id=client.client_id)
    # A service proves who it is each time.
    issued = await tokens.issue(
        turn.runtime,
        turn.connection,
        subject,
        now=turn.now,
        lifetime=_lifetime(turn),
        authenticated_at=turn.now,
        bound=bound,
    )
    return answered(turn, issued, ())


def require_key(turn: Turn, client: clients.Client) -> None:
    """Let a client of a profile whose tokens are bound go on only with a key.

    Raises:
        Refusal: it proved none.
    """
    if client.profile.constrained and turn.proved is None:
        raise Refusal(
            "invalid_dpop_proof", "expected a DPoP proof or a certificate: each token is bound to a key"
        )


def answered(turn: Turn, issued: tokens.Issued, beside: Iterable[str]) -> dict[str, Any]:
    """The successful answer of RFC 6749, section 5.1, with the scopes that were granted."""
    turn.session_id = issued.session_id
    kind = "Bearer" if turn.proved is None else TOKEN_TYPES[turn.proved.kind]
    granted = " ".join(sorted({*scopes.told(issued.scopes), *beside}))
    return {**issued.answer, "token_type": kind, "scope": granted}


def _only_purpose(client: clients.Client) -> str:
    """The purpose of a service that an operator allowed one alone: SMART's own clients do not know of purposes."""
    return client.purposes[0] if len(client.purposes) == 1 else ""


def _lifetime(turn: Turn) -> timedelta:
    return timedelta(seconds=turn.runtime.settings.access_token_seconds)


def _own_scopes(client: clients.Client, text: str, *, sandbox: bool) -> frozenset[str]:
    """What is asked for of what the service may have as itself; all of that if nothing is asked for."""
    allowed = frozenset(scope for scope in client.scopes if scope.startswith("system/"))
    if not text.split():
        return allowed
    try:
        asked = scopes.read(text, "service", sandbox=sandbox)
    except scopes.UnusableScope as refusal:
        raise Refusal("invalid_scope", refusal.text) from None
    if not scopes.within(asked, allowed):
        raise Refusal("invalid_scope", "this scope is not allowed for the client")
    return asked
