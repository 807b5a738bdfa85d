"""Expressions that are compiled once and then written into many statements, each time about other rows.

https://docs.sqlalchemy.org/en/20/core/compiler.html

What a patient's grants permit is the same text in each statement, whatever else this asks, but for the names of the
columns and of what is bound. A caller with hundreds of patients who each grant something of their own needs hundreds of
such texts for one statement, and when one patient changes their mind, all but one are as they were.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, FromClause, NullPool, create_engine, literal_column
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

MAX_KEPT: Final = 10_000
"""Templates kept by a process, some kilobytes each; past it all are forgotten and compiled again."""

_DIALECT: Final = create_engine("postgresql+psycopg://", poolclass=NullPool).dialect
_GAP: Final = re.compile("\0([^\0]*)\0")

Columns = Mapping[str, ColumnElement[Any]]


class _Gaps(PGCompiler_psycopg):
    """Leaves a gap where a value is bound, and notes which."""

    values: dict[str, BindParameter[Any]]

    def visit_bindparam(self, bindparam: BindParameter[Any], *_: Any, **__: Any) -> str:
        """The gap for one value; how it is cast is seen to where it is bound."""
        if not hasattr(self, "values"):
            self.values = {}
        name = f"={len(self.values)}"
        self.values[name] = bindparam
        return f"\0{name}\0"


@dataclass(frozen=True, slots=True)
class _Template:
    """Text, and between it gaps: the names of columns, and what is bound."""

    texts: tuple[str, ...]
    gaps: tuple[str | BindParameter[Any], ...]

    @classmethod
    def of(cls, expression: ColumnElement[Any]) -> "_Template":
        compiled = _Gaps(_DIALECT, expression)
        values: Mapping[str, BindParameter[Any]] = getattr(compiled, "values", {})
        texts, names = _split(str(compiled))
        return cls(tuple(texts), tuple(values.get(name, name) for name in names))


def _split(text: str) -> tuple[list[str], list[str]]:
    pieces: list[str] = _GAP.split(text)
    return pieces[::2], pieces[1::2]


class _Written(ColumnElement[Any]):
    """A template about the columns of some rows."""

    inherit_cache = False

    def __init__(self, template: _Template, columns: Columns, type_: Any) -> None:
        self.template = template
        self.columns_by_name = columns
        self.type = type_

    @property
    def _from_objects(self) -> list[FromClause]:
        named = (self.columns_by_name[gap] for gap in self.template.gaps if isinstance(gap, str))
        return list(dict.fromkeys(rows for column in named for rows in column._from_objects))


@compiles(_Written)
def _write(written: _Written, compiler: SQLCompiler, **_: Any) -> str:
    template, columns = written.template, written.columns_by_name
    parts = ["(", template.texts[0]]
    for gap, text in zip(template.gaps, template.texts[1:], strict=True):
        parts += [compiler.process(columns[gap] if isinstance(gap, str) else gap), text]
    return "".join([*parts, ")"])


class _Choice(ColumnElement[Any]):
    """One of several expressions, by its place."""

    inherit_cache = False

    def __init__(
        self, place: ColumnElement[int], choices: Sequence[ColumnElement[Any]], otherwise: ColumnElement[Any]
    ) -> None:
        self.place, self.choices, self.otherwise = place, choices, otherwise
        self.type = otherwise.type

    @property
    def _from_objects(self) -> list[FromClause]:
        every = (self.place, *self.choices, self.otherwise)
        return list(dict.fromkeys(rows for one in every for rows in one._from_objects))


@compiles(_Choice)
def _write_choice(choice: _Choice, compiler: SQLCompiler, **_: Any) -> str:
    parts = ["CASE ", compiler.process(choice.place)]
    for place, one in enumerate(choice.choices):
        parts += [f" WHEN {place} THEN ", compiler.process(one)]
    return "".join([*parts, " ELSE ", compiler.process(choice.otherwise), " END"])


def chosen(
    place: ColumnElement[int], choices: Sequence[ColumnElement[Any]], otherwise: ColumnElement[Any]
) -> ColumnElement[Any]:
    """The expression at this place, counted from 0; `otherwise` where there is none, or the place is NULL."""
    return _Choice(place, choices, otherwise) if choices else otherwise


def written(text: str, type_: TypeEngine[Any], **columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """SQL that is written out, with columns and what is bound as `{name}`."""
    texts, names = _split(re.sub(r"{(\w+)}", "\0\\1\0", text))
    return _Written(_Template(tuple(texts), tuple(names)), columns, type_)


class Same:
    """What a key holds of something that is the same only if it is the very same thing."""

    __slots__ = ("_thing",)

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __hash__(self) -> int:
        return id(self._thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other._thing is self._thing


class Templates:
    """The templates of this process, safe across threads."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Template | bool] = {}
        self._lock = Lock()

    def ask(
        self,
        key: Hashable,
        columns: Columns,
        type_: TypeEngine[Any],
        compose: Callable[[Columns], ColumnElement[Any] | bool],
    ) -> Any:
        """What `compose` makes of these columns; it is called only where nothing was composed for `key` before.

        Args:
            key: all that the expression depends on but the columns themselves, their names included.
            columns: the columns that it may ask, by name.
            type_: of what type the expression is.
            compose: makes the expression of columns of the same names and types.

        Returns:
            The expression, or what is known without asking the rows.
        """
        kept = self._kept.get(key)
        if kept is None:
            kept = self._keep(key, compose({name: _gap(name, column) for name, column in columns.items()}))
        return kept if isinstance(kept, bool) else _Written(kept, columns, type_)

    def _keep(self, key: Hashable, composed: ColumnElement[Any] | bool) -> _Template | bool:
        kept = composed if isinstance(composed, bool) else _Template.of(composed)
        with self._lock:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key] = kept
        return kept


def _gap(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return literal_column(f"\0{name}\0", column.type)


TEMPLATES: Final = Templates()
