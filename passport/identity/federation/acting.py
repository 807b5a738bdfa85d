"""As whom somebody signs in whom a provider names: linked by their code before, and in one role.

https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability
http://hl7.org/fhir/R4/practitionerrole.html

A name that nobody knows yet is linked by the sign-in code of a login, or by two operators: never by what the provider
says of name or birth date. A link leads to a login, so what ends the login ends it too. A clinician signs in to a role
at the provider's Organization, and to none elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fhirstore.parse import parse, serialise
from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import sign_in, tokens
from passport.identity.federation import registry, store
from passport.identity.federation.going import LASTS, hashed
from passport.identity.federation.meeting import Met
from passport.identity.federation.providers import Provider
from passport.identity.login import sessions
from passport.identity.principals import UnknownPrincipal, principal, resident_concerned
from passport.keys import open_sealed, seal
from passport.notices import tell
from passport.outcomes import Outcome, Refused, Unauthenticated
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whom a provider sent back to this browser, with the logins to which they may sign in."""

    way: Row
    provider: Provider
    choices: tuple[Row, ...]

    @property
    def as_json(self) -> dict[str, Any]:
        """What a page has to ask the person for: their code, or as whom they act."""
        return {
            "provider": self.provider.shown,
            "needs": "choice" if self.choices else "code",
            "choices": [
                {"login": row.login, "kind": row.kind, "subject": row.subject, "role": row.role}
                for row in self.choices
            ],
        }


async def keep(connection: Connection, runtime: Runtime, state: str, found: Met, *, now: datetime) -> None:
    """Keep whom a provider sent back, until they are signed in; what it says of them is sealed."""
    state_hash, ring = hashed(state), runtime.ring
    said = None
    if found.said:
        place = _place(state_hash)
        said = seal(ring.key_encryption_key, serialise(dict(found.said)), place, random=ring.random)
    params = {
        "state_hash": state_hash,
        "sub_hash": found.sub_hash,
        "authenticated_at": found.authenticated_at,
        "second_factor": found.second_factor,
        "said": said,
        "expires_at": now + LASTS,
    }
    await fetch(connection, store.MEET, params)


def opened(runtime: Runtime, way: Any) -> dict[str, str]:
    """What a provider said of somebody."""
    plain = open_sealed(runtime.ring.key_encryption_key, way.said, _place(way.state_hash))
    return {name: str(text) for name, text in parse(plain).items()}


async def waiting(runtime: Runtime, connection: Connection, cookie: str, *, now: datetime) -> Waiting:
    """Whom a provider sent back to this browser, and who is not signed in yet.

    Raises:
        Unauthenticated: nobody.
        NotFound: the provider is asked no more.
    """
    rows = await fetch(connection, store.MET, {"browser_hash": hashed(cookie), "now": now}) if cookie else []
    if not rows:
        raise Unauthenticated("expected somebody whom a provider just sent back to this browser")
    (way,) = rows
    provider = await registry.active(connection, way.provider_id)
    if provider.issuer != way.issuer:
        raise Unauthenticated("expected somebody whom a provider just sent back to this browser")
    return Waiting(way, provider, await _choices(runtime, connection, provider, way.sub_hash, now))


async def choose(
    runtime: Runtime, connection: Connection, found: Waiting, login: str, *, now: datetime
) -> str:
    """Sign somebody in to one of the logins that are theirs; the cookie's text.

    Raises:
        Refused: it is none of them, or may act no more.
        Unauthenticated: somebody was signed in by this before.
    """
    chosen = [row for row in found.choices if row.login == login]
    if not chosen:
        raise Refused("expected one of those as whom they may act")
    # The code is not taken back until the session is there.
    rows = await fetch(connection, store.HOLD_LOGIN, {"login": login})
    if not rows:
        raise Refused("expected one of those as whom they may act")
    return await _begun(runtime, connection, found, rows[0], now)


async def link(runtime: Runtime, connection: Connection, found: Waiting, row: Row, *, now: datetime) -> str:
    """Let the provider's name stand for the owner of a code, and sign them in; the cookie's text.

    Raises:
        Refused: the provider signs nobody of this kind in, or the role is elsewhere.
        WrongCode: the code was taken back meanwhile.
    """
    provider = found.provider
    if row.kind not in provider.kinds or not await _at_home(runtime, connection, provider, [row], now):
        raise Refused("this provider does not sign in whom this code is for")
    await sign_in.use(connection, row, now=now)
    keyed = {"provider_id": provider.provider_id, "login": row.login, "now": now}
    await registry.end_other_links(connection, provider, row.login, now=now)
    link_id = tokens.random_uuid(runtime)
    kept = {"link_id": link_id, "sub_hash": found.way.sub_hash, "subject": row.subject, "asked_by": None}
    await fetch(connection, store.LINK, {**keyed, **kept})
    cookie = await _begun(runtime, connection, found, row, now)
    await tell_linked(runtime, connection, row.subject, now=now)
    await audit(
        runtime, connection, found.provider, row, "success", str(link_id), now=now, action="sign-in-link"
    )
    return cookie


async def tell_linked(runtime: Runtime, connection: Connection, subject: str, *, now: datetime) -> None:
    """Tell the resident whose passport it opens that somebody may sign in by a provider."""
    who = await principal(runtime, connection, subject, purpose="", scopes=frozenset(), now=now)
    concerned = await resident_concerned(runtime, connection, who)
    if concerned is not None:
        notice_id = tokens.random_uuid(runtime)
        await tell(connection, concerned, "sign-in-linked", {"for": subject}, notice_id=notice_id, now=now)


async def _choices(
    runtime: Runtime, connection: Connection, provider: Provider, sub_hash: bytes, now: datetime
) -> tuple[Row, ...]:
    asked = {
        "provider_id": provider.provider_id,
        "sub_hash": sub_hash,
        "kinds": list(provider.kinds),
    }
    rows = await fetch(connection, store.ACTING, asked)
    return tuple(await _at_home(runtime, connection, provider, rows, now))


async def _at_home(
    runtime: Runtime, connection: Connection, provider: Provider, rows: Sequence[Row], now: datetime
) -> list[Row]:
    """Those of these logins that the provider may sign in: of clinicians, those with a role in its Organization."""
    if provider.organization is None:
        return list(rows)
    keys = {runtime.keys.reference(row.role): row for row in rows if row.role is not None}
    organization = runtime.keys.reference(provider.organization)
    asked = {"roles": list(keys), "organization": organization, "now": now}
    within = {row.role for row in await fetch(connection, store.ROLES_WITHIN, asked)}
    return [row for row in rows if row.role is not None and runtime.keys.reference(row.role) in within]


async def _begun(runtime: Runtime, connection: Connection, found: Waiting, row: Row, now: datetime) -> str:
    way = found.way
    await _check_acts(runtime, connection, row, now)
    methods = [found.provider.method]
    login_id, cookie = await sessions.begin(runtime, connection, row, methods=methods, now=now)
    proved = {
        "login_id": login_id,
        "authenticated_at": way.authenticated_at,
        "second_factor_at": way.authenticated_at if way.second_factor else None,
    }
    await fetch(connection, store.PROVED, proved)
    done = {"state_hash": way.state_hash, "login_id": login_id, "now": now}
    if not await fetch(connection, store.DONE, done):
        raise Unauthenticated("expected somebody whom a provider just sent back to this browser")
    await audit(runtime, connection, found.provider, row, "success", str(login_id), now=now)
    return cookie


async def _check_acts(runtime: Runtime, connection: Connection, row: Any, now: datetime) -> None:
    """Let somebody through who may still act, in the role that their code was for."""
    try:
        subject = await principal(
            runtime, connection, row.role or row.subject, purpose="", scopes=frozenset(), now=now
        )
    except UnknownPrincipal:
        raise Refused("expected somebody who may still act") from None
    # A role may have been given to somebody else.
    if (subject.reference, subject.role) != (row.subject, row.role):
        raise Refused("expected somebody who may still act")


async def audit(
    runtime: Runtime,
    connection: Connection,
    provider: Provider | None,
    row: Any | None,
    outcome: Outcome,
    detail: str,
    *,
    now: datetime,
    action: str = "sign-in",
    query: str = "GET auth/federation",
) -> UUID:
    """Keep what became of a way to a provider."""
    audited = AuditRow(
        patient_key=NOBODY if row is None or row.patient_key is None else row.patient_key,
        audit_id=tokens.random_uuid(runtime),
        recorded=now,
        action=action,
        kind=row.kind if row else "",
        outcome=outcome,
        subject=row.subject if row else None,
        role=row.role if row else None,
        query=query if provider is None else f"{query}/{provider.provider_id}/back",
        detail=detail,
    )
    await record(connection, [audited])
    return audited.audit_id


def _place(state_hash: bytes) -> bytes:
    """What is sealed of a way is bound to it."""
    return b"federation " + state_hash
