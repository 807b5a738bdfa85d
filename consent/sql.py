"""What a caller may see, as an SQL condition on rows: only what is left when the request is known.

http://hl7.org/fhir/R4/consent.html

When the caller, the purpose, the action and the instant are known, each provision's part in the request is
True, False or unknown; two bit masks per grant hold it. Of the grants there remain conditions on the record:

    true(n)  = t(n) AND record true AND false(child)...     false(n) = f(n) OR record false OR true(child)...

A record is permitted where a grant that permits is true and every grant that blocks is false. Whatever is
neither true nor false therefore denies: an unknown fact, a shape that this process does not know, a NULL.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    all_,
    any_,
    bindparam,
    case,
    cast,
    column,
    exists,
    func,
    not_,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from consent import systems
from consent.compile import GrantEffect
from consent.facts import (
    Formula,
    RecordColumns,
    TypeNumbers,
    either,
    every,
    expression,
    judge,
    number,
    type_in,
)
from consent.shape import Shape

_KEYS: Final = ARRAY(BigInteger)


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

_Decision = Callable[[Standing, RecordColumns, TypeNumbers], Formula]


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose records a request may see, by what they grant; nobody else's.

    Of `groups[i]` the patients are bound as `patients_i`, so that one compiled statement serves all who
    share a standing. `otherwise` is the standing of patients in no group: the groups' patients are then
    bound as `grouped_patients`. With `own`, the patient bound as `own_patient` needs no grant. With
    `directory`, directory types are readable.
    """

    groups: Sequence[Standing]
    otherwise: Standing | None = None
    own: bool = False
    directory: bool = True


def clause(standing: Standing, record: RecordColumns, types: TypeNumbers) -> ColumnElement[bool]:
    """Whether one patient's grants permit the row.

    Args:
        standing: the patient's grants with the policies.
        record: where the row holds its facts.
        types: the number of each resource type.

    Returns:
        A condition that is true where it is permitted, and false or NULL everywhere else.
    """
    return expression(_permitted(standing, record, types))


def relied(standing: Standing, record: RecordColumns, types: TypeNumbers) -> ColumnElement[Sequence[int]]:
    """Which grants permit the row: their places in `standing`, as an array of integers."""
    places = [
        case((expression(_true(grant, record, types)), number(place)), else_=null())
        for place, grant in enumerate(standing)
        if grant.effect == GrantEffect.PERMIT
    ]
    return func.array_remove(cast(array(places), ARRAY(Integer)), null(), type_=ARRAY(Integer))


def permitted(
    sight: Sight, patient: ColumnElement[int], record: RecordColumns, types: TypeNumbers
) -> ColumnElement[bool]:
    """Whether this patient, whom the row names, permits it."""
    return expression(_for_patient(sight, patient, lambda standing: _permitted(standing, record, types)))


def visible(
    sight: Sight,
    record: FromClause,
    *,
    parts: FromClause,
    targets: FromClause,
    types: TypeNumbers,
    within: Collection[str] | None = None,
) -> ColumnElement[bool]:
    """Whether a row is visible as a whole: to every patient that it names, with its parts and its targets.

    Args:
        sight: what the request may see.
        record: the rows in question, with `patient_key`, `version`, `others`, `parts` and `follows` beside
            the facts.
        parts: the parts of the rows, with the facts that they take from their container filled in.
        targets: the current records, for what a Provenance is about.
        types: the number of each resource type.
        within: the only types that the rows can be of, if the statement asks for some alone.

    Returns:
        A condition that is true where the row is visible, and false or NULL everywhere else.
    """
    facts = RecordColumns.of(record, within=within)
    provenance = type_in(facts, ["Provenance"], types)
    branches = [_directory(sight, facts, types)]
    branches.append(every([_no(provenance), _whole(sight, record, facts, parts, types, _permitted)]))
    if provenance is not False:
        unblocked = _whole(sight, record, facts, parts, types, _unblocked)
        branches.append(every([provenance, unblocked, _follows(sight, record, parts, targets, types)]))
    return expression(either(branches))


def _permitted(standing: Standing, record: RecordColumns, types: TypeNumbers) -> Formula:
    granted = either(_true(g, record, types) for g in standing if g.effect == GrantEffect.PERMIT)
    return every([granted, _unblocked(standing, record, types)])


def _unblocked(standing: Standing, record: RecordColumns, types: TypeNumbers) -> Formula:
    # What is no permit blocks, whatever its number says.
    return every(_false(g, record, types) for g in standing if g.effect != GrantEffect.PERMIT)


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


def _for_patient(
    sight: Sight, patient: ColumnElement[int], decision: Callable[[Standing], Formula]
) -> Formula:
    branches: list[Formula] = [
        every([patient == any_(bindparam(f"patients_{place}", type_=_KEYS)), decision(standing)])
        for place, standing in enumerate(sight.groups)
    ]
    if sight.otherwise is not None:
        ungrouped = patient != all_(bindparam("grouped_patients", type_=_KEYS))
        branches.append(every([ungrouped, decision(sight.otherwise)]))
    if sight.own:
        branches.append(patient == bindparam("own_patient", type_=BigInteger))
    return either(branches)


def _by_all(
    sight: Sight, record: FromClause, facts: RecordColumns, types: TypeNumbers, decision: _Decision
) -> Formula:
    """Every patient that the row names decides so about these facts, the row's own or those of a part."""

    def decided(patient: ColumnElement[int]) -> Formula:
        return _for_patient(sight, patient, lambda standing: decision(standing, facts, types))

    other = _unnested(record.c.others)
    objection = select(other.c.key).where(_not_certainly(decided(other.c.key))).correlate_except(other)
    alone = func.cardinality(record.c.others) == number(0)
    return every([decided(record.c.patient_key), either([alone, not_(exists(objection))])])


def _whole(
    sight: Sight,
    record: FromClause,
    facts: RecordColumns,
    parts: FromClause,
    types: TypeNumbers,
    decision: _Decision,
) -> Formula:
    """The row by this decision, and each of its parts by permission."""
    part = parts.alias()
    inner = RecordColumns.of(part, whole=record)
    objection = (
        select(part.c.part)
        .where(
            part.c.patient_key == record.c.patient_key,
            part.c.record_key == record.c.record_key,
            part.c.version == record.c.version,
            expression(_no(type_in(inner, systems.DIRECTORY, types))),
            _not_certainly(_by_all(sight, record, inner, types, _permitted)),
        )
        .correlate_except(part)
    )
    undivided = not_(record.c.parts)
    return every(
        [
            _by_all(sight, record, facts, types, decision),
            either([undivided, not_(exists(objection))]),
        ]
    )


def _follows(
    sight: Sight, record: FromClause, parts: FromClause, targets: FromClause, types: TypeNumbers
) -> Formula:
    """Each target of a Provenance is there, is no Provenance itself, and is visible."""
    followed = _unnested(record.c.follows)
    target = targets.alias()
    facts = RecordColumns.of(target)
    # They lie with one of the patients that the Provenance names, or with nobody.
    homes = func.array_append(
        func.array_append(record.c.others, record.c.patient_key), number(0), type_=_KEYS
    )
    seen = either(
        [_directory(sight, facts, types), _whole(sight, target, facts, parts, types, _permitted)],
    )
    found = (
        select(target.c.record_key)
        .where(
            target.c.record_key == followed.c.key,
            target.c.patient_key == any_(homes),
            not_(target.c.deleted),
            expression(_no(type_in(facts, ["Provenance"], types))),
            expression(seen),
        )
        .correlate_except(target)
    )
    lost = select(followed.c.key).where(not_(exists(found))).correlate_except(followed)
    return every([func.cardinality(record.c.follows) > number(0), not_(exists(lost))])


def _unnested(keys: ColumnElement[Sequence[int]]) -> FromClause:
    """The keys of an array as rows, in a column `key`."""
    return func.unnest(keys).table_valued(column("key", BigInteger)).render_derived()


def _directory(sight: Sight, facts: RecordColumns, types: TypeNumbers) -> Formula:
    return type_in(facts, systems.DIRECTORY, types) if sight.directory else False


def _no(formula: Formula) -> Formula:
    return not formula if isinstance(formula, bool) else not_(formula)


def _not_certainly(formula: Formula) -> ColumnElement[bool]:
    """Where the formula is false or NULL."""
    return expression(formula).is_not(true())
