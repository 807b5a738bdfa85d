"""The tables of docs/security.md: every statement in one row, with a test that exists or with why it is not met."""

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.house.proofs import TEST, Row, missing, rows, section
from tests.unit.house.source import ROOT, Module, product_modules

TEXT: Final = (ROOT / "docs/security.md").read_text("utf-8")
LISTED: Final = tomllib.loads((Path(__file__).parent / "security_statements.toml").read_text("utf-8"))
SMART: Final = (
    "SMART App Launch 2.2: the server",
    "SMART App Launch 2.2: what apps have to do, and the passport insists on",
    "SMART App Launch 2.2: what apps have to do by themselves",
)
OF_APPS: Final = SMART[2]
ASVS: Final = "OWASP ASVS 5.0"
NOT_MET: Final = "not met: "

_UNITS: Final = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_NAME: Final = re.compile(r"`([\w.]+)`")
_COUNTED: Final = re.compile(r"(\d+) proved, (\d+)\snot\smet")


def statements(cell: str) -> Iterator[str]:
    """The names in a cell such as `6.2.1-6.2.7, 6.2.9` or `@77, @94, @177-190`."""
    for part in cell.replace("@", "").split(","):
        first, _, last = part.strip().partition("-")
        before, dot, number = first.rpartition(".")
        ends = (last or first).rpartition(".")
        assert ends[0] == before
        for one in range(int(number), int(ends[2]) + 1):
            yield f"{before}{dot}{one}"


def told(*headings: str) -> list[Row]:
    return [row for heading in headings for row in rows(section(TEXT, heading))]


@pytest.mark.parametrize(
    ("headings", "wanted"),
    [
        (SMART, [str(one + 1) for one in range(LISTED["smart_app_launch"]["last"])]),
        ((ASVS,), [*LISTED["asvs"]["levels_1_and_2"], *LISTED["asvs"]["level_3"]]),
    ],
    ids=["smart", "asvs"],
)
def test_every_statement_stands_in_one_row(headings: tuple[str, ...], wanted: list[str]) -> None:
    assert sorted(one for row in told(*headings) for one in statements(row[0])) == sorted(wanted)


def test_every_named_test_exists() -> None:
    assert len(TEST.findall(TEXT)) > 200
    assert missing(TEXT) == []


@pytest.mark.parametrize("heading", [*SMART[:2], ASVS, "Attacks"])
def test_every_row_names_its_test_or_says_why_it_is_not_met(heading: str) -> None:
    for row in told(heading):
        why = row[-1].removeprefix(NOT_MET) if row[-1].startswith(NOT_MET) else ""
        assert any(TEST.search(cell) for cell in row) or len(why) > 10, row


@pytest.mark.parametrize("heading", [SMART[0], ASVS])
def test_what_is_met_and_what_is_not_is_counted(heading: str) -> None:
    met, unmet = 0, 0
    for row in told(heading):
        names = len(list(statements(row[0])))
        met, unmet = (met, unmet + names) if row[-1].startswith(NOT_MET) else (met + names, unmet)
    assert [tuple(map(int, each)) for each in _COUNTED.findall(section(TEXT, heading))] == [(met, unmet)]


def test_attacks_are_in_their_folder() -> None:
    # The last is about headers, which every answer has.
    for row in told("Attacks")[:-1]:
        paths = [path for _, path in TEST.findall(row[-1])]
        assert any(path.startswith("tests/attacks/") for path in paths), row


@pytest.mark.parametrize("row", told("What was decided"), ids=lambda row: row[2].strip("`"))
def test_what_was_decided_is_what_the_code_does(row: Row) -> None:
    module, _, name = row[2].strip("`").rpartition(".")
    value = getattr(import_module(module), name)
    number, _, unit = row[1].partition(" ")
    seconds = int(number) * _UNITS.get(f"{unit.rstrip('s')}s" if unit else "", 1)
    assert value in {seconds, timedelta(seconds=seconds)}


def begins_sessions(module: Module) -> bool:
    """Whether a module begins sessions of browsers or issues tokens, other than for a task that goes on."""
    begun = {"sessions.begin", "tokens.issue"}
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in begun for node in ast.walk(module.tree)
    )


def test_each_way_to_sign_in_is_in_the_table() -> None:
    named: set[Any] = {name for row in told("Ways to sign in") for name in _NAME.findall(row[-1])}
    assert named == {module.name for module in product_modules() if begins_sessions(module)}
