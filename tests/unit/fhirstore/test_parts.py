from typing import Any

from fhirstore.elements import References
from fhirstore.parts import Placed, placed
from tests.unit.fhirstore.examples import blood_pressure, patient

HERE = References(own=("https://passport.example/fhir",))
THERE = "https://hospital.example/fhir"


def bundle(*entries: dict[str, Any]) -> Placed:
    return placed({"resourceType": "Bundle", "entry": list(entries)}, HERE)


def test_contained_resources_reach_each_other() -> None:
    tree = blood_pressure(contained=[patient(id="a"), patient(id="b")])
    for inner in placed(tree, HERE).parts():
        reached = inner.neighbour({"reference": "#b"})
        assert reached is not None
        assert reached["id"] == "b"
        assert inner.reference is None


def test_entries_reach_each_other_by_full_url_and_relative_to_it() -> None:
    first, _ = bundle(
        {"fullUrl": f"{THERE}/Observation/1", "resource": blood_pressure(id="1")},
        {"fullUrl": f"{THERE}/Patient/p", "resource": patient(id="p")},
    ).parts()
    for reference in ("Patient/p", "Patient/p/_history/3", f"{THERE}/Patient/p"):
        assert first.neighbour({"reference": reference}) is not None
    assert first.neighbour({"reference": "Patient/q"}) is None
    assert first.reference == f"{THERE}/Observation/1"


def test_entry_without_full_url_is_of_this_service() -> None:
    first, second = bundle({"resource": blood_pressure()}, {"resource": patient()}).parts()
    assert first.neighbour({"reference": "https://passport.example/fhir/Patient/hanako"}) is second.tree
    assert second.reference == "Patient/hanako"


def test_contained_resources_of_one_entry_are_not_reached_from_another() -> None:
    first, second = bundle(
        {"resource": blood_pressure(contained=[patient(id="a")])}, {"resource": patient()}
    ).parts()
    assert first.neighbour({"reference": "#a"}) is not None
    assert second.neighbour({"reference": "#a"}) is None


def test_logical_reference_reaches_nothing() -> None:
    assert placed(blood_pressure(), HERE).neighbour({"identifier": {"value": "1"}}) is None


def test_entries_without_resource_are_no_parts() -> None:
    assert list(bundle({"response": {"status": "200"}}, {"resource": None}).parts()) == []
