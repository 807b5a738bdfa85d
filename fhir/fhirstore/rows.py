"""Rows as they travel: one array per column, so that one statement stores any number of records.

https://www.postgresql.org/docs/current/functions-array.html
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fhirstore.tables import UNDATED, fact_columns, resource


@dataclass(frozen=True, slots=True)
class PartRow:
    """The facts of a contained resource or of an entry; `part_key` where it has its own identity."""

    part: int
    part_key: int | None
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One version of one record as it is stored; `facts` holds the columns of `fact_columns()`."""

    patient_key: int
    record_key: int
    version: int
    id: str
    last_updated: datetime
    deleted: bool
    owned_otherwise: bool
    codec: int
    body: bytes
    status: int | None
    facts: Mapping[str, Any]
    follows: Sequence[int]
    others: Sequence[int]
    source: int
    parts: tuple[PartRow, ...] = ()
    tokens: tuple[tuple[int, int, datetime | None], ...] = ()
    identifiers: tuple[int, ...] = ()


_UNDATED: Final = datetime.fromisoformat(UNDATED)
_FACTS: Final = tuple(column.name for column in fact_columns())
_KEY_LISTS: Final = frozenset(
    {"labels", "codes", "code_systems", "categories", "authors", "refs", "follows", "others"}
)
_NEVER_NULL: Final = frozenset(
    column.name for column in fact_columns() if column.name in _KEY_LISTS and not column.nullable
)
_SQL_TYPES: Final = {
    "patient_key": "bigint",
    "record_key": "bigint",
    "version": "int",
    "id": "text",
    "last_updated": "timestamptz",
    "deleted": "bool",
    "owned_otherwise": "bool",
    "codec": "smallint",
    "body": "bytea",
    "status": "bigint",
    "type": "smallint",
    "confidentiality": "smallint",
    "starts": "timestamptz",
    "ends": "timestamptz",
    "parts": "bool",
    "source": "bigint",
    "part": "smallint",
    "part_key": "bigint",
    "other_key": "bigint",
    "parameter": "smallint",
    "value": "bigint",
}


def _unnested(columns: Sequence[str]) -> str:
    """Rows from one array per column; a list of keys travels as its text, since unnest would flatten it."""
    arrays = ", ".join(
        f"%({name})s::{'text' if name in _KEY_LISTS else _SQL_TYPES[name]}[]" for name in columns
    )
    values = ", ".join(f"rows.{name}::bigint[]" if name in _KEY_LISTS else f"rows.{name}" for name in columns)
    return f"SELECT {values} FROM unnest({arrays}) AS rows({', '.join(columns)})"


KEYS: Final = ("patient_key", "record_key")


def _insert(table: str, columns: Sequence[str], suffix: str = "") -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) {_unnested(columns)} {suffix}"


_RECORD_COLUMNS: Final = tuple(column.name for column in resource.columns)
_PART_COLUMNS: Final = ("patient_key", "record_key", "version", "part", "part_key", *_FACTS)
_TOKEN_COLUMNS: Final = ("patient_key", "parameter", "value", "starts", "record_key")
_IDENTIFIER_COLUMNS: Final = ("value", "patient_key", "record_key")

_CHANGED: Final = ", ".join(f"{name} = excluded.{name}" for name in _RECORD_COLUMNS if name not in KEYS)
THESE: Final = "SELECT * FROM unnest(%(patient_key)s::bigint[], %(record_key)s::bigint[])"

INSERT_LOCATORS: Final = _insert("locator", ("record_key", "patient_key"))
INSERT_RECORDS: Final = _insert("resource", _RECORD_COLUMNS)
REPLACE_RECORDS: Final = _insert(
    "resource", _RECORD_COLUMNS, f"ON CONFLICT (patient_key, record_key) DO UPDATE SET {_CHANGED}"
)
ARCHIVE: Final = (
    f"INSERT INTO resource_version ({', '.join(_RECORD_COLUMNS)}) SELECT {', '.join(_RECORD_COLUMNS)} "
    f"FROM resource WHERE (patient_key, record_key) IN ({THESE})"
)
UNINDEX: Final = tuple(
    f"DELETE FROM {table} WHERE (patient_key, record_key) IN ({THESE})"
    for table in ("resource_token", "identifier_index")
)
INSERT_PARTS: Final = _insert("resource_part", _PART_COLUMNS)
INSERT_TOKENS: Final = _insert("resource_token", _TOKEN_COLUMNS, "ON CONFLICT DO NOTHING")
INSERT_IDENTIFIERS: Final = _insert("identifier_index", _IDENTIFIER_COLUMNS, "ON CONFLICT DO NOTHING")
INSERT_COPATIENTS: Final = _insert("copatient", ("patient_key", "other_key"), "ON CONFLICT DO NOTHING")


def record_arrays(rows: Sequence[RecordRow]) -> dict[str, list[Any]]:
    """The parameters of `INSERT_RECORDS` and `REPLACE_RECORDS`."""
    arrays: dict[str, list[Any]] = {}
    for name in _RECORD_COLUMNS:
        if name in _FACTS:
            arrays[name] = [_fact_value(name, row.facts) for row in rows]
        elif name == "parts":
            arrays[name] = [bool(row.parts) for row in rows]
        elif name in _KEY_LISTS:
            arrays[name] = [_array_text(name, getattr(row, name)) for row in rows]
        else:
            arrays[name] = [getattr(row, name) for row in rows]
    return arrays


def arrays_of(rows: Sequence[RecordRow], names: Sequence[str]) -> dict[str, list[Any]]:
    """Some plain columns of the rows."""
    return {name: [getattr(row, name) for row in rows] for name in names}


def beside(rows: Sequence[RecordRow]) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    """The statements for what stands beside the records, with parameters; none that would store nothing."""
    kinds: tuple[tuple[str, Sequence[str], Iterable[Sequence[Any]]], ...] = (
        (INSERT_PARTS, _PART_COLUMNS, (_part(row, part) for row in rows for part in row.parts)),
        (INSERT_TOKENS, _TOKEN_COLUMNS, (_token(row, token) for row in rows for token in row.tokens)),
        (
            INSERT_IDENTIFIERS,
            _IDENTIFIER_COLUMNS,
            ((value, row.patient_key, row.record_key) for row in rows for value in row.identifiers),
        ),
        (
            INSERT_COPATIENTS,
            ("patient_key", "other_key"),
            # Others may write the same pairs at this moment: in one order.
            sorted(
                {
                    pair
                    for row in rows
                    for other in row.others
                    for pair in ((row.patient_key, other), (other, row.patient_key))
                }
            ),
        ),
    )
    for statement, columns, values in kinds:
        listed = list(values)
        if listed:
            yield statement, dict(zip(columns, map(list, zip(*listed, strict=True)), strict=True))


def _array_text(name: str, keys: Collection[int]) -> str | None:
    """The keys as an array is written; none are NULL where the column can be."""
    return "{" + ",".join(map(str, keys)) + "}" if keys or name in _NEVER_NULL else None


def _fact_value(name: str, facts: Mapping[str, Any]) -> Any:
    return _array_text(name, facts[name]) if name in _KEY_LISTS else facts[name]


def _part(row: RecordRow, part: PartRow) -> tuple[Any, ...]:
    facts = tuple(_fact_value(name, part.facts) for name in _FACTS)
    return (row.patient_key, row.record_key, row.version, part.part, part.part_key, *facts)


def _token(row: RecordRow, token: tuple[int, int, datetime | None]) -> tuple[Any, ...]:
    parameter, value, starts = token
    return (row.patient_key, parameter, value, starts or _UNDATED, row.record_key)
