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
from passport.identity.federation import store as federation
from passport.identity.login import factors, sessions
from passport.identity.login import store as logins
from passport.identity.passkeys import store as passkeys
from passport.identity.principals import UnknownPrincipal, principal, resident_concerned
from passport.identity.purposes import all_grantable, grantable
from passport.notices import tell
from passport.outcomes import (
    Conflict,
    InsufficientAuthentication,
    Invalid,
    Outcome,
    Refused,
    TooMany,
    Unauthenticated,
)
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch
from passport.subjects import Subject


@dataclass(frozen=True, slots=True)
class Handed:
    """A code as it is handed to its owner, once; `concerned` is the patient_key of whose passport it opens.

    One that is not `good` waits for another operator.
    """

    login: str
    code: str
    subject: Subject
    concerned: int | None
    good: bool


@dataclass(frozen=True, slots=True)
class Order:
    """For whom a code is asked for; `person` is the Practitioner whom a person of the city is as well."""

    login: str
    subject: str
    purposes: tuple[str, ...]
    scopes: tuple[str, ...]
    person: str | None

    @property
    def of_city(self) -> bool:
        """Whether it is for somebody who acts for the city."""
        return persons.city_kind(self.subject) is not None


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


async def hand_out(
    runtime: Runtime,
    connection: Connection,
    tree: Mapping[str, Any],
    *,
    now: datetime,
    handed_by: str | None = None,
) -> Handed:
    """Give a login a new code in the open transaction; its former code is good for nothing from then on.

    Nor is what was opened by it, or by what it allowed: that ends with whatever else its person has open in that role.
    Passkeys and accounts stay theirs, and let them in anew, as far as the login allows now.

    The resident whose passport it opens, by themselves or by a proxy, is told. A code for a person of the city is good
    once another operator has confirmed it: nobody makes a second person of themselves.

    Args:
        runtime: the service's parts.
        connection: a connection inside a transaction.
        tree: `login`, `subject` (as whom it signs in), `purposes`, and optionally `scopes` and, for a person of the
            city, `person` (the Practitioner who they are as well).
        now: the instant.
        handed_by: the operator who does it, None where it is the installation itself.

    Raises:
        Invalid: a member is missing, unknown or unfit.
        Conflict: the login is someone else's.
    """
    order = _ordered(tree)
    subject = await principal(
        runtime, connection, order.subject, purpose=order.purposes[0], scopes=frozenset(), now=now
    )
    if subject.kind in {"service", "device"}:
        raise Invalid("got a service or a device, which sign in with a key of their own", ("subject",))
    code = codes.draw(runtime.ring.random)
    given = scopes.checked(order.scopes, subject.kind, sandbox=runtime.settings.sandbox)
    row = {
        "login": order.login,
        "secret_hash": codes.hashed(code, salt=runtime.ring.random(codes.SALT_BYTES)),
        "kind": subject.kind,
        "subject": subject.reference,
        "role": subject.role,
        "patient_key": subject.patient_key,
        "purposes": list(order.purposes),
        "scopes": sorted(given or scopes.everything(subject.kind)),
        "person": order.person,
        "handed_by": handed_by if order.of_city else None,
        "now": now,
    }
    replaces = await fetch(connection, logins.HOLD_LOGIN, {"login": order.login})
    if not await fetch(connection, store.PUT_CODE, row):
        raise Conflict("got a login that is someone else's", ("login",))
    # Statements of their own: they see the session of a sign-in that held the former code until now.
    if replaces:
        await end_open(connection, subject.reference, subject.role, now=now)
    concerned = await resident_concerned(runtime, connection, subject)
    if concerned is not None:
        about, notice_id = {"for": subject.reference}, tokens.random_uuid(runtime)
        await tell(connection, concerned, "sign-in-code-issued", about, notice_id=notice_id, now=now)
    return Handed(order.login, code, subject, concerned, good=row["handed_by"] is None)


def _ordered(tree: Mapping[str, Any]) -> Order:
    """Read for whom a code is.

    Raises:
        Invalid: a member is missing, unknown or unfit.
    """
    if tree.keys() - {"login", "subject", "purposes", "scopes", "person"}:
        raise Invalid("got an unknown member, expected login, subject, purposes, scopes, person")
    login, reference, asked = codes.login_of(tree.get("login")), tree.get("subject"), tree.get("scopes", [])
    if not isinstance(reference, str) or not isinstance(asked, list):
        raise UnknownPrincipal
    order = Order(
        login=login,
        subject=persons.person_for(reference, login),
        purposes=all_grantable(tree.get("purposes")),
        scopes=tuple(map(str, asked)),
        person=persons.practitioner_of(tree.get("person")),
    )
    if order.person is not None and not order.of_city:
        text = "got `person` beside a subject that is one, expected it for the city alone"
        raise Invalid(text, ("person",))
    return order


async def confirm(connection: Connection, login: str, *, by: str) -> str | None:
    """Let a code for a person of the city be good; that person's subject, None where none waits.

    Raises:
        Refused: whoever confirms handed it out, or it is their own.
    """
    if not persons.LOGIN.fullmatch(login):
        return None
    rows = await fetch(connection, store.WAITING_CODE, {"login": login})
    if not rows:
        return None
    (row,) = rows
    for other in (row.handed_by, row.subject, *([row.person] if row.person else [])):
        await persons.require_another(connection, other, by)
    await fetch(connection, store.CONFIRM_CODE, {"login": login})
    subject: str = row.subject
    return subject


async def withdraw(connection: Connection, login: str, *, now: datetime) -> bool:
    """Take a login's code back, and end the passkeys and sessions of whoever it is for; False when it has neither."""
    if not persons.LOGIN.fullmatch(login):
        return False
    held = await fetch(connection, passkeys.OWNERS, {"login": login})
    ended = await fetch(connection, store.END_CODE, {"login": login})
    # A statement of its own: it sees what was linked by somebody who held the code until now.
    await fetch(connection, federation.END_LINKS_OF_LOGIN, {"login": login, "now": now})
    owners = {(row.subject, row.role): row for row in (*held, *ended)}
    for row in owners.values():
        await fetch(connection, passkeys.END_OF_ROLE, {"subject": row.subject, "role": row.role, "now": now})
        await fetch(connection, passkeys.END_RECOVERIES, {"subject": row.subject, "now": now})
        # Statements of their own: they see the session of a sign-in that held code or passkey until now.
        await end_open(connection, row.subject, row.role, now=now)
    return bool(owners)


async def end_open(connection: Connection, subject: str, role: str | None, *, now: datetime) -> None:
    """End whatever a person has open in a role, at browsers, by tokens and through apps."""
    await fetch(connection, store.END_SESSIONS_OF_CODE, {"subject": subject, "role": role, "now": now})
    await sessions.end_of(connection, subject, role, now=now)


async def withdraw_from(connection: Connection, subject: str, *, now: datetime) -> None:
    """Take every code and passkey of somebody back, and end whatever they have open."""
    await fetch(connection, store.END_CODES, {"subject": subject})
    await fetch(connection, federation.END_LINKS_OF_SUBJECT, {"subject": subject, "now": now})
    await fetch(connection, passkeys.END_OF_SUBJECT, {"subject": subject, "now": now})
    await fetch(connection, passkeys.END_RECOVERIES, {"subject": subject, "now": now})
    # A statement of its own: it sees the session of a sign-in that held the code until now.
    await fetch(connection, store.END_SESSIONS, {"subject": subject, "now": now})
    await sessions.end_of_subject(connection, subject, now=now)


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
        rows = await fetch(connection, store.CODE, {"login": login, "unused_since": unused_since})
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
