"""Several records by their ids: which version of each its caller may read.

http://hl7.org/fhir/R4/http.html#read

Two round trips, however many: the standing, then one statement with its COMMIT. Nothing is decrypted.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Select, null, select

from consent.model import Action
from fhirstore.search import statement
from fhirstore.tables import NOBODY
from passport.admission import Request, admitted
from passport.decision import Decision, decide
from passport.disclosure.finding import Finder
from passport.disclosure.recorded import audit_params, disclosed, kept, present, recorded
from passport.disclosure.single import Shown
from passport.runtime import Runtime
from passport.subjects import Caller

_COLUMNS: Final = ("patient_key", "record_key", "version", "last_updated")


async def versions_of(
    runtime: Runtime, caller: Caller, references: Sequence[str], query: str
) -> Mapping[str, Shown]:
    """The current version of each of these records, without its content; recorded as reads of them.

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
        prepared = kept(runtime, ("several", decision.structure), lambda: _several(decision))
        holders = {*Finder(desk, decision).reachable, *desk.standing.named, NOBODY}
        params = {
            **decision.params,
            **audit_params(desk, decision, list(desk.standing.named) or [NOBODY], one=False),
            "holders": sorted(holders),
            "record_keys": list(reached),
        }
        rows = present(await disclosed(desk, prepared, params))
    shown = {reached[row.record_key]: row for row in rows}
    return {name: Shown(name, row.version, row.last_updated, b"") for name, row in shown.items()}


def _several(decision: Decision) -> Select[tuple[object, ...]]:
    shown = statement.these(decision.clause, decision.relied).cte("shown")
    totals = select(null().label("total")).subquery("totals")
    return recorded(shown, totals, _COLUMNS, of_asked=False)
