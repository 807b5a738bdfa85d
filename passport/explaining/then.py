"""The same access on the world of then: its consents, its directory, and the record as it was.

http://hl7.org/fhir/R4/http.html#versioning

The log keeps in which snapshot of the database an access was decided, and every version is kept anyway. So the world
of then is read again, behind an open wall that is closed before anything else is done, and told in the same words.
"""

from typing import Any

from consent.model import Action, Record
from consent.reference import parts_of
from passport.audit.log import Logged
from passport.explaining.state import State
from passport.explaining.viewing import Viewing
from passport.records import written_instant
from passport.replay import store
from passport.replay.caller import caller_of, request_of
from passport.replay.deciding import Bench
from passport.replay.errors import Forgotten, NoSuchRow
from passport.replay.facts import Reading, sources_of
from passport.replay.past import Past, Stored, names
from passport.replay.row import row_of, zone_of
from passport.sql import fetch


async def then(
    view: Viewing, row: Logged, action: Action, reference: str | None, type_name: str | None
) -> dict[str, Any] | None:
    """What the access met when it was made, as JSON; None where that is not kept, or not the viewer's own.

    A proxy is told of the consents of now alone: which of those of then they could have read is not kept.
    """
    if view.desk.subject.kind != "patient":
        return None
    connection = view.desk.connection
    async with connection.transaction(force_rollback=True):
        await fetch(connection, store.OPEN_WALL, {})
        try:
            return await _told(view, row.place.id, action, reference, type_name)
        except (Forgotten, NoSuchRow):
            return None


async def _told(
    view: Viewing, id_: str, action: Action, reference: str | None, type_name: str | None
) -> dict[str, Any] | None:
    runtime, connection = view.desk.runtime, view.desk.connection
    row = await row_of(connection, id_)
    past = Past(runtime, connection, row, zone_of(row, runtime.settings.zone))
    caller = await caller_of(past)
    consents = await past.consents(view.registrations)
    request = await request_of(past, caller, action, consents)
    if request is None:
        return None
    stored = None if reference is None else await _own(past, view, reference)
    record: Record | None = None
    permitted: bool | None = None
    if stored is not None:
        sources = dict(names(past, sources_of(consents, caller.start)))
        record = await Reading(past, sources).record(stored)
        permitted = (await Bench(past, caller).decide(stored, action)).permitted
    own = frozenset(view.registrations.values())
    state = State(consents, request, own, record, type_name, parts=parts_of)
    return {
        "at": written_instant(row.at),
        "record": None if stored is None else stored.named,
        "permitted": permitted,
        "considered": state.considered(),
    }


async def _own(past: Past, view: Viewing, reference: str) -> Stored | None:
    """The record as it was then, if it names nobody else."""
    stored = (await past.current({reference})).get(reference)
    if stored is None or stored.deleted or not stored.homes <= set(view.registrations):
        return None
    return stored
