"""What one caller would be shown of a person under consents that are not in force: the records, page by page.

http://hl7.org/fhir/R4/consent.html

The condition is the caller's, composed from the standing that they would have, behind the condition of the one who
wants to know; the wall is the caller's as well. Nothing is recorded of the caller, who was never here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    any_,
    bindparam,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.compartment import everything as compartment
from fhirstore.parse import Limits, Tree, parse
from fhirstore.search.cursor import SortValue
from fhirstore.tables import NOBODY, patient, resource
from fhirstore.types import TYPE_NUMBERS, TypeNumber
from passport.admission import Desk
from passport.decision import Decision, is_of
from passport.disclosure.everything import entry
from passport.disclosure.recorded import kept
from passport.disclosure.through import through
from passport.disclosure.weighing import Whose, composed, theirs_alone
from passport.records import opened_body
from passport.sql import Row, fetch

_KEYS: Final = ARRAY(BigInteger)
_ANY_DEPTH: Final = 1_024  # what is stored was measured on its way in


@dataclass(frozen=True, slots=True)
class Supposed:
    """A record that would be shown; `grants` are the consents by which, `keys` its record key and version."""

    reference: str
    body: bytes
    grants: tuple[str, ...]
    record_key: int
    version: int
    named: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SupposedPage:
    """One page of them; `last` is where it ended, if there is more."""

    records: tuple[Supposed, ...]
    last: tuple[Sequence[SortValue], int] | None


@dataclass(frozen=True, slots=True)
class InForce:
    """A Consent that is active; `patient_key` is nobody's where it is a policy."""

    reference: str
    version: int
    last_updated: datetime
    patient_key: int
    record_key: int
    body: bytes

    @property
    def tree(self) -> Tree:
        """What it says."""
        return _parsed(self.body)


async def supposed_page(
    whose: Whose, decision: Decision, count: int, after: tuple[Sequence[SortValue], int] | None
) -> SupposedPage:
    """The records that `decision` would let through, and the viewer sees, in the order of `$everything`.

    One statement; it decrypts what is on the page.

    Raises:
        BadCursor: the place is none of such a page.
    """
    desk = whose.desk
    kin = len(whose.patient_keys) > 1
    prepared = await composed(partial(_page, whose, decision, after=after is not None, kin=kin))
    params = {
        **whose.params,
        **decision.params,
        "asked": whose.patient_keys[0] if not kin else desk.standing.asked,
        "kin": list(whose.patient_keys),
        "types": list(whose.types),
        "limit": count + 1,
        **({} if after is None else compartment.places(*after)),
    }
    rows = await fetch(desk.connection, prepared, params)
    shown, names = rows[:count], dict(decision.grants)
    seen_through = through(desk)
    records = []
    for row in shown:
        reference, body = entry(desk.runtime, row, seen_through)[:2]
        # As the log would: of whoever holds it.
        grants = sorted({names[code] for code in row.relied if is_of(row.patient_key, code)})
        named = (row.patient_key, *(row.others or ()))
        records.append(Supposed(reference, body, tuple(grants), row.record_key, row.version, named))
    last = None
    if shown and len(rows) > count:
        row = shown[-1]
        last = ((str(row.sort_type), str(row.sort_kind), row.sort_time), row.record_key)
    return SupposedPage(tuple(records), last)


async def examples(whose: Whose, record_keys: Collection[int]) -> dict[int, Tree]:
    """Some records of whom, as far as the viewer sees them, for what their elements are called."""
    if not record_keys:
        return {}
    record = resource.alias("r")
    statement = _opened(record).where(
        record.c.record_key == any_(bindparam("record_keys", type_=_KEYS)), *whose.condition(record)
    )
    prepared = kept(whose.desk.runtime, ("examples", whose.viewer.structure), lambda: statement)
    params = {**whose.params, "record_keys": sorted(record_keys)}
    rows = await fetch(whose.desk.connection, prepared, params)
    return {row.record_key: _parsed(_body(whose.desk, row)) for row in rows}


async def in_force(whose: Whose, limit: int) -> list[InForce]:
    """The active Consents of whom that the viewer sees, and the policies, which are everybody's rules.

    One statement; of more than `limit` the rest is left out.
    """
    record = resource.alias("r")
    statement = (
        _opened(record)
        .where(
            record.c.type == TYPE_NUMBERS["Consent"],
            record.c.status == bindparam("active", type_=BigInteger),
            not_(record.c.deleted),
            _theirs_or_nobodys(whose, record),
        )
        .order_by(record.c.record_key)
        .limit(bindparam("limit", type_=Integer))
    )
    prepared = kept(whose.desk.runtime, ("in force", whose.viewer.structure), lambda: statement)
    params = {**whose.params, "active": whose.desk.runtime.keys.token("active"), "limit": limit}
    rows = await fetch(whose.desk.connection, prepared, params)
    return [
        InForce(
            reference=f"Consent/{row.id}",
            version=row.version,
            last_updated=row.last_updated,
            patient_key=row.patient_key,
            record_key=row.record_key,
            body=_body(whose.desk, row),
        )
        for row in rows
    ]


def _theirs_or_nobodys(whose: Whose, record: FromClause) -> ColumnElement[bool]:
    own = record.c.patient_key == any_(bindparam("whose", type_=_KEYS))
    # A policy names no patient; what was put to somebody without a passport lies there too, and is not active.
    return or_(and_(own, whose.viewer.clause(record)), record.c.patient_key == NOBODY)


def _page(whose: Whose, decision: Decision, *, after: bool, kin: bool) -> Select[Any]:
    def permit(record: FromClause) -> ColumnElement[bool]:
        return and_(decision.clause(record), whose.viewer.clause(record), theirs_alone(record))

    found = compartment.everything(
        (), permit, decision.relied, proposals=False, after=after, kin=kin
    ).subquery("page")
    held = found.join(patient, patient.c.patient_key == found.c.patient_key)
    return select(found, patient.c.wrapped_key).select_from(held).order_by(*compartment.in_order(found))


def _opened(record: FromClause) -> Select[Any]:
    """What it takes to open a record."""
    names = ("patient_key", "record_key", "type", "id", "version", "last_updated", "codec", "body")
    return select(*(record.c[name] for name in names), patient.c.wrapped_key).select_from(
        record.join(patient, patient.c.patient_key == record.c.patient_key)
    )


def _body(desk: Desk, row: Row) -> bytes:
    return opened_body(row, desk.runtime.ring.unwrap(row.patient_key, row.wrapped_key), TypeNumber(row.type))


def _parsed(body: bytes) -> Tree:
    return parse(body, Limits(size_bytes=len(body), depth=_ANY_DEPTH))
