"""What a search of several types is understood as: what is asked of all, and what of each alone."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhirstore.keys import KeyMaker
from fhirstore.search.across import held_together, in_compartments, read_types
from fhirstore.search.criteria import Chain, Reverse, mentioned
from fhirstore.search.query import Query, parse_query
from fhirstore.search.test import NotCommon, SearchError, UnknownModifier
from fhirstore.types import TYPES, types_of

KEYS = KeyMaker(bytes(range(32)))


def parsed(listed: str, *pairs: tuple[str, str], **wishes: Any) -> Query:
    types = tuple(TYPES[name] for name in listed.split(","))
    return parse_query(types, pairs, keys=KEYS, zone=ZoneInfo("Asia/Tokyo"), sifting=True, **wishes)


def kinds(query: Query) -> list[Any]:
    return [test.kind for test in query.tests]


def test_what_all_types_ask_alike_is_asked_once() -> None:
    pairs = (("_id", "a,b"), ("_lastUpdated", "gt2020"), ("identifier", "x|y"), ("status", "active"))
    query = parsed("MedicationRequest,CarePlan,ServiceRequest", *pairs)
    assert len(query.tests) == len(pairs)
    assert not any("only-of" in str(kind) for kind in kinds(query))
    (ids, *_) = query.tests
    assert sorted(ids.params["p0"]) == sorted(
        KEYS.reference(f"{name}/{id_}") for name in query.names for id_ in ("a", "b")
    )


def test_what_types_ask_in_different_ways_is_asked_of_each_alone() -> None:
    coded = parsed("Observation,Condition", ("code", "http://loinc.org|1"))
    assert [kind[:2] for kind in kinds(coded)] == [
        ("only-of", TYPES[name].number) for name in ("Observation", "Condition")
    ]
    assert not any(test.index for test in coded.tests)
    dated = parsed("Observation,MedicationRequest", ("date", "2026"))
    assert (len(dated.tests), len(dated.sifts)) == (1, 1)
    # The row says when an Observation was; a MedicationRequest is looked into.
    assert dated.sifts[0]({"resourceType": "Observation"})
    assert not dated.sifts[0]({"resourceType": "MedicationRequest"})


def test_a_patient_is_named_as_widely_as_any_of_the_types_names_one() -> None:
    owners = parsed("Observation,Condition", ("patient", "Patient/1"))
    assert (owners.patients, owners.held, owners.tests) == (("Patient/1",), "owner", ())
    mixed = parsed("Observation,Appointment", ("patient", "Patient/1"))
    assert (mixed.patients, mixed.held, len(mixed.tests)) == (("Patient/1",), "named", 2)
    several = parsed("Observation,Appointment", ("patient", "Patient/1,Patient/2"))
    assert several.patients is None
    assert set(mentioned(several)) == {"Patient/1", "Patient/2"}


def test_a_link_is_one_search_whatever_types_it_leads_from() -> None:
    (chain,) = parsed("Observation,Condition,Procedure", ("subject:Patient.name", "x")).links
    assert isinstance(chain, Chain)
    assert [parameter.type.name for parameter in chain.parameters] == [
        "Observation",
        "Condition",
        "Procedure",
    ]
    (reverse,) = parsed("Observation,Condition", ("_has:Provenance:target:agent", "x")).links
    assert isinstance(reverse, Reverse)


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        ("Observation,Patient", "patient"),
        ("Observation,Task", "performer"),
        ("Observation,Condition", "foo"),
        ("Observation,Condition", "value-quantity"),
    ],
)
def test_what_one_type_lacks_or_means_otherwise_is_not_common(listed: str, name: str) -> None:
    with pytest.raises(NotCommon) as refused:
        parsed(listed, (name, "x"))
    assert refused.value.parameter == name
    assert parsed(listed, (name, "x"), lenient=True).echo == ()


def test_the_types_are_those_that_are_listed_or_all() -> None:
    known = held_together(sandbox=False)
    asked = read_types([("_type", "Condition,Observation,Condition"), ("_id", "x")], known)
    assert [row.name for row in asked.types] == ["Condition", "Observation"]
    assert (asked.listed, asked.pairs) == ("Condition,Observation,Condition", [("_id", "x")])
    every = read_types([("_id", "x")], known)
    assert (every.listed, [row.name for row in every.types]) == (None, list(known))
    assert known.keys() == types_of(sandbox=False).keys() - {"AuditEvent"}
    assert "Practitioner" in known
    assert "Practitioner" not in in_compartments()


@pytest.mark.parametrize(
    "pairs",
    [
        [("_type", "Foo")],
        [("_type", "AuditEvent")],
        [("_type", "")],
        [("_type", "Observation,,Condition")],
        [("_type", "Observation"), ("_type", "Observation")],
    ],
)
def test_a_list_of_types_is_readable_or_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(SearchError) as refused:
        read_types(pairs, held_together(sandbox=False))
    assert refused.value.parameter == "_type"


def test_a_list_of_types_has_no_modifier() -> None:
    with pytest.raises(UnknownModifier):
        read_types([("_type:not", "Observation")], held_together(sandbox=False))
