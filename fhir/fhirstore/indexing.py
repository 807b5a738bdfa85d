"""The index rows that a record is found by, and the keys that a search token asks for.

http://hl7.org/fhir/R4/search.html#token

The two sides stand together because they must agree. A code is found by its code alone through the
type's usual systems: the search asks for the code in each of them, and a coding of any other system has
a second row, by its code alone. So a reading coded in LOINC costs one row, and nothing is missed.

A search by patient asks for the owner, and leaves out the few records whose owner stands elsewhere than where
`patient` and `subject` look.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fhirstore.elements import Code, References, codes_in, values_at
from fhirstore.errors import FhirStoreError
from fhirstore.facts import Facts
from fhirstore.keys import Key, KeyMaker
from fhirstore.parameters import (
    ParameterNumber,
    SearchParameter,
    Source,
    parameters_of,
)
from fhirstore.types import TYPES

_INDEXED: Final = frozenset({Source.CODE_ROWS, Source.IDENTIFIERS})
_WRITTEN: Final = {
    name: tuple(parameter for parameter in parameters_of(name).values() if parameter.source in _INDEXED)
    for name in TYPES
}
_BY_OWNER: Final = {
    name: parameter.paths
    for name in TYPES
    for parameter in parameters_of(name).values()
    if parameter.source is Source.PATIENT and not TYPES[name].follows and TYPES[name].writable
}
_BAR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_ESCAPED: Final = re.compile(r"\\([\\|,$])")


class UnsearchableToken(FhirStoreError):
    """A form of a token that a parameter does not answer."""

    def __init__(self, parameter: str) -> None:
        super().__init__(f"got a token without a code for `{parameter}`, expected `code` or `system|code`")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A row of resource_token; `starts` is None where the record is undated."""

    parameter: ParameterNumber
    value: Key
    starts: datetime | None


@dataclass(frozen=True, slots=True)
class IndexRows:
    """Every index row of one record.

    `owned_otherwise` tells that another element than the one of `patient` and `subject`, or a contained resource,
    gave the record to its owner: a search by patient leaves it out.
    """

    tokens: tuple[TokenRow, ...] = ()
    identifiers: tuple[Key, ...] = ()
    owned_otherwise: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A token as a search gives it: `system` None is any, empty is none; `code` None is any."""

    system: str | None
    code: str | None


def parse_token(text: str) -> Token:
    r"""Read `code`, `system|code`, `|code` or `system|`, with `\|` and `\\` for those characters."""
    bar = _BAR.search(text)
    if bar is None:
        return Token(None, _unescaped(text))
    return Token(_unescaped(text[: bar.end() - 1]), _unescaped(text[bar.end() :]) or None)


def token_keys(parameter: SearchParameter, token: Token, keys: KeyMaker) -> tuple[Key, ...]:
    """Return the keys of which a record must have one to match a token; none if nothing can match.

    Raises:
        UnsearchableToken: for `system|` where only codes are indexed.
    """
    if parameter.source is Source.IDENTIFIERS:
        return (_identifier_key(token, keys),)
    if token.code is None:
        raise UnsearchableToken(parameter.name)
    if parameter.source is Source.STATUS:
        named = token.system in (None, parameter.type.status_system)
        return (keys.token(token.code),) if named else ()
    if parameter.source is Source.CATEGORIES:
        if token.system is None:
            return (keys.bare_category(token.code),)
        return (keys.category(token.system, token.code),)
    if token.system is not None:
        return (keys.code(token.system, token.code),)
    usual = (keys.code(system, token.code) for system in parameter.type.systems)
    return (*usual, keys.bare_code(token.code))


def index_rows(tree: Mapping[str, Any], facts: Facts, *, keys: KeyMaker) -> IndexRows:
    """Return the index rows of a record.

    Args:
        tree: the resource.
        facts: what `extract` read of it.
        keys: the installation's keys.
    """
    start = None if facts.time is None else facts.time.start
    tokens: dict[TokenRow, None] = {}
    identifiers: tuple[Key, ...] = ()
    for parameter in _WRITTEN[facts.type.name]:
        if parameter.source is Source.CODE_ROWS:
            codes = dict.fromkeys((*facts.main_codes, *codes_in(values_at(tree, parameter.paths))))
            tokens |= dict.fromkeys(_token_rows(parameter, codes, start, keys))
        elif parameter.source is Source.IDENTIFIERS:
            identifiers = tuple(dict.fromkeys(_identifier_keys(tree, parameter, keys)))
    return IndexRows(tuple(tokens), identifiers, _is_owned_otherwise(tree, facts))


def _is_owned_otherwise(tree: Mapping[str, Any], facts: Facts) -> bool:
    paths = _BY_OWNER.get(facts.type.name)
    if not facts.patients or paths is None:
        return False
    owner = facts.patients[0]
    # What the facts keep as an absolute reference stands elsewhere; one of ours they have made relative.
    return not any(
        name == owner or (name.endswith(f"/{owner}") and name not in facts.references)
        for name in References().literals(values_at(tree, paths))
    )


def _token_rows(
    parameter: SearchParameter, codes: Iterable[Code], start: datetime | None, keys: KeyMaker
) -> Iterator[TokenRow]:
    for system, code in codes:
        yield TokenRow(parameter.number, keys.code(system, code), start)
        if system not in parameter.type.systems:
            yield TokenRow(parameter.number, keys.bare_code(code), start)


def _identifier_keys(tree: Mapping[str, Any], parameter: SearchParameter, keys: KeyMaker) -> Iterator[Key]:
    for element in values_at(tree, parameter.paths):
        if not isinstance(element, dict) or not isinstance(value := element.get("value"), str):
            continue
        system = element.get("system")
        yield keys.bare_identifier(value)
        if isinstance(system, str):
            yield keys.identifier(system, value)
            yield keys.identifier_system(system)
        else:
            yield keys.identifier(None, value)


def _identifier_key(token: Token, keys: KeyMaker) -> Key:
    if token.code is None:
        return keys.identifier_system(token.system or "")
    if token.system is None:
        return keys.bare_identifier(token.code)
    return keys.identifier(token.system, token.code)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
