"""SQL stands where a reader looks for it: tables, stores, search, audit and consent's one module."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Final

import pytest

from tests.unit.house.source import Module, module_from, product_modules

PLACES: Final = (
    "*/tables.py",
    "*/store.py",
    "fhir/fhirstore/reads.py",
    "fhir/fhirstore/succession.py",
    "fhir/fhirstore/search/*",
    "fhir/fhirstore/compartment/*",
    "passport/audit/*",
    "consent/sql.py",
    # What runs statements for the others, and what creates roles and databases.
    "fhir/fhirstore/statements.py",
    "passport/sql.py",
    "passport/database.py",
    # The one statement of a disclosure, in the parts it is composed of: standing, condition, page.
    "consent/standing.py",
    "passport/standing_statement.py",
    "passport/decision.py",
    "passport/disclosure/*",
    # How records travel to the store's statements: one array per column.
    "fhir/fhirstore/rows.py",
)

_COMPOSERS: Final = frozenset({"delete", "insert", "select", "text", "update"})
_STATEMENT: Final = re.compile(
    r"\s*(?:SELECT\b|INSERT INTO\b|UPDATE \w+ SET\b|DELETE FROM\b|WITH (?:RECURSIVE )?\w+ ?(?:\(.*\) )?AS\b"
    r"|(?:CREATE|ALTER|DROP) [A-Z]+ |SET (?:LOCAL )?\w+ ?=|TRUNCATE\b"
    r"|(?:NOTIFY|LISTEN)\b)"
)


def _allowed(path: str) -> bool:
    return any(fnmatch(path, place) for place in PLACES)


def _docstrings(tree: ast.Module) -> set[int]:
    bare = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return {id(value) for value in bare if isinstance(value, ast.Constant)}


def _composed(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlalchemy":
        return any(alias.name in _COMPOSERS for alias in node.names)
    called = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(called, ast.Attribute)
        and called.attr in _COMPOSERS
        and ast.unparse(called.value) in {"sa", "sqlalchemy"}
    )


def sql_outside(module: Module) -> Iterator[str]:
    """Every place in `module` that writes or composes SQL, if the module is not one for it."""
    if _allowed(module.path):
        return
    descriptions = _docstrings(module.tree)
    for node in ast.walk(module.tree):
        written = (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in descriptions
            and _STATEMENT.match(node.value)
        )
        if written or _composed(node):
            yield f"{module.path}:{getattr(node, 'lineno', 0)}: SQL outside of its places"


def test_sql_stands_only_in_its_places() -> None:
    assert [line for module in product_modules() for line in sql_outside(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        "from sqlalchemy import select",
        "import sqlalchemy as sa\nsa.text('x')",
        "X = 'SELECT 1'",
        "X = f'INSERT INTO {table} VALUES (1)'",
        "X = '''\n  WITH recent AS (SELECT 1) SELECT * FROM recent'''",
    ],
)
def test_sql_elsewhere_is_found(text: str) -> None:
    assert len(list(sql_outside(module_from("passport/routes/fhir.py", text)))) == 1
    assert list(sql_outside(module_from("passport/audit/record.py", text))) == []


def test_words_are_not_taken_for_sql() -> None:
    text = '"""SELECT is described here."""\nX = "Update the status"\nY = "select one"\nZ = "SET-COOKIE"'
    assert list(sql_outside(module_from("passport/routes/fhir.py", text))) == []
