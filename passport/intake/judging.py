"""The judgement of what was saved: whether it may stand, and by which grants; said in the audit row or not at all.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from consent.model import Action
from fhirstore import store
from fhirstore.rows import RecordRow
from passport.admission import Desk
from passport.audit.record import AuditRow
from passport.audit.written import parameters, recorded_as_judged
from passport.decision import Decision, decide, is_of
from passport.identity.record_scopes import Right
from passport.identity.scopes import missing
from passport.intake.resting import Rest
from passport.narrowing import narrowing
from passport.outcomes import OutOfScope, Refused
from passport.pieces import Piece, registers, resting
from passport.sql import start

_AUDITED: Final = {"Consent": "consent-change"}
_WRITING: Final[tuple[Right, ...]] = ("c", "u")

Relied = Mapping[int, Sequence[tuple[int, str]]]
"""What each record rests on: grants by their numbers, and the consents that these are of."""


async def judge_and_record(
    desk: Desk, pieces: Sequence[Piece], rows: Sequence[RecordRow], rest: Rest
) -> None:
    """Ask of what was saved whether it may stand, and write the audit rows; call it inside of a pipeline.

    The last judgement and the audit rows are one statement, which fails where something may not stand: what
    follows it in the pipeline, the COMMIT too, is then not carried out.

    Raises:
        Refused: a record, one of its parts or one of the patients it names does not permit it.
    """
    asked: dict[Action, list[int]] = {}
    for piece, row in zip(pieces, rows, strict=True):
        if (action := resting(piece)) is not None:
            asked.setdefault(action, []).append(row.record_key)
    registered = [row.patient_key for piece, row in zip(pieces, rows, strict=True) if registers(piece)]
    names = {piece.facts.type.name for piece in pieces}
    await _check_scoped(desk, pieces, rows)
    decisions = {}
    for action in asked:
        decision = await decide(desk.runtime, desk.connection, rest.standing(action, registered), action)
        decisions[action] = (decision.of(*names) if len(names) == 1 else decision).by()
    relied: dict[int, Sequence[tuple[int, str]]] = {}
    actions = list(asked)
    for action in actions[:-1]:
        relied |= await _judged(desk, decisions[action], asked[action])
    audited = _audit_rows(desk, pieces, rows, relied)
    if not actions:
        await desk.audit(*audited)
        return
    decision, keys = decisions[actions[-1]], asked[actions[-1]]
    prepared = desk.runtime.statements.composed(
        ("judged and recorded", decision.type_name, decision.structure),
        lambda: recorded_as_judged(store.judged(decision.clause, decision.relied)),
    )
    values = {**decision.params, "record_keys": keys, **parameters(audited, decision.grants, len(keys))}
    await start(desk.connection, prepared, values)


async def _check_scoped(desk: Desk, pieces: Sequence[Piece], rows: Sequence[RecordRow]) -> None:
    """Refuse what was saved beyond the search arguments of the session's scopes, or about another than its patient.

    What is deleted was asked as it stood before; what is written is asked as it stands now.
    """
    narrowed = narrowing(desk.subject.scopes, desk.runtime.keys)
    if narrowed is None:
        return
    saved = list(zip(pieces, rows, strict=True))
    for right in _WRITING:
        asked = {row.record_key: piece.facts.type.name for piece, row in saved if piece.write.needs == right}
        prepared = desk.runtime.statements.composed(
            ("scoped", right, narrowed.structure),
            partial(store.held, partial(narrowed.clause, rights=(right,))),
        )
        cursor = await start(desk.connection, prepared, {**narrowed.params, "record_keys": list(asked)})
        beyond = asked.keys() - {row.record_key for row in await cursor.fetchall()}
        if beyond:
            raise OutOfScope(missing(right, *(asked[key] for key in beyond)), tells=False)


async def _judged(desk: Desk, decision: Decision, keys: Sequence[int]) -> Relied:
    """Judge what rests on one action of several."""
    prepared = desk.runtime.statements.composed(
        ("judged", decision.type_name, decision.structure),
        partial(store.judged, decision.clause, decision.relied),
    )
    # The write is sent as a pipeline: these rows have to be waited for.
    cursor = await start(desk.connection, prepared, {**decision.params, "record_keys": keys})
    found = await cursor.fetchall()
    if len(found) < len(keys) or not all(row.permitted for row in found):
        raise Refused
    names = dict(decision.grants)
    return {row.record_key: [(code, names[code]) for code in row.relied] for row in found}


def _audit_rows(
    desk: Desk, pieces: Sequence[Piece], rows: Sequence[RecordRow], relied: Relied
) -> list[AuditRow]:
    """One row for each patient of the write."""
    by_patient: dict[int, list[tuple[Piece, RecordRow]]] = {}
    for piece, row in zip(pieces, rows, strict=True):
        for patient in (row.patient_key, *row.others):
            by_patient.setdefault(patient, []).append((piece, row))
    return [
        desk.row(
            patient,
            record_keys=[row.record_key for _, row in theirs],
            versions=[row.version for _, row in theirs],
            rests=[str(resting(piece) or piece.on.name.lower()) for piece, _ in theirs],
            grants=sorted(
                {
                    ref
                    for _, row in theirs
                    for code, ref in relied.get(row.record_key, ())
                    if is_of(patient, code)
                }
            ),
            action=_AUDITED.get(pieces[0].facts.type.name, desk.request.verb),
        )
        for patient, theirs in by_patient.items()
    ]
