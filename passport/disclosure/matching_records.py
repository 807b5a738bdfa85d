"""The records that a conditional interaction depends on: found as the caller would find them, and shown to nobody.

http://hl7.org/fhir/R4/http.html#cond-update

What is denied is not among them, so that a condition tells no more than a search does. It happens inside of the
transaction that then writes, or is refused, and leaves its audit row there.
"""

from dataclasses import replace

from consent.model import Action
from fhirstore.search.criteria import mentioned
from fhirstore.search.query import Query
from passport.admission import Desk
from passport.decision import decide
from passport.disclosure.finding import Budget, Finder
from passport.disclosure.kin import acquainted
from passport.disclosure.linking import linked_types, resolved
from passport.disclosure.sifting import sifted


async def matches(desk: Desk, query: Query, *, limit: int, budget: Budget | None = None) -> tuple[str, ...]:
    """The references of at most `limit` records that match and that the caller may read; it moves the wall.

    `budget` is what all searches of one request may look into together.

    Raises:
        OutOfScope: the session's scopes do not allow the search.
        TooCostly: it would have to look into too many records.
    """
    desk.require_reach("s", *query.names, *sorted(linked_types(query)))
    about = _about(query)
    standing = await desk.standing_towards(Action.ACCESS, *([about] if about else []))
    named = tuple(patient for patient in mentioned(query) if patient != about)
    request = replace(desk.request, action=Action.ACCESS, about=about, beside=(), named=named)
    searching = replace(desk, standing=standing, request=request)
    searching.standing = await acquainted(searching)
    decision = await decide(desk.runtime, desk.connection, standing, Action.ACCESS)
    finder = Finder(searching, decision.by("s"), budget=budget or Budget())
    settled = finder.settled(await resolved(finder, query))
    found = await sifted(finder, replace(settled, count=limit, total="none", cursor=None), None)
    return tuple(record.reference for record in found.records)


def _about(query: Query) -> str | None:
    """Whose records are in question: those of one patient, unless it leads from them to others."""
    if query.patients is None or query.links:
        return None
    if not query.patients:
        return f"{query.names[0]}/"
    return query.patients[0] if len(query.patients) == 1 else None
