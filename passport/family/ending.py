"""Ending that somebody acts for a patient: in one step, whatever they were granted and by whichever Consent.

http://hl7.org/fhir/R4/relatedperson.html
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.audit.names import named
from passport.audit.query import recorded
from passport.authority import Basis
from passport.family import store
from passport.family.grants import retired, without
from passport.family.inviting import FAMILY
from passport.identity.sign_in_codes.taking_back import withdraw_from
from passport.intake import write
from passport.notices.store import UNTELL
from passport.outcomes import Conflict, NotFound, Refused
from passport.pieces import Write
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import Row, fetch
from passport.subjects import Caller


async def end(runtime: Runtime, caller: Caller, proxy_id: str) -> dict[str, Any]:
    """Let somebody act for the caller no more: no grant, no code and no session is left to them.

    Raises:
        NotFound: nobody of this id acts for the caller.
        Conflict: it was ended before.
        Refused: it is a guardian, whom the city desk ends.
    """
    text = recorded("POST", f"{FAMILY}/proxies/{proxy_id}/end")
    async with admitted(runtime, caller, Request(Action.CORRECT, "update", text, isolation="write")) as desk:
        row = await held(desk, proxy_id)
        if row is None or row.patient_key not in desk.standing.owns:
            raise NotFound
        if row.guardian and row.until > desk.now:
            raise Refused("a guardian is ended at the city desk")
        return await take_back(desk, row)


async def held(desk: Desk, proxy_id: str) -> Row | None:
    """Who acts under this id, held until the transaction ends."""
    key = desk.runtime.keys.reference(f"RelatedPerson/{proxy_id}")
    rows = await fetch(desk.connection, store.HOLD, {"proxy_key": key})
    return rows[0] if rows else None


async def take_back(desk: Desk, row: Row, on: Basis | None = None) -> dict[str, Any]:
    """Take everything back from somebody who acts; `on` is what that rests on where it is not the patient's own word.

    Raises:
        Conflict: it was ended before.
    """
    if row.ended_at is not None:
        raise Conflict("got somebody who acts no more, expected one who does")
    proxy = f"RelatedPerson/{row.proxy_id}"
    place = {"patient_key": row.patient_key, "proxy_key": row.proxy_key, "now": desk.now}
    grants = await fetch(desk.connection, store.GRANTS_TO, place)
    records = await named(desk.connection, [row.proxy_key, *(one.consent_key for one in grants)])
    there = [(one.type, one.id) for one in records.values() if not one.deleted]
    if there:
        await write(desk, list(_writes(desk, there, proxy, on)))
    await withdraw_from(desk.connection, proxy, now=desk.now)
    await fetch(desk.connection, UNTELL, {**place, "notice_ids": row.notices})
    await fetch(desk.connection, store.END, place)
    return {"proxy": proxy, "ended": written_instant(desk.now)}


def _writes(desk: Desk, records: list[tuple[str, str]], proxy: str, on: Basis | None) -> Iterator[Write]:
    for name, id_ in records:
        patch = partial(without, proxy=proxy) if name == "Consent" else partial(retired, now=desk.now)
        yield Write("update", name, id=id_, patch=patch, on=on)
