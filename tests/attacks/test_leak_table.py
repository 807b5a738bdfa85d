"""Each known leak has its test, each test that is named is there, and nothing is served before it has one."""

import ast
from pathlib import Path
from typing import Final

import pytest

from passport.operations import OPERATIONS
from tests.attacks.leaks import LEAKS, NotServed
from tests.attacks.routes import ROUTES

TESTS: Final = Path(__file__).parents[1]


def functions_of(file: str) -> set[str]:
    body = ast.parse((TESTS / file).read_text()).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_has_tests_that_are_there_or_its_surface_is_not(leak: str) -> None:
    entry = LEAKS[leak]
    if isinstance(entry, NotServed):
        served = [path for _, path in ROUTES] + [f"${operation.name}" for operation in OPERATIONS]
        assert not [path for path in served if entry.word in path]
        return
    assert entry
    for name in entry:
        file, _, function = name.partition("::")
        assert function.startswith("test_")
        assert function in functions_of(file), name


def test_no_file_of_such_tests_is_left_out() -> None:
    files = {
        name.partition("::")[0]
        for entry in LEAKS.values()
        if not isinstance(entry, NotServed)
        for name in entry
    }
    held = {f"attacks/{file.name}" for file in (TESTS / "attacks").glob("test_*leak*.py")}
    assert held - files == {"attacks/test_leak_table.py"}
