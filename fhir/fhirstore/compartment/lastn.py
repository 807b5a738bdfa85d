"""The last Observations of each kind, grouped by their codes.

http://hl7.org/fhir/R4/observation-operation-lastn.html

Codings of one Observation mean the same, and so do codings that are so linked over several: a group is whatever
hangs together. Observations without any coding are grouped by the text of their code, which only the record tells.
Only what is permitted is grouped, so that nothing hidden links or counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    any_,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    not_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from fhirstore.compartment.newest import CODE, least_of_linked, newest
from fhirstore.reads import Permit, Relied, same, shown
from fhirstore.search import statement
from fhirstore.search.criteria import Criteria
from fhirstore.search.test import Test
from fhirstore.tables import UNDATED, resource, resource_token

READS: Final = ("lastn",)

_KEYS: Final = ARRAY(BigInteger)


@dataclass(frozen=True, slots=True)
class Texted:
    """An Observation whose code is a text alone: `group` stands for the text, `time` is what it is sorted by."""

    record_key: int
    group: int
    time: datetime


def uncoded() -> Test:
    """The Observation's code has no coding: it has no index rows."""

    def condition(record: FromClause) -> ColumnElement[bool]:
        rows = resource_token.alias()
        of_code = and_(same(rows, record), rows.c.parameter == CODE)
        return not_(exists(select(rows.c.value).where(of_code)))

    return Test(("uncoded",), condition, {})


def last(found: Iterable[Texted], most: int) -> list[Texted]:
    """The newest of each group, up to `most` of them; those of the time of the last one come along."""
    groups: dict[int, list[Texted]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    chosen: list[Texted] = []
    for group in groups.values():
        newest = sorted((one.time for one in group), reverse=True)[:most]
        chosen += [one for one in group if one.time >= newest[-1]]
    return chosen


def lastn(
    criteria: Criteria, permit: Permit, relied: Relied, *, reach: Permit, by_code: bool = False
) -> Select[Any]:
    """The newest of each group, up to `most` of them and those of equal time, group by group, newest first.

    Bound: what the criteria, `permit` and `reach` bind; `most`; the keys and groups of what `last` chose of those
    without coding as `texted` and `texted_groups`; `limit`, beyond all that a passport holds. `by_code` asks the index
    rows of each code, for one patient and no more than one code; it binds what `newest` does.
    """
    coded, timed = (
        (newest(criteria, permit), _texts()) if by_code else _all_coded(_matching(criteria, permit, reach))
    )
    ranked = _ranked(union_all(coded, _texted(timed)).subquery("placed"))
    chosen = select(ranked).where(ranked.c.place <= bindparam("most", type_=Integer)).subquery("chosen")
    whole = resource.alias("w")
    # OFFSET keeps each behind what was chosen, so that no plan reads all records to find these.
    record = (
        select(whole)
        .where(same(whole, chosen))
        .correlate(chosen)
        .offset(literal_column("0"))
        .lateral("shown")
    )
    return select(
        *shown(record),
        relied(record).label("relied"),
        *(chosen.c[name] for name in ("newest", "bucket", "time")),
    ).select_from(chosen.join(record, true()))


def in_order(rows: FromClause) -> list[ColumnElement[Any]]:
    """The group with the newest first, each from the newest to the oldest."""
    return [rows.c.newest.desc(), rows.c.bucket, rows.c.time.desc(), rows.c.record_key]


def _coding(rows: FromClause, record: FromClause) -> ColumnElement[bool]:
    # A coding of an unusual system has a second row, by its code alone, which must not link two systems.
    return and_(same(rows, record), rows.c.parameter == CODE, rows.c.value == any_(record.c.codes))


def _matching(criteria: Criteria, permit: Permit, reach: Permit) -> CTE:
    found = statement.keys(criteria, permit, reach=reach).subquery("found")
    record = resource.alias("m")
    columns = (record.c.patient_key, record.c.record_key, record.c.codes, _time(record))
    return select(*columns).select_from(record.join(found, same(record, found))).cte("matching")


def _texts() -> CTE:
    """What was chosen of those without coding, with its time."""
    record = resource.alias("m")
    return (
        select(record.c.patient_key, record.c.record_key, _time(record))
        .where(
            record.c.patient_key == bindparam("asked", type_=BigInteger),
            record.c.record_key == any_(bindparam("texted", type_=_KEYS)),
        )
        .cte("texts")
    )


def _time(record: FromClause) -> ColumnElement[Any]:
    undated: ColumnElement[Any] = literal_column(f"'{UNDATED}'::timestamptz")
    return func.coalesce(record.c.starts, undated, type_=TIMESTAMP(timezone=True)).label("time")


def _ranked(placed: FromClause) -> FromClause:
    """Everything that was found with its group, its place in it, and when the group's newest was."""
    bucket = placed.c.bucket
    return select(
        placed,
        func.rank().over(partition_by=bucket, order_by=placed.c.time.desc()).label("place"),
        func.max(placed.c.time).over(partition_by=bucket).label("newest"),
    ).subquery("ranked")


def _all_coded(matching: CTE) -> tuple[Select[Any], CTE]:
    """All that matches and has a coding, with its group; and all that matches."""
    rows = resource_token.alias()
    codings = (
        select(matching.c.patient_key, matching.c.record_key, matching.c.time, rows.c.value)
        .select_from(matching.join(rows, _coding(rows, matching)))
        .cte("codings")
    )
    buckets = least_of_linked(codings)
    return (
        select(
            codings.c.patient_key,
            codings.c.record_key,
            codings.c.time,
            func.min(buckets.c.bucket).label("bucket"),
        )
        .select_from(codings.join(buckets, buckets.c.value == codings.c.value))
        .group_by(codings.c.patient_key, codings.c.record_key, codings.c.time)
    ), matching


def _texted(matching: CTE) -> Select[Any]:
    pairs = (
        func.unnest(bindparam("texted", type_=_KEYS), bindparam("texted_groups", type_=_KEYS))
        .table_valued(column("record_key", BigInteger), column("bucket", BigInteger))
        .render_derived("pairs")
    )
    return select(matching.c.patient_key, matching.c.record_key, matching.c.time, pairs.c.bucket).select_from(
        matching.join(pairs, pairs.c.record_key == matching.c.record_key)
    )
