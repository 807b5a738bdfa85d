"""The first operators: nobody can hand them their sign-in codes, so making the installation does, once.

Later ones are handed out by an operator and confirmed by another. Where there is no other one left, whoever holds the
installation's folder helps.

https://pages.nist.gov/800-63-4/sp800-63b.html#lookupsecrets
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import psycopg

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity.sign_in_codes.handing_out import Handed, hand_out
from passport.identity.tokens import random_uuid
from passport.installation import store
from passport.installation.parts import open_runtime
from passport.settings import Settings
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
        handed = asyncio.run(_hand_out(settings, LOGINS, "passport init"))
        store.mark(connection, _MARK, "handed out")
    return handed


def another_operator(settings: Settings, login: str) -> Handed:
    """A new code for an operator, known before or not.

    Raises:
        Invalid: it is no login.
        Conflict: it is somebody's who is no operator.
    """
    return asyncio.run(_hand_out(settings, [login], "passport operator"))[0]


async def _hand_out(settings: Settings, logins: Sequence[str], command: str) -> list[Handed]:
    handed = []
    async with (
        open_runtime(settings) as runtime,
        runtime.pool.connection() as connection,
        connection.transaction(),
    ):
        for login in logins:
            now, tree = runtime.clock(), {"login": login, "subject": OPERATOR, "purposes": list(PURPOSES)}
            handed.append(await hand_out(runtime, connection, tree, now=now))
            row = AuditRow(
                patient_key=NOBODY,
                audit_id=random_uuid(runtime),
                recorded=now,
                action="code-hand-out",
                kind="",
                outcome="success",
                query=command,
                detail=handed[-1].subject.reference,
            )
            await record(connection, [row])
    return handed
