"""The first operators: nobody can hand them their sign-in codes, so making the installation does, once.

Later ones are handed out by an operator and confirmed by another. Where no two are left who could, whoever holds the
installation's folder helps; never to a third operator.

https://pages.nist.gov/800-63-4/sp800-63b.html#lookupsecrets
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import psycopg

from passport.identity import persons
from passport.identity.codes import login_of
from passport.identity.sign_in_codes import store as sign_in_codes
from passport.identity.sign_in_codes.handing_out import Handed, hand_out
from passport.identity.sign_in_codes.taking_back import withdraw
from passport.installation import store
from passport.installation.commands import record_command
from passport.installation.parts import open_runtime
from passport.outcomes import Conflict, NotFound
from passport.runtime import Runtime
from passport.settings import Settings
from passport.sql import Connection, fetch
from passport.subjects import OPERATOR

LOGINS: Final = ("operator-1", "operator-2")
"""Two, since policies are written by two."""

PURPOSES: Final = ("HOPERAT",)
_MARK: Final = "operators"


def first_operators(settings: Settings) -> list[Handed]:
    """The codes of the first operators, or nothing when they were handed out before."""
    with psycopg.connect(settings.database_url) as connection:
        if _MARK in store.marks(connection):
            return []
        handed = asyncio.run(_first(settings))
        store.mark(connection, _MARK, "handed out")
    return handed


def another_operator(settings: Settings, login: str, instead_of: Sequence[str] = ()) -> Handed:
    """A new code for an operator, known before or not, where no two others can hand it out.

    Args:
        settings: hold the address of a running database.
        login: whom it is for.
        instead_of: logins of operators who sign in no more; they are taken back with whatever leads in by them.

    Raises:
        Invalid: it is no login.
        NotFound: one of those that are to be taken back has nothing to sign in by.
        Conflict: it is somebody's who is no operator; or two others can sign in.
    """
    return asyncio.run(_another(settings, login, instead_of))


async def _another(settings: Settings, login: str, instead_of: Sequence[str]) -> Handed:
    async with _working(settings) as (runtime, connection):
        # Of two commands at one instant the second one counts whom the first one let in.
        await fetch(connection, sign_in_codes.HOLD_PERSON, {"person": runtime.keys.token(_MARK)})
        for former in instead_of:
            await _take_back(runtime, connection, former)
        reference = persons.person_for(OPERATOR, login_of(login))
        others = await _operators(runtime, connection) - {reference}
        if len(others) >= len(LOGINS):
            raise Conflict(
                "got a third operator, expected two others to hand the code out (POST /auth/sign-in-codes), "
                "or `--instead-of` with whom of them signs in no more"
            )
        return await _hand_out(runtime, connection, login, "passport operator")


async def _take_back(runtime: Runtime, connection: Connection, login: str) -> None:
    """Let an operator sign in no more.

    Raises:
        NotFound: it is none, or one that has nothing to sign in by.
    """
    reference, now = persons.person_for(OPERATOR, login_of(login)), runtime.clock()
    if reference not in await _operators(runtime, connection):
        raise NotFound(f"no operator signs in as `{login}`")
    await withdraw(runtime, connection, login, now=now)
    await record_command(runtime, connection, "code-withdraw", "passport operator", now, detail=reference)


async def _operators(runtime: Runtime, connection: Connection) -> set[str]:
    """Operators who can sign in."""
    unused_since = runtime.clock() - runtime.settings.code_lasts_unused
    rows = await fetch(connection, sign_in_codes.OPERATORS, {"unused_since": unused_since})
    return {row.subject for row in rows}


@asynccontextmanager
async def _working(settings: Settings) -> AsyncIterator[tuple[Runtime, Connection]]:
    async with (
        open_runtime(settings) as runtime,
        runtime.pool.connection() as connection,
        connection.transaction(),
    ):
        yield runtime, connection


async def _first(settings: Settings) -> list[Handed]:
    async with _working(settings) as (runtime, connection):
        return [await _hand_out(runtime, connection, login, "passport init") for login in LOGINS]


async def _hand_out(runtime: Runtime, connection: Connection, login: str, command: str) -> Handed:
    now, tree = runtime.clock(), {"login": login, "subject": OPERATOR, "purposes": list(PURPOSES)}
    handed = await hand_out(runtime, connection, tree, now=now)
    await record_command(runtime, connection, "code-hand-out", command, now, detail=handed.subject.reference)
    return handed
