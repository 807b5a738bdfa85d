"""The statements of a search: a page, a total, what may match, and what is shown beside it.

http://hl7.org/fhir/R4/search.html

They have one caller, the disclosure (a check in `make check` keeps it so), and are handed the condition that
decides.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    and_,
    any_,
    bindparam,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.parameters import parameters_of
from fhirstore.reads import Permit, Relied, same, shown
from fhirstore.search.criteria import Criteria
from fhirstore.search.query import Query
from fhirstore.search.sort import SortKey, after, by_rows, expressions, order_by
from fhirstore.search.test import Test
from fhirstore.search.whose import about_its_owner
from fhirstore.tables import NOBODY, locator, patient, resource, resource_token
from fhirstore.types import PROPOSABLE, TYPE_NUMBERS

READS: Final = ("page", "candidates", "keys", "counted", "looked_through", "these", "linked")

_KEYS: Final = ARRAY(BigInteger)

Weigh = Callable[[FromClause], tuple[ColumnElement[int], ColumnElement[Any]]]
"""What a row is let through by: bits for whoever holds it, and for the others whom it names a list."""

Told = Callable[[ColumnElement[int], ColumnElement[int]], ColumnElement[Any]]
"""The list that the bits of a patient say."""


def page(query: Query, permit: Permit, relied: Relied, *, reach: Permit, after_cursor: bool) -> Select[Any]:
    """The rows of one page and one more, which tells that there is a next page.

    Bound: the tests' values, `limit`, the cursor's `after_…`, `asked` or `asked_refs` for the patients that the
    search names, `holders` where it also finds what names them, and what `permit` and `reach` bind. `reach`
    bounds whose records are looked at when no patient is named. Where a person was registered more than once, `kin`
    are all of these.
    """
    rows, record = _found(query, query.order, permit, reach, after_cursor=after_cursor)
    return rows.add_columns(*shown(record), relied(record).label("relied"))


def candidates(
    criteria: Criteria, order: Sequence[SortKey], permit: Permit, *, reach: Permit, after_cursor: bool
) -> Select[Any]:
    """What may match: records that are permitted and of which the rows object to nothing; bound as a page is.

    Each comes with the key that opens it. Nothing of it is shown before it was recorded.
    """
    rows, record = _found(criteria, order, permit, reach, after_cursor=after_cursor)
    found = rows.add_columns(*shown(record)).subquery("found")
    held = select(found, patient.c.wrapped_key).select_from(
        found.join(patient, patient.c.patient_key == found.c.patient_key)
    )
    return held.order_by(*_by_columns(found, order))


def keys(criteria: Criteria, permit: Permit, *, reach: Permit) -> Select[Any]:
    """The record keys of what `candidates` gives, without their bodies, in no order."""
    rows, record = _found(criteria, (), permit, reach, after_cursor=False)
    return rows.add_columns(record.c.record_key, record.c.patient_key).order_by(None)


def counted(query: Criteria, permit: Permit, weigh: Weigh, told: Told, *, reach: Permit) -> Select[Any]:
    """How many records match, by whom they name and by what they are let through.

    It gives `records` for each `patient_key`, `others` and `relied`; what is not permitted is not counted. By what
    rows are let through is put together as bits, which costs a count less than lists do.
    """
    indexed = next((test for test in query.tests if test.index), None)
    record = resource.alias("counted")
    bits, beside = weigh(record)
    found = [record.c.patient_key, record.c.others, bits.label("bits"), beside.label("beside")]
    if indexed is None:
        matching = select(*found).where(*_wanted(query, record, reach, None), permit(record))
    else:
        # Whose records are looked at is asked of the index rows alone: asked twice it misleads the planner.
        driver = resource_token.alias("u")
        matching = (
            select(*found)
            .select_from(driver.join(record, same(driver, record)))
            .where(
                *_driven(query, driver, indexed, reach), *_matching(query, record, indexed), permit(record)
            )
        )
    rows = matching.subquery("matching")
    whose = [rows.c.patient_key, rows.c.others, rows.c.beside]
    together = (
        select(*whose, func.bit_or(rows.c.bits).label("bits"), func.count().label("records"))
        .group_by(*whose)
        .subquery("together")
    )
    relied = func.array_cat(told(together.c.patient_key, together.c.bits), together.c.beside, type_=_KEYS)
    return select(
        together.c.patient_key,
        together.c.others,
        func.coalesce(relied, literal_column("'{}'::bigint[]", _KEYS)).label("relied"),
        together.c.records,
    )


def looked_through(permit: Permit, relied: Relied) -> Select[Any]:
    """Whom records name that were gathered before, and by what they are let through; bound as of `these`."""
    record = resource.alias("r")
    return (
        select(record.c.patient_key, record.c.others, relied(record).label("relied"))
        .where(*_gathered(record), permit(record))
        .distinct()
    )


def these(permit: Permit, relied: Relied) -> Select[Any]:
    """The current rows that were gathered before, to be recorded; bound: `holders`, `record_keys`."""
    record = resource.alias("r")
    return select(*shown(record), relied(record).label("relied")).where(*_gathered(record), permit(record))


def _gathered(record: FromClause) -> list[ColumnElement[bool]]:
    return [
        record.c.patient_key == any_(bindparam("holders", type_=_KEYS)),
        record.c.record_key == any_(bindparam("record_keys", type_=_KEYS)),
        not_(record.c.deleted),
    ]


def linked(permit: Permit, reach: Permit, *, referred: bool, referring: bool) -> Select[Any]:
    """Records to show beside others, each with the key that opens it.

    With `referred` those whose keys are `targets`; with `referring` those of `referring_types` that refer to one
    of `origins`. Bound beside these: `readable_types`, and `limit`.
    """
    record = resource.alias("r")
    readable = record.c.type == any_(bindparam("readable_types", type_=ARRAY(SmallInteger)))
    ways = [
        *([_targets(record)] if referred else []),
        *([and_(reach(record), _origins(record))] if referring else []),
    ]
    found = [
        select(record.c.patient_key, record.c.record_key).where(
            way, readable, not_(record.c.deleted), permit(record)
        )
        for way in ways
    ]
    chosen = (found[0] if len(found) == 1 else union(*found)).subquery("chosen")
    whole = resource.alias("w")
    return (
        select(*shown(whole), patient.c.wrapped_key)
        .select_from(
            whole.join(chosen, same(whole, chosen)).join(
                patient, patient.c.patient_key == whole.c.patient_key
            )
        )
        .order_by(whole.c.type, whole.c.id)
        .limit(bindparam("limit", type_=Integer))
    )


def _targets(record: FromClause) -> ColumnElement[bool]:
    """By the locator, so that it costs what it finds and not what there is."""
    wanted = any_(bindparam("targets", type_=_KEYS))
    held = select(locator.c.patient_key).where(locator.c.record_key == wanted)
    return and_(record.c.patient_key.in_(held), record.c.record_key == wanted)


def _origins(record: FromClause) -> ColumnElement[bool]:
    return and_(
        record.c.type == any_(bindparam("referring_types", type_=ARRAY(SmallInteger))),
        record.c.refs.overlap(bindparam("origins", type_=_KEYS)),
    )


def _found(
    criteria: Criteria, order: Sequence[SortKey], permit: Permit, reach: Permit, *, after_cursor: bool
) -> tuple[Select[Any], FromClause]:
    """What the rows let through, in their order up to the limit; with the record that columns are taken from."""
    indexed = next((test for test in criteria.tests if test.index), None)
    by_time = bool(order) and all(key.name == "time" for key in order)
    if (
        indexed is None
        and by_time
        and len(criteria.types) > 1
        and criteria.patients
        and criteria.held != "named"
    ):
        rows, record = _of_each_type(criteria, order, permit, after_cursor=after_cursor)
        ordered = record
    elif indexed is None:
        record = resource.alias("r")
        ordered = record
        rows = select(*expressions(order, record)).select_from(record)
        rows = rows.where(*_wanted(criteria, record, reach, None), permit(record))
    else:
        driver: FromClause = resource_token.alias("t")
        driven = _driven(criteria, driver, indexed, reach)
        if by_time and not _of_one(criteria):
            driver, driven = _sorted(driver, driven, order, after_cursor=after_cursor), []
        record = _behind(driver, criteria, indexed, permit)
        # Index rows stand in the order of time: they then give the page without a sort.
        ordered = driver if by_time else record
        rows = select(*expressions(order, ordered)).select_from(driver.join(record, true())).where(*driven)
    if after_cursor:
        rows = rows.where(after(order, ordered))
    # What the rows do not order is put in order when it was looked into.
    known = order if by_rows(order) else ()
    return rows.order_by(*order_by(known, ordered)).limit(bindparam("limit", type_=Integer)), record


def _of_one(criteria: Criteria) -> bool:
    """Whether the index rows are of one person, and so stand in the order of time by themselves."""
    return criteria.held != "named" and criteria.patients is not None and len(criteria.patients) == 1


def _sorted(
    driver: FromClause, driven: Sequence[ColumnElement[bool]], order: Sequence[SortKey], *, after_cursor: bool
) -> FromClause:
    """Index rows of several people in one order, so that no more records are looked at than a page takes.

    The planner sorts no row before it has joined it; behind OFFSET it finds them sorted.
    """
    passed = [*driven, *([after(order, driver)] if after_cursor else [])]
    found = select(driver).where(*passed).order_by(*order_by(order, driver))
    return found.offset(literal_column("0")).subquery("sorted")


def _of_each_type(
    criteria: Criteria, order: Sequence[SortKey], permit: Permit, *, after_cursor: bool
) -> tuple[Select[Any], FromClause]:
    """The same of several types of one person's records: of each a page, in the order of its index.

    So a page costs what its types cost, each as much as a page of it, and not what the person has of them.
    """
    place = _places(criteria)
    record = resource.alias("r")
    conditions = [
        record.c.patient_key == place.c.patient_key,
        record.c.type == place.c.type,
        *([or_(record.c.patient_key != NOBODY, _put_to(record))] if criteria.proposable else []),
        *_matching(criteria, record, None),
        permit(record),
    ]
    if after_cursor:
        conditions.append(after(order, record))
    limit = bindparam("limit", type_=Integer)
    each = select(record).where(*conditions).order_by(*order_by(order, record)).limit(limit)
    found = each.correlate(place).lateral("found")
    return select(*expressions(order, found)).select_from(place.join(found, true())), found


def _places(criteria: Criteria) -> FromClause:
    """Under which keys the records may stand: of whom they are asked, and each type."""
    asked = locator.c.record_key == any_(bindparam("asked_refs", type_=_KEYS))
    numbers = func.unnest(bindparam("types", type_=ARRAY(SmallInteger))).column_valued("number")
    places: Any = select(locator.c.patient_key, numbers.label("type")).where(asked)
    if criteria.proposable:
        put = select(literal(NOBODY, BigInteger), literal(TYPE_NUMBERS[PROPOSABLE], SmallInteger))
        places = union(places, put)
    return cast(FromClause, places.subquery("place"))


def _behind(driver: FromClause, criteria: Criteria, indexed: Test, permit: Permit) -> FromClause:
    """The record of an index row, if it matches; OFFSET keeps it behind that row, so that a page ends in time."""
    record = resource.alias("r")
    return (
        select(record)
        .where(same(driver, record), *_matching(criteria, record, indexed), permit(record))
        .correlate(driver)
        .offset(literal_column("0"))
        .lateral("found")
    )


def _by_columns(found: FromClause, order: Sequence[SortKey]) -> list[ColumnElement[Any]]:
    if not by_rows(order):
        return []
    columns = [(found.c[f"sort_{at}"], key.descending) for at, key in enumerate(order)]
    columns.append((found.c.record_key, bool(order) and order[-1].descending))
    return [column.desc() if descending else column.asc() for column, descending in columns]


def _wanted(
    criteria: Criteria, rows: FromClause, reach: Permit, driving: Test | None
) -> list[ColumnElement[bool]]:
    return [_of_patients(criteria, rows, reach), *_matching(criteria, rows, driving)]


def _matching(criteria: Criteria, rows: FromClause, driving: Test | None) -> list[ColumnElement[bool]]:
    """What a record has to be, whosever it is; without the test that its index row has passed."""
    conditions = [_of_types(criteria, rows), not_(rows.c.deleted)]
    asked = bindparam("asked", type_=BigInteger)
    if criteria.held == "named":
        named = or_(rows.c.patient_key == asked, asked == any_(rows.c.others))
        if len(criteria.patients or ()) > 1:
            kin = bindparam("kin", type_=_KEYS)
            named = or_(rows.c.patient_key == any_(kin), rows.c.others.overlap(kin))
        conditions.append(named)
    if criteria.held == "owner" and criteria.patients is not None:
        conditions.append(about_its_owner(criteria.owned, rows))
    return conditions + [test.condition(rows) for test in criteria.tests if test is not driving]


def _of_types(criteria: Criteria, rows: FromClause) -> ColumnElement[bool]:
    if len(criteria.types) == 1:
        return rows.c.type == bindparam("type", type_=SmallInteger)
    return rows.c.type == any_(bindparam("types", type_=ARRAY(SmallInteger)))


def _driven(criteria: Criteria, driver: FromClause, test: Test, reach: Permit) -> list[ColumnElement[bool]]:
    parameter, bind = test.index or (0, "")
    return [
        _of_patients(criteria, driver, reach),
        driver.c.parameter == parameter,
        driver.c.value == bindparam(bind, type_=BigInteger),
    ]


def _of_patients(criteria: Criteria, rows: FromClause, reach: Permit) -> ColumnElement[bool]:
    if criteria.patients is None:
        return reach(rows)
    if criteria.held == "named":
        return rows.c.patient_key == any_(bindparam("holders", type_=_KEYS))
    named = any_(bindparam("asked_refs", type_=_KEYS))
    if len(criteria.patients) == 1:
        held = rows.c.patient_key == bindparam("asked", type_=BigInteger)
    else:
        held = rows.c.patient_key.in_(select(locator.c.patient_key).where(locator.c.record_key == named))
    if not criteria.proposable:
        return held
    # What was proposed to somebody without a passport lies with nobody, and is found all the same.
    return held | ((rows.c.patient_key == NOBODY) & _put_to(rows))


def _put_to(rows: FromClause) -> ColumnElement[bool]:
    """The record was proposed to one of those who are asked about."""
    put_to, number = resource_token.alias(), parameters_of(PROPOSABLE)["patient"].number
    asked = any_(bindparam("asked_refs", type_=_KEYS))
    return rows.c.record_key.in_(
        select(put_to.c.record_key).where(
            put_to.c.patient_key == NOBODY, put_to.c.parameter == number, put_to.c.value == asked
        )
    )
