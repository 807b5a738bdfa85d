"""Every part of a question to the audit log is understood, or refused by name."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.keys import KeyMaker
from fhirstore.search.test import SearchError, UnknownModifier, UnknownParameter
from passport.audit.question import EPOCH, Place, Question, parse_question, place_of

KEYS = KeyMaker(bytes(32))
BASE = "http://passport.test/fhir"
INSTANTS = st.datetimes(timezones=st.just(UTC)).filter(lambda instant: instant >= EPOCH)
ID = UUID("0b0e7f0c-6a52-4c8b-9d6a-3f4f1c2d5e6f")


def parse(*pairs: tuple[str, str]) -> Question:
    return parse_question(pairs, keys=KEYS, zone=ZoneInfo("Asia/Tokyo"), base_urls=(BASE,))


def test_nothing_asked_is_everything_newest_first() -> None:
    question = parse()
    assert (question.patient, question.agents, question.outcomes, question.place) == (None, None, None, None)
    assert question.descending
    assert question.shown == 50


@pytest.mark.parametrize("value", ["Patient/1", "1", f"{BASE}/Patient/1"])
def test_a_patient_is_named_in_any_of_the_usual_ways(value: str) -> None:
    assert parse(("patient", value)).patient == "Patient/1"


def test_agents_and_outcomes_may_be_several() -> None:
    question = parse(("agent", f"Practitioner/a,{BASE}/PractitionerRole/b,auditor"), ("outcome", "4,8"))
    assert question.agents == ("Practitioner/a", "PractitionerRole/b", "auditor")
    assert question.outcomes == ("refused", "not-found", "invalid", "error")
    assert parse(("outcome", "http://hl7.org/fhir/audit-event-outcome|0")).outcomes == ("success",)


def test_an_outcome_that_never_happened_finds_nothing_and_is_no_error() -> None:
    assert parse(("outcome", "12")).outcomes == ()


def test_the_order_may_be_turned_round() -> None:
    assert not parse(("_sort", "date")).descending
    assert parse(("_sort", "-_lastUpdated")).descending


def test_what_is_told_back_is_what_was_understood() -> None:
    pairs = [("date", "ge2026"), ("shoe", "size"), ("agent", "auditor"), ("_sort", "shoe"), ("_sort", "date")]
    pairs += [("_count", "5000"), ("_cursor", "x"), ("outcome:not", "0")]
    told = parse_question(pairs, keys=KEYS, zone=ZoneInfo("Asia/Tokyo"), base_urls=(BASE,), lenient=True).echo
    assert told == (("date", "ge2026"), ("agent", "auditor"), ("_sort", "date"), ("_count", "1000"))


def test_a_count_alone_shows_no_row() -> None:
    assert parse(("_summary", "count")).shown == 0
    assert parse(("_count", "3")).shown == 3


@pytest.mark.parametrize(
    "pair",
    [
        ("patient", "Practitioner/1"),
        ("patient", "Patient/1,Patient/2"),
        ("patient", ""),
        ("agent", "Practitioner/"),
        ("agent", "Practitioner"),
        ("agent", "foo"),
        ("agent", "Foo/1"),
        ("agent", "星野 葵"),
        ("agent", ""),
        ("outcome", "forgotten"),
        ("outcome", ""),
        ("date", "yesterday"),
        ("_sort", "agent"),
        ("_sort", "date,_id"),
        ("_sort", "-_id"),
        ("_count", "-1"),
        ("_total", "estimate"),
        ("shoe", "size"),
        ("action", "R"),
        ("agent:identifier", "x"),
    ],
)
def test_what_cannot_be_answered_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(SearchError):
        parse(pair)


def test_a_parameter_that_shapes_the_question_stands_in_it_once() -> None:
    with pytest.raises(SearchError, match="2 times"):
        parse(("agent", "operator"), ("agent", "auditor"))


def test_an_unknown_parameter_is_named() -> None:
    with pytest.raises(UnknownParameter, match=r"`shoe`.* agent, date, outcome, patient"):
        parse(("shoe", "size"))
    for name in ("agent", "outcome", "_id"):
        with pytest.raises(UnknownModifier, match=f"modifier `:identifier` on `{name}`"):
            parse((f"{name}:identifier", "x"))


def test_an_outcome_is_named_by_its_word_or_by_its_code() -> None:
    assert parse(("outcome", "not-found")).outcomes == ("not-found",)
    assert parse(("outcome", "success,8")).outcomes == ("success", "error")
    with pytest.raises(SearchError, match="success, refused, not-found, invalid, error, 0, 4, 8, 12"):
        parse(("outcome", "forgotten"))


def test_the_cursor_is_no_part_of_the_question() -> None:
    assert parse(("patient", "1"), ("_cursor", "AAAA")).echo == (("patient", "1"),)


@given(INSTANTS, st.uuids())
def test_an_id_names_one_place(recorded: datetime, audit_id: UUID) -> None:
    place = Place(recorded, audit_id)
    assert place_of(place.id) == place
    assert len(place.id) <= 64


@pytest.mark.parametrize(
    "id_",
    ["", "x", str(ID), f"-{ID}", f"1.5-{ID}", f"01-{ID}", f"١-{ID}", f"1-{ID.hex}", f"{10**30}-{ID}"],
)
def test_any_other_text_names_none(id_: str) -> None:
    assert place_of(id_) is None
    assert parse(("_id", id_ or "x")).nowhere
