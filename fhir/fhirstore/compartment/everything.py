"""One page of all there is of a patient, the Patient first, and what its records refer to.

http://hl7.org/fhir/R4/patient-operation-everything.html

Records lie with the patient, or with another whom they name first; a proposal to somebody without a passport lies
with nobody. Each kind is read in the order of its index, so that page n costs what page 1 costs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    any_,
    bindparam,
    func,
    literal,
    literal_column,
    not_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from fhirstore.parameters import parameters_of
from fhirstore.search.cursor import BadCursor, SortValue
from fhirstore.search.test import Condition, Test
from fhirstore.tables import NOBODY, UNDATED, copatient, resource, resource_token
from fhirstore.times import BEGINNING, END
from fhirstore.types import PROPOSABLE, TYPES

READS: Final = ("everything", "supporting")

_ORDER: Final = ("sort_type", "sort_kind", "sort_time", "record_key")

Relied = Callable[[FromClause], ColumnElement[Any]]
"""What a row is let through by."""

_COLUMNS: Final = (
    "patient_key", "record_key", "type", "id", "version", "codec", "body", "others", "refs",
)  # fmt: skip

_OWN, _SHARED = 0, 1
_KEY_LEAST, _KEY_MOST = -(2**63), 2**63 - 1
_INSTANT: Final = TIMESTAMP(timezone=True)
_TYPES: Final = ARRAY(SmallInteger)


def everything(
    tests: Sequence[Test],
    permit: Condition,
    relied: Relied,
    *,
    proposals: bool,
    after: bool,
    kin: bool = False,
) -> Select[Any]:
    """The rows of one page and one more, which tells that there is a next page.

    Bound: `asked`, `types`, `limit`, what the tests and `permit` bind, with `after` what `places` returns, and
    with `proposals` `asked_ref`, the key of the Patient's reference. With `kin`, all the registrations that are bound
    as `kin` are one patient.
    """
    own, shared = (_of_kin, _shared_by_kin) if kin else (_own, _shared)
    kinds = [(_OWN, own), (_SHARED, shared), *([(_OWN, _proposed)] if proposals else [])]
    branches = []
    for kind, where in kinds:
        record = resource.alias()
        rows = select(
            *columns(record),
            relied(record).label("relied"),
            record.c.type.label("sort_type"),
            literal_column(str(kind), Integer).label("sort_kind"),
            _time(record).label("sort_time"),
        ).where(
            where(record),
            record.c.type == any_(bindparam("types", type_=_TYPES)),
            not_(record.c.deleted),
            *(test.condition(record) for test in tests),
            permit(record),
        )
        if after:
            rows = rows.where(_follows(record, kind))
        rows = rows.order_by(record.c.type, _time(record), record.c.record_key)
        branches.append(select(rows.limit(bindparam("limit", type_=Integer)).subquery()))
    found = union_all(*branches).subquery("found")
    return select(found).order_by(*in_order(found)).limit(bindparam("limit", type_=Integer))


def columns(rows: FromClause) -> list[ColumnElement[Any]]:
    """What it takes to open a row, to record that it was shown, and to find what it refers to."""
    return [rows.c[name] for name in _COLUMNS]


def in_order(rows: FromClause) -> list[ColumnElement[Any]]:
    """By type, of which Patient is the first; a patient's own records of a type, then shared ones; oldest first."""
    return [rows.c[name] for name in _ORDER]


def supporting(shown: FromClause, permit: Condition, relied: Relied) -> Select[Any]:
    """Rows of the directory that those of `shown` refer to, and what these refer to in turn.

    Bound: `supporting_types`, and what `permit` binds.
    """
    reached = _reached(shown)
    found = resource.alias()
    return select(*columns(found), relied(found).label("relied")).where(
        found.c.patient_key == NOBODY,
        found.c.record_key.in_(select(reached.c.record_key)),
        found.c.type == any_(bindparam("supporting_types", type_=_TYPES)),
        permit(found),
    )


def places(values: Sequence[SortValue], record_key: int) -> dict[str, Any]:
    """What `everything` binds to begin after an entry, told by its type, kind, time and record key.

    Raises:
        BadCursor: these are no such values.
    """
    try:
        type_, kind, time = int(str(values[0])), int(str(values[1])), values[2]
    except (IndexError, ValueError):
        raise BadCursor from None
    if not isinstance(time, datetime):
        raise BadCursor
    here, all_of_it, none_of_it = (time, record_key), (BEGINNING, _KEY_LEAST), (END, _KEY_MOST)
    starts = {_OWN: here, _SHARED: all_of_it} if kind == _OWN else {_OWN: none_of_it, _SHARED: here}
    bound: dict[str, Any] = {"after_type": type_}
    for each, (at, key) in starts.items():
        bound |= {f"after_time_{each}": at, f"after_key_{each}": key}
    return bound


def _time(record: FromClause) -> ColumnElement[Any]:
    return func.coalesce(record.c.starts, literal_column(f"'{UNDATED}'::timestamptz"), type_=_INSTANT)


def _follows(record: FromClause, kind: int) -> ColumnElement[bool]:
    return tuple_(record.c.type, _time(record), record.c.record_key) > tuple_(
        bindparam("after_type", type_=SmallInteger),
        bindparam(f"after_time_{kind}", type_=_INSTANT),
        bindparam(f"after_key_{kind}", type_=BigInteger),
    )


def _asked() -> ColumnElement[int]:
    return bindparam("asked", type_=BigInteger)


def _own(record: FromClause) -> ColumnElement[bool]:
    return record.c.patient_key == _asked()


def _shared(record: FromClause) -> ColumnElement[bool]:
    return _beside(record, copatient.c.patient_key == _asked()) & (_asked() == any_(record.c.others))


def _of_kin(record: FromClause) -> ColumnElement[bool]:
    return record.c.patient_key == any_(_kin())


def _shared_by_kin(record: FromClause) -> ColumnElement[bool]:
    named: ColumnElement[bool] = record.c.others.overlap(_kin())
    return _beside(record, copatient.c.patient_key == any_(_kin())) & named & not_(_of_kin(record))


def _beside(record: FromClause, whose: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of those who share records; as an array, so that no plan joins them with everybody's records."""
    others = func.array(select(copatient.c.other_key).where(whose).scalar_subquery(), type_=ARRAY(BigInteger))
    found: ColumnElement[bool] = record.c.patient_key == any_(others)
    return found


def _kin() -> BindParameter[Sequence[int]]:
    return bindparam("kin", type_=ARRAY(BigInteger))


def _proposed(record: FromClause) -> ColumnElement[bool]:
    put_to = resource_token.alias()
    found = select(put_to.c.record_key).where(
        put_to.c.patient_key == NOBODY,
        put_to.c.parameter == parameters_of(PROPOSABLE)["patient"].number,
        put_to.c.value == bindparam("asked_ref", type_=BigInteger),
    )
    return (record.c.patient_key == NOBODY) & record.c.record_key.in_(found)


def _reached(shown: FromClause) -> CTE:
    """Everything of the directory that can be reached from the rows by references; each once, so it ends."""
    directory = literal([int(row.number) for row in TYPES.values() if row.directory], _TYPES)
    named = select(func.unnest(shown.c.refs).label("record_key")).distinct().subquery()
    first, further = resource.alias(), resource.alias()

    def rows(found: FromClause) -> Select[Any]:
        return select(found.c.record_key, found.c.refs).where(
            found.c.patient_key == NOBODY, found.c.type == any_(directory), not_(found.c.deleted)
        )

    reached = (
        rows(first).where(first.c.record_key.in_(select(named.c.record_key))).cte("reached", recursive=True)
    )
    return reached.union(
        rows(further).join_from(reached, further, further.c.record_key == any_(reached.c.refs))
    )
