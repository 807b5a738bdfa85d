from decimal import Decimal

import pytest

from fhirstore.errors import ParseError, Problem
from fhirstore.parse import Limits, Number, parse, serialise


def problems(body: bytes, limits: Limits | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ParseError) as refusal:
        parse(body, limits or Limits())
    return refusal.value.problems


@pytest.mark.parametrize(
    "lexeme",
    [
        "72.50",
        "72.5",
        "1e2",
        "1E2",
        "1e+2",
        "-0",
        "-0.0",
        "0.10",
        "1.0",
        "100",
        "123456789012345678901234567890",
    ],
)
def test_number_is_written_as_it_was_read(lexeme: str) -> None:
    body = b'{"value":' + lexeme.encode() + b"}"
    assert serialise(parse(body)) == body


def test_number_with_a_fraction_is_a_decimal_of_its_precision() -> None:
    value = parse(b'{"value":72.50}')["value"]
    assert isinstance(value, Number)
    assert value == Decimal("72.5")
    assert value.lexeme == "72.50"


def test_copy_of_a_number_keeps_how_it_was_written() -> None:
    kind, arguments = Number("1e2").__reduce__()
    assert kind(*arguments).lexeme == "1e2"


def test_whole_number_is_an_int() -> None:
    assert type(parse(b'{"value":72}')["value"]) is int


def test_text_is_written_without_spaces_and_in_its_order() -> None:
    assert (
        serialise(parse(' {"b" : [ 1, true ,null], "a":"é\\u00e9" } '.encode()))
        == '{"b":[1,true,null],"a":"éé"}'.encode()
    )


def test_decimal_of_our_own_is_written_plainly() -> None:
    assert serialise({"value": Decimal("1E+2"), "other": Decimal("0.50")}) == b'{"value":100,"other":0.50}'


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_json_cannot_carry_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        serialise({"value": value})


def test_body_over_the_limit_is_refused_before_it_is_read() -> None:
    assert problems(b"{" + b" " * 100, Limits(size_bytes=100))[0].code == "too-long"
    assert parse(b"{" + b" " * 98 + b"}", Limits(size_bytes=100)) == {}


@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_limited(opening: bytes, closing: bytes) -> None:
    fits = b'{"a":' + opening * 63 + b"1" + closing * 63 + b"}"
    too_deep = b'{"a":' + opening * 64 + b"1" + closing * 64 + b"}"
    assert parse(fits)
    assert problems(too_deep)[0].code == "too-costly"


def test_half_a_million_brackets_are_refused_without_recursion() -> None:
    assert problems(b'{"a":' + b"[" * 500_000)[0].code == "too-costly"


def test_brackets_in_strings_are_not_depth() -> None:
    assert parse(b'{"a":"' + b"[" * 200 + b'","b":"\\"' + b"{" * 200 + b'"}')


def test_many_brackets_side_by_side_are_not_depth() -> None:
    assert len(parse(b'{"a":[' + b",".join([b"[]"] * 500) + b"]}")["a"]) == 500


def test_repeated_names_are_refused_all_at_once_with_their_places() -> None:
    body = b'{"resourceType":"Patient",\n "name":[{"family":"a"},\n  {"use":"usual","use":"old"}],"id":"1","id":"2"}'
    assert [(found.expression, found.line, found.column) for found in problems(body)] == [
        ("Patient.name[1].use", 3, 18),
        ("Patient.id", 3, 41),
    ]


def test_repeated_name_behind_an_escape_is_refused() -> None:
    assert problems(b'{"a":1,"\\u0061":2}')[0].expression == "a"


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_none_are_refused(constant: bytes) -> None:
    found = problems(b'{"resourceType":"Observation","valueQuantity":{"value":' + constant + b"}}")
    assert found[0].expression == "Observation.valueQuantity.value"


@pytest.mark.parametrize("number", [b"1" * 65, b"1e309", b"1e-309", b"-1.5E+99999999999"])
def test_numbers_beyond_what_receivers_hold_are_refused(number: bytes) -> None:
    assert problems(b'{"a":[0,' + number + b"]}")[0].expression == "a[1]"


@pytest.mark.parametrize(
    "body", [b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', "{}".encode("utf-16-le")[:3] + b"\xff"]
)
def test_bytes_that_are_not_utf8_are_refused(body: bytes) -> None:
    assert problems(body)


def test_place_of_the_first_byte_that_is_not_utf8_is_told() -> None:
    found = problems(b'{\n "a":"\xff"}')
    assert (found[0].line, found[0].column) == (2, 7)


def test_byte_order_mark_is_refused() -> None:
    assert "byte order mark" in problems(b"\xef\xbb\xbf{}")[0].text


@pytest.mark.parametrize("escape", ["\\u0000", "\\u001f", "\\ud800", "\\udc00x", "\\ud800\\ud800"])
def test_characters_that_fhir_excludes_are_refused(escape: str) -> None:
    found = problems(f'{{"resourceType":"Patient","language":"a{escape}"}}'.encode())
    assert found[0].expression == "Patient.language"


def test_characters_that_fhir_excludes_are_refused_in_names() -> None:
    assert problems(b'{"a\\u0000":1}')


def test_raw_control_characters_are_refused() -> None:
    assert problems(b'{"a":"\x00"}')


@pytest.mark.parametrize("escape", ["\\ud83d\\ude00", "\\n", "\\t", "\\u3042", "\\\\u0000"])
def test_other_escapes_are_read(escape: str) -> None:
    assert parse(f'{{"a":"{escape}"}}'.encode())


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1", b"1.5", b"true", b"null"])
def test_anything_but_an_object_is_refused(body: bytes) -> None:
    assert "expected an object" in problems(body)[0].text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{}}", b"{'a':1}", b'{"a":01}', b'{"a":.5}', b'{"a":+1}', b'{"a":1,}']
)
def test_text_that_is_not_json_is_refused_with_its_place(body: bytes) -> None:
    found = problems(body)
    assert (found[0].code, found[0].line) == ("structure", 1)


def test_a_body_of_nothing_is_told_to_be_empty() -> None:
    for body in (b"", b" \r\n"):
        (problem,) = problems(body)
        assert problem.text.startswith("got an empty body, expected ")


def test_refusal_does_not_repeat_what_was_written() -> None:
    found = problems('{"見本 花子":1,"見本 花子":2,"note":NaN}'.encode())
    assert "見本" not in repr(found)


def test_refusal_of_a_hostile_text_stays_short() -> None:
    assert len(problems(b"{" + b'"a":1,' * 100_000 + b'"a":1}')) == 50
