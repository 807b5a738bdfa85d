"""Several records by their ids, as far as their caller may read them.

http://hl7.org/fhir/R4/http.html#read

Two round trips, however many: the standing, then one statement with its COMMIT; one decryption for each whose content
is wanted.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, null, select

from consent.model import Action
from fhirstore.search import statement
from fhirstore.tables import NOBODY
from passport.admission import Request, admitted
from passport.decision import Decision, decide
from passport.disclosure.finding import Finder
from passport.disclosure.recorded import BODY_COLUMNS, audit_params, disclosed, kept, present, recorded
from passport.disclosure.single import Shown
from passport.records import opened_body
from passport.runtime import Runtime
from passport.subjects import Caller
from passport.turns import in_pieces

_VERSION_COLUMNS: Final = ("patient_key", "record_key", "version", "last_updated")
_COLUMNS: Final = (*BODY_COLUMNS, "record_key", "type", "last_updated")


async def versions_of(
    runtime: Runtime, caller: Caller, references: Sequence[str], query: str, *, content: bool
) -> Mapping[str, Shown]:
    """The current version of each of these records, with its content or without; recorded as reads of them.

    What is not there is left out, and so is what was deleted, or is not for this caller to read.
    """
    first, *beside = references
    request = Request(Action.ACCESS, "read", query, about=first, beside=tuple(beside))
    async with admitted(runtime, caller, request) as desk:
        reached = {
            runtime.keys.reference(reference): reference
            for reference in references
            if desk.reaches("r", reference.partition("/")[0])
        }
        if not reached:
            return {}
        decision = (await decide(runtime, desk.connection, desk.standing, Action.ACCESS)).by("r")
        columns = _COLUMNS if content else _VERSION_COLUMNS
        prepared = kept(
            runtime, ("several", columns, decision.structure), lambda: _several(decision, columns)
        )
        holders = {*Finder(desk, decision).reachable, *desk.standing.named, NOBODY}
        params = {
            **decision.params,
            **audit_params(desk, decision, list(desk.standing.named) or [NOBODY], one=False),
            "holders": sorted(holders),
            "record_keys": list(reached),
        }
        rows = present(await disclosed(desk, prepared, params))
    found = {}
    async for row in in_pieces(rows):
        name = reached[row.record_key]
        body = _body(runtime, row) if content else b""
        found[name] = Shown(name, row.version, row.last_updated, body)
    return found


def _body(runtime: Runtime, row: Any) -> bytes:
    return opened_body(row, runtime.ring.unwrap(row.patient_key, row.wrapped_key), row.type)


def _several(decision: Decision, columns: Sequence[str]) -> Select[Any]:
    shown = statement.these(decision.clause, decision.relied).cte("shown")
    totals = select(null().label("total")).subquery("totals")
    return recorded(shown, totals, columns, of_asked=False)
