"""Whoever decides about a passport: its person, and whoever acts for them; what they read and change.

http://hl7.org/fhir/R4/consent.html

Whether a proxy's scope covers a Consent is decided where it is read or written, as for every record.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from consent.model import Action, Status
from fhirstore.parse import Tree, parse
from fhirstore.types import PROPOSABLE
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.identity.record_scopes import Right
from passport.intake import write
from passport.outcomes import Refused
from passport.pieces import Versions, Write, Written
from passport.runtime import Runtime
from passport.sharing.listing import Listed, actors_of, consents_of, listed
from passport.sharing.roles import names_of
from passport.subjects import Caller

OWNERS: Final = frozenset({"patient", "proxy"})

Patch = Callable[[Tree, Desk], Tree]
"""The next version of a Consent, made of the stored one by whoever sits at the desk."""


def check_owner(desk: Desk, right: Right) -> None:
    """Let through who may decide about a passport at all.

    Raises:
        Refused: it is somebody else, or the session's scopes do not allow it.
    """
    if desk.subject.kind not in OWNERS:
        raise Refused("a person decides about their own passport, or whoever acts for them")
    desk.require(right, PROPOSABLE)


async def is_owner(runtime: Runtime, caller: Caller, address: str) -> bool:
    """Whether the caller is a patient or a proxy, for an address that serves requesters as well."""
    async with admitted(runtime, caller, Request(Action.ACCESS, "search", recorded("GET", address))) as desk:
        return desk.subject.kind in OWNERS


async def read(
    runtime: Runtime, caller: Caller, address: str, patient: str | None, statuses: Sequence[Status]
) -> list[Listed]:
    """The Consents of these states that an owner may read, the newest first.

    Raises:
        Refused: the caller is no patient and no proxy.
    """
    request = Request(Action.ACCESS, "search", recorded("GET", address), patient)
    async with admitted(runtime, caller, request) as desk:
        check_owner(desk, "s")
    return await consents_of(runtime, caller, address, patient, statuses)


async def told(
    runtime: Runtime, caller: Caller, address: str, found: Sequence[Listed]
) -> list[dict[str, Any]]:
    """Consents that the caller read, in words and with the names of whom they name."""
    async with admitted(runtime, caller, Request(Action.ACCESS, "search", recorded("GET", address))) as desk:
        names = await names_of(desk, actors_of(found))
    return [one.as_json(names, runtime.settings.zone) for one in found]


async def change(
    runtime: Runtime,
    caller: Caller,
    id_: str,
    query: str,
    patch: Patch,
    *,
    beside: Sequence[Write] = (),
    if_match: Versions | None = None,
) -> dict[str, Any]:
    """Write the next version of a Consent, and what is written `beside` it; all of it or nothing.

    Raises:
        PreconditionFailed: `if_match` is another version than the current one.
        NotFound: there is no such Consent, or the caller may not read it.
        Refused: the caller may not write it.
        Conflict: it stands otherwise than the change expects.
    """
    request = Request(Action.CORRECT, "update", query, f"{PROPOSABLE}/{id_}", "write")
    async with admitted(runtime, caller, request) as desk:
        check_owner(desk, "u")
        changed = Write(
            "update", PROPOSABLE, id=id_, if_match=if_match, patch=lambda stored: patch(stored, desk)
        )
        written, *_ = await write(desk, [changed, *beside])
        return await as_written(desk, written)


async def as_written(desk: Desk, written: Written) -> dict[str, Any]:
    """What its owner is told of a Consent that they wrote."""
    zone = desk.runtime.settings.zone
    one = listed(parse(written.body), desk.now, zone)
    return one.as_json(await names_of(desk, actors_of([one])), zone)
