"""What a summary of a patient is made of: the Patient, what still matters, and the newest of each vital sign.

http://hl7.org/fhir/uv/ips/
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    all_,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from fhirstore.compartment.everything import columns
from fhirstore.tables import UNDATED, resource

READS: Final = ("summary",)

_KEYS: Final = ARRAY(BigInteger)
_TYPES: Final = ARRAY(SmallInteger)


def summary(
    permit: Callable[[FromClause], ColumnElement[bool]],
    relied: Callable[[FromClause], ColumnElement[Any]],
    *,
    kin: bool = False,
) -> Select[Any]:
    """The Patient and the records of the summary, by type and from the newest to the oldest.

    Bound: `asked`; the types' numbers `patient_type`, `types` (shown whatever their time), `medicine_types`,
    `observation_type`; the keys of statuses `not_shown` and `still_taken`; those of `vital_categories`; `since`,
    before which a medicine that is no longer taken ended; `limit`; and what `permit` binds. With `kin`, the records
    are those of all the registrations that are bound as `kin`.
    """
    record, asked = resource.alias("r"), bindparam("asked", type_=BigInteger)
    time = func.coalesce(
        record.c.starts, literal_column(f"'{UNDATED}'::timestamptz"), type_=TIMESTAMP(timezone=True)
    )
    # Codes that a record does not have are nobody else's either.
    alone = case((func.cardinality(record.c.codes) == 0, record.c.record_key), else_=null())
    place = func.rank().over(partition_by=(record.c.type, record.c.codes, alone), order_by=time.desc())
    found = select(
        *columns(record),
        relied(record).label("relied"),
        time.label("time"),
        case((_is(record, "observation_type"), place), else_=1).label("place"),
    ).where(
        record.c.patient_key == (any_(bindparam("kin", type_=_KEYS)) if kin else asked),
        not_(record.c.deleted),
        or_(_is(record, "patient_type") & (record.c.patient_key == asked), _matters(record)),
        permit(record),
    )
    placed = found.subquery("placed")
    return (
        select(placed)
        .where(placed.c.place == 1)
        .order_by(*in_order(placed))
        .limit(bindparam("limit", type_=Integer))
    )


def in_order(rows: FromClause) -> list[ColumnElement[Any]]:
    """By type, each from the newest to the oldest."""
    return [rows.c.type, rows.c.time.desc(), rows.c.record_key]


def _is(record: FromClause, bind: str) -> ColumnElement[bool]:
    return record.c.type == bindparam(bind, type_=SmallInteger)


def _among(record: FromClause, bind: str) -> ColumnElement[bool]:
    return record.c.type == any_(bindparam(bind, type_=_TYPES))


def _matters(record: FromClause) -> ColumnElement[bool]:
    status = record.c.status
    shown = or_(status.is_(None), status != all_(bindparam("not_shown", type_=_KEYS)))
    taken = or_(
        status == any_(bindparam("still_taken", type_=_KEYS)),
        record.c.ends.is_(None),
        record.c.ends > bindparam("since", type_=TIMESTAMP(timezone=True)),
    )
    vital = record.c.categories.overlap(bindparam("vital_categories", type_=_KEYS))
    return shown & or_(
        _among(record, "types"),
        _among(record, "medicine_types") & taken,
        _is(record, "observation_type") & vital,
    )
