"""The second, slower look at a refused text: which elements are at fault, and where they stand.

http://hl7.org/fhir/R4/json.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from json import JSONDecodeError, loads
from typing import Final

from fhirstore.errors import Problem

NUMBER_MAX_CHARACTERS: Final = 64
_SAFE_CHARACTERS: Final = 4  # not even an exponent of so few reaches the limit
EXPONENT_MAX: Final = 308  # what a receiver's IEEE 754 double can still hold
MOST_PROBLEMS: Final = 50

# A string that has no end is one token: looked at again from each of its quotes it would cost its length squared.
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}:,]|[^\s"\[\]{}:,]+', re.DOTALL)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Characters that FHIR strings exclude, and halves of surrogate pairs, which UTF-8 cannot carry.
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_ELEMENT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9]{0,63}")
_NOT_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})


def number_problem(lexeme: str) -> str | None:
    """Return why a number is beyond what the store carries, or None."""
    if len(lexeme) > NUMBER_MAX_CHARACTERS:
        return f"got a number of {len(lexeme)} characters, expected at most {NUMBER_MAX_CHARACTERS}"
    exponent = lexeme.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > EXPONENT_MAX:
        return f"got a number with an exponent beyond {EXPONENT_MAX}"
    return None


def content_problems(text: str) -> list[Problem]:
    """Return the repeated names, unfit characters and unfit numbers of a JSON text, in its order.

    At most `MOST_PROBLEMS`, so that a refusal stays cheap. The text need not be valid JSON; what makes
    it invalid is left to the parser to say.
    """
    scan = _Scan(text)
    found = list(islice(scan.run(), MOST_PROBLEMS))
    return [
        Problem("fatal", "structure", (scan.root + path).lstrip("."), reason, *_position(text, offset))
        for path, reason, offset in found
    ]


@dataclass(slots=True)
class _Level:
    """One object or array that is open at the scanner's place."""

    is_object: bool
    name: str = ""
    index: int = 0
    expects_name: bool = True
    seen: set[str] = field(default_factory=set)

    @property
    def step(self) -> str:
        if self.is_object:
            return f".{self.name}" if self.name else ""
        return f"[{self.index}]"


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.root = ""
        self.levels: list[_Level] = []

    def run(self) -> Iterator[tuple[str, str, int]]:
        for match in _TOKEN.finditer(self.text):
            if (reason := self._take(match[0])) is not None:
                yield "".join(level.step for level in self.levels), reason, match.start()

    def _take(self, lexeme: str) -> str | None:
        first = lexeme[0]
        if first == '"':
            return self._string(lexeme)
        if first == ",":
            self._next()
        elif first in "{[":
            self.levels.append(_Level(is_object=first == "{"))
        elif first in "}]":
            if self.levels:
                self.levels.pop()
        elif first != ":":
            return _literal_problem(lexeme)
        return None

    def _next(self) -> None:
        if self.levels:
            level = self.levels[-1]
            level.index += 1
            level.expects_name = True

    def _string(self, lexeme: str) -> str | None:
        value = _decoded(lexeme)
        level = self.levels[-1] if self.levels else None
        if level is not None and level.is_object and level.expects_name:
            return _name(level, value)
        if len(self.levels) == 1 and self.levels[0].name == "resourceType":
            self.root = value if value.isalpha() else ""
        return "got a character that FHIR strings exclude" if _UNFIT.search(value) else None


def _name(level: _Level, value: str) -> str | None:
    level.expects_name = False
    if _UNFIT.search(value):
        level.name = ""
        return "got a character in a name that FHIR excludes"
    level.name = value if _ELEMENT_NAME.fullmatch(value) else "?"
    if value in level.seen:
        return "got an element twice, expected each name once in an object"
    level.seen.add(value)
    return None


def _decoded(lexeme: str) -> str:
    if "\\" not in lexeme:
        return lexeme[1:-1] if len(lexeme) > 1 else ""
    try:
        return str(loads(lexeme, strict=False))
    except JSONDecodeError:
        return lexeme


def _literal_problem(lexeme: str) -> str | None:
    if lexeme in _NOT_NUMBERS:
        return f"got {lexeme}, expected a number"
    if len(lexeme) <= _SAFE_CHARACTERS:
        return None
    return number_problem(lexeme) if _NUMBER.fullmatch(lexeme) else None


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
