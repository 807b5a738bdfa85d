"""One search parameter as it was asked, understood as what it wants of a record.

http://hl7.org/fhir/R4/search.html#parameters
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.indexing import UnsearchableToken
from fhirstore.keys import KeyMaker
from fhirstore.matching import Context, matcher, named_targets
from fhirstore.parameters import Kind, SearchParameter, Source, parameters_of
from fhirstore.search.criteria import Chain, Criteria, Reverse, of_patients, refers
from fhirstore.search.date import date_test
from fhirstore.search.reference import Unnamed, patient_references
from fhirstore.search.test import (
    BadValue,
    SearchError,
    Test,
    Unknown,
    UnknownModifier,
    UnknownParameter,
    negated,
)
from fhirstore.search.token import token_test
from fhirstore.types import TYPES, ResourceType

MAX_VALUES: Final = 200
"""Alternatives of one parameter, and parameters of one search; more is refused before it costs anything."""

MAX_DEPTH: Final = 4
"""Links from the record that is searched to the one that a condition is about."""

MAX_TARGETS: Final = 8
"""Types that one link may lead to; where there are more, the asker names one."""

HAS: Final = "_has:"
PATIENT: Final = "Patient"
_COMMA: Final = re.compile(r"(?<!\\)((?:\\\\)*),")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Filters:
    """Reads the parameters that filter.

    `base_urls` are this service's own, without a slash at the end; `now` is what an approximate date is near
    to. Without `sifting`, only what the rows answer is known.
    """

    keys: KeyMaker
    zone: ZoneInfo
    base_urls: tuple[str, ...] = ()
    sifting: bool = False
    now: datetime | None = None

    def read(self, type_: ResourceType, name: str, value: str, bind: str, depth: int = 0) -> Criteria:
        """Return what one parameter asks of records of a type; `patients` only at the root.

        Raises:
            Unknown: a parameter, modifier or prefix that is not known, here or behind a link.
            SearchError: anything else that cannot be answered as it was asked.
        """
        if self.sifting and name.startswith(HAS):
            return self._reverse(type_, name, value, bind, depth)
        head, dot, rest = name.partition(".")
        if self.sifting and dot:
            return self._chain(type_, head, rest, value, bind, depth)
        parameter, modifier = _named(type_, name)
        values = alternatives(parameter.name, value)
        asked = self._by_row(parameter, modifier, values, bind, root=depth == 0)
        return asked or self._by_elements(parameter, modifier, values, bind, root=depth == 0)

    def _by_row(
        self,
        parameter: SearchParameter,
        modifier: str | None,
        values: Sequence[str],
        bind: str,
        *,
        root: bool,
    ) -> Criteria | None:
        """What the row answers, None where its elements have to be looked into."""
        type_ = parameter.type
        if parameter.source is Source.PATIENT:
            named = self._patients(parameter, values) if modifier in (None, PATIENT) else None
            if named is None or root:
                return None if named is None else Criteria(type=type_, patients=named)
            test = of_patients(type_, bind, [self.keys.reference(one) for one in named])
            return Criteria(type=type_, tests=(test,))
        wanted = modifier is None or (modifier == "not" and parameter.kind is Kind.TOKEN and self.sifting)
        if parameter.source is Source.ELEMENTS or not wanted:
            return None
        try:
            test = self._test(parameter, values, bind)
        except UnsearchableToken as error:
            if self.sifting:
                return None
            raise BadValue(parameter.name, "`code` or `system|code`") from error
        return Criteria(type=type_, tests=(test if modifier is None else negated(test),))

    def _patients(self, parameter: SearchParameter, values: Sequence[str]) -> tuple[str, ...] | None:
        try:
            return tuple(patient_references(parameter.name, values, self.base_urls))
        except Unnamed:
            if self.sifting:
                return None
            raise

    def _test(self, parameter: SearchParameter, values: Sequence[str], bind: str) -> Test:
        if parameter.kind is Kind.DATE:
            return date_test(parameter, values, bind, self.zone, self.now)
        if parameter.source is Source.ID:
            return self._id_test(parameter, values, bind)
        return token_test(parameter, values, bind, self.keys)

    def _id_test(self, parameter: SearchParameter, values: Sequence[str], bind: str) -> Test:
        if not all(map(_ID.fullmatch, values)):
            raise BadValue(parameter.name, "an id")
        wanted = [self.keys.reference(f"{parameter.type.name}/{value}") for value in values]
        bound = bindparam(bind, type_=ARRAY(BigInteger))
        return Test(
            (parameter.number, "id"), lambda record: record.c.record_key == any_(bound), {bind: wanted}
        )

    def _by_elements(
        self,
        parameter: SearchParameter,
        modifier: str | None,
        values: Sequence[str],
        bind: str,
        *,
        root: bool,
    ) -> Criteria:
        if not (self.sifting and parameter.paths):
            if modifier is not None:
                raise UnknownModifier(parameter.name, modifier)
            raise UnknownParameter(parameter.name, parameter.type.name, known_parameters(parameter.type))
        context = Context(self.zone, self.base_urls, self.now)
        matches = matcher(parameter, modifier, values, context)
        criteria = Criteria(type=parameter.type, sifts=(matches,))
        if parameter.kind is not Kind.REFERENCE:
            return criteria
        targets = named_targets(parameter, values, context, modifier)
        if root and len(targets) == 1 and _names_patient(parameter, targets[0]):
            return replace(criteria, patients=targets, held="named")
        narrowing = (refers(bind, [self.keys.reference(target) for target in targets]),) if targets else ()
        return replace(criteria, tests=narrowing)

    def _chain(
        self, type_: ResourceType, head: str, rest: str, value: str, bind: str, depth: int
    ) -> Criteria:
        parameter, wanted = _named(type_, head)
        if parameter.kind is not Kind.REFERENCE:
            raise UnknownParameter(f"{head}.{rest}", type_.name, known_parameters(type_))
        deeper = _deeper(head, depth)
        targets = [
            criteria
            for name in _targets(parameter, wanted)
            if (criteria := self._unless_unknown(TYPES[name], rest, value, bind, deeper)) is not None
        ]
        if not targets:
            raise UnknownParameter(f"{head}.{rest}", type_.name, known_parameters(type_))
        if len(targets) > MAX_TARGETS:
            raise SearchError(
                head, f"got `{head[:64]}` leading to {len(targets)} types, expected `{head[:64]}:Type`"
            )
        return Criteria(type=type_, links=(Chain(parameter, tuple(targets), bind),))

    def _unless_unknown(
        self, type_: ResourceType, name: str, value: str, bind: str, depth: int
    ) -> Criteria | None:
        try:
            return self.read(type_, name, value, f"{bind}_{type_.number}", depth)
        except Unknown:
            return None

    def _reverse(self, type_: ResourceType, name: str, value: str, bind: str, depth: int) -> Criteria:
        parts = name.split(":", 3)
        if len(parts) < 4 or not linkable(parts[1]):
            raise UnknownParameter(name, type_.name, ["_has:Type:reference:parameter"])
        referring = TYPES[parts[1]]
        parameter = parameters_of(referring.name).get(parts[2])
        if parameter is None or not _leads_to(parameter, type_.name):
            raise UnknownParameter(name, type_.name, [f"_has:{referring.name}:reference:parameter"])
        criteria = self.read(referring, parts[3], value, f"{bind}_{referring.number}", _deeper(HAS, depth))
        return Criteria(type=type_, links=(Reverse(parameter, criteria, bind),))


def alternatives(name: str, value: str) -> list[str]:
    r"""The values between commas; `\,` is no separator.

    Raises:
        SearchError: too many values, or an empty one.
    """
    # The separators are found first, so that an escaped comma stays in its value.
    values = _COMMA.sub("\\1\0", value).split("\0")
    if len(values) > MAX_VALUES:
        raise SearchError(name, f"got {len(values)} values of `{name}`, expected at most {MAX_VALUES}")
    if "\0" in value or not all(values):
        raise BadValue(name, "a value")
    return values


def linkable(type_name: str) -> bool:
    """Whether records of the type can be reached by a link: the audit log is asked by itself."""
    return type_name in TYPES and TYPES[type_name].writable


def known_parameters(type_: ResourceType) -> list[str]:
    """The names that a refusal offers."""
    return list(parameters_of(type_.name))


def _named(type_: ResourceType, name: str) -> tuple[SearchParameter, str | None]:
    bare, colon, modifier = name.partition(":")
    parameter = parameters_of(type_.name).get(bare)
    if parameter is None:
        raise UnknownParameter(bare, type_.name, known_parameters(type_))
    if colon and not modifier:
        raise UnknownModifier(bare, modifier)
    return parameter, modifier or None


def _targets(parameter: SearchParameter, wanted: str | None) -> list[str]:
    """The types behind a link: the one that was named, else all that the parameter may lead to."""
    own = (PATIENT,) if parameter.source is Source.PATIENT and not parameter.targets else parameter.targets
    known = [name for name in own or TYPES if linkable(name)]
    if wanted is None:
        return known
    if wanted not in known:
        raise UnknownModifier(parameter.name, wanted)
    return [wanted]


def _leads_to(parameter: SearchParameter, type_name: str) -> bool:
    return parameter.kind is Kind.REFERENCE and type_name in (parameter.targets or (type_name,))


def _names_patient(parameter: SearchParameter, target: str) -> bool:
    """Whether all that refers so to this target is of this patient, who owns it or is among its others."""
    return target.startswith(f"{PATIENT}/") and set(parameter.paths) <= set(parameter.type.patients)


def _deeper(name: str, depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise SearchError(name, f"got more than {MAX_DEPTH} links, expected at most {MAX_DEPTH}")
    return depth + 1
