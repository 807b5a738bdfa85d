"""Search arguments of a scope: which parameters a row of a record answers by itself, and the condition of each.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters

A scope holds for every version of a record and on every way to it. So only those parameters may narrow one that can be
asked of any row, of `resource` as of `resource_version`: no record is opened, and what a row does not say denies.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, any_, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import SmallInteger

from fhirstore.facts import CONFIDENTIALITIES, CONFIDENTIALITY_SYSTEM
from fhirstore.indexing import parse_token, token_keys
from fhirstore.keys import KeyMaker
from fhirstore.parameters import SearchParameter, Source, parameters_of
from fhirstore.search.test import BadValue, Test
from fhirstore.search.token import KEYS, token_test
from fhirstore.tables import resource
from fhirstore.types import TYPES

SECURITY: Final = "_security"

_OF_ROWS: Final = frozenset({Source.STATUS, Source.CATEGORIES, Source.CODE_ROWS})


def arguments_of(type_name: str) -> Mapping[str, SearchParameter]:
    """The parameters that may narrow a scope of this type; none for what lies in the directory or is not written."""
    return _BY_TYPE.get(type_name, MappingProxyType({}))


def argument_test(parameter: SearchParameter, values: Sequence[str], bind: str, keys: KeyMaker) -> Test:
    """A record has one of the values; `bind` begins the names of what is bound.

    Raises:
        BadValue: a value in a form that rows do not answer.
    """
    check_values(parameter, values)
    if parameter.name == SECURITY:
        return _labelled(values, bind, keys)
    if parameter.source is Source.CODE_ROWS:
        return _coded(parameter, values, bind, keys)
    return token_test(parameter, values, bind, keys)


def check_values(parameter: SearchParameter, values: Sequence[str]) -> None:
    """Refuse values that rows do not answer.

    Raises:
        BadValue: there is one.
    """
    whole = parameter.name == SECURITY or parameter.source is Source.CODE_ROWS
    for value in values:
        token = parse_token(value)
        if not token.code or (whole and not token.system):
            raise BadValue(parameter.name, "`system|code`" if whole else "`code` or `system|code`")


def _coded(parameter: SearchParameter, values: Sequence[str], bind: str, keys: KeyMaker) -> Test:
    wanted = [key for value in values for key in token_keys(parameter, parse_token(value), keys)]
    bound = bindparam(bind, type_=KEYS)

    def has_code(record: FromClause) -> ColumnElement[bool]:
        return func.coalesce(record.c.codes.overlap(bound), False)

    if not parameter.type.component_codes:
        return Test((parameter.number, "scope"), has_code, {bind: wanted})
    # The column holds the codes of components too. Which is the main one is said by the index, of what is now.
    indexed = token_test(parameter, values, f"{bind}_now", keys)

    def has_main_code(record: FromClause) -> ColumnElement[bool]:
        now = resource.alias()
        current = select(now.c.record_key).where(
            now.c.patient_key == record.c.patient_key,
            now.c.record_key == record.c.record_key,
            now.c.version == record.c.version,
        )
        return and_(has_code(record), exists(current), indexed.condition(record))

    return Test((parameter.number, "scope"), has_main_code, {bind: wanted, **indexed.params})


def _labelled(values: Sequence[str], bind: str, keys: KeyMaker) -> Test:
    tokens = [parse_token(value) for value in values]
    levels = [
        CONFIDENTIALITIES.index(token.code)
        for token in tokens
        if token.system == CONFIDENTIALITY_SYSTEM and token.code in CONFIDENTIALITIES
    ]
    labels = [
        keys.label(token.system or "", token.code or "")
        for token in tokens
        if token.system != CONFIDENTIALITY_SYSTEM
    ]
    params: dict[str, Any] = {f"{bind}_levels": levels, f"{bind}_labels": labels}

    def labelled(record: FromClause) -> ColumnElement[bool]:
        of_level = record.c.confidentiality == any_(bindparam(f"{bind}_levels", type_=ARRAY(SmallInteger)))
        of_label = record.c.labels.overlap(bindparam(f"{bind}_labels", type_=KEYS))
        return or_(func.coalesce(of_level, False), func.coalesce(of_label, False))

    return Test((SECURITY, "scope"), labelled, params)


def _narrowing(type_name: str) -> Mapping[str, SearchParameter]:
    row = TYPES[type_name]
    if row.directory or not row.writable:
        return MappingProxyType({})
    return MappingProxyType(
        {
            name: parameter
            for name, parameter in parameters_of(type_name).items()
            if parameter.source in _OF_ROWS or name == SECURITY
        }
    )


_BY_TYPE: Final[Mapping[str, Mapping[str, SearchParameter]]] = MappingProxyType(
    {name: _narrowing(name) for name in TYPES}
)
