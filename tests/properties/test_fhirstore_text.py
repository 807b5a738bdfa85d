"""Laws of parsing and writing: exact for what is FHIR's JSON, a refusal of its own for anything else."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fhirstore.errors import ParseError
from fhirstore.parse import Limits, Tree, parse, serialise
from fhirstore.validate import validate
from tests.unit.fhirstore.examples import valid_resources

DIGITS = st.text("0123456789", min_size=1, max_size=12)
WHOLE = st.one_of(st.just("0"), DIGITS.map(lambda digits: f"1{digits}"))
LEXEMES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    WHOLE,
    st.one_of(st.just(""), DIGITS.map(lambda digits: f".{digits}")),
    st.one_of(
        st.just(""), st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), WHOLE)
    ).filter(lambda exponent: len(exponent) < 5),
)
NAMES = st.text("abcdefXYZ", min_size=1, max_size=5)
STRINGS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**17), 10**17), STRINGS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(LEXEMES)
def test_every_number_is_written_as_it_was_read(lexeme: str) -> None:
    body = b'{"value":[' + lexeme.encode() + b"]}"
    assert serialise(parse(body)) == body


@given(st.dictionaries(NAMES, VALUES))
def test_what_was_written_is_read_back(tree: dict[str, Any]) -> None:
    body = serialise(tree)
    assert parse(body) == tree
    assert serialise(parse(body)) == body


@given(st.dictionaries(NAMES, VALUES))
def test_reading_agrees_with_the_standard_library(tree: dict[str, Any]) -> None:
    for ascii_only in (True, False):
        body = json.dumps(tree, ensure_ascii=ascii_only, indent=1).encode()
        assert parse(body) == tree


def read_or_refused(body: bytes) -> Tree | None:
    """Return the tree, or None where the text was refused with a reason; any other error passes."""
    try:
        return parse(body, Limits(size_bytes=150_000))
    except ParseError as refusal:
        reasons = [problem.text for problem in refusal.problems]
    assert reasons
    assert all(reasons)
    return None


@given(st.binary(max_size=200))
@example(b'{"a":' * 3000)
@example(b'{"a":1e999999999999}')
@example(b'{"a":"\\ud800"}')
@example(b'{"\\u0000":1}')
@example(b'{"a":"\\')
@example(b'{"a":' + b"9" * 100_000 + b"}")
def test_any_bytes_are_a_tree_or_a_refusal(body: bytes) -> None:
    tree = read_or_refused(body)
    assert tree is None or parse(serialise(tree)) == tree


@given(st.text('{}[]",:\\0123456789.eE+-truefalsn\n au', max_size=80))
def test_any_text_that_looks_like_json_is_a_tree_or_a_refusal(text: str) -> None:
    tree = read_or_refused(b'{"resourceType":"Patient","a":' + text.encode() + b"}")
    assert tree is None or serialise(parse(serialise(tree))) == serialise(tree)


# The models of a type are read at its first use, which takes longer than an example may.
@settings(deadline=None)
@given(VALUES, st.sampled_from(sorted(valid_resources())))
def test_any_tree_is_valid_or_has_problems(value: Any, name: str) -> None:
    for tree in (
        {"resourceType": name, "a": value},
        {"resourceType": value},
        {"resourceType": name, "id": value},
    ):
        for problem in validate(tree):
            assert problem.severity == "error"
            assert problem.text


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A valid resource in which one node was replaced by anything."""
    tree = valid_resources()[draw(st.sampled_from(sorted(valid_resources())))]
    at: Any = tree
    while True:
        steps = list(at) if isinstance(at, dict) else list(range(len(at)))
        step = draw(st.sampled_from(steps))
        inner = at[step]
        if not isinstance(inner, (dict, list)) or not inner or draw(st.booleans()):
            at[step] = draw(VALUES)
            return tree
        at = inner


@given(damaged())
def test_damaged_resource_is_valid_or_has_problems_and_never_an_error(tree: dict[str, Any]) -> None:
    for problem in validate(tree):
        assert problem.expression.startswith(str(tree["resourceType"])) or problem.code == "not-supported"


@given(damaged())
def test_walk_refuses_all_that_the_models_of_fhir_resources_refuse(tree: dict[str, Any]) -> None:
    if not validate(tree, confirm=False):
        assert validate(tree) == []
