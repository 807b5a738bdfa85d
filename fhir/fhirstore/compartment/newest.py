"""The newest Observations of each code of one patient, by the index rows of codes, which stand in order of time.

http://hl7.org/fhir/R4/observation-operation-lastn.html

Of each code that the patient has rows of, no more records are looked at than it takes to find the newest that are
permitted. What links two codes is a record that has both: which ones have several is told by the index rows alone, and
of each combination one that is permitted is looked for.
"""

from collections.abc import Sequence
from typing import Any, Final

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
    column,
    func,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.sql.selectable import LateralFromClause

from fhirstore.parameters import parameters_of
from fhirstore.reads import Permit
from fhirstore.search.criteria import Criteria
from fhirstore.search.test import Test
from fhirstore.search.whose import about_its_owner
from fhirstore.tables import resource, resource_token

CODE: Final = int(parameters_of("Observation")["code"].number)

_KEYS: Final = ARRAY(BigInteger)


def code_test(criteria: Criteria) -> Test | None:
    """What a question asks of the code, if it does."""
    kinds = ((CODE, "token"), (CODE, "token", "one"))
    return next((test for test in criteria.tests if test.kind in kinds), None)


def keys_of(test: Test) -> list[int]:
    """The keys of the codes that a question asks for."""
    (value,) = test.params.values()
    return list(value) if isinstance(value, Sequence) else [value]


def held_codes() -> Select[Any]:
    """Those of the keys bound as `codes` that `asked` has rows of, and whether each is of a coding.

    A code without its system is no coding: records of several groups may have it.
    """
    wanted = _wanted()
    sample = _sample(wanted)
    of_coding = wanted.c.value == any_(sample.c.codes)
    return select(wanted.c.value, of_coding.label("of_coding")).select_from(wanted.join(sample, true()))


def newest(criteria: Criteria, permit: Permit) -> Select[Any]:
    """The newest of each code, up to `most` and those of equal time, with the least code of all that are linked to it.

    Bound: `asked`, `type`, `most`, what `permit` and the tests bind, but of a test of the code `codes` alone: no more
    than one key, of a coding.
    """
    if code_test(criteria) is None:
        values = _codings(_every_value())
        groups = least_of_linked(_links(criteria, permit))
    else:
        # Whatever has the code is of one group.
        values, groups = _wanted(), None
    top = _top(values, criteria, permit)
    found: FromClause = values.join(top, true())
    bucket: ColumnElement[int] = values.c.value
    if groups is not None:
        found = found.outerjoin(groups, groups.c.value == values.c.value)
        bucket = func.coalesce(groups.c.bucket, values.c.value)
    return (
        select(_asked().label("patient_key"), top.c.record_key, top.c.time, func.min(bucket).label("bucket"))
        .select_from(found)
        .group_by(top.c.record_key, top.c.time)
    )


def least_of_linked(codings: FromClause) -> FromClause:
    """Each coding with the least of all that hang together with it; `codings` are those of each `record_key`."""
    one, other = codings.alias("one"), codings.alias("other")
    linked = (
        select(one.c.value.label("value"), other.c.value.label("other"))
        .select_from(one.join(other, one.c.record_key == other.c.record_key))
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


def _top(values: FromClause, criteria: Criteria, permit: Permit) -> LateralFromClause:
    """The newest of one value; its rows are read from the newest on, until there are enough."""
    row, record = resource_token.alias(), resource.alias()
    return (
        select(row.c.record_key, row.c.starts.label("time"))
        .select_from(row.join(record, _is(record, row.c.record_key)))
        .where(_own(row), row.c.value == values.c.value, *_matching(criteria, record), permit(record))
        .order_by(row.c.starts.desc())
        .fetch(bindparam("most", type_=Integer), with_ties=True)
        .correlate(values)
        .lateral("top")
    )


def _links(criteria: Criteria, permit: Permit) -> FromClause:
    """The codings of one permitted record of each combination of several."""
    row, counted = resource_token.alias(), resource_token.alias()
    # Counted first: most have one row, and need not be put in order.
    repeated = select(counted.c.record_key).where(_own(counted)).group_by(counted.c.record_key)
    repeating = repeated.having(func.count() > 1).cte("repeating")
    combination = func.array_agg(aggregate_order_by(row.c.value, row.c.value), type_=_KEYS)
    several = (
        select(row.c.record_key, combination.label("combination"))
        .select_from(row.join(repeating, repeating.c.record_key == row.c.record_key))
        .where(_own(row))
        .group_by(row.c.record_key)
        .subquery("several")
    )
    combined = (
        select(
            several.c.combination,
            func.min(several.c.record_key).label("record_key"),
            func.array_agg(several.c.record_key, type_=_KEYS).label("records"),
        )
        .group_by(several.c.combination)
        .cte("combined")
    )
    first, inside = _one(combined.c.record_key, combined), _unnested(combined.c.combination, "inside")
    real = select(inside.c.value).where(inside.c.value == any_(first.c.codes)).scalar_subquery()
    linking = (
        select(combined.c.record_key, combined.c.records, func.array(real, type_=_KEYS).label("codings"))
        .select_from(combined.join(first, true()))
        .cte("linking")
    )
    one, record = _unnested(linking.c.records, "one"), resource.alias()
    seen = (
        select(record.c.record_key)
        .select_from(one.join(record, _is(record, one.c.value)))
        .where(*_matching(criteria, record), permit(record))
        .limit(1)
        .correlate(linking)
        .lateral("seen")
    )
    value = _unnested(linking.c.codings, "coding")
    return (
        select(linking.c.record_key, value.c.value)
        .select_from(linking.join(seen, true()).join(value, true()))
        .where(func.cardinality(linking.c.codings) > 1)
        .cte("codings")
    )


def _every_value() -> FromClause:
    """Every value that the patient has rows of, each found behind the one before."""
    first, following = resource_token.alias(), resource_token.alias()
    least = select(first.c.value).where(_own(first)).order_by(first.c.value).limit(1)
    found = select(least.scalar_subquery().label("value")).cte("every_value", recursive=True)
    further = select(following.c.value).where(_own(following), following.c.value > found.c.value)
    after = further.order_by(following.c.value).limit(1).correlate(found).scalar_subquery()
    return found.union_all(select(after).where(found.c.value.is_not(None)))


def _codings(values: FromClause) -> FromClause:
    """Without codes that stand by themselves, which find a record beside its coding."""
    sample = _sample(values)
    return (
        select(values.c.value)
        .select_from(values.join(sample, true()))
        .where(values.c.value == any_(sample.c.codes))
        .cte("codes")
    )


def _sample(values: FromClause) -> LateralFromClause:
    """What one record of a value says of its codes; whether it may be seen does not matter to what the value is."""
    row, record = resource_token.alias(), resource.alias()
    return (
        select(record.c.codes)
        .select_from(row.join(record, _is(record, row.c.record_key)))
        .where(_own(row), row.c.value == values.c.value)
        .limit(1)
        .correlate(values)
        .lateral("sample")
    )


def _one(key: ColumnElement[int], beside: FromClause) -> LateralFromClause:
    """What a record says of its codes; as a look-up for each, so that no plan joins them with all that there is."""
    record = resource.alias()
    codes = select(record.c.codes).where(_is(record, key)).limit(1)
    return codes.correlate(beside).lateral("first")


def _wanted() -> FromClause:
    return _unnested(bindparam("codes", type_=_KEYS), "wanted")


def _unnested(keys: ColumnElement[Any], name: str) -> FromClause:
    return func.unnest(keys).table_valued(column("value", BigInteger)).render_derived(name)


def _asked() -> ColumnElement[int]:
    return bindparam("asked", type_=BigInteger)


def _own(row: FromClause) -> ColumnElement[bool]:
    return and_(row.c.patient_key == _asked(), row.c.parameter == CODE)


def _is(record: FromClause, key: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(record.c.patient_key == _asked(), record.c.record_key == key)


def _matching(criteria: Criteria, record: FromClause) -> list[ColumnElement[bool]]:
    asked = code_test(criteria)
    return [
        record.c.type == bindparam("type", type_=SmallInteger),
        not_(record.c.deleted),
        *([about_its_owner(criteria.owned, record)] if criteria.held == "owner" else []),
        *(test.condition(record) for test in criteria.tests if test is not asked),
    ]
