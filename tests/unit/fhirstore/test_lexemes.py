from time import perf_counter

import pytest

from fhirstore.errors import ParseError
from fhirstore.lexemes import (
    EXPONENT_MAX,
    MOST_PROBLEMS,
    NUMBER_MAX_CHARACTERS,
    content_problems,
    number_problem,
)
from fhirstore.parse import parse


def places(text: str) -> list[tuple[str, int | None, int | None]]:
    return [(found.expression, found.line, found.column) for found in content_problems(text)]


def test_text_without_fault_has_no_problem() -> None:
    assert places('{"resourceType":"Patient","name":[{"given":["a","b"]},{"given":["a"]}],"x":1.5e3}') == []


def test_place_is_told_from_the_root_type_wherever_it_is_written() -> None:
    assert places('{"a":{"b":[1,NaN]},\n"resourceType":"Patient"}') == [("Patient.a.b[1]", 1, 14)]


def test_type_of_a_resource_inside_is_not_the_root_type() -> None:
    assert places('{"contained":[{"resourceType":"Patient"}],"a":NaN}') == [("a", 1, 47)]


@pytest.mark.parametrize("text", ["", "}", "]]", '"', "{,}", ":::", "{{{", '{"a" "b"}', "[1,2", '{"a":\\'])
def test_text_that_is_not_json_is_left_to_the_parser(text: str) -> None:
    assert places(text) == []


def test_problems_are_few_however_many_there_are() -> None:
    assert len(content_problems("[" + "NaN," * 10_000 + "1]")) == MOST_PROBLEMS


@pytest.mark.parametrize(
    "lexeme", ["1" * NUMBER_MAX_CHARACTERS, f"1e{EXPONENT_MAX}", f"1E-{EXPONENT_MAX}", "0.10"]
)
def test_number_within_the_bounds_is_carried(lexeme: str) -> None:
    assert number_problem(lexeme) is None


@pytest.mark.parametrize("lexeme", ["1" * (NUMBER_MAX_CHARACTERS + 1), f"1e{EXPONENT_MAX + 1}"])
def test_number_beyond_the_bounds_is_refused(lexeme: str) -> None:
    assert number_problem(lexeme) is not None


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"' + b'\\"' * 500_000,
        b'{"' + b'""' * 500_000,
        b'{"a":[' + b"1," * 300_000 + b'"\x00"]}',
    ],
    ids=["a string without end", "nothing but quotes", "many numbers"],
)
def test_refusal_of_a_hostile_text_costs_no_more_than_its_length(body: bytes) -> None:
    began = perf_counter()
    with pytest.raises(ParseError):
        parse(body)
    assert perf_counter() - began < 10
