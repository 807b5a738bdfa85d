"""Ending what one operator alone let in, once two people stand behind who somebody is.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4.6

Whoever handed the first code out knew it, and so did whoever read the letter on its way. So a passkey that was
registered by it is its person's own only as far as that operator's word goes. Two people who have seen the person, or
who both say so, know better: what led in before ends, and the person begins anew by what these two hand out.
"""

from collections.abc import Sequence
from datetime import datetime

from passport.identity import sign_in
from passport.identity.federation import store as federation
from passport.identity.passkeys import store as passkeys
from passport.identity.sign_in_codes import store
from passport.patients.store import REGISTRATIONS
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Kind


async def registrations_of(
    runtime: Runtime, connection: Connection, kind: Kind, reference: str
) -> Sequence[str]:
    """Under which references somebody is known, themselves first: a person may have been registered twice."""
    if kind != "patient":
        return [reference]
    asked = {"patient_keys": [], "record_keys": [runtime.keys.reference(reference)]}
    kin = await fetch(connection, REGISTRATIONS, asked)
    return [reference, *(f"Patient/{row.patient_id}" for row in kin)]


async def end_unvouched(
    connection: Connection, subjects: Sequence[str], role: str | None, *, now: datetime
) -> bool:
    """End codes, passkeys, accounts and whatever is open by logins of one operator's alone; whether any led in.

    What waits for a second operator goes on: it has two people behind it once it is good.
    """
    led_in = False
    for row in await fetch(connection, store.END_UNVOUCHED, {"subjects": list(subjects), "role": role}):
        # A passkey that is being registered is there when the session in which that is done could be ended.
        await sign_in.end_open(connection, row.subject, row.role, now=now)
        of_login = {"login": row.login, "now": now}
        links = await fetch(connection, federation.END_LINKS_OF_LOGIN, of_login)
        keys = await fetch(connection, passkeys.END_OF_LOGIN, of_login)
        # A sign-in that held the passkey until now has a session by now.
        await sign_in.end_open(connection, row.subject, row.role, now=now)
        led_in = led_in or bool(row.used or links or keys)
    return led_in
