"""Narrowing: the scopes of a session as one more condition on each record, beside that of the consents.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

Most sessions have none: their scopes name whole types, which is asked before anything is looked up. Where a scope has
search arguments, or is for one patient alone, the rest of it is said here, of any row of `resource` or of
`resource_version`. What several scopes of a type give adds up. An argument that is not enforced lets nothing through.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    SmallInteger,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.keys import KeyMaker
from fhirstore.search.scoped import argument_test, arguments_of
from fhirstore.search.test import BadValue, Test
from fhirstore.types import TYPE_NUMBERS, TYPES
from passport.identity import scopes as smart
from passport.identity.record_scopes import (
    ALL_TYPES,
    DECIDING,
    Argument,
    RecordScope,
    Right,
    only_by_name,
)

READING: Final[tuple[Right, ...]] = ("r", "s")
"""Whoever does not say which of both they read by is shown what both give."""

_PATIENTS: Final = "scope_patients"
_KEYS: Final = ARRAY(BigInteger)
_DIRECTORY: Final = sorted(row.name for row in TYPES.values() if row.directory)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What of a session's scopes stands in the condition; `patients` are those that `patient/` is bound to."""

    scopes: tuple[RecordScope, ...]
    patients: tuple[int, ...] | None
    keys: KeyMaker

    @property
    def structure(self) -> Hashable:
        """Which SQL it is, whatever is bound."""
        named = self._named()
        return (
            self.patients is not None,
            tuple(
                (scope.context, scope.type, scope.rights, tuple(_structure(test) for test in named[scope]))
                for scope in self.scopes
            ),
        )

    @property
    def params(self) -> dict[str, Any]:
        """What the condition binds."""
        params: dict[str, Any] = {} if self.patients is None else {_PATIENTS: list(self.patients)}
        for tests in self._named().values():
            for test in tests:
                params |= {} if test is None else test.params
        return params

    def clause(
        self, record: FromClause, rights: Sequence[Right], *, type_name: str | None = None, prefix: str = ""
    ) -> ColumnElement[bool]:
        """Whether the scopes give all of `rights` on a row.

        `type_name` is the only type that the rows can be of, where that is known; `prefix` stands before the names of
        what is bound.
        """
        named = self._named(prefix)
        about = _about(record, f"{prefix}{_PATIENTS}")

        def way(scope: RecordScope) -> ColumnElement[bool]:
            bound = self.patients is not None and scope.context == "patient"
            return and_(about if bound else true(), *(_condition(test, record) for test in named[scope]))

        def of_type(name: str, right: Right) -> ColumnElement[bool]:
            return or_(false(), *(way(scope) for scope in self.scopes if scope.gives(name, right)))

        def of_any(right: Right) -> ColumnElement[bool]:
            by_name = {name for name in DECIDING if only_by_name(name, right)}
            types = {scope.type for scope in self.scopes if right in scope.rights}
            names = sorted((types | by_name) & TYPE_NUMBERS.keys())
            each = (and_(_of_types(record, [name]), of_type(name, right)) for name in names)
            others = not_(_of_types(record, names))
            return or_(*each, and_(others, of_type(ALL_TYPES, right)))

        return and_(*(of_any(right) if type_name is None else of_type(type_name, right) for right in rights))

    def _named(self, prefix: str = "") -> dict[RecordScope, list[Test | None]]:
        """The tests of each scope's arguments, each with names of its own."""
        return {
            scope: [
                _test(scope.type, argument, f"{prefix}scope_{at}_{place}", self.keys)
                for place, argument in enumerate(scope.arguments)
            ]
            for at, scope in enumerate(self.scopes)
        }


def narrowing(scopes: frozenset[str], keys: KeyMaker) -> Narrowing | None:
    """The condition that the scopes of a session make; None where they name whole types alone."""
    held, patients = smart.held_by(scopes), smart.patients(scopes)
    if patients is None and not any(scope.arguments for scope in held):
        return None
    return Narrowing(held, None if patients is None else tuple(sorted(patients)), keys)


def _test(type_name: str, argument: Argument, bind: str, keys: KeyMaker) -> Test | None:
    """The test of an argument; None where nothing enforces it, so that it lets nothing through."""
    parameter = arguments_of(type_name).get(argument.name)
    try:
        return None if parameter is None else argument_test(parameter, argument.values, bind, keys)
    except BadValue:
        return None


def _structure(test: Test | None) -> Hashable:
    return None if test is None else test.structure


def _condition(test: Test | None, record: FromClause) -> ColumnElement[bool]:
    return false() if test is None else func.coalesce(test.condition(record), false())


def _about(record: FromClause, bind: str) -> ColumnElement[bool]:
    """Whether a row is about one of the patients, or about nobody: the directory is everybody's."""
    whose = bindparam(bind, type_=_KEYS)
    return or_(
        record.c.patient_key == any_(whose),
        func.coalesce(record.c.others.overlap(whose), false()),
        _of_types(record, _DIRECTORY),
    )


def _of_types(record: FromClause, names: Sequence[str]) -> ColumnElement[bool]:
    """Whether a row is of one of these types, whose numbers belong to the form of the condition."""
    listed = ",".join(str(TYPE_NUMBERS[name]) for name in names)
    return record.c.type == any_(literal_column(f"'{{{listed}}}'::smallint[]", ARRAY(SmallInteger)))
