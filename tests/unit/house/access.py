"""Who touches the store: one reader, one writer, and the tables of records through neither's back."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.unit.house.source import Module

STORES: Final = (
    "fhirstore.store",
    "fhirstore.reads",
    "fhirstore.succession",
    "fhirstore.search.statement",
    "fhirstore.compartment.everything",
    "fhirstore.compartment.lastn",
    "fhirstore.compartment.summary",
)
"""The modules whose tuples `READS` and `WRITES` name what is guarded."""

READER: Final = "passport.disclosure"
WRITER: Final = "passport.intake"

SYSTEM_READERS: Final[Mapping[str, frozenset[str]]] = {}
"""Module to the read functions that it may call although nobody asks; each needs its reason beside it."""

TABLES: Final = "fhirstore.tables"
RECORD_TABLES: Final = frozenset(
    {"resource", "resource_version", "resource_part", "resource_token", "identifier_index"}
)
TABLE_USERS: Final[Mapping[str, str]] = {
    READER: "the read path",
    WRITER: "the write path",
    "passport.decision": "composes the condition that stands inside of every read; reads nothing itself",
    "passport.imports.store": "compares the person of a file with the Patient, and shows nothing of either",
    "passport.evaluation.store": "takes the columns of records that it is handed, and reads no table",
    "passport.replay.store": "what was there in the snapshot of a row of the log, to decide it again; shows none of it",
    "passport.devices.known.store": "knows a device again that its person enrolled, and shows nothing of its record",
    "passport.family.store": "reads the birth date of a child that gets a guardian, and shows nothing of it",
    "passport.patients.store": "finds by their writer the consents that end with a merge, and shows none of them",
    "passport.audit.names": "tells the log's readers which records its keys are: type and id, never a body",
}
"""The store itself apart, these may compose statements over the tables of records, each for its reason."""

_RECORD_SQL: Final = re.compile(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+(?:public\.)?(?:{'|'.join(sorted(RECORD_TABLES))})\b"
)


@dataclass(frozen=True, slots=True)
class Surface:
    """The names of the store that are guarded."""

    reads: frozenset[str]
    writes: frozenset[str]


def surface_of(*stores: Module) -> Surface:
    """Read the tuples `READS` and `WRITES` of the store's modules, as far as they are there."""
    surfaces = [_surface_of(store) for store in stores]
    return Surface(
        reads=frozenset().union(*(each.reads for each in surfaces)),
        writes=frozenset().union(*(each.writes for each in surfaces)),
    )


def _surface_of(store: Module) -> Surface:
    named: dict[str, frozenset[str]] = {}
    for node in store.tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id in {"READS", "WRITES"}:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            named[target.id] = frozenset(ast.literal_eval(value)) if value else frozenset()
    return Surface(named.get("READS", frozenset()), named.get("WRITES", frozenset()))


def unlisted(store: Module, surface: Surface) -> list[str]:
    """Public coroutines of the store that neither tuple names: they would be guarded by nobody."""
    public = (node.name for node in store.tree.body if isinstance(node, ast.AsyncFunctionDef))
    return [
        name for name in public if not name.startswith("_") and name not in surface.reads | surface.writes
    ]


def _within(module: Module, name: str) -> bool:
    """Whether the module is of this name, or in the package of it."""
    return module.name == name or module.name.startswith(f"{name}.")


def breaches(module: Module, surface: Surface) -> list[str]:
    """What `module` takes from the store that is not its to take, each as one line."""
    if module.name.startswith("fhirstore."):
        return []
    readable = surface.reads if _within(module, READER) else SYSTEM_READERS.get(module.name, frozenset())
    writable = surface.writes if _within(module, WRITER) else frozenset()
    free = readable | writable
    found = [
        f"{module.path}:{line}: {name} of {store}"
        for store in STORES
        for line, name in _taken(module, store)
        if name == "*" or (_guarded(name, surface) and name not in free)
    ]
    if not any(_within(module, user) for user in TABLE_USERS):
        found += [
            f"{module.path}:{line}: {name} of {TABLES}"
            for line, name in _taken(module, TABLES)
            if name == "*" or name in RECORD_TABLES
        ]
        found += [f"{module.path}:{line}: SQL over a table of records" for line in _record_sql(module)]
    return found


def _guarded(name: str, surface: Surface) -> bool:
    # A statement's text in capitals is as good as the function that runs it.
    statement = name.isupper() and name not in {"READS", "WRITES"}
    return name in surface.reads or name in surface.writes or statement


def _taken(module: Module, source: str) -> Iterator[tuple[int, str]]:
    """Line and name of all that `module` imports or reaches from the module `source`."""
    package, _, leaf = source.rpartition(".")
    aliases: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == source:
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == package:
            aliases |= {alias.asname or alias.name for alias in node.names if alias.name == leaf}
        elif isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name for alias in node.names if alias.name == source}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in aliases:
            yield node.lineno, node.attr


def _record_sql(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _RECORD_SQL.search(node.value):
            yield node.lineno
