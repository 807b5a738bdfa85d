"""Scopes of records: what one says, and what two of them leave of each other.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

`patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs` is a context,
a type, rights and search arguments. Arguments are kept in one order and one spelling, so that scopes which say the same
are the same text.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import quote, unquote

Right = Literal["c", "r", "u", "d", "s"]
"""create; read, vread and history of one; update; delete; search and history of a type."""

RIGHTS: Final[tuple[Right, ...]] = ("c", "r", "u", "d", "s")
ALL_TYPES: Final = "*"

DECIDING: Final = frozenset({"Consent", "RelatedPerson"})
"""What decides who sees records: to write it is given by name alone, and never by `*`."""
WRITING: Final[frozenset[Right]] = frozenset({"c", "u", "d"})

ARGUMENTS_MAX: Final = 4
VALUES_MAX: Final = 16
SCOPE_MAX_CHARACTERS: Final = 1_024

_VERSION_1: Final[Mapping[str, str]] = MappingProxyType({"read": "rs", "write": "cud", "*": "cruds"})
_SCOPE: Final = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>[A-Za-z]{1,64}|\*)\.(?P<rights>c?r?u?d?s?|read|write|\*)"
    r"(?:\?(?P<arguments>.*))?",
    re.DOTALL,
)
_COMMA: Final = re.compile(r"(?<!\\),")
_PLAIN: Final = ":/|,!$'()*;@"
"""What stands in an argument as it is: `&`, `=` and `%` part arguments, and OAuth has no room for quotes."""


@dataclass(frozen=True, slots=True, order=True)
class Argument:
    """One search argument: a record has to have one of the values."""

    name: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}={quote(','.join(self.values), safe=_PLAIN)}"

    def implies(self, other: "Argument") -> bool:
        """Whether whatever has one of these values has one of the other's."""
        return self.name == other.name and set(self.values) <= set(other.values)


@dataclass(frozen=True, slots=True, order=True)
class RecordScope:
    """One scope of records as version 2 says it; each of its arguments has to hold."""

    context: str
    type: str
    rights: str
    arguments: tuple[Argument, ...] = ()

    def __str__(self) -> str:
        plain = f"{self.context}/{self.type}.{self.rights}"
        return f"{plain}?{'&'.join(map(str, self.arguments))}" if self.arguments else plain

    def gives(self, type_name: str, right: Right) -> bool:
        """Whether it gives this right on records of this type, of those at least that its arguments name."""
        named = self.type == type_name or (self.type == ALL_TYPES and not only_by_name(type_name, right))
        return named and right in self.rights

    def includes(self, other: "RecordScope") -> bool:
        """Whether all that another one of the same context and type may find, this one may find."""
        return all(any(one.implies(each) for one in other.arguments) for each in self.arguments)

    def within(self, other: "RecordScope") -> "RecordScope | None":
        """What of it another one leaves, whatever its context; None for nothing."""
        if ALL_TYPES not in (self.type, other.type) and self.type != other.type:
            return None
        type_ = other.type if self.type == ALL_TYPES else self.type
        rights = "".join(right for right in RIGHTS if self.gives(type_, right) and other.gives(type_, right))
        if not rights:
            return None
        return RecordScope(self.context, type_, rights, _all_of((*self.arguments, *other.arguments)))


def only_by_name(type_name: str, right: Right) -> bool:
    """Whether a right on a type is given by the name of the type alone."""
    return type_name in DECIDING and right in WRITING


@lru_cache(4_096)
def record_scope(text: str) -> RecordScope | None:
    """Read a scope of records of either version, None for anything else."""
    found = _SCOPE.fullmatch(text) if len(text) <= SCOPE_MAX_CHARACTERS else None
    if found is None or not found["rights"]:
        return None
    arguments = _arguments(found["arguments"])
    if arguments is None:
        return None
    rights = _VERSION_1.get(found["rights"], found["rights"])
    return RecordScope(found["context"], found["type"], rights, arguments)


def record_scopes(texts: Iterable[str]) -> list[RecordScope]:
    """The scopes of records among these, in one order; what cannot be read gives nothing."""
    return sorted(scope for scope in map(record_scope, texts) if scope is not None)


def covered(scope: RecordScope, allowed: Iterable[RecordScope]) -> bool:
    """Whether each right of a scope is given by one that is allowed, in the same context."""
    near = [one for one in allowed if one.context == scope.context and one.includes(scope)]
    return all(any(one.gives(scope.type, right) for one in near) for right in _rights(scope))


def without_needless(scopes: Collection[RecordScope]) -> frozenset[RecordScope]:
    """The scopes without those of which another one says all that they say."""
    listed = sorted(set(scopes))
    return frozenset(
        one for one in listed if not any(other != one and covered(one, [other]) for other in listed)
    )


def _rights(scope: RecordScope) -> list[Right]:
    return [right for right in RIGHTS if right in scope.rights]


def _arguments(text: str | None) -> tuple[Argument, ...] | None:
    """The arguments of a scope; None where they are none, or too many."""
    if text is None:
        return ()
    read = [_argument(part) for part in text.split("&")]
    arguments = [one for one in read if one is not None]
    fits = len(arguments) == len(read) <= ARGUMENTS_MAX
    return _all_of(arguments) if fits and all(len(one.values) <= VALUES_MAX for one in arguments) else None


def _argument(text: str) -> Argument | None:
    name, sign, value = text.partition("=")
    try:
        values = tuple(sorted(set(_COMMA.split(unquote(value, errors="strict")))))
    except UnicodeDecodeError:
        return None
    return Argument(name, values) if sign and name and all(values) else None


def _all_of(arguments: Iterable[Argument]) -> tuple[Argument, ...]:
    """All of these, without those that another one implies, in one order."""
    listed = sorted(set(arguments))
    return tuple(one for one in listed if not any(other != one and other.implies(one) for other in listed))


def of_rights(scope: RecordScope, rights: Collection[Right]) -> RecordScope | None:
    """The same for these rights alone; None where none is left."""
    left = "".join(right for right in scope.rights if right in rights)
    return replace(scope, rights=left) if left else None
