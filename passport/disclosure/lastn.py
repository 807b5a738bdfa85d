"""The last Observations of each kind that are permitted.

http://hl7.org/fhir/R4/observation-operation-lastn.html

One statement groups, ranks, records and shows. Before it, what only records themselves tell is looked into: texts of
codes without coding, and parameters that no row answers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, func, select

from consent.model import Action
from fhirstore.compartment import lastn as observations
from fhirstore.compartment.lastn import Texted
from fhirstore.compartment.newest import code_test, held_codes, keys_of
from fhirstore.search.criteria import Criteria, mentioned
from fhirstore.search.query import Query
from fhirstore.search.sort import SortKey
from fhirstore.search.whose import among
from fhirstore.tables import NOBODY
from passport.admission import Request, admitted
from passport.bundles import Entry
from passport.decision import decide
from passport.disclosure.everything import entry
from passport.disclosure.finding import MOST_SIFTED, Finder, TooCostly
from passport.disclosure.kin import acquainted
from passport.disclosure.linking import linked_types, resolved
from passport.disclosure.recorded import (
    BODY_COLUMNS,
    audit_params,
    counted_before,
    counted_params,
    disclosed,
    kept,
    present,
    recorded,
)
from passport.disclosure.sifting import Opened, all_of, opened
from passport.disclosure.through import through
from passport.outcomes import Invalid
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller

MOST_SHOWN: Final = 2_000
"""Observations in one answer: it has no pages."""

_BY_TIME: Final = (SortKey("time", descending=True),)
_NO_LIMIT: Final = 2**31 - 1
_NAMES: Final = (*BODY_COLUMNS, "type", "record_key", "newest", "bucket", "time")


class TooMany(Invalid):
    """The answer would not fit."""

    def __init__(self) -> None:
        text = f"got a question that more than {MOST_SHOWN} Observations answer, expected a narrower one"
        super().__init__(text, code="too-costly")


async def lastn(
    runtime: Runtime, caller: Caller, query: Query, most: int, asked_as: str
) -> tuple[Entry, ...]:
    """The newest `most` Observations of each kind among those that `query` finds; it names one patient.

    Raises:
        TooCostly: it would have to look into more records than one request may.
        TooMany: more of them than one answer holds.
    """
    about = (query.patients or (None,))[0]
    named = tuple(patient for patient in mentioned(query) if patient != about)
    request = Request(Action.ACCESS, "lastn", asked_as, about=about, named=named)
    async with admitted(runtime, caller, request) as desk:
        desk.require_reach("s", *query.names, *sorted(linked_types(query)))
        desk.standing = await acquainted(desk)
        decision = await decide(runtime, desk.connection, desk.standing, Action.ACCESS)
        finder = Finder(desk, decision.by("s"))
        criteria = await _by_rows(finder, finder.settled(query))
        codes = await _by_code(finder, criteria)
        texted = await _texted(finder, criteria, most) if code_test(criteria) is None else []
        # What links led to was looked through; nothing else is told of it.
        looked = await finder.looked_through()
        structure = ("lastn", codes is not None, bool(looked), finder.structure(criteria, ()))
        prepared = kept(
            runtime,
            structure,
            lambda: _statement(finder, criteria, by_code=codes is not None, looked=bool(looked)),
        )
        params = _params(finder, criteria, texted, most) | counted_params(looked) | {"codes": codes}
        rows = await disclosed(desk, prepared, params)
    if rows and rows[0].many:
        raise TooMany
    seen_through = through(desk)
    return tuple(entry(runtime, row, seen_through) for row in present(rows))


async def _by_rows(finder: Finder, query: Query) -> Criteria:
    """The same search, of which rows alone answer the rest."""
    settled = await resolved(finder, query)
    if not settled.sifts:
        return settled
    found = await all_of(finder, settled, trees=False)
    return replace(settled, sifts=(), tests=(*settled.tests, among("sifted", [one.key for one in found])))


async def _by_code(finder: Finder, criteria: Criteria) -> list[int] | None:
    """The codes to be asked for one by one, none for all that there are; None where that does not answer it."""
    if len(criteria.patients or ()) != 1 or criteria.held == "named":
        return None
    test = code_test(criteria)
    if test is None:
        return []
    params = {**finder.params(criteria), "codes": keys_of(test)}
    prepared = kept(finder.desk.runtime, ("held codes",), held_codes)
    found = await fetch(finder.desk.connection, prepared, params)
    # Several codes may be of one group or of several, and so may what has a code without its system.
    one = len(found) <= 1 and all(row.of_coding for row in found)
    return [row.value for row in found] if one else None


async def _texted(finder: Finder, criteria: Criteria, most: int) -> list[Texted]:
    """Those without a coding: the newest of each text."""
    without = replace(criteria, tests=(*criteria.tests, observations.uncoded()))
    rows = await finder.candidates(without, _BY_TIME, MOST_SIFTED + 1, {})
    if len(rows) > MOST_SIFTED:
        raise TooCostly
    found = await opened(finder, rows, without, _BY_TIME, trees=True)
    return observations.last((Texted(one.key, _group(finder, one), one.row.sort_0) for one in found), most)


def _group(finder: Finder, one: Opened) -> int:
    text = one.tree["code"].get("text")
    # What says nothing of its kind is of a kind of its own.
    return one.key if text is None else finder.desk.runtime.keys.token(f"text {text}")


def _statement(finder: Finder, criteria: Criteria, *, by_code: bool, looked: bool) -> Select[Any]:
    typed, reach = finder.typed(criteria), finder.reach_of(criteria)
    found = observations.lastn(criteria, typed.clause, typed.relied, reach=reach, by_code=by_code).cte(
        "found"
    )
    many = select(func.count() > bindparam("most_shown", type_=Integer)).select_from(found).scalar_subquery()
    shown = select(found).where(~many).cte("shown")
    totals = select(many.label("many")).subquery("totals")
    counted = counted_before() if looked else None
    rows = recorded(shown, totals, _NAMES, of_asked=False, before=(found,), counted=counted)
    return rows.order_by(*observations.in_order(shown))


def _params(finder: Finder, criteria: Criteria, texted: Sequence[Texted], most: int) -> dict[str, Any]:
    asked = finder.desk.standing.asked
    return {
        **finder.params(criteria),
        **audit_params(finder.desk, finder.decision, [NOBODY if asked is None else asked], one=False),
        "most": most,
        "most_shown": MOST_SHOWN,
        "texted": [one.record_key for one in texted],
        "texted_groups": [one.group for one in texted],
        "limit": _NO_LIMIT,
    }
