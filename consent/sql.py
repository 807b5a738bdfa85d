"""What a caller may see, as an SQL condition on rows: only what is left when the request is known.

http://hl7.org/fhir/R4/consent.html

What one patient's grants permit is `consent.grants`; here a row is held against everybody whom it names, with what is
inside of it and what it follows.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    all_,
    any_,
    bindparam,
    case,
    column,
    exists,
    false,
    func,
    not_,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from consent import systems
from consent.facts import FACTS, RecordColumns, TypeNumbers, type_in
from consent.formula import Formula, either, every, expression, negated, number
from consent.grants import Standing, permits
from consent.template import chosen, written

_KEYS: Final = ARRAY(BigInteger)

FEW_PATIENTS: Final = 8
"""More than these are looked up by halves, which takes longer than comparing so few."""

_PLACE: Final = """CASE WHEN ({keys})[width_bucket({patient}, {keys})] = {patient}
    THEN ({places})[width_bucket({patient}, {keys})] END"""
_APART: Final = -1

Nobody = Callable[[FromClause], ColumnElement[int]]
"""The key under which nobody's records lie, for a row."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose records a request may see, by what they grant; nobody else's.

    Patients are bound, as `whose` names them, so that one compiled statement serves all who share a standing.
    `otherwise` is the standing of patients in no group. With `own`, the patient bound as `own_patient` needs no
    grant; with `owns`, none of those bound as `own_patients`, which are all of the same person. With `directory`,
    directory types are readable. `many` tells that there are many patients: a patient's group is then found as in
    a dictionary, where lists would be searched from end to end for every row. `prefix` stands before the names of
    all that is bound, so that one statement can hold several sights.
    """

    groups: Sequence[Standing]
    otherwise: Standing | None = None
    own: bool = False
    owns: bool = False
    directory: bool = field(kw_only=True)
    many: bool = False
    prefix: str = ""


def permitted(
    sight: Sight, patient: ColumnElement[int], record: RecordColumns, types: TypeNumbers
) -> ColumnElement[bool]:
    """Whether this patient, whom the row names, permits it."""
    return expression(_for_patient(sight, patient, lambda standing: permits(standing, record, types)))


def visible(
    sight: Sight,
    record: FromClause,
    *,
    parts: FromClause,
    targets: FromClause,
    types: TypeNumbers,
    within: Collection[str] | None = None,
    nobody: Nobody | None = None,
) -> ColumnElement[bool]:
    """Whether a row is visible as a whole: to every patient that it names, with its parts and its targets.

    Args:
        sight: what the request may see.
        record: the rows in question, with `patient_key`, `version`, `others`, `parts` and `follows` beside
            the facts.
        parts: the parts of the rows, with the facts that they take from their container filled in.
        targets: the current records, for what a Provenance or a Binary follows.
        types: the number of each resource type.
        within: the only types that the rows can be of, if the statement asks for some alone.
        nobody: the key under which nobody's records lie beside a row; 0 for every row unless it is said.

    Returns:
        A condition that is true where the row is visible, and false or NULL everywhere else.
    """
    facts = RecordColumns.of(record, within=within)
    following = type_in(facts, systems.FOLLOWING, types)
    simple = [_empty(record.c.others), not_(record.c.parts), negated(following)]
    alone = _for_patient(sight, record.c.patient_key, lambda standing: permits(standing, facts, types))
    whole = every(
        [
            _whole(sight, record, parts, types),
            _follows(sight, record, facts, parts, targets, types, nobody or _zero),
        ]
    )
    decided = case((expression(every(simple)), expression(alone)), else_=expression(whole))
    return expression(either([_directory(sight, facts, types), decided]))


def by_group(
    sight: Sight,
    patient: ColumnElement[int],
    choices: Sequence[ColumnElement[Any]],
    otherwise: ColumnElement[Any],
) -> ColumnElement[Any]:
    """Of the choices that of the patient's group; `otherwise` for patients of none."""
    if sight.many:
        return chosen(_place(sight, patient), choices, otherwise)
    whens = [(_of_group(sight, place, patient), choice) for place, choice in enumerate(choices)]
    return case(*whens, else_=otherwise) if whens else otherwise


def whose(groups: Sequence[Sequence[int]], *, many: bool, apart: Sequence[int] = ()) -> dict[str, list[int]]:
    """What is bound for the patients of a sight's groups; those who are `apart` are of none, and not ungrouped."""
    if not many:
        named = {f"patients_{place}": list(patients) for place, patients in enumerate(groups)}
        return {**named, "grouped_patients": [patient for group in (*groups, apart) for patient in group]}
    placed = [(patient, place) for place, patients in enumerate(groups) for patient in patients]
    placed = sorted([*placed, *((patient, _APART) for patient in apart)])
    return {
        "grouped_patients": [patient for patient, _ in placed],
        "grouped_places": [place for _, place in placed],
    }


def _place(sight: Sight, patient: ColumnElement[int]) -> ColumnElement[int]:
    """The place of the patient's group, found as in a dictionary; NULL where the patient is ungrouped."""
    keys, places = (
        bindparam(f"{sight.prefix}{name}", type_=_KEYS) for name in ("grouped_patients", "grouped_places")
    )
    return written(_PLACE, BigInteger(), patient=patient, keys=keys, places=places)


def _of_group(sight: Sight, place: int, patient: ColumnElement[int]) -> ColumnElement[bool]:
    return patient == any_(bindparam(f"{sight.prefix}patients_{place}", type_=_KEYS))


def _for_patient(
    sight: Sight, patient: ColumnElement[int], decision: Callable[[Standing], Formula]
) -> Formula:
    return either(
        [
            *_of_groups(sight, patient, [decision(standing) for standing in sight.groups]),
            *_of_ungrouped(sight, patient, decision),
            *([patient == bindparam(f"{sight.prefix}own_patient", type_=BigInteger)] if sight.own else []),
            *([patient == any_(bindparam(f"{sight.prefix}own_patients", type_=_KEYS))] if sight.owns else []),
        ]
    )


def _of_groups(sight: Sight, patient: ColumnElement[int], decided: Sequence[Formula]) -> Iterator[Formula]:
    if not sight.many:
        for place, one in enumerate(decided):
            yield every([_of_group(sight, place, patient), one])
    elif any(one is not False for one in decided):
        yield chosen(_place(sight, patient), [expression(one) for one in decided], false())


def _of_ungrouped(
    sight: Sight, patient: ColumnElement[int], decision: Callable[[Standing], Formula]
) -> Iterator[Formula]:
    if sight.otherwise is None:
        return
    if sight.many:
        ungrouped: ColumnElement[bool] = _place(sight, patient).is_(None)
    else:
        ungrouped = patient != all_(bindparam(f"{sight.prefix}grouped_patients", type_=_KEYS))
    yield every([ungrouped, decision(sight.otherwise)])


def _whole(sight: Sight, record: FromClause, parts: FromClause, types: TypeNumbers) -> Formula:
    """No patient that the row names objects to the row or to one of its parts.

    What follows others needs no grant of its own; inside another record it does.
    """
    patient, row = _unnested(_homes(record)), _rows(record, parts, types)
    facts = RecordColumns.of(row)
    decided = _for_patient(
        sight, patient.c.key, lambda standing: permits(standing, facts, types, granted=row.c.following)
    )
    objection = (
        select(patient.c.key)
        .select_from(patient.join(row, true()))
        .where(expression(decided).is_not(true()))
        .correlate_except(patient, row)
    )
    return not_(exists(objection))


def _rows(record: FromClause, parts: FromClause, types: TypeNumbers) -> FromClause:
    """The facts of the row and of its parts, those of directory types apart: they are readable."""
    part = parts.alias()
    names = [name for name in FACTS if name not in {"record_key", "source", "part_key"}]
    whose = [record.c.record_key, record.c.source]
    following = every(
        [
            type_in(RecordColumns.of(record), systems.FOLLOWING, types),
            func.cardinality(record.c.follows) > number(0),
        ]
    )
    itself = select(
        *(record.c[name] for name in names),
        *whose,
        null().label("part_key"),
        expression(following).label("following"),
    ).correlate(record)
    inside = (
        select(*(part.c[name] for name in names), *whose, part.c.part_key, false().label("following"))
        .where(
            record.c.parts,
            part.c.patient_key == record.c.patient_key,
            part.c.record_key == record.c.record_key,
            part.c.version == record.c.version,
            expression(negated(type_in(RecordColumns.of(part, whole=record), systems.DIRECTORY, types))),
        )
        .correlate(record)
    )
    return union_all(itself, inside).lateral()


def _follows(
    sight: Sight,
    record: FromClause,
    facts: RecordColumns,
    parts: FromClause,
    targets: FromClause,
    types: TypeNumbers,
    nobody: Nobody,
    heights: Mapping[str, int] = systems.FOLLOWING,
) -> Formula:
    """Of a row of a type that follows others: these are there, stand lower than it, and are visible."""
    heights = {name: height for name, height in heights.items() if type_in(facts, [name], types) is not False}
    if not heights:
        return True
    followed = _unnested(record.c.follows)
    target = targets.alias()
    kind = RecordColumns.of(target)
    further = {name: height for name, height in systems.FOLLOWING.items() if height < max(heights.values())}
    whole = every(
        [
            _whole(sight, target, parts, types),
            _follows(sight, target, kind, parts, targets, types, nobody, further),
        ]
    )
    found = (
        select(target.c.record_key)
        .where(
            target.c.record_key == followed.c.key,
            target.c.patient_key == any_(func.array_append(_homes(record), nobody(record), type_=_KEYS)),
            not_(target.c.deleted),
            expression(_lower(kind, facts, types, heights)),
            expression(either([_directory(sight, kind, types), whole])),
        )
        .correlate_except(target)
    )
    lost = select(followed.c.key).where(not_(exists(found))).correlate_except(followed)
    other = negated(type_in(facts, heights, types))
    return either([other, _empty(record.c.follows), not_(exists(lost))])


def _lower(
    target: RecordColumns, record: RecordColumns, types: TypeNumbers, heights: Mapping[str, int]
) -> Formula:
    """Whether a target stands lower than the row that follows it."""
    return either(
        every(
            [
                type_in(record, [name], types),
                negated(
                    type_in(target, [one for one, its in systems.FOLLOWING.items() if its >= height], types)
                ),
            ]
        )
        for name, height in heights.items()
    )


def _empty(keys: ColumnElement[Sequence[int]]) -> ColumnElement[bool]:
    """Whether there is no key, which rows say by NULL or by an empty array; never NULL itself."""
    return func.coalesce(func.cardinality(keys), number(0)) == number(0)


def _zero(_: FromClause) -> ColumnElement[int]:
    """Nobody's key wherever one statement is about one store."""
    return number(0)


def _homes(record: FromClause) -> ColumnElement[Sequence[int]]:
    """The patients that the row names; its targets lie with one of them, or with nobody."""
    return func.array_append(record.c.others, record.c.patient_key, type_=_KEYS)


def _unnested(keys: ColumnElement[Sequence[int]]) -> FromClause:
    """The keys of an array as rows, in a column `key`."""
    return func.unnest(keys).table_valued(column("key", BigInteger)).render_derived()


def _directory(sight: Sight, facts: RecordColumns, types: TypeNumbers) -> Formula:
    return type_in(facts, systems.DIRECTORY, types) if sight.directory else False
