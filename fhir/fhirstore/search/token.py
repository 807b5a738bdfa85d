"""Token parameters: codes, identifiers, statuses and categories, compared by their keys.

http://hl7.org/fhir/R4/search.html#token
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    and_,
    any_,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.types import TypeEngine

from fhirstore.indexing import parse_token, token_keys
from fhirstore.keys import Key, KeyMaker
from fhirstore.parameters import SearchParameter, Source
from fhirstore.search.sort import BEFORE_ALL
from fhirstore.search.test import BadValue, Condition, Test
from fhirstore.tables import identifier_index, resource_token

KEYS: Final[TypeEngine[Any]] = ARRAY(BigInteger)


def token_test(parameter: SearchParameter, values: Sequence[str], bind: str, keys: KeyMaker) -> Test:
    """A record has one of the tokens; `bind` names the bound keys.

    Raises:
        BadValue: an empty token.
        UnsearchableToken: one in a form that the rows do not answer.
    """
    wanted = [key for value in values for key in _keys(parameter, value, keys)]
    if parameter.source is not Source.CODE_ROWS:
        return Test(
            (parameter.source, "token"), _CONDITIONS[parameter.source](parameter, bind), {bind: wanted}
        )
    # Rows of a code stand under the number of their type's own parameter.
    kind = (parameter.number, "token")
    if len(wanted) == 1:
        # One key: the rows of this code stand in the order of time, and may drive the search.
        return Test((*kind, "one"), _one_row(parameter, bind), {bind: wanted[0]}, (parameter.number, bind))
    return Test(kind, _rows(parameter, bind), {bind: wanted})


def _keys(parameter: SearchParameter, value: str, keys: KeyMaker) -> tuple[Key, ...]:
    token = parse_token(value)
    if not value or (token.system in (None, "") and token.code is None):
        raise BadValue(parameter.name, "`code`, `system|code` or `|code`")
    return token_keys(parameter, token, keys)


def _bound(bind: str) -> BindParameter[Any]:
    return bindparam(bind, type_=KEYS)


def _place(parameter: SearchParameter, record: FromClause) -> ColumnElement[Any]:
    """Where a record's index row stands among those of its value: with it, the index finds the one row."""
    return func.coalesce(record.c.starts, BEFORE_ALL, type_=TIMESTAMP(timezone=True))


def _rows(parameter: SearchParameter, bind: str) -> Condition:
    def condition(record: FromClause) -> ColumnElement[bool]:
        rows = resource_token.alias()
        return exists(
            select(rows.c.value).where(
                rows.c.patient_key == record.c.patient_key,
                rows.c.parameter == parameter.number,
                rows.c.value == any_(_bound(bind)),
                rows.c.starts == _place(parameter, record),
                rows.c.record_key == record.c.record_key,
            )
        )

    return condition


def _one_row(parameter: SearchParameter, bind: str) -> Condition:
    def condition(record: FromClause) -> ColumnElement[bool]:
        rows = resource_token.alias()
        return exists(
            select(rows.c.value).where(
                rows.c.patient_key == record.c.patient_key,
                rows.c.parameter == parameter.number,
                rows.c.value == bindparam(bind, type_=BigInteger),
                rows.c.starts == _place(parameter, record),
                rows.c.record_key == record.c.record_key,
            )
        )

    return condition


def _identifiers(_: SearchParameter, bind: str) -> Condition:
    def condition(record: FromClause) -> ColumnElement[bool]:
        rows = identifier_index.alias()
        # Asked as a set, so that the index by value is read first and records are found by it.
        found = select(rows.c.patient_key, rows.c.record_key).where(rows.c.value == any_(_bound(bind)))
        return and_(
            record.c.patient_key.in_(found.with_only_columns(rows.c.patient_key)),
            record.c.record_key.in_(found.with_only_columns(rows.c.record_key)),
        )

    return condition


def _status(_: SearchParameter, bind: str) -> Condition:
    return lambda record: record.c.status == any_(_bound(bind))


def _categories(_: SearchParameter, bind: str) -> Condition:
    return lambda record: record.c.categories.overlap(_bound(bind))


_CONDITIONS = {
    Source.IDENTIFIERS: _identifiers,
    Source.STATUS: _status,
    Source.CATEGORIES: _categories,
}
