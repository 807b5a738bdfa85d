"""What remains of what a person allowed an app, once an operator allows the app or the person less.

https://www.rfc-editor.org/rfc/rfc6749#section-6

An app that refreshes gets what its person allowed, as far as its registration and the login of the person still allow
it. Where nothing remains it is over: the app sends its person once more.
"""

from collections.abc import Collection, Sequence

from passport.identity import clients
from passport.identity.authorization import families, store
from passport.identity.authorization.core import Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.wanted import OFFLINE, left_of
from passport.identity.login.store import ALLOWED_NOW
from passport.identity.record_scopes import RecordScope, record_scope
from passport.identity.scopes import within
from passport.sql import Row, fetch


async def check_scope(turn: Turn, text: str, client: clients.Client, listed: Sequence[str]) -> None:
    """Refuse to refresh to more than was allowed, before the token is taken: a wrong wish costs nobody their app.

    Raises:
        Refusal: it is more.
    """
    params = {"token_hash": families.hashed(text), "now": turn.now}
    for row in await fetch(turn.connection, store.REFRESH_OF, params) if listed else ():
        records = [str(scope) for scope in map(record_scope, listed) if scope is not None]
        beside = {scope for scope in listed if record_scope(scope) is None}
        own = row.client_id == client.client_id
        if own and not (within(records, row.scopes) and beside <= set(row.beside)):
            raise Refusal("invalid_scope", "expected no more than was allowed")


async def still_allowed(
    turn: Turn, family: Row, client: clients.Client, wished: Collection[RecordScope]
) -> frozenset[str]:
    """What of the scopes that a person allowed an operator still allows the client and their login.

    Raises:
        Refusal: nothing of them, or no more for this purpose, or not without the person; the family ends with that.
    """
    whose = {"subject": family.subject, "role": family.role, "login_id": family.login_id}
    logins = [
        row for row in await fetch(turn.connection, ALLOWED_NOW, whose) if family.purpose in row.purposes
    ]
    by_client = {
        part
        for scope in wished
        for part in left_of([scope], [one for one in client.scopes if one.startswith(f"{scope.context}/")])
    }
    left = left_of(by_client, [scope for row in logins for scope in row.scopes])
    offline = OFFLINE not in family.beside or OFFLINE in client.scopes
    if not (logins and offline and clients.may_ask_for(client, family.purpose)) or (wished and not left):
        turn.spent = family.family_id
        raise Refusal("invalid_grant", "expected what an operator still allows the client and the person")
    return frozenset(map(str, left))
