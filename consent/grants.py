"""What one patient's grants permit of a row, as an SQL condition on it: only what is left when the request is known.

http://hl7.org/fhir/R4/consent.html

When the caller, the purpose, the action and the instant are known, each provision's part in the request is
True, False or unknown; two bit masks per grant hold it. Of the grants there remain conditions on the record:

    true(n)  = t(n) AND record true AND false(child)...     false(n) = f(n) OR record false OR true(child)...

A record is permitted where a grant that permits is true and every grant that blocks is false. Whatever is
neither true nor false therefore denies: an unknown fact, a shape that this process does not know, a NULL.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, ColumnElement, case, cast, func, literal_column, null
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.types import TypeEngine

from consent.compile import GrantEffect
from consent.facts import RecordColumns, TypeNumbers, judge
from consent.formula import Formula, either, every, expression, number
from consent.shape import Shape
from consent.template import TEMPLATES, Columns, Same

_KEYS: Final = ARRAY(BigInteger)

MOST_WEIGHED: Final = 62
"""Grants whose places are bits of one bigint; the sign and one bit more are left to whoever puts them together."""


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """One grant as it stands for a request.

    Bit n of `t_bits` tells that node n asks nothing of the request that is not so, bit n of `f_bits` that
    it asks something that is certainly not so. `shape` is None where its content is not known here.
    """

    effect: int
    shape: Shape | None
    t_bits: int
    f_bits: int


Standing = Sequence[StandingGrant]
"""All grants of one patient, the policies' included, for one request."""

Name = Callable[[ColumnElement[int], int], ColumnElement[int]]
"""By what number a patient's grant at a place is named."""

NOBODY: Final = literal_column("0::bigint", BigInteger)
_NO_BIT: Final = literal_column("0::bigint", BigInteger)


def _place(_: ColumnElement[int], place: int) -> ColumnElement[int]:
    return number(place)


def clause(standing: Standing, record: RecordColumns, types: TypeNumbers) -> ColumnElement[bool]:
    """Whether one patient's grants permit the row.

    Args:
        standing: the patient's grants with the policies.
        record: where the row holds its facts.
        types: the number of each resource type.

    Returns:
        A condition that is true where it is permitted, and false or NULL everywhere else.
    """
    return expression(permits(standing, record, types))


def permits(
    standing: Standing,
    record: RecordColumns,
    types: TypeNumbers,
    granted: ColumnElement[bool] | None = None,
) -> Formula:
    """Where these grants permit the row; what is `granted` already needs none."""

    def composed(record: RecordColumns, beside: Columns) -> Formula:
        granting = (_true(g, record, types) for g in standing if g.effect == GrantEffect.PERMIT)
        # What is no permit blocks, whatever its number says.
        blocks = (_false(g, record, types) for g in standing if g.effect != GrantEffect.PERMIT)
        return every([either([*beside.values(), *granting]), *blocks])

    beside = {} if granted is None else {"granted": granted}
    found: Formula = _once("permits", standing, record, types, composed, Boolean(), beside)
    return found


def relied(
    standing: Standing,
    record: RecordColumns,
    types: TypeNumbers,
    patient: ColumnElement[int] = NOBODY,
    name: Name = _place,
) -> ColumnElement[Sequence[int]]:
    """Which grants of this patient permit the row: their places in `standing` as an array, each as `name` writes it."""

    def composed(record: RecordColumns, beside: Columns) -> ColumnElement[Any]:
        places = [
            case((expression(_true(grant, record, types)), name(beside["patient"], place)), else_=null())
            for place, grant in enumerate(standing)
            if grant.effect == GrantEffect.PERMIT
        ]
        return func.array_remove(cast(array(places), _KEYS), null(), type_=_KEYS)

    key = ("relied", name)
    found: ColumnElement[Any] = _once(key, standing, record, types, composed, _KEYS, {"patient": patient})
    return found


def weighed(standing: Standing, record: RecordColumns, types: TypeNumbers) -> ColumnElement[int]:
    """The same as the bits of one number, which can be put together over rows; of `MOST_WEIGHED` grants at most."""

    def composed(record: RecordColumns, _: Columns) -> ColumnElement[Any]:
        bits = [
            case((expression(_true(grant, record, types)), _bit(place)), else_=_NO_BIT)
            for place, grant in enumerate(standing)
            if grant.effect == GrantEffect.PERMIT
        ]
        return reduce(lambda all_, bit: all_.op("|", return_type=BigInteger())(bit), bits, _NO_BIT)

    found: ColumnElement[int] = _once("weighed", standing, record, types, composed, BigInteger(), {})
    return found


def _once(
    what: Hashable,
    standing: Standing,
    record: RecordColumns,
    types: TypeNumbers,
    composed: Callable[[RecordColumns, Columns], ColumnElement[Any] | bool],
    type_: TypeEngine[Any],
    beside: Columns,
) -> Any:
    """What these grants come to for a row, composed once for all rows; `beside` are columns beside the facts."""
    facts = record.asked
    within = None if record.within is None else frozenset(record.within)
    key = (what, tuple(standing), *facts, *beside, within, Same(types))
    return TEMPLATES.ask(
        key,
        {**facts, **beside},
        type_,
        lambda gaps: composed(record.over(gaps), {name: gaps[name] for name in beside}),
    )


def _bit(place: int) -> ColumnElement[int]:
    return literal_column(f"{1 << place}::bigint", BigInteger)


def _true(g: StandingGrant, record: RecordColumns, types: TypeNumbers) -> Formula:
    if g.shape is None:
        return False
    return every(_node_true(g, g.shape, head, record, types) for head in range(g.shape.heads))


def _false(g: StandingGrant, record: RecordColumns, types: TypeNumbers) -> Formula:
    if g.shape is None or g.effect != GrantEffect.BLOCK:
        return False
    return _node_false(g, g.shape, 0, record, types)


def _node_true(
    g: StandingGrant, shape: Shape, node: int, record: RecordColumns, types: TypeNumbers
) -> Formula:
    if not (g.t_bits & ~g.f_bits) >> node & 1:
        return False
    excepted = (_node_false(g, shape, child, record, types) for child in shape.nodes[node].children)
    return every([judge(shape.nodes[node], record, types).true, *excepted])


def _node_false(
    g: StandingGrant, shape: Shape, node: int, record: RecordColumns, types: TypeNumbers
) -> Formula:
    if (g.f_bits & ~g.t_bits) >> node & 1:
        return True
    excepted = (_node_true(g, shape, child, record, types) for child in shape.nodes[node].children)
    return either([judge(shape.nodes[node], record, types).false, *excepted])
