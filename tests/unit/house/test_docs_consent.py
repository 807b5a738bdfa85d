"""The tables of docs/consent.md: every rule and every case has tests, which exist; what it shows is what comes out."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from passport.cli import main
from tests.unit.house.source import ROOT

DOCUMENT: Final = ROOT / "docs/consent.md"
TEXT: Final = DOCUMENT.read_text("utf-8")
CASES: Final = 23

_NAMED: Final = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")
_SHOWN: Final = re.compile(r"^\$ \.venv/bin/passport consent evaluate < (\S+)\n((?:\{.*\n)+)", re.MULTILINE)
_ROW: Final = re.compile(r"^\| (?!-)(.*) \|$", re.MULTILINE)
_BAR: Final = re.compile(r"(?<!\\) \| ")


def rows() -> Iterator[list[str]]:
    """The cells of every row of the tables whose last column is for tests."""
    tested = False
    for line in TEXT.splitlines():
        cells = _BAR.split(line.strip("| ")) if line.startswith("|") else []
        if not cells:
            tested = False
        elif cells[-1].strip("| ") in ("test", "tests"):
            tested = True
        elif tested and not set(line) <= set("|- "):
            yield cells


def defined(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_named_test_is_there() -> None:
    named = _NAMED.findall(TEXT)
    assert len(named) > 150
    assert [(name, path) for name, path in named if name not in defined(path)] == []
    assert TEXT.count("`test_") == len(named)


def test_every_rule_names_a_test() -> None:
    found = list(rows())
    assert len(found) > 90
    assert [cells[0] for cells in found if not _NAMED.search(cells[-1])] == []


@pytest.mark.parametrize("case", range(1, CASES + 1))
def test_every_case_is_proven_on_facts_and_over_http(case: int) -> None:
    (tests,) = (cells[-1] for cells in rows() if cells[0].strip() == str(case))
    named = [(name, path) for name, path in _NAMED.findall(tests) if name.startswith(f"test_{case}_")]
    assert {Path(path).parts[1] for _, path in named} >= {"unit", "http"}


def test_the_shown_answers_are_those_of_the_command() -> None:
    shown = _SHOWN.findall(TEXT)
    assert len(shown) == 2
    for file, answers in shown:
        worlds = (ROOT / file).read_bytes()
        result = CliRunner().invoke(main, ["consent", "evaluate"], input=worlds, catch_exceptions=False)
        assert (result.exit_code, result.stdout) == (0, answers)
