"""What several callers would be shown of one person: counted, and never told record by record.

http://hl7.org/fhir/R4/consent.html

The conditions of all of them stand in one statement, each as it stands in a search, behind that of the person who
wants to know: nobody is told of a record that they do not see themselves. Records of one type, of the same categories
and with the same onlookers are one row, so that what travels does not grow with the records.
"""

from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    SmallInteger,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from consent.facts import RecordColumns, judge
from consent.formula import Formula, every, expression
from consent.shape import ShapeNode
from fhirstore.tables import NOBODY, resource
from fhirstore.types import TYPE_NUMBERS, TYPES, TYPES_BY_NUMBER, TypeNumber
from passport.admission import Desk
from passport.decision import Decision
from passport.disclosure.recorded import kept
from passport.identity.scopes import granting
from passport.sql import Prepared, fetch, prepare

VIEWER: Final = "viewer_"
"""What is bound for the one who wants to know begins with it."""

_BITS: Final = 62
"""Conditions of one column; a bigint has room for one more, and a sign."""

_KEYS: Final = ARRAY(BigInteger)


@dataclass(frozen=True, slots=True)
class Weighed:
    """Records of one type and the same categories (keys) that the same callers see.

    `seen` has a bit for each caller in their order; `example` is the key of one of the records.
    """

    type_name: str
    categories: tuple[int, ...]
    seen: int
    total: int
    example: int


@dataclass(frozen=True, slots=True)
class Whose:
    """One person's records as one who may tell of them sees these; `viewer` decides it, named apart by `VIEWER`.

    `patient_keys` are all registrations of that person, `holders` whoever may hold a record that names them, and
    `types` what the viewer's session reaches.
    """

    desk: Desk
    viewer: Decision
    patient_keys: tuple[int, ...]
    holders: tuple[int, ...]
    types: tuple[int, ...]

    @classmethod
    def of(cls, desk: Desk, viewer: Decision) -> "Whose":
        """The records of whom the request is about."""
        standing, scopes = desk.standing, desk.subject.scopes
        asked = standing.named[0]
        return cls(
            desk=desk,
            viewer=viewer.by("s").beside(VIEWER),
            patient_keys=tuple(standing.seen_with(asked)) or (asked,),
            holders=tuple(
                sorted({patient for group in standing.groups.values() for patient in group} - {NOBODY})
            ),
            types=tuple(sorted(row.number for row in TYPES.values() if granting(scopes, "s", row.name))),
        )

    @property
    def params(self) -> dict[str, Any]:
        """What `condition` binds."""
        return {
            **self.viewer.params,
            "whose": list(self.patient_keys),
            "holders": list(self.holders),
            "reached_types": list(self.types),
        }

    def condition(self, record: FromClause) -> list[ColumnElement[bool]]:
        """A current record of theirs, which the viewer sees."""
        whose = bindparam("whose", type_=_KEYS)
        return [
            record.c.patient_key == any_(bindparam("holders", type_=_KEYS)),
            or_(record.c.patient_key == any_(whose), func.coalesce(record.c.others.overlap(whose), False)),
            record.c.type == any_(bindparam("reached_types", type_=ARRAY(SmallInteger))),
            not_(record.c.deleted),
            self.viewer.clause(record),
        ]


def theirs_alone(record: FromClause) -> ColumnElement[bool]:
    """Whether a record names nobody else, and follows nothing that does.

    What another person decided is told to nobody, and about what names them a supposed decision would tell it. What
    is followed and not in sight, or is followed through a third, is taken for somebody else's.
    """
    mine = bindparam("whose", type_=_KEYS)
    target = resource.alias()
    followed = (
        select(func.count())
        .select_from(target)
        .where(
            target.c.record_key == any_(record.c.follows),
            target.c.patient_key == any_(func.array_append(mine, NOBODY, type_=_KEYS)),
            func.coalesce(target.c.others.contained_by(mine), True),
            func.coalesce(func.cardinality(target.c.follows), 0) == 0,
        )
        .correlate(record)
        .scalar_subquery()
    )
    return and_(
        record.c.patient_key == any_(mine),
        func.coalesce(record.c.others.contained_by(mine), True),
        or_(
            func.coalesce(func.cardinality(record.c.follows), 0) == 0,
            followed == func.cardinality(record.c.follows),
        ),
    )


async def left_out(whose: Whose) -> int:
    """How many records the viewer sees that name somebody else too, of which no supposed decision is told."""
    record = resource.alias("r")
    statement = (
        select(func.count().label("total"))
        .select_from(record)
        .where(*whose.condition(record), not_(theirs_alone(record)))
    )
    prepared = kept(whose.desk.runtime, ("left out", whose.viewer.structure), lambda: statement)
    (row,) = await fetch(whose.desk.connection, prepared, whose.params)
    return int(row.total)


async def weigh(whose: Whose, decisions: Sequence[Decision], record_key: int | None = None) -> list[Weighed]:
    """How many records of whom alone each of these decisions lets through; of one record where it is named.

    One statement, whatever there is of consents and of records; it costs a look at each record and each decision.
    """
    named = [decision.beside(f"seen_{at}_") for at, decision in enumerate(decisions)]
    prepared = await composed(partial(_weighing, whose, named, one=record_key is not None))
    params: dict[str, Any] = {**whose.params, "record_key": record_key}
    for decision in named:
        params |= decision.params
    rows = await fetch(whose.desk.connection, prepared, params)
    return [
        Weighed(
            type_name=TYPES_BY_NUMBER[TypeNumber(row.type)].name,
            categories=tuple(sorted(row.categories or ())),
            seen=sum(getattr(row, f"seen_{at}") << at * _BITS for at in range(_columns(decisions))),
            total=row.total,
            example=row.example,
        )
        for row in rows
    ]


async def composed(compose: Callable[[], Select[Any]]) -> Prepared:
    """A statement about what is only supposed: composed beside the loop, as it takes its time, and kept nowhere.

    It says what drafts say, which nobody else asks; kept, it would take the place of what every request needs.
    """
    return await to_thread(lambda: prepare(compose()))


async def matched(whose: Whose, nodes: Sequence[Sequence[ShapeNode]]) -> list[int]:
    """How many records match all nodes of each group for certain, whoever asks; one statement."""
    if not nodes:
        return []
    (row,) = await fetch(
        whose.desk.connection, await composed(partial(_matching, whose, nodes)), whose.params
    )
    return list(row)


def _matching(whose: Whose, nodes: Sequence[Sequence[ShapeNode]]) -> Select[Any]:
    record = resource.alias("r")
    columns = RecordColumns.of(record)

    def of(group: Sequence[ShapeNode]) -> Formula:
        return every(judge(node, columns, TYPE_NUMBERS).true for node in group)

    counts: list[ColumnElement[Any]] = [
        func.count().filter(expression(of(group))).label(f"matched_{at}") for at, group in enumerate(nodes)
    ]
    return select(*counts).select_from(record).where(*whose.condition(record))


def _columns(decisions: Sequence[Decision]) -> int:
    return -(-len(decisions) // _BITS)


def _weighing(whose: Whose, decisions: Sequence[Decision], *, one: bool) -> Select[Any]:
    record = resource.alias("r")
    chunks = [decisions[at : at + _BITS] for at in range(0, len(decisions), _BITS)]
    seen = [_seen(chunk, record).label(f"seen_{at}") for at, chunk in enumerate(chunks)]
    rows = select(record.c.type, record.c.categories, record.c.record_key, *seen).where(
        *whose.condition(record), theirs_alone(record)
    )
    if one:
        rows = rows.where(record.c.record_key == bindparam("record_key", type_=BigInteger))
    found = rows.subquery("found")
    alike = [found.c.type, found.c.categories, *(found.c[column.name] for column in seen)]
    return select(
        *alike, func.count().label("total"), func.min(found.c.record_key).label("example")
    ).group_by(*alike)


def _seen(decisions: Sequence[Decision], record: FromClause) -> ColumnElement[int]:
    """A bit for each that lets the record through."""
    bits: list[ColumnElement[int]] = [
        case((decision.clause(record), cast(literal_column(str(1 << at)), BigInteger)), else_=_NO_BIT)
        for at, decision in enumerate(decisions)
        if not decision.hopeless
    ]
    total: ColumnElement[int] = _NO_BIT
    for bit in bits:
        total = total + bit
    return total


_NO_BIT: Final[ColumnElement[int]] = cast(literal_column("0"), BigInteger)
