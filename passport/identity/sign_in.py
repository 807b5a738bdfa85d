"""Local sign-in: a login and its code become a session; later identity work replaces it behind `Subject`.

https://www.rfc-editor.org/rfc/rfc6749
"""

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import attempts, codes, persons, scopes, store, tokens
from passport.identity.login import factors, sessions
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.purposes import grantable
from passport.outcomes import (
    InsufficientAuthentication,
    Invalid,
    Outcome,
    Refused,
    TooMany,
    Unauthenticated,
)
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in: by which request, for what if that is told, and from which network address."""

    purpose: str | None
    scope: str
    address: str
    now: datetime
    query: str = "POST auth/sign-in"


class WrongCode(Unauthenticated):
    """No such login, or not its code: the two look the same."""

    def __init__(self) -> None:
        super().__init__("got no login with this code")


async def end_open(connection: Connection, subject: str, role: str | None, *, now: datetime) -> None:
    """End whatever a person has open in a role, at browsers, by tokens and through apps."""
    await fetch(connection, store.END_SESSIONS_OF_CODE, {"subject": subject, "role": role, "now": now})
    await sessions.end_of(connection, subject, role, now=now)


async def sign_in(runtime: Runtime, tree: Mapping[str, Any], *, address: str) -> tokens.Issued:
    """Answer a sign-in; signed in or not, it has its audit row.

    Args:
        runtime: the service's parts.
        tree: `login`, `code`, `purpose`, and optionally `scope`.
        address: the caller's network address, whose own failures are limited.

    Raises:
        Invalid: a member is missing or unfit.
        TooMany: this caller failed too often.
        WrongCode: no such login, or not its code.
        InsufficientAuthentication: a code alone is too little for whoever this is.
        Refused: this login may not sign in for this purpose or with these scopes.
    """
    login, code = tree.get("login"), tree.get("code")
    if not isinstance(login, str) or not isinstance(code, str):
        raise Invalid("expected `login`, `code` and `purpose` as texts")
    attempt = Attempt(grantable(tree.get("purpose")), str(tree.get("scope", "")), address, runtime.clock())
    row = await recognised(runtime, login, code, attempt)
    async with runtime.pool.connection() as connection:
        try:
            async with connection.transaction():
                return await _signed_in(runtime, connection, row, attempt)
        except (Refused, UnknownPrincipal, WrongCode, InsufficientAuthentication, scopes.UnusableScope):
            await _audit(runtime, connection, row, "refused", attempt, detail="forbidden")
            raise


async def sign_in_at_browser(runtime: Runtime, login: str, code: str, *, address: str) -> str:
    """Begin a browser session for the owner of a code, and return its cookie's text; refused or not, it is audited.

    Raises:
        TooMany: this caller failed too often.
        WrongCode: no such login, or not its code.
    """
    attempt = Attempt(None, "", address, runtime.clock(), "POST auth/login")
    row = await recognised(runtime, login, code, attempt)
    async with runtime.pool.connection() as connection:
        try:
            async with connection.transaction():
                await use(connection, row, now=attempt.now)
                login_id, cookie = await sessions.begin(
                    runtime, connection, row, methods=["code"], now=attempt.now
                )
                await _audit(runtime, connection, row, "success", attempt, detail=str(login_id))
        except WrongCode:
            await _audit(runtime, connection, row, "refused", attempt, detail="forbidden")
            raise
    return cookie


async def recognised(runtime: Runtime, login: str, code: str, attempt: Attempt) -> Row:
    """What stands behind a login whose code this is.

    Raises:
        TooMany: this caller failed too often.
        WrongCode: no such login, or not its code.
    """
    row = await _known(runtime, login, attempt)
    # No connection is held while a thread hashes: whoever signs in keeps nobody from reading.
    right = await to_thread(codes.matches, code, row.secret_hash if row else codes.NO_CODE)
    if row is not None and right:
        return row
    async with runtime.pool.connection() as connection:
        await attempts.count(runtime, connection, attempt.address, now=attempt.now)
        await _audit(runtime, connection, row, "refused", attempt, detail="login")
    raise WrongCode


async def use(connection: Connection, row: Row, *, now: datetime) -> None:
    """Let a code go on that is in use, and keep it from being taken back until the transaction ends.

    Raises:
        WrongCode: it was taken back, or replaced.
    """
    used = {"login": row.login, "secret_hash": row.secret_hash, "now": now}
    if not await fetch(connection, store.USE_CODE, used):
        raise WrongCode


async def _known(runtime: Runtime, login: str, attempt: Attempt) -> Row | None:
    """What stands behind the login, None for an unknown one."""
    async with runtime.pool.connection() as connection:
        try:
            await attempts.check(runtime, connection, attempt.address, now=attempt.now)
        except TooMany:
            await _audit(runtime, connection, None, "refused", attempt, detail="throttled")
            raise
        # A code that nobody uses any more is answered as one of no login.
        unused_since = attempt.now - runtime.settings.code_lasts_unused
        rows = await fetch(
            connection, store.CODE, {"login": codes.typed_login(login), "unused_since": unused_since}
        )
    return rows[0] if rows else None


async def _signed_in(runtime: Runtime, connection: Connection, row: Row, attempt: Attempt) -> tokens.Issued:
    purpose, now = attempt.purpose, attempt.now
    if factors.needs_second(runtime.settings, row.kind):
        raise factors.one_factor()
    if purpose is None or purpose not in row.purposes:
        raise Refused("this purpose of use is not allowed for the login", ("purpose",))
    asked = scopes.checked(attempt.scope.split(), row.kind, sandbox=runtime.settings.sandbox)
    given = asked or frozenset(row.scopes)
    if not scopes.within(given, row.scopes):
        raise Refused("this scope is not allowed for the login", ("scope",))
    await use(connection, row, now=now)
    reference = row.subject if persons.city_kind(row.subject) else row.role or row.subject
    subject = await principal(runtime, connection, reference, purpose=purpose, scopes=given, now=now)
    lifetime = timedelta(seconds=runtime.settings.access_token_seconds)
    issued = await tokens.issue(
        runtime, connection, subject, now=now, lifetime=lifetime, authenticated_at=now
    )
    await _audit(runtime, connection, row, "success", attempt, detail=str(issued.session_id))
    return issued


async def _audit(
    runtime: Runtime,
    connection: Connection,
    row: Row | None,
    outcome: Outcome,
    attempt: Attempt,
    *,
    detail: str,
) -> None:
    audited = AuditRow(
        patient_key=NOBODY if row is None or row.patient_key is None else row.patient_key,
        audit_id=tokens.random_uuid(runtime),
        recorded=attempt.now,
        action="sign-in",
        kind=row.kind if row else "",
        outcome=outcome,
        subject=row.subject if row else None,
        role=row.role if row else None,
        purpose=attempt.purpose,
        query=attempt.query,
        detail=detail,
    )
    await record(connection, [audited])
