"""Single records, their versions, and what changed: statements that are handed the condition that decides.

http://hl7.org/fhir/R4/http.html#read
http://hl7.org/fhir/R4/http.html#history

They have one caller, the disclosure (a check in `make check` keeps it so).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    and_,
    any_,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from fhirstore.tables import resource, resource_version

READS: Final = ("record", "versions", "changes", "counted_changes", "visible")

Permit = Callable[[FromClause], ColumnElement[bool]]
"""The condition that decides, over rows of `resource` or of `resource_version`."""

Relied = Callable[[FromClause], ColumnElement[Any]]
"""What a row is let through by."""

Within = Callable[[FromClause], list[ColumnElement[bool]]]

SHOWN_COLUMNS: Final = (
    "patient_key",
    "record_key",
    "type",
    "id",
    "version",
    "last_updated",
    "codec",
    "body",
    "others",
)
_INSTANT: Final = TIMESTAMP(timezone=True)


def shown(rows: FromClause) -> list[ColumnElement[Any]]:
    """What it takes to open a record, to name it and to record that it was shown."""
    return [rows.c[name] for name in SHOWN_COLUMNS]


def same(left: FromClause, right: FromClause) -> ColumnElement[bool]:
    """Whether two rows are of one record."""
    return and_(left.c.patient_key == right.c.patient_key, left.c.record_key == right.c.record_key)


def record(permit: Permit, relied: Relied) -> Select[Any]:
    """One current record, a deleted one included; bound: `asked`, `record_key`, `type`."""
    found = resource.alias("r")
    return select(*shown(found), found.c.deleted, relied(found).label("relied")).where(
        *_this(found), permit(found)
    )


def versions(permit: Permit, relied: Relied) -> Select[Any]:
    """The versions of one record, newest first, each permitted itself and as the record is now.

    Bound: `asked`, `record_key`, `type`, `before` (a version, exclusive), `limit`.
    """
    both = _both(permit, relied, _this).subquery("both")
    return (
        select(both)
        .where(both.c.version < bindparam("before", type_=Integer))
        .order_by(both.c.version.desc())
        .limit(bindparam("limit", type_=Integer))
    )


def changes(
    permit: Permit, relied: Relied, reach: Permit | None, *, since: bool, at: bool, after: bool
) -> Select[Any]:
    """The versions of records, newest first, each permitted itself and as its record is now.

    `revived` tells of each whether it follows a deletion that is permitted as well: what was deleted was then written
    again. `reach` bounds whose records of the numbers `types` are looked at; without it, it is the one record of
    `asked`, `record_key` and `type`. Bound beside these: `limit`; with `since` that instant; with `at` the
    `at_low` and `at_high` of an interval in which a version stood; with `after` the place where a page ended:
    `after_time`, `after_key`, `after_version`.
    """
    within = _this if reach is None else partial(_of_types, reach)
    both = _standing(_both(permit, relied, within).subquery("both"), at=at)
    columns = [both.c[name] for name in (*SHOWN_COLUMNS, "deleted", "relied")]
    statement = select(*columns, _revived(permit, both).label("revived"))
    statement = statement.where(*_asked_for(both, since=since, at=at))
    if after:
        statement = statement.where(_after(both))
    order = (both.c.last_updated.desc(), both.c.record_key.desc(), both.c.version.desc())
    return statement.order_by(*order).limit(bindparam("limit", type_=Integer))


def counted_changes(permit: Permit, relied: Relied, *, since: bool, at: bool) -> Select[Any]:
    """Whose versions of one record `changes` shows on all of its pages together, a row for each; bound: the same."""
    both = _standing(_both(permit, relied, _this).subquery("all_of_it"), at=at)
    columns = [both.c[name] for name in ("patient_key", "others", "relied")]
    return select(*columns).where(*_asked_for(both, since=since, at=at))


def visible(permit: Permit) -> Select[Any]:
    """Whether one record, or what is left of it, may be seen as it is now; bound: `asked`, `record_key`, `type`."""
    found = resource.alias("seen_now")
    return select(exists(select(found.c.record_key).where(*_this(found), permit(found))))


def _both(permit: Permit, relied: Relied, within: Within) -> CompoundSelect[Any]:
    """Versions now and before, each permitted itself and as its record is now."""
    now, then, still = resource.alias("r"), resource_version.alias("v"), resource.alias("c")
    return union_all(
        select(*shown(now), now.c.deleted, relied(now).label("relied")).where(*within(now), permit(now)),
        select(*shown(then), then.c.deleted, relied(then).label("relied"))
        .select_from(then.join(still, same(then, still)))
        .where(*within(then), permit(then), permit(still)),
    )


def _standing(both: FromClause, *, at: bool) -> FromClause:
    """With the instant at which the next version that is shown took its place."""
    if not at:
        return both
    replaced = func.lead(both.c.last_updated).over(
        partition_by=(both.c.patient_key, both.c.record_key), order_by=both.c.version
    )
    return select(both, replaced.label("replaced")).subquery("standing")


def _revived(permit: Permit, both: FromClause) -> ColumnElement[bool]:
    # One look-up by the whole key for each version that a page shows.
    before = resource_version.alias("b")
    return exists(
        select(before.c.record_key).where(
            same(before, both), before.c.version == both.c.version - 1, before.c.deleted, permit(before)
        )
    )


def _asked_for(both: FromClause, *, since: bool, at: bool) -> list[ColumnElement[bool]]:
    lately = [both.c.last_updated >= bindparam("since", type_=_INSTANT)] if since else []
    return [*lately, _stood(both)] if at else lately


def _stood(both: FromClause) -> ColumnElement[bool]:
    return and_(
        both.c.last_updated < bindparam("at_high", type_=_INSTANT),
        or_(both.c.replaced.is_(None), both.c.replaced > bindparam("at_low", type_=_INSTANT)),
    )


def _after(both: FromClause) -> ColumnElement[bool]:
    place: Sequence[ColumnElement[Any]] = (
        bindparam("after_time", type_=_INSTANT),
        bindparam("after_key", type_=BigInteger),
        bindparam("after_version", type_=Integer),
    )
    return tuple_(both.c.last_updated, both.c.record_key, both.c.version) < tuple_(*place)


def _of_types(reach: Permit, rows: FromClause) -> list[ColumnElement[bool]]:
    return [rows.c.type == any_(bindparam("types", type_=ARRAY(SmallInteger))), reach(rows)]


def _this(rows: FromClause) -> list[ColumnElement[bool]]:
    return [
        rows.c.patient_key == bindparam("asked", type_=BigInteger),
        rows.c.record_key == bindparam("record_key", type_=BigInteger),
        rows.c.type == bindparam("type", type_=SmallInteger),
    ]
