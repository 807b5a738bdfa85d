"""Conditions on whose a record is, which one it is, and what it refers to: by keys, whatever its type.

http://hl7.org/fhir/R4/search.html#reference
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, any_, bindparam, not_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.keys import KeyMaker
from fhirstore.search.test import Test
from fhirstore.tables import locator

WHOSE: Final = "whose"
"""How the values of tests are named that say whose a record is, beside the patient who is searched."""

_KEYS: Final = ARRAY(BigInteger)


def refers(bind: str, keys: Sequence[int]) -> Test:
    """The record refers to one of these records, wherever in it."""
    return Test(
        ("refs",), lambda record: record.c.refs.overlap(bindparam(bind, type_=_KEYS)), {bind: list(keys)}
    )


def among(bind: str, keys: Sequence[int]) -> Test:
    """The record is one of these."""
    return Test(
        ("among",),
        lambda record: record.c.record_key == any_(bindparam(bind, type_=_KEYS)),
        {bind: list(keys)},
    )


def located(bind: str, keys: Sequence[int]) -> Test:
    """The record is one of these: by the locator, so that it costs what they are and not whose may be seen."""

    def condition(record: FromClause) -> ColumnElement[bool]:
        wanted = any_(bindparam(bind, type_=_KEYS))
        held = select(locator.c.patient_key).where(locator.c.record_key == wanted)
        return and_(record.c.patient_key.in_(held), record.c.record_key == wanted)

    return Test(("located",), condition, {bind: list(keys)})


def lies_with(bind: str, patient_keys: Sequence[int]) -> Test:
    """The record lies with one of these patients."""
    return Test(
        ("lies-with",),
        lambda record: record.c.patient_key == any_(bindparam(bind, type_=_KEYS)),
        {bind: list(patient_keys)},
    )


def of_patients(owned: bool, bind: str, keys: Sequence[int]) -> Test:
    """The record is about a patient of whom these are the keys of their Patient; `owned` as of its search."""

    def condition(record: FromClause) -> ColumnElement[bool]:
        held = select(locator.c.patient_key).where(locator.c.record_key == any_(bindparam(bind, type_=_KEYS)))
        return and_(record.c.patient_key.in_(held), about_its_owner(owned, record))

    return Test(("of-patients", owned), condition, {bind: list(keys)})


def about_owner(owned: bool) -> Test:
    """The record is about the patient with whom it lies; `owned` as of its search."""
    return Test(("about-owner", owned), lambda record: about_its_owner(owned, record), {})


def about_its_owner(owned: bool, record: FromClause) -> ColumnElement[bool]:
    """Whether the patient with whom a record lies is named where `patient` and `subject` read."""
    return not_(record.c.owned_otherwise) if owned else true()


def about_all(tests: Sequence[Test], patients: Sequence[str], keys: KeyMaker) -> tuple[Test, ...]:
    """The tests with each of these, who are all one person, standing for all of them."""
    everyone = {keys.reference(patient) for patient in patients}

    def widened(name: str, value: Any) -> Any:
        if not name.startswith(WHOSE) or everyone.isdisjoint(value):
            return value
        return sorted(everyone.union(value))

    return tuple(
        replace(test, params={name: widened(name, value) for name, value in test.params.items()})
        if any(name.startswith(WHOSE) for name in test.params)
        else test
        for test in tests
    )
