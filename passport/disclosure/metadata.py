"""The profiles, tags and labels that are in use among what a caller may see.

http://hl7.org/fhir/R4/resource-operation-meta.html

Rows do not tell them, so the records are looked into. No record is shown: everybody whose records were looked into
is told that, and not of each of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, false, null, select

from consent.model import Action
from fhirstore.search import statement
from fhirstore.search.criteria import Criteria
from fhirstore.tables import NOBODY
from fhirstore.types import ResourceType
from passport.admission import Request, admitted
from passport.decision import Decision, decide
from passport.disclosure.finding import MOST_SIFTED, Finder, TooCostly
from passport.disclosure.recorded import (
    audit_params,
    counted_before,
    counted_params,
    disclosed,
    kept,
    recorded,
)
from passport.disclosure.sifting import Opened, all_of
from passport.identity.scopes import missing
from passport.outcomes import OutOfScope, Refused
from passport.runtime import Runtime
from passport.subjects import Caller

_LISTS: Final = ("profile", "security", "tag")


async def metadata(
    runtime: Runtime, caller: Caller, types: Sequence[ResourceType], asked_as: str
) -> dict[str, Any]:
    """What is in use in records of these types, as a Meta; of several types those that the scopes reach.

    Raises:
        OutOfScope: the session's scopes reach none of them.
        TooCostly: there are more records than one request may look into.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "meta", asked_as)) as desk:
        reached = [each for each in types if desk.reaches("s", each.name)]
        if not reached:
            raise OutOfScope(missing("s", *(each.name for each in types)))
        decision = await decide(runtime, desk.connection, desk.standing, Action.ACCESS)
        finder = Finder(desk, decision.by("s"))
        found: list[Opened] = []
        for type_ in reached:
            found += await all_of(finder, Criteria(types=(type_,)), trees=True)
            if len(found) > MOST_SIFTED:
                raise TooCostly
        await _record(finder, found)
    return _in_use(one.tree.get("meta", {}) for one in found)


async def _record(finder: Finder, found: Sequence[Opened]) -> None:
    """Record whose records were looked into, and COMMIT.

    Raises:
        Refused: it was not recorded, and so nothing may be told.
    """
    desk, decision = finder.desk, finder.decision
    finder.look_at(one.row for one in found)
    prepared = kept(desk.runtime, ("metadata", decision.structure), lambda: _statement(decision))
    params = {
        **decision.params,
        **audit_params(desk, decision, [NOBODY], one=False),
        **counted_params(await finder.looked_through()),
        "holders": [],
        "record_keys": [],
    }
    if not await disclosed(desk, prepared, params):
        raise Refused


def _statement(decision: Decision) -> Select[Any]:
    shown = statement.these(decision.clause, decision.relied).where(false()).cte("shown")
    totals = select(null().label("total")).subquery("totals")
    names = ("patient_key", "record_key")
    return recorded(shown, totals, names, of_asked=False, counted=counted_before())


def _in_use(metas: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Each profile, label and tag once, in the order of their text."""
    lists: dict[str, dict[tuple[str, str], Any]] = {name: {} for name in _LISTS}
    for meta in metas:
        for name, found in lists.items():
            found.update((_told(value), value) for value in meta.get(name, ()))
    return {name: list(_once(found).values()) for name, found in lists.items() if found}


def _once(found: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """One for each code: of several wordings always the same, in whichever order the records came."""
    return {told: found[told, wording] for told, wording in sorted(found)}


def _told(value: Any) -> tuple[str, str]:
    if isinstance(value, str):
        return value, ""
    return f"{value.get('system', '')}|{value.get('code', '')}", str(sorted(value.items()))
