"""A write from its beginning to its end: what is asked in which order.

http://hl7.org/fhir/R4/http.html#update

What needs no look-up is checked first, so that a refusal tells nothing of what is stored.
"""

from collections.abc import Mapping, Sequence

from psycopg.errors import InsufficientPrivilege, NotNullViolation, UniqueViolation

from fhirstore import store
from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.audit.written import unrecorded
from passport.decision import Decision, decide
from passport.devices.keeping import check_revoked
from passport.effects import Effective, carry_effects, check_effects
from passport.family.birthdays import guardians_of, moved
from passport.family.bounding import check_bounded
from passport.family.keeping import check_kept
from passport.holders import check_held
from passport.intake.contents import check_targets, pieces_of
from passport.intake.current import currents_of
from passport.intake.judging import judge_and_record
from passport.intake.origins import check_origins
from passport.intake.registrations import told
from passport.intake.resting import Rest, rest_of
from passport.intake.rows import Drawn, rows_of
from passport.outcomes import Overtaken, Refused, naming
from passport.pieces import (
    Current,
    Piece,
    Write,
    Written,
    already,
    answered,
    check_scopes,
    check_valid_in_pieces,
    check_version,
    reference_of,
    resting,
)
from passport.policies import check_policies


async def write(desk: Desk, writes: Sequence[Write], *, commit: bool = False) -> list[Written]:
    """Store `writes`, all of them or none, in the desk's transaction.

    To delete what the caller knows to be deleted is done already, and writes nothing.

    Args:
        desk: who writes, in an open transaction.
        writes: what is written, each record at most once.
        commit: whether the transaction ends with it; the COMMIT then costs no round trip of its own.

    Raises:
        Invalid: a resource breaks the specification or is nobody's, speaks in the name of a device, or a consent cannot
            be enforced; all problems at once.
        Refused: nothing lets this caller write this.
        NotAllowed: an update of what the caller cannot see, whether it is there or not, or of what was deleted and
            is not theirs to write again.
        Overtaken: another write stored the first version of one of these records first.
        NotFound: a deletion or a patch of what the caller cannot see.
        Gone: a patch of what was deleted, and which they could see.
        Conflict: a deletion of a device that is enrolled.
        PreconditionFailed: `if_match` is not the current version.
    """
    await check_valid_in_pieces(writes)
    check_scopes(desk, writes)
    action = desk.request.action
    granted = await decide(desk.runtime, desk.connection, await desk.standing_for(action), action)
    currents = await currents_of(desk, granted, writes)
    done = {at: current for at, one in enumerate(writes) if (current := _done(one, currents)) is not None}
    left = [one for at, one in enumerate(writes) if at not in done]
    written = iter(await _carried_out(desk, granted, left, currents, commit=commit))
    return [already(one, done[at].row) if at in done else next(written) for at, one in enumerate(writes)]


async def nothing_written(desk: Desk) -> None:
    """Keep the row of a request that found nothing to write."""
    await desk.audit(*(desk.row(patient, "not-found") for patient in desk.standing.named or (NOBODY,)))


def _done(one: Write, currents: Mapping[str, Current]) -> Current | None:
    """What was deleted before, of a deletion of it.

    Raises:
        PreconditionFailed: it is made for a version that is no longer there.
    """
    current = currents.get(reference_of(one)) if one.method == "delete" else None
    if current is None or not current.row.deleted:
        return None
    with naming(one.entry):
        check_version(one, current)
    return current


async def _carried_out(
    desk: Desk, granted: Decision, writes: Sequence[Write], currents: Mapping[str, Current], *, commit: bool
) -> list[Written]:
    """Store what is to be written; what it raises stands at `write`."""
    if not writes:
        await nothing_written(desk)
        if commit:
            await desk.commit()
        return []
    pieces = await pieces_of(desk, granted, writes, currents)
    for piece in pieces:
        check_held(desk, piece.facts, piece.on)
    check_origins(desk, pieces)
    check_effects(desk, pieces)
    await check_policies(desk, pieces)
    await check_kept(desk, pieces)
    await check_bounded(desk, pieces)
    await check_revoked(desk, pieces)
    rest = await rest_of(desk, pieces)
    await check_targets(desk, pieces)
    drawn = await rows_of(desk, pieces, rest)
    guardians = await guardians_of(desk, writes)
    await _store(desk, pieces, drawn, rest, commit=commit and not guardians)
    written = [answered(piece, one.row, one.plain) for piece, one in zip(pieces, drawn, strict=True)]
    if guardians:
        if consents := await moved(desk, written, guardians):
            await write(desk, consents)
        if commit:
            await desk.commit()
    return [told(desk, piece, one) for piece, one in zip(pieces, written, strict=True)]


async def _store(
    desk: Desk, pieces: Sequence[Piece], drawn: Sequence[Drawn], rest: Rest, *, commit: bool
) -> None:
    """Save, and let it stand only if it may: nothing here waits for a result that it does not need."""
    rows = [one.row for one in drawn]
    proposed = desk.runtime.keys.token("proposed")
    effects = [
        Effective(
            row,
            piece.tree,
            piece.facts,
            piece.on,
            answers=not piece.creates and piece.current is not None and piece.current.row.status == proposed,
            relabelled=piece.write.labels_only,
        )
        for piece, row in zip(pieces, rows, strict=True)
    ]
    try:
        async with desk.connection.pipeline():
            await store.save(desk.connection, rows)
            await carry_effects(desk, effects)
            await judge_and_record(desk, pieces, rows, rest)
            if commit:
                await desk.commit()
    except UniqueViolation as error:
        raise Overtaken from error
    except InsufficientPrivilege as error:
        # The wall stands where the clause would have refused: one answer for both.
        raise Refused(expression=_only_one(pieces)) from error
    except NotNullViolation as error:
        if unrecorded(error):
            raise Refused(expression=_only_one(pieces)) from error
        raise


def _only_one(pieces: Sequence[Piece]) -> list[str]:
    """The place of what was refused, where one alone rests on a consent: the database says it of all of them."""
    resting_on = [piece.write.entry for piece in pieces if resting(piece) is not None]
    return [place for place in resting_on if place] if len(resting_on) == 1 else []
