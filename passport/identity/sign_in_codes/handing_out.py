"""Handing out sign-in codes: to a resident who never signed in by one operator, to everybody else by two.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4
https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)

Whoever hands a code out knows it. So an operator alone lets in only a resident who never was: from the first sign-in on
a further code waits for another operator, whatever was taken back before. A code for whoever acts on the records of
others, or for the city, always does: nobody makes up a clinician, or a second person of themselves. What waits lies
beside the code that is good, which goes on until then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from passport.identity import codes, scopes, sign_in
from passport.identity import store as codes_store
from passport.identity.login import store as logins
from passport.identity.principals import principal
from passport.identity.sign_in_codes import store, telling
from passport.identity.sign_in_codes.clearing import end_unvouched, registrations_of
from passport.identity.sign_in_codes.ordering import Order
from passport.identity.sign_in_codes.proposal import Proposal
from passport.outcomes import Conflict, Invalid
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Subject

WAITS: Final = timedelta(days=14)
"""How long a code waits for another operator."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A code as it is handed to its owner, once; `concerned` is the patient_key of whose passport it opens.

    One with a `proposal` waits for another operator, who names it by that.
    """

    login: str
    code: str
    subject: Subject
    concerned: int | None
    proposal: str | None = None


async def hand_out(
    runtime: Runtime,
    connection: Connection,
    tree: Mapping[str, Any],
    *,
    now: datetime,
    handed_by: str | None = None,
) -> Handed:
    """Draw a code for a login in the open transaction; it is good at once, or waits for another operator.

    The resident whose passport it opens, by themselves or by a proxy, is told either way.

    Args:
        runtime: the service's parts.
        connection: a connection inside a transaction.
        tree: `login`, `subject` (as whom it signs in), `purposes`, and optionally `scopes` and, for a person of the
            city, `person` (the Practitioner who they are as well).
        now: the instant.
        handed_by: the operator who does it alone; None where two people decided, the resident, or the installation.

    Raises:
        Invalid: a member is missing, unknown or unfit.
        Conflict: the login is someone else's.
    """
    order = Order.read(tree)
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
    }
    await hold(runtime, connection, subject)
    holders = await fetch(connection, logins.HOLD_LOGIN, {"login": order.login})
    if any((held.subject, held.role) != (subject.reference, subject.role) for held in holders):
        raise somebody_elses()
    # A statement of its own: it sees the sign-in that held the login until now.
    known = await entered(runtime, connection, subject)
    if handed_by is None or (subject.kind == "patient" and not known):
        concerned = await let_in(
            runtime,
            connection,
            subject,
            {**row, "vouched": handed_by is None},
            replaces=bool(holders),
            known=known,
            now=now,
        )
        return Handed(order.login, code, subject, concerned)
    waiting = {**row, "by": handed_by, "now": now, "expires_at": now + WAITS}
    await fetch(connection, store.PROPOSE, waiting)
    concerned = await telling.tell(
        runtime, connection, subject, "sign-in-code-proposed", known=known, now=now
    )
    (kept,) = await fetch(connection, store.HOLD_PROPOSAL, {"login": order.login, "now": now})
    return Handed(order.login, code, subject, concerned, Proposal(kept).digest)


async def let_in(
    runtime: Runtime,
    connection: Connection,
    subject: Subject,
    row: Mapping[str, Any],
    *,
    replaces: bool,
    known: bool,
    now: datetime,
) -> int | None:
    """Let a code be good, and tell of it; the former one of its login is good for nothing, and nothing waits for it.

    Nor is what was opened by it, or by what it allowed: that ends with whatever else its person has open in that role.
    Passkeys and accounts stay theirs, and let them in anew, as far as the login allows now. But where two people stand
    behind the code (`vouched`), what one operator alone let in before ends, whichever login of the person led there.

    Returns the patient_key of whose passport the code opens. `known` says whether its person ever signed in.

    Raises:
        Conflict: the login is someone else's.
    """
    cleared = False
    if row["vouched"]:
        subjects = await registrations_of(runtime, connection, subject.kind, subject.reference)
        cleared = await end_unvouched(connection, subjects, subject.role, now=now)
    if not await fetch(connection, codes_store.PUT_CODE, {**row, "now": now}):
        raise somebody_elses()
    await fetch(connection, store.DROP_PROPOSAL, {"login": row["login"]})
    # Statements of their own: they see the session of a sign-in that held the former code until now.
    if replaces:
        await sign_in.end_open(connection, row["subject"], row["role"], now=now)
    if cleared:
        await telling.tell(runtime, connection, subject, "sign-in-code-withdrawn", known=known, now=now)
    return await telling.tell(runtime, connection, subject, "sign-in-code-issued", known=known, now=now)


async def hold(runtime: Runtime, connection: Connection, subject: Subject) -> None:
    """Let nobody else hand a code to this person until the transaction ends."""
    lock = runtime.keys.token(f"sign-in codes of {subject.reference}")
    await fetch(connection, store.HOLD_PERSON, {"person": lock})


async def entered(runtime: Runtime, connection: Connection, subject: Subject) -> bool:
    """Whether somebody ever signed in, by whichever of their logins, roles and registrations."""
    subjects = await registrations_of(runtime, connection, subject.kind, subject.reference)
    (row,) = await fetch(connection, store.LETS_IN, {"subjects": list(subjects)})
    return bool(row.entered)


def somebody_elses() -> Conflict:
    """What is answered where a login belongs to another person, or to another role."""
    return Conflict("got a login that is someone else's", ("login",))
