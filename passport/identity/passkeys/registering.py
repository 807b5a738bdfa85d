"""Registering passkeys, listing them and removing them: what a person does about their own, at a browser.

https://www.w3.org/TR/webauthn-3/#sctn-registering-a-new-credential

Whoever registers or removes one proved lately who they are. Who needs a second factor and has a passkey adds another
one only in a session with two, and who signs in at another provider adds none by a code alone: else the one factor
would make itself the second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from passport.identity import tokens
from passport.identity.authorization.core import Turn
from passport.identity.federation import store as federation
from passport.identity.login import factors, sessions
from passport.identity.login.sessions import SignedIn
from passport.identity.passkeys import ceremonies, challenges, store
from passport.identity.passkeys.telling import tell_person
from passport.identity.sign_in_codes import store as sign_in_codes
from passport.outcomes import Conflict, Invalid, NotFound
from passport.records import written_instant
from passport.sql import Connection, Row, fetch

MOST: Final = 20
"""Passkeys of one person in one role."""

NAME_MAX_CHARACTERS: Final = 64
UNNAMED: Final = "Passkey"

CODE: Final = "code"
"""How somebody was recognised who signed in by a code."""

LIMIT: Final = "passkey"
"""What a browser session is limited to that is good for registering one passkey."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A passkey as its person sees it."""

    passkey_id: UUID
    row: Row

    @property
    def as_json(self) -> dict[str, Any]:
        """The JSON of it; times are RFC 3339 in UTC, null where there was none."""
        row = self.row
        return {
            "id": str(self.passkey_id),
            "name": row.name,
            "registered": written_instant(row.registered_at),
            "used": None if row.used_at is None else written_instant(row.used_at),
            "backed_up": row.backed_up,
            "doubted": None if row.doubted_at is None else written_instant(row.doubted_at),
        }


async def options(turn: Turn, person: SignedIn) -> dict[str, Any]:
    """What the person's device is asked to make a key.

    Raises:
        InsufficientAuthentication: it is too long ago that they proved who they are, or one factor is too little.
        Conflict: they have too many, or no browser takes passkeys for the address of this installation.
    """
    own = await of(turn.connection, person)
    await require_proved(turn, person, own)
    handle = ceremonies.user_handle(turn.runtime, person.subject, person.role)
    purpose = challenges.registering(person.login_id)
    challenge = challenges.challenge(turn.runtime, purpose, now=turn.now)
    known = [(each.row.credential_id, each.row.transports) for each in own]
    return ceremonies.creation(turn.runtime, handle, person.login, challenge, known)


async def register(turn: Turn, person: SignedIn, credential: object, name: object) -> Kept | None:
    """Keep the key that the person's device made for this session; None where it made none that holds.

    Raises:
        Invalid: it is no credential, or the name is unfit.
        InsufficientAuthentication: one factor is too little.
        Conflict: they have too many.
    """
    given, challenge = ceremonies.made_of(credential)
    called = name_of(name)
    await fetch(turn.connection, store.HOLD_PERSON, {"person": _lock(turn, person)})
    # A statement of its own: it sees what was committed while the lock was waited for.
    await require_proved(turn, person, await of(turn.connection, person))
    purpose = challenges.registering(person.login_id)
    if not await challenges.taken(turn.runtime, turn.connection, challenge, purpose, now=turn.now):
        return None
    try:
        key = ceremonies.registered(turn.runtime.settings, given, challenge)
    except ceremonies.Unfit:
        # The challenge stays taken: a refusal ends the transaction, and undoes nothing of it.
        return None
    passkey_id = tokens.random_uuid(turn.runtime)
    row = {
        "passkey_id": passkey_id,
        "credential_id": key.credential_id,
        "public_key": key.public_key,
        "sign_count": key.sign_count,
        "transports": list(key.transports),
        "backed_up": key.backed_up,
        "name": called,
        "login": person.login,
        "kind": person.kind,
        "subject": person.subject,
        "role": person.role,
        "patient_key": person.patient_key,
        "purposes": list(person.purposes),
        "scopes": list(person.scopes),
        "now": turn.now,
    }
    if not await fetch(turn.connection, store.PUT, row):
        return None
    await tell_person(turn.runtime, turn.connection, person, "passkey-registered", now=turn.now)
    return next(each for each in await of(turn.connection, person) if each.passkey_id == passkey_id)


async def of(connection: Connection, person: SignedIn) -> Sequence[Kept]:
    """The passkeys of a person in the role in which they are signed in, the oldest first."""
    rows = await fetch(connection, store.OWN, {"subject": person.subject, "role": person.role})
    return [Kept(row.passkey_id, row) for row in rows]


async def has_code(turn: Turn, person: SignedIn) -> bool:
    """Whether a sign-in code is good for them as well."""
    unused_since = turn.now - turn.runtime.settings.code_lasts_unused
    of_person = {"subject": person.subject, "role": person.role, "unused_since": unused_since}
    (row,) = await fetch(turn.connection, store.CODES, of_person)
    return bool(row.codes)


async def has_account(connection: Connection, person: SignedIn) -> bool:
    """Whether they sign in at another provider as well."""
    return bool(await fetch(connection, federation.LINKS, {"subject": person.subject}))


async def overview(turn: Turn, person: SignedIn) -> Mapping[str, Any]:
    """By what a person may sign in, and which codes for them wait for a second operator."""
    own = await of(turn.connection, person)
    code = await has_code(turn, person)
    proposed = {"subject": person.subject, "now": turn.now}
    waiting = [
        {"login": row.login, "at": written_instant(row.proposed_at)}
        for row in await fetch(turn.connection, sign_in_codes.PROPOSED_FOR, proposed)
    ]
    known = {"passkeys": [each.passkey_id for each in own], "now": turn.now}
    apps = [(row.passkey_id, row.name) for row in await fetch(turn.connection, store.APPS, known)]
    return {
        "passkeys": [
            {**each.as_json, "apps": [name for by, name in apps if by == each.passkey_id]} for each in own
        ],
        "code": code,
        "waiting": waiting,
        "csrf": person.csrf,
    }


async def remove(turn: Turn, person: SignedIn, passkey_id: UUID, *, last: bool) -> None:
    """Let a passkey sign its person in no more, and end what began by it elsewhere and what apps were allowed by it.

    `last` says that they know that nothing else is left to sign in by.

    Raises:
        InsufficientAuthentication: it is too long ago that they proved who they are, or one factor is too little.
        NotFound: it is none of theirs.
        Conflict: nothing else would be left to sign in by.
    """
    await fetch(turn.connection, store.HOLD_PERSON, {"person": _lock(turn, person)})
    own = await of(turn.connection, person)
    await require_proved(turn, person, own, most=MOST + 1)
    good = [each for each in own if each.row.doubted_at is None and each.passkey_id != passkey_id]
    if not any(each.passkey_id == passkey_id for each in own):
        raise NotFound("there is no such passkey of yours")
    if not good and not last and not await has_code(turn, person):
        raise Conflict(
            "this is the last way by which you sign in, expected `last` to be true; the city desk lets you come back",
            ("last",),
        )
    params = {"passkey_id": passkey_id, "subject": person.subject, "role": person.role, "now": turn.now}
    await fetch(turn.connection, store.REMOVE, params)
    # A statement of its own: it sees the session of a sign-in that held the passkey until now.
    await sessions.end_of_passkey(turn.connection, passkey_id, now=turn.now, but=person.login_id)
    await tell_person(turn.runtime, turn.connection, person, "passkey-removed", now=turn.now)


async def rename(turn: Turn, person: SignedIn, passkey_id: UUID, name: object) -> None:
    """Call a passkey something else.

    Raises:
        Invalid: there is no name, or an unfit one.
        NotFound: it is none of theirs.
    """
    if not isinstance(name, str) or not name.strip():
        raise Invalid("expected what the passkey is to be called in `name`", ("name",))
    params = {"passkey_id": passkey_id, "subject": person.subject, "role": person.role}
    if not await fetch(turn.connection, store.RENAME, {**params, "name": name_of(name)}):
        raise NotFound("there is no such passkey of yours")


async def require_proved(turn: Turn, person: SignedIn, own: Sequence[Kept], *, most: int = MOST) -> None:
    """Let somebody go on who proved lately, and well enough, who they are.

    Raises:
        InsufficientAuthentication: they did not.
        Conflict: they have as many passkeys as one may have.
    """
    # Who comes back by a code of the city desk has shown that code, and gets no further by it.
    if person.limited_to is None:
        factors.require_fresh(turn.runtime.settings, person, now=turn.now)
        # By a code alone somebody begins who has nothing better.
        only_code = person.methods == (CODE,)
        if own or (only_code and await has_account(turn.connection, person)):
            factors.require_second(turn.runtime.settings, person)
    if len(own) >= most:
        raise Conflict(f"got {most} passkeys already, expected one to be removed first")


def name_of(value: object) -> str:
    """What a person calls a passkey.

    Raises:
        Invalid: it is too long, or no text that can be shown.
    """
    if value is None:
        return UNNAMED
    if not isinstance(value, str) or len(value) > NAME_MAX_CHARACTERS or not value.isprintable():
        raise Invalid(f"expected a name of at most {NAME_MAX_CHARACTERS} characters in `name`", ("name",))
    return value.strip() or UNNAMED


def _lock(turn: Turn, person: SignedIn) -> int:
    return turn.runtime.keys.token(f"passkeys of {person.subject} {person.role}")
