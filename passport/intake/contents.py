"""What is to be stored: the content of each write, its facts, and what it may rest on.

http://hl7.org/fhir/R4/http.html#update
http://hl7.org/fhir/R4/http.html#patch
"""

from collections.abc import Mapping, Sequence

from fhirstore.facts import completed, gathered, medications
from fhirstore.parse import Tree, parse
from passport.admission import Desk
from passport.authority import Basis, Before, basis
from passport.decision import Decision
from passport.disclosure import directory_trees
from passport.holders import medication_codes
from passport.intake.current import names_caller, readable, wrote
from passport.intake.labels import with_labels
from passport.intake.registrations import check_patched
from passport.intake.restoring import restored
from passport.outcomes import NotFound, Refused, naming
from passport.pieces import (
    Current,
    Piece,
    Write,
    check_current,
    check_valid_in_pieces,
    check_version,
    reference_of,
)
from passport.records import opened_body
from passport.turns import in_pieces

_MEDICATION = "Medication"


async def pieces_of(
    desk: Desk, granted: Decision, writes: Sequence[Write], currents: Mapping[str, Current]
) -> list[Piece]:
    """Read the facts of every write, and whom it may rest on.

    Raises:
        Refused: nothing could let one of them through.
        NotFound: one deletes or patches what is out of sight.
        NotAllowed: one updates what is out of sight.
        Invalid: a patch does not apply, or what it makes breaks the specification.
        PreconditionFailed: `if_match` is not the current version.
    """
    stored = {name: _opened(desk, current) async for name, current in in_pieces(list(currents.items()))}
    trees = await _contents(desk, writes, currents, stored)
    ids = [one.id or desk.runtime.new_id() for one in writes]
    beside = {
        f"{one.type}/{id_}": tree
        for one, id_, tree in zip(writes, ids, trees, strict=True)
        if one.type == _MEDICATION and one.method != "delete"
    }
    referred = {name for tree in trees for name in medications(tree)} - beside.keys()
    codes = medication_codes({**await directory_trees(desk, sorted(referred)), **beside})
    pieces = []
    async for one, id_, tree in in_pieces(list(zip(writes, ids, trees, strict=True))):
        current = currents.get(reference_of(one))
        told = gathered(
            {**tree, "id": id_},
            zone=desk.runtime.settings.zone,
            medication_codes=codes,
            base_urls=(desk.runtime.settings.fhir_url,),
        )
        content, told = with_labels(one, tree, told, stored.get(reference_of(one)))
        facts = completed(told)
        before = None
        if current is not None:
            before = Before(wrote(desk, current.row), names_caller(desk, current.row))
        # Only whoever a policy lets write a whole type is a conformance suite, and only in a sandbox.
        sandbox = desk.runtime.settings.sandbox and granted.covers(one.type)
        with naming(one.entry):
            on = one.on or basis(
                desk.subject,
                content,
                facts,
                before,
                sandbox=sandbox,
                labels_only=one.labels_only,
                taken=bool(one.taken),
            )
            check_current(desk.subject, one, current, on, granted)
            _check_unchanged(one, current, on)
        pieces.append(Piece(one, id_, content, facts, current, on))
    return pieces


def _check_unchanged(one: Write, current: Current | None, on: Basis) -> None:
    """What somebody proposed stays what its patient was told of and read; its author takes it back and asks anew.

    Raises:
        Refused: its author changes it.
    """
    if on is Basis.PROPOSAL and one.on is None and one.method == "update" and current is not None:
        raise Refused("a proposal is not changed: it is taken back, and another one put")


def _opened(desk: Desk, current: Current) -> Tree:
    row = current.row
    return parse(opened_body(row, desk.runtime.ring.unwrap(row.patient_key, row.wrapped_key), row.type))


async def _contents(
    desk: Desk, writes: Sequence[Write], currents: Mapping[str, Current], stored: Mapping[str, Tree]
) -> list[Tree]:
    """The tree of each write: as it was sent, patched, or of what is deleted, whose facts the tombstone keeps."""
    trees = [_content(desk, one, currents.get(reference_of(one)), stored) for one in writes]
    patched = [one.with_tree(tree) for one, tree in zip(writes, trees, strict=True) if one.patch is not None]
    await check_valid_in_pieces(patched)
    return trees


def _content(desk: Desk, one: Write, current: Current | None, stored: Mapping[str, Tree]) -> Tree:
    with naming(one.entry):
        if one.tree is not None:
            return one.tree if current is None else restored(desk, one.tree, current)
        check_patched(desk, one, current)
        if current is None:
            raise NotFound
        before = stored[reference_of(one)]
        if one.patch is None:
            return before
        check_version(one, current)
        return one.patch(before)


async def check_targets(desk: Desk, pieces: Sequence[Piece]) -> None:
    """What others follow is in the same write, or read by this session: what its caller sees, or wrote.

    Raises:
        Refused: a target is none of these, whether it is there or not.
    """
    beside = {piece.reference for piece in pieces}
    wanted = {
        name
        for piece in pieces
        if piece.on in (Basis.CONSENT, Basis.OWN)
        for name in piece.facts.follows
        if name not in beside
    }
    if not wanted:
        return
    if await readable(desk, wanted) != wanted:
        raise Refused
