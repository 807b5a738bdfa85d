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
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from fhirstore.parameters import parameters_of
from fhirstore.reads import Permit, Relied, same, shown
from fhirstore.search import statement
from fhirstore.search.criteria import Criteria
from fhirstore.search.test import Test
from fhirstore.tables import UNDATED, resource, resource_token

READS: Final = ("lastn",)

_CODE: Final = int(parameters_of("Observation")["code"].number)
_KEYS: Final = ARRAY(BigInteger)


@dataclass(frozen=True, slots=True)
class Texted:
    """An Observation whose code is a text alone: `group` stands for the text, `time` is what it is sorted by."""

    record_key: int
    group: int
    time: datetime


def uncoded() -> Test:
    """The Observation's code has no coding."""

    def condition(record: FromClause) -> ColumnElement[bool]:
        rows = resource_token.alias()
        return not_(exists(select(rows.c.value).where(_coding(rows, record))))

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


def lastn(criteria: Criteria, permit: Permit, relied: Relied, *, reach: Permit) -> Select[Any]:
    """The newest of each group, up to `most` of them and those of equal time, group by group, newest first.

    Bound: what the criteria, `permit` and `reach` bind; `most`; the keys and groups of what `last` chose of those
    without coding as `texted` and `texted_groups`; `limit`, beyond all that a passport holds.
    """
    ranked = _ranked(_matching(criteria, permit, reach))
    record = resource.alias("w")
    chosen = select(ranked).where(ranked.c.place <= bindparam("most", type_=Integer)).subquery("chosen")
    return select(
        *shown(record),
        relied(record).label("relied"),
        *(chosen.c[name] for name in ("newest", "bucket", "time")),
    ).select_from(record.join(chosen, same(record, chosen)))


def in_order(rows: FromClause) -> list[ColumnElement[Any]]:
    """The group with the newest first, each from the newest to the oldest."""
    return [rows.c.newest.desc(), rows.c.bucket, rows.c.time.desc(), rows.c.record_key]


def _coding(rows: FromClause, record: FromClause) -> ColumnElement[bool]:
    # A coding of an unusual system has a second row, by its code alone, which must not link two systems.
    return and_(same(rows, record), rows.c.parameter == _CODE, rows.c.value == any_(record.c.codes))


def _matching(criteria: Criteria, permit: Permit, reach: Permit) -> CTE:
    found = statement.keys(criteria, permit, reach=reach).subquery("found")
    record = resource.alias("m")
    undated: ColumnElement[Any] = literal_column(f"'{UNDATED}'::timestamptz")
    time = func.coalesce(record.c.starts, undated, type_=TIMESTAMP(timezone=True)).label("time")
    columns = (record.c.patient_key, record.c.record_key, record.c.codes, time)
    return select(*columns).select_from(record.join(found, same(record, found))).cte("matching")


def _ranked(matching: CTE) -> FromClause:
    """Everything that matches with its group, its place in it, and when the group's newest was."""
    placed = union_all(_coded(matching), _texted(matching)).subquery("placed")
    bucket = placed.c.bucket
    return select(
        placed,
        func.rank().over(partition_by=bucket, order_by=placed.c.time.desc()).label("place"),
        func.max(placed.c.time).over(partition_by=bucket).label("newest"),
    ).subquery("ranked")


def _coded(matching: CTE) -> Select[Any]:
    rows = resource_token.alias()
    codings = (
        select(matching.c.patient_key, matching.c.record_key, matching.c.time, rows.c.value)
        .select_from(matching.join(rows, _coding(rows, matching)))
        .cte("codings")
    )
    buckets = _buckets(codings)
    return (
        select(
            codings.c.patient_key,
            codings.c.record_key,
            codings.c.time,
            func.min(buckets.c.bucket).label("bucket"),
        )
        .select_from(codings.join(buckets, buckets.c.value == codings.c.value))
        .group_by(codings.c.patient_key, codings.c.record_key, codings.c.time)
    )


def _buckets(codings: CTE) -> FromClause:
    """Each coding with the least of all that are linked to it."""
    one, other = codings.alias("one"), codings.alias("other")
    linked = (
        select(one.c.value.label("value"), other.c.value.label("other"))
        .select_from(one.join(other, same(one, other)))
        .distinct()
        .cte("linked")
    )
    further = linked.alias("further")
    reach = select(linked.c.value, linked.c.other).cte("linked_far", recursive=True)
    reach = reach.union(
        select(reach.c.value, further.c.other).join_from(reach, further, further.c.value == reach.c.other)
    )
    return (
        select(reach.c.value, func.min(reach.c.other).label("bucket"))
        .group_by(reach.c.value)
        .subquery("buckets")
    )


def _texted(matching: CTE) -> Select[Any]:
    pairs = (
        func.unnest(bindparam("texted", type_=_KEYS), bindparam("texted_groups", type_=_KEYS))
        .table_valued(column("record_key", BigInteger), column("bucket", BigInteger))
        .render_derived("pairs")
    )
    return select(matching.c.patient_key, matching.c.record_key, matching.c.time, pairs.c.bucket).select_from(
        matching.join(pairs, pairs.c.record_key == matching.c.record_key)
    )
