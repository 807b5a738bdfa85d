"""What somebody has open: browsers, apps, and sessions of their own; and the end of any of them.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
https://pages.nist.gov/800-63-4/sp800-63b.html#sec5

An app sees nothing of it and ends nothing, whatever its scopes: it acts for a person and is none. What was ended is
ended for every request that begins after the answer. Whoever sits down at somebody's browser does not end where else
they are signed in: that wants a sign-in of late. To end what one allowed, or opened, is as easy as it was to begin it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from passport.identity.authorization import families
from passport.identity.authorization.wanted import OFFLINE
from passport.identity.authorization.words import BESIDE, record_words
from passport.identity.login.factors import stale
from passport.identity.login.sessions import IDLE, SignedIn
from passport.identity.overview import store
from passport.identity.record_scopes import record_scope
from passport.identity.store import END_DERIVED_OF
from passport.outcomes import NotFound, Refused
from passport.records import written_instant
from passport.settings import Settings
from passport.sql import Connection, Row, fetch
from passport.subjects import Subject


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks: all references under which they are registered, and the session or browser by which they do.

    `proved_at` is when they proved there who they are.
    """

    subjects: tuple[str, ...]
    by: UUID
    proved_at: datetime | None


def at_browser(person: SignedIn) -> Me:
    """Who is signed in at a browser."""
    return Me((person.subject,), person.login_id, person.authenticated_at)


async def me_of(connection: Connection, subject: Subject) -> Me:
    """Who a caller is.

    Raises:
        Refused: it is an app, a service or a device that acts for somebody.
    """
    if subject.kind in {"service", "device"} or subject.client is not None or subject.session_id is None:
        raise Refused("expected a person who signed in themselves")
    rows = await fetch(connection, store.OWN_SIGN_IN, {"session_id": subject.session_id})
    if not all(row.own for row in rows) or not rows:
        raise Refused("expected a person who signed in themselves")
    subjects = tuple(dict.fromkeys((subject.reference, *subject.registrations)))
    return Me(subjects, subject.session_id, rows[0].authenticated_at)


async def overview(connection: Connection, me: Me, *, now: datetime) -> Mapping[str, Any]:
    """All that somebody has open, the newest first."""
    params = {"subjects": list(me.subjects), "now": now, "idle_since": now - IDLE}
    return {
        "browsers": [_browser(row, me) for row in await fetch(connection, store.BROWSERS, params)],
        "apps": [_app(row) for row in await fetch(connection, store.APPS, params)],
        "sessions": [_session(row, me) for row in await fetch(connection, store.SESSIONS, params)],
    }


async def end(settings: Settings, connection: Connection, me: Me, id_: UUID, *, now: datetime) -> None:
    """End one of them in the open transaction, with whatever follows from it.

    Raises:
        InsufficientAuthentication: it is a sign-in elsewhere, and theirs is too long ago.
        NotFound: it is none of theirs, or is over.
    """
    params = {"id": id_, "subjects": list(me.subjects), "now": now}
    if await fetch(connection, store.END_BROWSER, params):
        _require_fresh(settings, me, id_, now)
        await families.end_of_login(connection, id_, now=now)
    elif await fetch(connection, store.OWN_APP, params):
        await families.end(connection, id_, now=now)
    elif ended := await fetch(connection, store.END_SESSION, params):
        if not ended[0].emergency:
            _require_fresh(settings, me, id_, now)
        # A statement of its own: it sees the session of an exchange that held this one until now.
        await fetch(connection, END_DERIVED_OF, {"origins": [id_], "now": now})
    else:
        raise NotFound("there is no such session of yours")


def _require_fresh(settings: Settings, me: Me, id_: UUID, now: datetime) -> None:
    if id_ != me.by and (me.proved_at is None or now - me.proved_at > settings.step_up):
        raise stale(settings)


def _browser(row: Row, me: Me) -> dict[str, Any]:
    return {
        **_open(row.login_id, row.authenticated_at, row.expires_at, row.role),
        "methods": list(row.methods),
        "browser": row.browser,
        "last_seen": written_instant(row.seen_at),
        "this_one": row.login_id == me.by,
    }


def _app(row: Row) -> dict[str, Any]:
    return {
        **_open(row.family_id, row.begun_at, row.expires_at, row.role),
        "client_id": row.client_id,
        "name": row.name,
        "purpose": row.purpose,
        "may": [{"scope": scope, "means": _means(scope)} for scope in sorted((*row.scopes, *row.beside))],
        "offline": OFFLINE in row.beside,
    }


def _session(row: Row, me: Me) -> dict[str, Any]:
    return {
        **_open(row.session_id, row.issued_at, row.expires_at, row.role),
        "purpose": row.purpose,
        **({"through": row.client} if row.client else {}),
        **({"emergency": True} if row.emergency else {}),
        "this_one": row.session_id == me.by,
    }


def _means(scope: str) -> dict[str, str]:
    of_records = record_scope(scope)
    return (BESIDE[scope] if of_records is None else record_words(of_records)).as_json()


def _open(id_: UUID, since: datetime, until: datetime, role: str | None) -> dict[str, Any]:
    named = {"role": role} if role else {}
    return {"id": str(id_), "since": written_instant(since), "until": written_instant(until), **named}
