"""A row's facts against a node's conditions: where each is certainly so, and where it is certainly not.

http://hl7.org/fhir/R4/consent.html

SQL's own third value is not the definition's: a missing fact may be an empty array as well as NULL. So each
condition comes as two expressions, one that is true where the condition is True, one that is true where it is
False; where neither is true it is unknown. An expression that comes out NULL says nothing: what is built from
them uses AND and OR alone, so a NULL can never make the whole true.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    SmallInteger,
    any_,
    func,
    literal,
    literal_column,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from consent import systems
from consent.formula import Formula, either, every, negated, number
from consent.shape import CodeSet, ShapeNode

TypeNumbers = Mapping[str, int]
"""The number under which rows hold each resource type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordColumns:
    """The columns that hold a record's facts.

    `record_key` is the key of its own reference, of a part that of the whole; `part_key` the part's own.
    `within` are the only types that the rows can be of, where that is known.
    """

    type: ColumnElement[int]
    record_key: ColumnElement[int]
    codes: ColumnElement[Sequence[int]]
    code_systems: ColumnElement[Sequence[int]]
    categories: ColumnElement[Sequence[int]]
    confidentiality: ColumnElement[int]
    labels: ColumnElement[Sequence[int]]
    starts: ColumnElement[Any]
    ends: ColumnElement[Any]
    authors: ColumnElement[Sequence[int]]
    source: ColumnElement[int]
    refs: ColumnElement[Sequence[int]]
    part_key: ColumnElement[int] | None = None
    within: Collection[str] | None = None

    @classmethod
    def of(
        cls, rows: FromClause, whole: FromClause | None = None, within: Collection[str] | None = None
    ) -> Self:
        """The columns of a table of records, or of parts beside the table that holds their wholes."""
        named = rows.c
        return cls(
            type=named.type,
            record_key=named.record_key,
            codes=named.codes,
            code_systems=named.code_systems,
            categories=named.categories,
            confidentiality=named.confidentiality,
            labels=named.labels,
            starts=named.starts,
            ends=named.ends,
            authors=named.authors,
            source=(rows if whole is None else whole).c.source,
            refs=named.refs,
            part_key=named.get("part_key"),
            within=within,
        )

    @property
    def asked(self) -> dict[str, ColumnElement[Any]]:
        """The columns by the names of the facts; a whole has none for a part's own key."""
        return {name: column for name in FACTS if (column := getattr(self, name)) is not None}

    def over(self, columns: Mapping[str, ColumnElement[Any]]) -> Self:
        """The same facts in other columns."""
        others: dict[str, Any] = {name: columns[name] for name in self.asked}
        return replace(self, **others)


FACTS: Final = tuple(field.name for field in fields(RecordColumns) if field.name != "within")


class Verdict(NamedTuple):
    """Where a condition is certainly True, and where it is certainly False."""

    true: Formula
    false: Formula


def judge(node: ShapeNode, record: RecordColumns, types: TypeNumbers) -> Verdict:
    """All conditions of one node together, children apart."""
    verdicts = list(_verdicts(node, record, types))
    return Verdict(every(v.true for v in verdicts), either(v.false for v in verdicts))


def type_in(record: RecordColumns, names: Iterable[str], types: TypeNumbers) -> Formula:
    """Whether the record is of one of these types."""
    asked = set(names)
    if record.within is not None:
        if asked.issuperset(record.within):
            return True
        asked &= set(record.within)
    numbers = sorted({int(types[name]) for name in asked if name in types})
    if not numbers:
        return False
    if len(numbers) == 1:
        return record.type == number(numbers[0])
    listed = ",".join(map(str, numbers))
    return record.type == any_(literal_column(f"'{{{listed}}}'::smallint[]", ARRAY(SmallInteger)))


def _verdicts(node: ShapeNode, record: RecordColumns, types: TypeNumbers) -> Iterator[Verdict]:
    yield _class(node, record, types)
    if node.codes:
        yield _codes(node.codes, record, types)
    if node.confidentiality is not None:
        yield _confidentiality(node.confidentiality, node.deny, record)
    if node.sensitivities:
        yield _sensitivity(node.sensitivities, record)
    if node.period is not None:
        yield _time(node, record)
    if node.instances or node.dependents or node.authors:
        yield _data(node, record)


def _class(node: ShapeNode, record: RecordColumns, types: TypeNumbers) -> Verdict:
    if not node.classed:
        excluded = type_in(record, systems.UNNAMED_EXCLUDED, types)
        return Verdict(negated(excluded), excluded)
    typed = type_in(record, node.types, types)
    if not node.categories:
        return Verdict(typed, _unless(typed))
    categorised = _overlap(record.categories, node.categories)
    return Verdict(
        either([typed, categorised]),
        every([_unless(typed), _present(record.categories), _unless(categorised)]),
    )


def _codes(groups: Sequence[CodeSet], record: RecordColumns, types: TypeNumbers) -> Verdict:
    named = _overlap(record.codes, [code for group in groups for code in group.codes])
    certain = (_comparable(group, record, types) for group in groups)
    return Verdict(named, every([_unless(named), *certain]))


def _comparable(group: CodeSet, record: RecordColumns, types: TypeNumbers) -> Formula:
    """Whether a code of this system that the record lacks is certainly not its code."""
    foreign = [name for name, used in systems.SYSTEMS.items() if group.system not in used]
    return either(
        [
            _holds(record.code_systems, group.system_key),
            type_in(record, systems.CODELESS, types),
            every([type_in(record, foreign, types), _present(record.codes)]),
        ]
    )


def _confidentiality(level: int, deny: bool, record: RecordColumns) -> Verdict:
    limit = number(level)
    if deny:
        return Verdict(record.confidentiality >= limit, record.confidentiality < limit)
    return Verdict(record.confidentiality <= limit, record.confidentiality > limit)


def _sensitivity(labels: Sequence[int], record: RecordColumns) -> Verdict:
    # Without a confidentiality label nothing is known of a record's labels.
    known, named = record.confidentiality.is_not(None), _overlap(record.labels, labels)
    return Verdict(every([known, named]), every([known, _unless(named)]))


def _time(node: ShapeNode, record: RecordColumns) -> Verdict:
    dated: Formula = record.starts < record.ends
    inside, outside = [dated], list[Formula]()
    if node.period and node.period.start:
        start = literal(node.period.start, TIMESTAMP(timezone=True))
        inside.append(record.starts >= start)
        outside.append(record.ends <= start)
    if node.period and node.period.end:
        end = literal(node.period.end, TIMESTAMP(timezone=True))
        inside.append(record.ends <= end)
        outside.append(record.starts >= end)
    return Verdict(every(inside), every([dated, either(outside)]))


def _data(node: ShapeNode, record: RecordColumns) -> Verdict:
    itself = (*node.instances, *node.dependents)
    connected = [
        *(_one_of(key, itself) for key in (record.record_key, record.part_key) if key is not None and itself),
        *([_overlap(record.refs, node.dependents)] if node.dependents else []),
    ]
    if node.authors:
        written = [_overlap(record.authors, node.authors), _one_of(record.source, node.authors)]
        unknown_author = [_present(record.authors)]
    else:
        written, unknown_author = [], []
    named = [*connected, *written]
    return Verdict(either(named), every([*unknown_author, *(_unless(one) for one in named)]))


def _unless(formula: Formula) -> Formula:
    """Where the formula is not true; what it says of a NULL is not to be relied on."""
    return not formula if isinstance(formula, bool) else formula.is_not(true())


def _present(column: ColumnElement[Sequence[int]]) -> Formula:
    return func.cardinality(column) > number(0)


def _holds(column: ColumnElement[Sequence[int]], key: int) -> Formula:
    return literal(key, BigInteger) == any_(column)


def _one_of(column: ColumnElement[int], keys: Sequence[int]) -> Formula:
    if len(keys) == 1:
        return column == literal(keys[0], BigInteger)
    return column == any_(literal(list(keys), ARRAY(BigInteger)))


def _overlap(column: ColumnElement[Sequence[int]], keys: Sequence[int]) -> Formula:
    if len(keys) == 1:
        return _holds(column, keys[0])
    return column.bool_op("&&")(literal(list(keys), ARRAY(BigInteger)))
