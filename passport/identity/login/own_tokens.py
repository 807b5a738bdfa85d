"""Tokens for the passport's own pages: what a person at a browser may do themselves, with no app between.

https://www.rfc-editor.org/rfc/rfc6750

It is what `POST /auth/sign-in` gives for a code, for whoever signed in otherwise: it says when its person proved who
they are, ends with the browser session, and is exchanged for nothing else.
"""

from datetime import timedelta

from passport.identity import scopes, tokens
from passport.identity.authorization.core import Turn
from passport.identity.login import factors
from passport.identity.login.sessions import SignedIn
from passport.identity.persons import city_kind
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.purposes import grantable
from passport.outcomes import Refused


async def issue(turn: Turn, person: SignedIn, purpose: object, scope: str) -> tokens.Issued:
    """A token for a person at a browser, as they stand now.

    Raises:
        InsufficientAuthentication: they need a second factor, and have shown one alone.
        Invalid: no such purpose or scope.
        Refused: it is not allowed for their login, or they may not act any more.
    """
    factors.require_second(turn.runtime.settings, person)
    wanted = grantable(purpose)
    if wanted not in person.purposes:
        raise Refused("this purpose of use is not allowed for the login", ("purpose",))
    asked = scopes.checked(scope.split(), person.kind, sandbox=turn.runtime.settings.sandbox)
    given = asked or frozenset(person.scopes)
    if not scopes.within(given, person.scopes):
        raise Refused("this scope is not allowed for the login", ("scope",))
    reference = person.subject if city_kind(person.subject) else person.role or person.subject
    try:
        subject = await principal(
            turn.runtime, turn.connection, reference, purpose=wanted, scopes=given, now=turn.now
        )
    except UnknownPrincipal:
        raise Refused("expected somebody who may act") from None
    if (subject.reference, subject.role) != (person.subject, person.role):
        raise Refused("expected somebody who may act")
    return await tokens.issue(
        turn.runtime,
        turn.connection,
        subject,
        now=turn.now,
        lifetime=timedelta(seconds=turn.runtime.settings.access_token_seconds),
        authenticated_at=person.authenticated_at,
        bound=tokens.Bound(derived_from=person.login_id),
    )
