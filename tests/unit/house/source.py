"""The project's own source text, as the house rules read it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PACKAGES: Final = ("passport", "consent", "workers", "fhir/fhirstore", "fhir/fhirmap")

_NOT_OURS: Final = frozenset({"__pycache__", "build", "dist", "node_modules"})
_BINARY: Final = frozenset({".gz", ".ico", ".pdf", ".png", ".woff2", ".zst"})


@dataclass(frozen=True, slots=True)
class Module:
    """One Python module: its dotted name, its path from the root with `/`, its syntax tree."""

    name: str
    path: str
    tree: ast.Module


def module_from(path: str, text: str) -> Module:
    """Read `text` as the module at `path`, a path from the root with `/`."""
    dotted = path.removesuffix(".py").removesuffix("/__init__").removeprefix("fhir/").replace("/", ".")
    return Module(dotted, path, ast.parse(text, path))


@cache
def product_modules() -> tuple[Module, ...]:
    """Every module that is shipped, migrations apart."""
    return tuple(_modules(PACKAGES))


@cache
def other_modules() -> tuple[Module, ...]:
    """Tests, measurements and migrations."""
    return tuple(_modules(("tests", "bench", "migrations")))


def text_files() -> Iterator[tuple[str, str]]:
    """Path and text of every file of the tree that a commit could hold."""
    for path in sorted(_walk(ROOT)):
        if path.suffix not in _BINARY:
            yield path.relative_to(ROOT).as_posix(), path.read_bytes().decode("utf-8", "replace")


def _modules(folders: tuple[str, ...]) -> Iterator[Module]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield module_from(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() or path.name in _NOT_OURS:
            continue
        if path.is_file():
            yield path
        elif not path.name.startswith(".") or path.name == ".ci":
            yield from _walk(path)
