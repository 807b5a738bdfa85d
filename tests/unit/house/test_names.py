"""Modules carry the field's words, and no file names a machine, a registry's host or a silenced check."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

import pytest

from tests.unit.house.source import ROOT, Module, module_from, other_modules, product_modules, text_files

EMPTY_NAMES: Final = frozenset({"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"})

_PLACE_OF_ONE_MACHINE: Final = re.compile(r"(?<![\w.*-])/(?:wor[k]|opt/pyp[i]|opt/wheel[s])(?:/|\b)(?!\w)")
_REGISTRY: Final = re.compile(r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|crates|anaconda)\.(?:org|com|io)\b")
_SILENCED: Final = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pragma:\s*no cover|ruff:\s*noqa|mypy:|nosec)", re.IGNORECASE
)
_UNPROVEN: Final = frozenset({"importorskip", "skip", "skipif", "xfail"})
_PRETENDED: Final = frozenset({"mock", "unittest.mock", "pytest_mock"})


def silenced(text: str) -> Iterator[int]:
    """Lines of `text`, a Python module, on which a comment switches a check off."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and _SILENCED.search(token.string):
            yield token.start[0]


def unproven(module: Module) -> Iterator[str]:
    """Skipped tests, mocks and sleeps in a test module."""
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in _UNPROVEN
            and ast.unparse(node).startswith("pytest.")
        ):
            yield f"{module.path}:{node.lineno}: {node.attr}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "sleep",
            "time.sleep",
            "asyncio.sleep",
        }:
            yield f"{module.path}:{node.lineno}: sleep"
        elif isinstance(node, ast.ImportFrom) and (
            node.module in _PRETENDED
            or (node.module == "unittest" and any(alias.name == "mock" for alias in node.names))
        ):
            yield f"{module.path}:{node.lineno}: mock"


def test_no_module_has_a_name_that_says_nothing() -> None:
    paths = [module.path for module in (*product_modules(), *other_modules())]
    assert [path for path in paths if EMPTY_NAMES & set(path.removesuffix(".py").split("/"))] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{path}: {match.group()}"
        for path, text in text_files()
        for pattern in (_PLACE_OF_ONE_MACHINE, _REGISTRY)
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_the_lock_holds_a_hash_for_every_release_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    releases = re.findall(r"^([\w.-]+)==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(releases) == len(re.findall(r"^\S+==", text, re.MULTILINE)) > 0
    assert "://" not in text


def test_no_check_is_silenced() -> None:
    modules = (*product_modules(), *other_modules())
    texts = ((module.path, (ROOT / module.path).read_text("utf-8")) for module in modules)
    assert [f"{path}:{line}" for path, text in texts for line in silenced(text)] == []


def test_no_test_is_skipped_mocked_or_asleep() -> None:
    tests = (module for module in other_modules() if module.path.startswith("tests/"))
    assert [line for module in tests for line in unproven(module)] == []


def test_package_fhir_stays_a_source_root() -> None:
    assert not (ROOT / "fhir/__init__.py").exists()


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\n@pytest.mark.skip\ndef test(): ...",
        "import pytest\npytest.importorskip('x')",
        "import time\ntime.sleep(1)",
        "from unittest.mock import Mock",
        "from unittest import mock",
    ],
)
def test_an_unproven_test_is_found(text: str) -> None:
    assert len(list(unproven(module_from("tests/test_x.py", text)))) == 1


def test_a_silenced_check_is_found() -> None:
    assert list(silenced("x = 1  # " + "noqa: F401\ny = '# no" + "qa'\n")) == [1]
