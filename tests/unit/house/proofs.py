"""Tables of documents in which each line names the tests that prove it."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from tests.unit.house.source import ROOT

TEST: Final = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")

_BAR: Final = re.compile(r"(?<!\\)\|")

Row = tuple[str, ...]


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[Row]:
    """The cells of the rows of every table in a text, without their headings."""
    found: list[Row] = []
    table: list[str] = []
    for line in (*text.splitlines(), ""):
        if line.startswith("|"):
            table.append(line)
            continue
        found += [tuple(cell.strip() for cell in _BAR.split(each[1:-1])) for each in table[2:]]
        table = []
    return found


def missing(text: str) -> list[tuple[str, str]]:
    """The tests that a text names, and that there are not where it says."""
    named = TEST.findall(text)
    defined = {path: set(_functions_of(path)) for path in {path for _, path in named}}
    return [(name, path) for name, path in named if name not in defined[path]]


def _functions_of(path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
