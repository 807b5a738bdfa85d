"""One search parameter as it was asked, understood as what it wants of a record.

http://hl7.org/fhir/R4/search.html#parameters
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fhirstore.indexing import UnsearchableToken
from fhirstore.keys import KeyMaker
from fhirstore.matching import Context, matcher, named_targets
from fhirstore.parameters import Kind, SearchParameter, Source
from fhirstore.search.criteria import Criteria, together
from fhirstore.search.date import date_test
from fhirstore.search.linked import HAS, chain, reverse
from fhirstore.search.named import PATIENT, Parameters, Types, alternatives, known_parameters, named
from fhirstore.search.reference import Unnamed, patient_references
from fhirstore.search.test import BadValue, Test, UnknownModifier, UnknownParameter, negated
from fhirstore.search.token import token_test
from fhirstore.search.whose import WHOSE, among, located, of_patients, refers

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

    def read(self, types: Types, name: str, value: str, bind: str, depth: int = 0) -> Criteria:
        """Return what one parameter asks of records of these types; `patients` only at the root.

        Raises:
            Unknown: a parameter, modifier or prefix that is not known, here or behind a link.
            SearchError: anything else that cannot be answered as it was asked.
        """
        if self.sifting and name.startswith(HAS):
            return reverse(self.read, types, name, value, bind, depth)
        if self.sifting and "." in name:
            return chain(self.read, types, name, value, bind, depth)
        parameters, modifier = named(types, name)
        values = alternatives(parameters[0].name, value)
        if parameters[0].source is Source.ID and self._is_answered(parameters[0], modifier):
            return self._ids(types, modifier, values, bind)
        if len(types) == 1:
            return self._of_one(parameters[0], modifier, values, bind, root=depth == 0)
        return self._of_several(parameters, modifier, values, bind)

    def _of_one(
        self,
        parameter: SearchParameter,
        modifier: str | None,
        values: Sequence[str],
        bind: str,
        *,
        root: bool,
    ) -> Criteria:
        asked = self._by_row(parameter, modifier, values, bind, root=root)
        return asked or self._by_elements(parameter, modifier, values, bind, root=root)

    def _of_several(
        self, parameters: Parameters, modifier: str | None, values: Sequence[str], bind: str
    ) -> Criteria:
        """The same of several types, each by its own parameter."""
        parts = [
            self._of_one(one, modifier, values, f"{bind}_{one.type.number}", root=True) for one in parameters
        ]
        if len({(part.patients, part.held) for part in parts}) == 1:
            return replace(together(parts), patients=parts[0].patients, held=parts[0].held)
        # Some say by another element whose a record is: then it lies with the patient or names them, and of each
        # type the records are left that name the patient where that type does.
        apart = together([self._tested(part, f"{bind}_{part.types[0].number}") for part in parts])
        if len({part.patients for part in parts}) == 1:
            return replace(apart, patients=parts[0].patients, held="named")
        return apart

    def _tested(self, part: Criteria, bind: str) -> Criteria:
        """The part with a test in place of the patients whom it names."""
        if part.patients is None:
            return part
        keys, bind = [self.keys.reference(one) for one in part.patients], f"{WHOSE}_{bind}"
        test = of_patients(part.owned, bind, keys) if part.held == "owner" else refers(bind, keys)
        return replace(part, patients=None, held="owner", tests=(*part.tests, test), mentions=part.patients)

    def _is_answered(self, parameter: SearchParameter, modifier: str | None) -> bool:
        """Whether rows may answer a parameter that is asked with this modifier."""
        return modifier is None or (modifier == "not" and parameter.kind is Kind.TOKEN and self.sifting)

    def _ids(self, types: Types, modifier: str | None, values: Sequence[str], bind: str) -> Criteria:
        if not all(map(_ID.fullmatch, values)):
            raise BadValue("_id", "an id")
        keys = [self.keys.reference(f"{type_.name}/{value}") for type_ in types for value in values]
        test = among(bind, keys) if len(types) == 1 else located(bind, keys)
        return Criteria(types=types, tests=(test if modifier is None else negated(test),))

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
        types = (parameter.type,)
        if parameter.source is Source.PATIENT:
            patients = self._patients(parameter, values) if modifier in (None, PATIENT) else None
            if patients is None:
                return None
            asked = Criteria(types=types, patients=patients)
            return asked if root else self._tested(asked, bind)
        if parameter.source is Source.ELEMENTS or not self._is_answered(parameter, modifier):
            return None
        try:
            test = self._test(parameter, values, bind)
        except UnsearchableToken as error:
            if self.sifting:
                return None
            raise BadValue(parameter.name, "`code` or `system|code`") from error
        return Criteria(types=types, tests=(test if modifier is None else negated(test),))

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
        return token_test(parameter, values, bind, self.keys)

    def _by_elements(
        self,
        parameter: SearchParameter,
        modifier: str | None,
        values: Sequence[str],
        bind: str,
        *,
        root: bool,
    ) -> Criteria:
        types = (parameter.type,)
        if not (self.sifting and parameter.paths):
            if modifier is not None:
                raise UnknownModifier(parameter.name, modifier, "none")
            raise UnknownParameter(parameter.name, parameter.type.name, known_parameters(types))
        context = Context(self.zone, self.base_urls, self.now)
        matches = matcher(parameter, modifier, values, context)
        criteria = Criteria(types=types, sifts=(matches,))
        if parameter.kind is not Kind.REFERENCE:
            return criteria
        targets = named_targets(parameter, values, context, modifier)
        if root and len(targets) == 1 and _names_patient(parameter, targets[0]):
            return replace(criteria, patients=targets, held="named")
        if not targets:
            return criteria
        narrowing = refers(f"{WHOSE}_{bind}", [self.keys.reference(target) for target in targets])
        patients = tuple(target for target in targets if target.startswith(f"{PATIENT}/"))
        return replace(criteria, tests=(narrowing,), mentions=patients)


def _names_patient(parameter: SearchParameter, target: str) -> bool:
    """Whether all that refers so to this target is of this patient, who owns it or is among its others.

    A Patient is not: it does not name those whom it was merged with (`fhirstore.facts.reading.MERGED`).
    """
    named = not parameter.type.is_patient and set(parameter.paths) <= set(parameter.type.patients)
    return named and target.startswith(f"{PATIENT}/")
