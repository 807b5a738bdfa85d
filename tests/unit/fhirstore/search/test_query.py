"""What a search is understood as, part by part."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhirstore.keys import KeyMaker
from fhirstore.parameters import Kind, parameters_of
from fhirstore.search.criteria import Chain, Criteria, Reverse, links_of
from fhirstore.search.linked import MAX_DEPTH, MAX_TARGETS
from fhirstore.search.named import alternatives, targets_of
from fhirstore.search.query import Query, parse_query
from fhirstore.search.test import (
    BadValue,
    LeadsNowhere,
    SearchError,
    Unknown,
    UnknownModifier,
    UnknownParameter,
)
from fhirstore.types import TYPES

KEYS = KeyMaker(bytes(range(32)))
TOKYO = ZoneInfo("Asia/Tokyo")
BASE = "http://passport.test/fhir"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def parsed(type_name: str, *pairs: tuple[str, str], **wishes: Any) -> Query:
    wishes = {"sifting": True, "now": NOW, **wishes}
    return parse_query((TYPES[type_name],), pairs, keys=KEYS, zone=TOKYO, base_urls=(BASE,), **wishes)


def test_what_rows_answer_needs_no_look_into_records() -> None:
    query = parsed(
        "Observation",
        ("patient", "Patient/1"),
        ("code", "http://loinc.org|1"),
        ("code:not", "x"),
        ("category", "vital-signs"),
        ("status", "final"),
        ("date", "ge2026"),
        ("_id", "a,b"),
        ("_lastUpdated", "gt2026"),
        ("identifier", "x|y"),
        ("_sort", "-date,_id"),
    )
    assert query.by_rows
    assert (query.patients, query.held) == (("Patient/1",), "owner")


@pytest.mark.parametrize(
    "pair",
    [
        ("value-quantity", "5"),
        ("date:missing", "true"),
        ("code", "http://loinc.org|"),
        ("performer", "Practitioner/1"),
        ("subject", "Device/1"),
        ("subject:identifier", "x|1"),
        ("subject:Patient.name", "x"),
        ("_has:Provenance:target:agent", "Practitioner/1"),
        ("_include", "Observation:subject"),
        ("_sort", "code"),
        ("_tag", "x"),
    ],
)
def test_what_rows_do_not_answer_is_looked_into_or_unknown(pair: tuple[str, str]) -> None:
    assert not parsed("Observation", pair).by_rows
    with pytest.raises(SearchError):
        parsed("Observation", pair, sifting=False)


def test_a_patient_is_named_by_every_parameter_that_names_one() -> None:
    both = parsed("Observation", ("patient", "1,2"), ("subject", f"{BASE}/Patient/2"))
    assert both.patients == ("Patient/2",)
    assert both.named == ("Patient/2", "Patient/1")
    apart = parsed("Observation", ("patient", "1"), ("patient", "2"))
    assert (apart.patients, apart.named) == (("Patient/1",), ("Patient/1", "Patient/2"))
    assert len(apart.tests) == 1
    assert parsed("Observation").patients is None


def test_a_patient_beside_the_owner_is_among_those_whom_a_record_names() -> None:
    query = parsed("Observation", ("performer", "Patient/2"))
    assert (query.patients, query.held, len(query.sifts)) == (("Patient/2",), "named", 1)
    both = parsed("Observation", ("performer", "Patient/2"), ("patient", "1"))
    assert (both.patients, both.held) == (("Patient/1",), "owner")
    assert parsed("Observation", ("performer", "Patient/2,Patient/3")).patients is None


def test_a_compartment_is_a_patient_whom_the_record_names() -> None:
    query = parsed("Observation", ("patient", "1"), compartment="Patient/2")
    assert (query.patients, query.held) == (("Patient/2",), "named")
    assert query.named == ("Patient/2", "Patient/1")
    # Whose it is, and that it is theirs by the element that the parameter reads.
    assert len(query.tests) == 1


def test_tests_are_numbered_as_they_come_whatever_stands_between() -> None:
    plain = parsed("Observation", ("code", "a"), ("status", "b"))
    between = parsed("Observation", ("_count", "1"), ("code", "a"), ("patient", "1"), ("status", "b"))
    assert {test.structure for test in plain.tests} <= {test.structure for test in between.tests}
    turned = parsed("Observation", ("status", "b"), ("code", "a"))
    assert {test.structure for test in plain.tests}.isdisjoint(test.structure for test in turned.tests)


def test_a_chain_is_a_search_of_its_own() -> None:
    (link,) = parsed("Observation", ("subject:Patient.organization.name", "x")).links
    assert isinstance(link, Chain)
    (patient,) = link.targets
    assert patient.names == ("Patient",)
    (further,) = patient.links
    assert isinstance(further, Chain)
    (organization,) = further.targets
    assert (organization.names, len(organization.sifts)) == (("Organization",), 1)


def test_a_chain_leads_to_each_type_that_has_the_parameter() -> None:
    (link,) = parsed("Observation", ("performer.name", "x")).links
    assert isinstance(link, Chain)
    names = {name for target in link.targets for name in target.names}
    assert {"Patient", "Practitioner", "Organization"} <= names
    assert "PractitionerRole" not in names


REFERENCES = [
    (type_name, parameter.name)
    for type_name in TYPES
    for parameter in parameters_of(type_name).values()
    if parameter.kind is Kind.REFERENCE
]


@pytest.mark.parametrize(("type_name", "name"), REFERENCES)
def test_every_reference_leads_to_what_is_held_or_is_refused(type_name: str, name: str) -> None:
    held = targets_of(parameters_of(type_name)[name], None)
    if 0 < len(held) <= MAX_TARGETS:
        (link,) = parsed(type_name, (f"{name}._lastUpdated", "2026")).links
        assert isinstance(link, Chain)
        assert {reached for target in link.targets for reached in target.names} == set(held)
    else:
        with pytest.raises(SearchError, match=name):
            parsed(type_name, (f"{name}._lastUpdated", "2026"))
    for rest in ("nothing", "", "."):
        with pytest.raises(Unknown, match=name):
            parsed(type_name, (f"{name}.{rest}", "2026"))


def test_a_chain_to_types_that_are_not_held_is_refused() -> None:
    assert targets_of(parameters_of("Organization")["endpoint"], None) == ()
    with pytest.raises(LeadsNowhere, match="`endpoint` leads to no type that is held here"):
        parsed("Organization", ("endpoint.name", "x"))
    assert parsed("Organization", ("endpoint.name", "x"), lenient=True).links == ()


def test_has_is_a_search_of_what_refers() -> None:
    name = "_has:Observation:patient:_has:Provenance:target:agent"
    (link,) = parsed("Patient", (name, "Practitioner/1")).links
    assert isinstance(link, Reverse)
    assert (link.parameter.name, link.referring.names) == ("patient", ("Observation",))
    (inner,) = link.referring.links
    assert isinstance(inner, Reverse)
    assert inner.referring.names == ("Provenance",)
    assert len(links_of(parsed("Patient", (name, "Practitioner/1")))) == 2


def test_a_reference_that_there_is_none_of_is_told_beside_those_that_lead_here() -> None:
    with pytest.raises(
        UnknownParameter, match="_has:Observation:patient:code, _has:Observation:performer:code"
    ):
        parsed("Patient", ("_has:Observation:foo:code", "x"))


def test_links_have_a_bounded_depth() -> None:
    def deep(links: int) -> str:
        return "partof." * links + "name"

    assert isinstance(parsed("Organization", (deep(MAX_DEPTH), "x")), Criteria)
    with pytest.raises(SearchError):
        parsed("Organization", (deep(MAX_DEPTH + 1), "x"))
    with pytest.raises(SearchError):
        parsed("Organization", ("_has:Organization:partof:" * (MAX_DEPTH + 1) + "name", "x"))


def test_a_patient_behind_a_link_is_no_patient_whose_records_are_searched() -> None:
    query = parsed("Provenance", ("target:Observation.patient", "Patient/1"))
    assert query.patients is None
    (link,) = query.links
    assert isinstance(link, Chain)
    assert len(link.targets[0].tests) == 1


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("foo", UnknownParameter),
        ("_text", UnknownParameter),
        ("code:foo", UnknownModifier),
        ("code:", UnknownModifier),
        ("subject:Foo", UnknownModifier),
        ("subject.foo", UnknownParameter),
        ("code.name", UnknownParameter),
        ("subject:Foo.name", UnknownModifier),
        ("_has:Provenance:target", UnknownParameter),
        ("_has:AuditEvent:entity:type", UnknownParameter),
        ("_include:foo", UnknownModifier),
    ],
)
def test_what_is_not_known_is_left_out_for_a_lenient_caller_alone(name: str, error: type[Unknown]) -> None:
    with pytest.raises(error):
        parsed("Observation", (name, "x"))
    query = parsed("Observation", ("code", "y"), (name, "x"), lenient=True)
    assert query.echo == (("code", "y"),)


def test_the_echo_is_what_was_understood_in_its_order() -> None:
    pairs = (("_sort", "date"), ("_count", "5000"), ("code", "a,b"), ("_include", "*"), ("_cursor", "x"))
    assert parsed("Observation", *pairs).echo == (
        ("_sort", "date"),
        ("_count", "1000"),
        ("code", "a,b"),
        ("_include", "*"),
    )


@pytest.mark.parametrize("asked, given", [("0", 0), ("0007", 7), ("1001", 1000), ("9" * 5_000, 1000)])
def test_a_count_of_any_length_is_clamped(asked: str, given: int) -> None:
    assert parsed("Observation", ("_count", asked)).count == given


def test_what_is_not_asked_of_contained_resources_may_be_said() -> None:
    assert parsed("Observation", ("_contained", "false")).echo == (("_contained", "false"),)
    for value in ("true", "both", ""):
        with pytest.raises(Unknown) as refused:
            parsed("Observation", ("_contained", value))
        assert refused.value.parameter == "_contained"
        assert parsed("Observation", ("_contained", value), lenient=True).echo == ()


@pytest.mark.parametrize(
    "name", ["_sort", "_count", "_total", "_summary", "_elements", "_contained", "_cursor"]
)
def test_what_shapes_the_result_is_given_once(name: str) -> None:
    value = {"_sort": "date", "_count": "1", "_total": "none", "_summary": "true", "_contained": "false"}.get(
        name, "status"
    )
    parsed("Observation", (name, value))
    with pytest.raises(SearchError) as refused:
        parsed("Observation", (name, value), (name, value))
    assert refused.value.parameter == name


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("_sort:desc", "date", "got modifier `:desc` on `_sort`, expected none"),
        ("_count:exact", "1", "got modifier `:exact` on `_count`, expected none"),
        ("_include:recurse", "*", "got modifier `:recurse` on `_include`, expected `:iterate` or none"),
        (
            "_include",
            "Observation:foo",
            "got `Observation:foo` in `_include`, expected `*`, `Observation:reference`",
        ),
        (
            "_revinclude",
            "Foo:subject",
            "got `Foo:subject` in `_revinclude`, expected `*`, `Type:reference`",
        ),
        (
            "_revinclude",
            "Provenance:foo",
            "got `Provenance:foo` in `_revinclude`, expected `*`, `Provenance:reference`",
        ),
        (
            "_include",
            "Patient:link",
            "got `Patient:link` in `_include`, expected `*`, `Observation:reference`",
        ),
        (
            "_revinclude",
            "Goal:foo",
            "got `Goal:foo` in `_revinclude`, expected `*`, or a type that has references to what is searched, "
            "which `Goal` has not",
        ),
    ],
)
def test_what_shapes_the_result_is_refused_by_the_part_that_is_not_known(
    name: str, value: str, said: str
) -> None:
    with pytest.raises(UnknownModifier) as refused:
        parsed("Observation", (name, value))
    assert str(refused.value).startswith(said)
    assert refused.value.parameter == name.partition(":")[0]
    assert parsed("Observation", (name, value), lenient=True).echo == ()


def test_an_include_that_is_not_known_is_told_what_there_is() -> None:
    with pytest.raises(UnknownModifier, match=r"one of .*encounter, .*performer, .*subject; what came"):
        parsed("Observation", ("_include", "Observation:foo"))
    with pytest.raises(UnknownModifier, match=r"leads to what is searched, one of actor, consentor, data"):
        parsed("Practitioner", ("_revinclude", "Consent:patient"))
    with pytest.raises(UnknownModifier, match=r"one of general-practitioner, link, organization$"):
        parsed("Observation", ("_include:iterate", "Patient:foo"))


def test_too_many_sort_keys_are_refused_before_one_is_looked_up() -> None:
    with pytest.raises(SearchError, match="got 100000 sort keys"):
        parsed("Observation", ("_sort", ",".join(["spam"] * 100_000)))


def test_a_long_list_is_refused_and_an_escaped_comma_is_none() -> None:
    assert alternatives("code", r"a\,b,c\\,d") == [r"a\,b", r"c\\", "d"]
    with pytest.raises(SearchError):
        alternatives("code", ",".join("x" * 100_000))
    for value in ("", "a,", ",a", "a,,b", "a\0b"):
        with pytest.raises(BadValue):
            alternatives("code", value)


def test_an_approximate_date_needs_a_present() -> None:
    assert parsed("Observation", ("date", "ap2026")).by_rows
    with pytest.raises(Unknown):
        parsed("Observation", ("date", "ap2026"), now=None)
