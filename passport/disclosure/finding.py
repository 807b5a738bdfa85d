"""What a search runs on inside of its transaction: whose records it may look at, and what its statements bind.

http://hl7.org/fhir/R4/search.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, any_, bindparam, or_, true
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.matching import Context
from fhirstore.reads import Permit
from fhirstore.search import statement
from fhirstore.search.criteria import Criteria
from fhirstore.search.sort import SortKey, by_rows
from fhirstore.search.whose import about_all
from fhirstore.tables import NOBODY
from fhirstore.types import PROPOSABLE, TYPE_NUMBERS
from passport.admission import Desk
from passport.decision import Decision, unweighed
from passport.disclosure.recorded import UNKNOWN_PATIENT, kept
from passport.disclosure.through import kin_of
from passport.outcomes import Invalid
from passport.sql import fetch
from passport.standing import Standing

Searched = TypeVar("Searched", bound=Criteria)

MOST_SIFTED: Final = 20_000
"""Records that one search may look into, all its links together; and that one link may lead to."""


class TooCostly(Invalid):
    """The search would have to look into more records than one request may."""

    def __init__(self, sorted_by: str = "") -> None:
        order = f", or another order than by `{sorted_by}`, which no row gives" if sorted_by else ""
        super().__init__(
            f"got a search that would look into more than {MOST_SIFTED} records, "
            f"expected one that is narrowed by patient, date or code{order}",
            ("_sort",) if sorted_by else (),
            code="too-costly",
        )


@dataclass(slots=True)
class Budget:
    """How many records a search may still look into."""

    left: int = field(default_factory=lambda: MOST_SIFTED)

    def spend(self, records: int) -> None:
        """Take records off it.

        Raises:
            TooCostly: there are not as many left.
        """
        self.left -= records
        if self.left < 0:
            raise TooCostly


@dataclass(frozen=True, slots=True)
class Finder:
    """One search's transaction, with what is decided of it.

    `wider` is the standing that the decision is from, where the search leads from whom it names to others.
    `looked_at` are records, with whose they are, that decided what was found or told and are not shown themselves.
    """

    desk: Desk
    decision: Decision
    wider: Standing | None = None
    budget: Budget = field(default_factory=Budget)
    looked_at: dict[int, int] = field(default_factory=dict)

    @property
    def context(self) -> Context:
        """How values and references are read."""
        settings = self.desk.runtime.settings
        return Context(settings.zone, (settings.fhir_url,))

    def settled(self, criteria: Searched) -> Searched:
        """The same search, simpler where nobody shares a record with the patient whom it names.

        Where a patient whom it names was registered more than once, it is a search about all of these.
        """
        patients, tests = criteria.patients, criteria.tests
        for name in self.desk.request.names:
            kin = self.desk.standing.registrations_of(name)
            if len(kin) > 1:
                tests = about_all(tests, sorted(kin), self.desk.runtime.keys)
                if patients is not None and not kin.isdisjoint(patients):
                    patients = (*patients, *sorted(kin.difference(patients)))
        if patients != criteria.patients or tests != criteria.tests:
            return replace(criteria, patients=patients, tests=tests)
        if criteria.held == "named" and len(self._holders()) <= 1:
            return replace(criteria, held="lies")
        return criteria

    def reach(self, type_name: str) -> Permit:
        """Whose records a search that names no patient looks at: no more than the standing found anything of."""
        if self.decision.sight.otherwise is not None:
            return lambda _: true()

        def reach(rows: FromClause) -> ColumnElement[bool]:
            within = rows.c.patient_key == any_(bindparam("reachable", type_=ARRAY(BigInteger)))
            if self.decision.proposals and type_name == PROPOSABLE:
                return or_(within, rows.c.source == bindparam("requester", type_=BigInteger))
            return within

        return reach

    def reach_of(self, criteria: Criteria) -> Permit:
        """The same of a search."""
        return self.reach(PROPOSABLE if criteria.proposable else criteria.names[0])

    def typed(self, criteria: Criteria) -> Decision:
        """The decision as the statements of a search need it: of one type the rest is left out."""
        return self.decision.of(criteria.names[0]) if len(criteria.types) == 1 else self.decision

    def params(self, criteria: Criteria) -> dict[str, Any]:
        """What every statement of a search binds, the limit and the cursor apart."""
        asked = self.desk.standing.asked
        params: dict[str, Any] = {
            **self.decision.params,
            "type": TYPE_NUMBERS[criteria.names[0]],
            "types": [TYPE_NUMBERS[name] for name in criteria.names],
            "asked": UNKNOWN_PATIENT if asked is None else asked,
            "asked_refs": [self.desk.runtime.keys.reference(one) for one in criteria.patients or ()],
            "holders": self._holders(),
            "kin": list(kin_of(self.desk)),
            "reachable": self.reachable,
        }
        for test in criteria.tests:
            params.update(test.params)
        return params

    @property
    def reachable(self) -> list[int]:
        """Every patient of whom the standing found anything, and nobody."""
        return [patient for group in (self.wider or self.desk.standing).groups.values() for patient in group]

    def structure(self, criteria: Criteria, order: Sequence[SortKey]) -> tuple[object, ...]:
        """What the text of a statement depends on, beside what it is for."""
        several = ("several", criteria.proposable, criteria.owned)
        return (
            criteria.names if len(criteria.types) == 1 else several,
            tuple(test.structure for test in criteria.tests),
            tuple((key.name, key.descending, not key.parameters, key.column) for key in order),
            None if criteria.patients is None else min(len(criteria.patients), 2),
            criteria.held,
            self.decision.structure,
        )

    async def candidates(
        self, criteria: Criteria, order: Sequence[SortKey], limit: int, after: dict[str, Any]
    ) -> Sequence[Any]:
        """Rows that may match, with the keys that open them."""
        typed, reach = self.typed(criteria), self.reach_of(criteria)

        def compose() -> Select[Any]:
            return statement.candidates(criteria, order, typed.clause, reach=reach, after_cursor=bool(after))

        structure = ("candidates", bool(after), by_rows(order), self.structure(criteria, order))
        prepared = kept(self.desk.runtime, structure, compose)
        params = {**self.params(criteria), **after, "limit": limit}
        return await fetch(self.desk.connection, prepared, params)

    async def keys(self, criteria: Criteria) -> Sequence[Any]:
        """Record key and patient_key of what the rows let through.

        Raises:
            TooCostly: there is more of it than a link may lead to.
        """
        typed, reach = self.typed(criteria), self.reach_of(criteria)
        prepared = kept(
            self.desk.runtime,
            ("keys", self.structure(criteria, ())),
            lambda: statement.keys(criteria, typed.clause, reach=reach),
        )
        params = {**self.params(criteria), "limit": MOST_SIFTED + 1}
        rows = await fetch(self.desk.connection, prepared, params)
        if len(rows) > MOST_SIFTED:
            raise TooCostly
        return rows

    async def counted(self, criteria: Criteria) -> Sequence[Any]:
        """How many records the rows let through, by whom they name and by what they are let through."""
        typed, reach = self.typed(criteria), self.reach_of(criteria)
        prepared = kept(
            self.desk.runtime,
            ("counted", self.structure(criteria, ())),
            lambda: statement.counted(criteria, typed.clause, typed.weighed, unweighed, reach=reach),
        )
        return await fetch(self.desk.connection, prepared, self.params(criteria))

    async def looked_through(self) -> Sequence[Any]:
        """The same of the records that the search looked through without showing them."""
        if not self.looked_at:
            return []
        prepared = kept(
            self.desk.runtime,
            ("looked through", self.decision.structure),
            lambda: statement.looked_through(self.decision.clause, self.decision.relied),
        )
        keys = {"record_keys": list(self.looked_at), "holders": sorted(set(self.looked_at.values()))}
        return await fetch(self.desk.connection, prepared, {**self.decision.params, **keys})

    def look_at(self, rows: Iterable[Any]) -> None:
        """Remember records that decide what is found or told, and are not shown."""
        self.looked_at.update((row.record_key, row.patient_key) for row in rows)

    def _holders(self) -> list[int]:
        return [patient for patient in self.reachable if patient != NOBODY]
