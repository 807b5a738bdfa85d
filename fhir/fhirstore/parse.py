"""Text to tree and back: strict JSON within limits, numbers kept as they were written.

http://hl7.org/fhir/R4/json.html
https://www.rfc-editor.org/rfc/rfc8259

The tree is plain `dict`, `list`, `str`, `bool`, `None` and `int`, with a `Number` for each number that
has a fraction, an exponent or a sign that `int` would drop. `serialise` writes each number as `parse`
read it: in FHIR `72.50` and `72.5` are different statements of precision.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final, NoReturn, Self

import orjson

from fhirstore.errors import ParseError, Problem
from fhirstore.lexemes import content_problems, number_problem

Tree = dict[str, Any]

_INT_MAX_CHARACTERS: Final = 18  # whatever they are, a signed 64-bit integer holds them
_BOM: Final = b"\xef\xbb\xbf"
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
# Escapes that may stand for a control character or half a surrogate pair.
_SUSPECT_ESCAPE: Final = re.compile(r"\\u(?:00[01]|[dD][89a-fA-F])")
_KINDS: Final = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a text may cost before it is refused; `depth` counts nested objects and arrays."""

    size_bytes: int = 1_048_576
    depth: int = 64


DEFAULT_LIMITS: Final = Limits()


class Number(Decimal):
    """A JSON number that remembers how it was written."""

    __slots__ = ("lexeme",)
    lexeme: str

    def __new__(cls, lexeme: str) -> Self:
        """Return the number that a JSON text writes as `lexeme`."""
        number = super().__new__(cls, lexeme)
        number.lexeme = lexeme
        return number

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.lexeme,)


def parse(
    body: bytes, limits: Limits = DEFAULT_LIMITS, expected: str = "an object with a resourceType"
) -> Tree:
    """Read one JSON object.

    Args:
        body: UTF-8 text without a byte order mark.
        limits: the largest size and depth.
        expected: which object, for whoever sends something else.

    Returns:
        The tree, which the caller owns.

    Raises:
        ParseError: when the text is too large or too deep, is not UTF-8, JSON and an object, names an
            element twice, or holds a number or character that FHIR cannot carry; with the FHIRPath, line
            and column of each place, where they are known.
    """
    _check_bytes(body, limits)
    text = _decode(body)
    if not text.strip():
        raise ParseError([Problem("fatal", "structure", "", f"got an empty body, expected {expected}", 1, 1)])
    try:
        tree = _DECODER.decode(text)
    except JSONDecodeError as error:
        raise ParseError(content_problems(text) or [_syntax_problem(error)]) from None
    except _Refusal as refusal:
        raise ParseError(content_problems(text) or [_problem(str(refusal))]) from None
    if not isinstance(tree, dict):
        kind = _KINDS.get(type(tree), "a number")
        raise ParseError([_problem(f"got {kind}, expected {expected}")])
    if _SUSPECT_ESCAPE.search(text) and (problems := content_problems(text)):
        raise ParseError(problems)
    return tree


def serialise(tree: Tree, *, indented: bool = False) -> bytes:
    """Return the UTF-8 text of a tree, minified or set out in lines, each number as it was written."""
    return orjson.dumps(tree, default=_as_written, option=orjson.OPT_INDENT_2 if indented else None)


def _as_written(value: object) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(value.lexeme)
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"got {type(value).__name__}, expected what JSON can carry")


class _Refusal(Exception):
    """The scanner met something that JSON allows and FHIR does not."""


def _check_bytes(body: bytes, limits: Limits) -> None:
    if len(body) > limits.size_bytes:
        raise ParseError(
            [_problem(f"got {len(body)} bytes, expected at most {limits.size_bytes}", "too-long")]
        )
    if body.startswith(_BOM):
        raise ParseError([_problem("got a byte order mark, expected none")])
    if _deeper_than(limits.depth, body):
        raise ParseError(
            [_problem(f"got deeper nesting, expected at most {limits.depth} levels", "too-costly")]
        )


def _deeper_than(depth: int, body: bytes) -> bool:
    # Before the scanner, which recurses; and without a loop in Python, since a refusal must be cheap.
    if body.count(b"{") + body.count(b"[") <= depth:
        return False
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > depth


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        column = error.start - body.rfind(b"\n", 0, error.start)
        problem = Problem("fatal", "structure", "", "got bytes that are not UTF-8", line, column)
        raise ParseError([problem]) from None


def _object(pairs: list[tuple[str, Any]]) -> Tree:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise _Refusal("got an element twice, expected each name once in an object")
    return tree


def _integer(lexeme: str) -> int | Number:
    if len(lexeme) > _INT_MAX_CHARACTERS or lexeme == "-0":
        return _number(lexeme)
    return int(lexeme)


def _number(lexeme: str) -> Number:
    reason = number_problem(lexeme)
    if reason is not None:
        raise _Refusal(reason)
    return Number(lexeme)


def _constant(name: str) -> NoReturn:
    raise _Refusal(f"got {name}, expected a number")


_DECODER: Final = JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_integer, parse_constant=_constant
)


def _syntax_problem(error: JSONDecodeError) -> Problem:
    reason = error.msg[:1].lower() + error.msg[1:]
    return Problem(
        "fatal", "structure", "", f"got text that is not JSON: {reason}", error.lineno, error.colno
    )


def _problem(text: str, code: str = "structure") -> Problem:
    return Problem("fatal", code, "", text)
