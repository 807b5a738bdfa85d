"""Token parameters: codes, identifiers, contact points, booleans and plain texts.

http://hl7.org/fhir/R4/search.html#token

Codes and identifiers compare exactly, as the index rows of the hot parameters do. What the specification
calls not case-sensitive is so here: elements of type string, and contact points, of which numbers compare by
their digits.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from fhirstore.elements import Code
from fhirstore.indexing import Token, parse_token
from fhirstore.matching.code_systems import SPECIAL_VALUES, system_of
from fhirstore.matching.escaping import split, unescaped
from fhirstore.matching.folding import folded
from fhirstore.matching.model import (
    Context,
    ElementMatches,
    Matches,
    NeedsTerminology,
    Tree,
    any_element,
    expect_modifier,
)
from fhirstore.matching.string import begins_with
from fhirstore.parameters import SearchParameter
from fhirstore.registry.reading import elements_at
from fhirstore.search.test import BadValue
from fhirstore.types import Path

_OF_TERMINOLOGY: Final = frozenset({"above", "below", "in", "not-in"})
_STRINGS: Final = frozenset({"lotNumber", "version"})
"""Elements of type string that token parameters read."""

_IDENTIFIERS: Final = frozenset(
    {
        "accessionIdentifier",
        "groupIdentifier",
        "identifier",
        "masterIdentifier",
        "requisition",
        "targetIdentifier",
    }
)
_MIME_TYPES: Final = "contentType"
_CONTACTS: Final = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})
_NO_DIGIT: Final = re.compile(r"[^0-9+]")


class Wanted:
    """The tokens of one search, in sets, so that many cost no more than one."""

    __slots__ = ("_bare", "_contacts", "_contacts_by_system", "_pairs", "_systems")

    def __init__(self, tokens: Iterable[Token]) -> None:
        tokens = tuple(tokens)
        self._bare = {token.code for token in tokens if token.system is None and token.code is not None}
        self._pairs = {
            Code(token.system, token.code)
            for token in tokens
            if token.system is not None and token.code is not None
        }
        self._systems = {token.system for token in tokens if token.system and token.code is None}
        self._contacts = {_contact(token.code) for token in tokens if not token.system and token.code}
        self._contacts_by_system = {
            Code(token.system, _contact(token.code))
            for token in tokens
            if token.system in _CONTACTS and token.code
        }

    def has(self, code: Code) -> bool:
        """Return whether a code with its system, which is empty where it has none, is wanted."""
        return code.code in self._bare or code in self._pairs or code.system in self._systems

    def has_contact(self, system: str, value: str) -> bool:
        """Return whether a contact point is wanted: by its value, or by what it is reached through too.

        R4 lets a search give no system here. Those that are given anyway are the codes of
        `ContactPoint.system`, and another one finds nothing.
        """
        contact = _contact(value)
        return (
            contact in self._contacts
            or Code(system, contact) in self._contacts_by_system
            or system in self._systems
        )

    def folded(self) -> "Wanted":
        """Return the same tokens, their codes without case."""
        tokens = [Token(None, code.casefold()) for code in self._bare]
        tokens += [Token(system, code.casefold()) for system, code in self._pairs]
        return Wanted([*tokens, *(Token(system, None) for system in self._systems)])


def token_matcher(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], _context: Context
) -> Matches:
    """Return whether a record has one of the tokens; with `:not`, whether it has none.

    Raises:
        NeedsTerminology: a modifier that asks what a code means.
        UnfitModifier: another one that no token has.
        BadValue: an empty token, or one that is not in the modifier's form.
    """
    if modifier == "below" and all(path[-1:] == (_MIME_TYPES,) for path in parameter.paths):
        return any_element(parameter, _mime_type_below(parameter.name, values))
    if modifier in _OF_TERMINOLOGY:
        raise NeedsTerminology(parameter, modifier)
    identifies = any(step in _IDENTIFIERS for path in parameter.paths for step in path[-1:])
    expect_modifier(parameter, modifier, "not", "text", *(["of-type"] if identifies else []))
    if modifier == "text":
        return any_element(parameter, _text_test(parameter.name, values))
    if modifier == "of-type":
        return any_element(parameter, _of_type_test(parameter.name, values))
    matches = _plain(parameter, wanted_tokens(parameter.name, values))
    return (lambda tree: not matches(tree)) if modifier == "not" else matches


def token_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], _context: Context
) -> ElementMatches:
    """Return whether an element has one of the tokens, for the components of a composite."""
    expect_modifier(parameter, modifier)
    return element_test(wanted_tokens(parameter.name, values))


def wanted_tokens(name: str, values: Sequence[str]) -> Wanted:
    """Read `code`, `system|code`, `|code` and `system|`.

    Raises:
        BadValue: neither a system nor a code.
    """
    tokens = [parse_token(value) for value in values]
    if not all(token.system or token.code for token in tokens):
        raise BadValue(name, "`code`, `system|code`, `|code` or `system|`")
    return Wanted(tokens)


def element_test(wanted: Wanted, system: str = "") -> ElementMatches:
    """Return whether an element has one of the tokens; `system` is that of plain codes."""

    def matches(element: Any) -> bool:
        if isinstance(element, str):
            return wanted.has(Code(system, element))
        if isinstance(element, dict) and _is_contact(element):
            value = element.get("value")
            return isinstance(value, str) and wanted.has_contact(element["system"], value)
        return any(map(wanted.has, codes_of(element)))

    return matches


def codes_of(element: Any) -> Iterator[Code]:
    """Return the codes of a CodeableConcept, Coding, Identifier, boolean or number."""
    if isinstance(element, bool):
        yield from (Code(system, str(element).lower()) for system in ("", *SPECIAL_VALUES))
    elif isinstance(element, int):
        yield Code("", str(element))
    elif isinstance(element, dict):
        coding = element.get("coding")
        for each in coding if isinstance(coding, list) else (element,):
            if isinstance(each, dict) and isinstance(code := each.get("code", each.get("value")), str):
                system = each.get("system")
                yield Code(system if isinstance(system, str) else "", code)


def token_sort_value(element: Any) -> str | None:
    """Return the code by which an element is sorted, the first where it has several."""
    if isinstance(element, str):
        return element
    return next((code.code for code in codes_of(element)), None)


def _plain(parameter: SearchParameter, wanted: Wanted) -> Matches:
    tests = [_of_path(parameter, path, wanted) for path in parameter.paths]

    def found(tree: Tree) -> bool:
        return any(matches(element) for path, matches in tests for element in elements_at(tree, path))

    return found


def _of_path(
    parameter: SearchParameter, path: Path, wanted: Wanted
) -> tuple[tuple[Path, ...], ElementMatches]:
    if path and path[-1] in _STRINGS:
        without_case = wanted.folded()
        return (path,), lambda text: isinstance(text, str) and without_case.has(Code("", text.casefold()))
    return (path,), element_test(wanted, system_of(parameter.type, path))


def _text_test(name: str, values: Sequence[str]) -> ElementMatches:
    matches = begins_with(name, values)
    return lambda element: any(map(matches, _texts(element)))


def _texts(element: Any) -> Iterator[str]:
    if not isinstance(element, dict):
        return
    type_, coding = element.get("type"), element.get("coding")
    said = [element.get("text"), element.get("display")]
    if isinstance(type_, dict):
        said.append(type_.get("text"))
    if isinstance(coding, list):
        said += [each.get("display") for each in coding if isinstance(each, dict)]
    yield from (text for text in said if isinstance(text, str))


def _of_type_test(name: str, values: Sequence[str]) -> ElementMatches:
    sought = set()
    for value in values:
        parts = tuple(map(unescaped, split(value, "|")))
        if len(parts) != 3 or not all(parts):
            raise BadValue(f"{name}:of-type", "`system|code|value`, of an identifier's type and its value")
        sought.add((Code(parts[0], parts[1]), parts[2]))

    def matches(element: Any) -> bool:
        if not isinstance(element, dict) or not isinstance(value := element.get("value"), str):
            return False
        type_ = element.get("type")
        return isinstance(type_, dict) and any((code, value) in sought for code in codes_of(type_))

    return matches


def _mime_type_below(name: str, values: Sequence[str]) -> ElementMatches:
    sought = [unescaped(value).casefold() for value in values]
    if not all(sought):
        raise BadValue(f"{name}:below", "a media type such as `text/xml`")

    def matches(element: Any) -> bool:
        if not isinstance(element, str):
            return False
        base = element.partition(";")[0].strip().casefold()
        return any(base == one or base.partition("/")[0] == one for one in sought)

    return matches


def _is_contact(element: dict[str, Any]) -> bool:
    # The system of an identifier is a URI.
    return isinstance(system := element.get("system"), str) and system in _CONTACTS


def _contact(value: str) -> str:
    text = folded(value)
    digits = _NO_DIGIT.sub("", text)
    if digits and not any(map(str.isalpha, text)):
        return digits
    # Of a mail address each dot counts.
    return value.strip().casefold()
