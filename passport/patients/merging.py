"""Merging two registrations of one person, which takes two operators, and separating them again, which takes one.

http://hl7.org/fhir/R4/patient.html#merge

A merge moves no record. Each of the two keeps its key, its consents and its log; what is linked is how they are
looked at. So nobody sees more by a merge than what each of the two lets them see, and undoing it loses nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from consent.model import Action
from fhirstore.parse import Tree
from fhirstore.tables import NOBODY
from passport.admission import Desk, Request, admitted
from passport.audit.actions import MERGE, MERGE_DECLINED, MERGE_PROPOSED, UNMERGE
from passport.audit.names import named
from passport.audit.query import recorded
from passport.authority import Basis
from passport.desk import matters
from passport.identity import tokens
from passport.identity.persons import require_another
from passport.identity.record_scopes import Right
from passport.intake import write
from passport.notices import Kind, tell
from passport.outcomes import Conflict
from passport.patients import links, proposals, store
from passport.patients.office import check_operator
from passport.patients.proposals import Asked, Merge, Pair
from passport.patients.separating import end_what_others_gave
from passport.pieces import Write
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller

MERGES: Final = "identity/merges"


async def propose(runtime: Runtime, caller: Caller, wanted: Asked) -> Merge:
    """Ask another operator to let one registration take another one's place; nothing comes of it before.

    Raises:
        Refused: the caller is no operator.
        NotFound: one of the two is not registered.
        Conflict: another registration replaces one of them already.
    """
    both = (wanted.survivor, (wanted.duplicate,))
    request = Request(Action.CORRECT, MERGE_PROPOSED, recorded("POST", MERGES), both[0], "write", both[1])
    async with admitted(runtime, caller, request) as desk:
        _check(desk, "u")
        pair = await proposals.pair_of(desk, wanted)
        merge_id = tokens.random_uuid(runtime)
        await proposals.put(desk, pair, merge_id, wanted)
        await desk.audit(*(desk.row(patient, detail=str(merge_id)) for patient in pair.keys))
        return await proposals.one(desk, merge_id)


async def confirm(runtime: Runtime, caller: Caller, merge_id: UUID) -> Merge:
    """Agree to what another operator asked for: one registration takes another one's place.

    Raises:
        Refused: the caller is no operator, or asked for it.
        NotFound: there is no such proposal.
        Conflict: it was decided before, or another registration replaces one of the two meanwhile.
    """
    query = recorded("POST", f"{MERGES}/{merge_id}/confirm")
    request = Request(Action.CORRECT, MERGE, query, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        await _hold(desk)
        matter = await proposals.to_decide(desk, merge_id)
        await require_another(desk.connection, matter.proposed_by, desk.subject.reference)
        wanted = Asked.of(matter)
        pair = await proposals.pair_of(desk, wanted)
        was_active = await _link_patients(desk, wanted)
        row = {
            "duplicate": pair.duplicate,
            "survivor": pair.survivor,
            "merge_id": merge_id,
            "was_active": was_active,
            "now": desk.now,
        }
        await fetch(desk.connection, store.MERGE, row)
        await matters.decided(desk, matter, "confirmed", ())
        await _settle(desk, pair)
        await _tell(desk, pair, "registrations-merged", wanted.survivor, wanted.duplicate)
        return await proposals.one(desk, merge_id)


async def decline(runtime: Runtime, caller: Caller, merge_id: UUID) -> Merge:
    """Let nothing come of what was asked for; whoever asked may take it back as well.

    Raises:
        Refused: the caller is no operator.
        NotFound: there is no such proposal.
        Conflict: it was decided before.
    """
    query = recorded("POST", f"{MERGES}/{merge_id}/decline")
    request = Request(Action.CORRECT, MERGE_DECLINED, query, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        _check(desk, "u")
        matter = await proposals.to_decide(desk, merge_id)
        await matters.decided(desk, matter, "declined", ())
        wanted = Asked.of(matter)
        keys = [desk.runtime.keys.reference(one) for one in (wanted.survivor, wanted.duplicate)]
        held = await fetch(desk.connection, store.HOLDERS, {"record_keys": keys})
        await desk.audit(*(desk.row(row.patient_key, detail=str(merge_id)) for row in held))
        return await proposals.one(desk, merge_id)


async def undo(runtime: Runtime, caller: Caller, merge_id: UUID) -> Merge:
    """Separate two registrations: each is again what it was, with what was written of it since.

    What a session of the one gave of the other ends.

    One operator does it: it shows less to everybody, and each day that two strangers are one person does harm.

    Raises:
        Refused: the caller is no operator.
        NotFound: there is no such merge.
        Conflict: it was undone before, or was never agreed to.
    """
    request = Request(
        Action.CORRECT, UNMERGE, recorded("POST", f"{MERGES}/{merge_id}/undo"), isolation="write"
    )
    async with admitted(runtime, caller, request) as desk:
        await _hold(desk)
        found = await proposals.one(desk, merge_id)
        if found.state != "merged":
            raise Conflict(f"got a merge that is {found.state}, expected one that stands")
        (row,) = await fetch(desk.connection, store.UNDO, {"merge_id": merge_id, "now": desk.now})
        pair = Pair(row.survivor_key, row.patient_key)
        await _unlink_patients(desk, found, row.was_active)
        await end_what_others_gave(desk, await _settle(desk, pair))
        await _tell(desk, pair, "registrations-separated", found.survivor, found.duplicate)
        return await proposals.one(desk, merge_id)


async def merges(runtime: Runtime, caller: Caller) -> Sequence[Merge]:
    """The newest merges: what waits for another operator, what was declined, what stands and what was undone.

    Raises:
        Refused: the caller is no operator.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "search", recorded("GET", MERGES))) as desk:
        _check(desk, "s")
        found = await proposals.newest(desk)
        told = {key for _, keys in found for key in keys} or {NOBODY}
        await desk.audit(*(desk.row(patient) for patient in sorted(told)))
        return [merge for merge, _ in found]


def _check(desk: Desk, right: Right) -> None:
    check_operator(desk)
    desk.require(right, "Patient")


async def _hold(desk: Desk) -> None:
    _check(desk, "u")
    await fetch(desk.connection, store.HOLD, {"key": desk.runtime.keys.token("merge of registrations")})


async def _link_patients(desk: Desk, wanted: Asked) -> bool | None:
    """Write both Patients; returns what the duplicate's said of its being in use."""
    before: list[bool | None] = []

    def survive(tree: Tree) -> Tree:
        return links.linked(tree, wanted.duplicate, links.REPLACES)

    def retire(tree: Tree) -> Tree:
        before.append(links.activity_of(tree))
        return links.linked(links.retired(tree), wanted.survivor, links.REPLACED_BY)

    await _rewrite(desk, {wanted.survivor: survive, wanted.duplicate: retire}, MERGE, wanted.reason)
    return before[0]


async def _unlink_patients(desk: Desk, found: Merge, was_active: bool | None) -> None:
    """Write both Patients without what links them; one that was deleted since then stays deleted as it is."""

    def survive(tree: Tree) -> Tree:
        return links.unlinked(tree, found.duplicate, links.REPLACES)

    def reinstate(tree: Tree) -> Tree:
        return links.unlinked(links.reinstated(tree, was_active), found.survivor, links.REPLACED_BY)

    patches = {found.survivor: survive, found.duplicate: reinstate}
    keys = [desk.runtime.keys.reference(name) for name in patches]
    records = {record.reference: record for record in (await named(desk.connection, keys)).values()}
    standing = {name: patch for name, patch in patches.items() if not records[name].deleted}
    if standing:
        await _rewrite(desk, standing, UNMERGE, None)
    # Who is written of has it in their log by that; the others have it as well.
    deleted = [records[name].patient_key for name in patches.keys() - standing]
    await desk.audit(*(desk.row(patient, detail=str(found.id)) for patient in deleted))


async def _rewrite(desk: Desk, patches: Mapping[str, links.Patch], activity: str, reason: str | None) -> None:
    """Write a new version of each Patient, and beside it the Provenance that says why."""
    writes = []
    for reference, patch in patches.items():
        told = links.provenance(reference, activity, reason, written_instant(desk.now))
        writes.append(
            Write("update", "Patient", id=reference.partition("/")[2], patch=patch, on=Basis.OFFICE)
        )
        writes.append(Write("create", "Provenance", told, on=Basis.OFFICE))
    await write(desk, writes)


async def _settle(desk: Desk, pair: Pair) -> Sequence[int]:
    """Draw anew what the standing merges come to; returns everybody concerned."""
    (row,) = await fetch(desk.connection, store.UNLINK, {"patient_keys": pair.keys})
    concerned = {"patient_keys": row.patient_keys}
    for statement in (store.LINK, store.UNSPREAD_DEATHS, store.SPREAD_DEATHS):
        await fetch(desk.connection, statement, concerned)
    patient_keys: Sequence[int] = row.patient_keys
    return patient_keys


async def _tell(desk: Desk, pair: Pair, kind: Kind, survivor: str, duplicate: str) -> None:
    about = {"survivor": survivor, "duplicate": duplicate, "by": desk.subject.reference}
    for patient in pair.keys:
        notice_id = tokens.random_uuid(desk.runtime)
        await tell(desk.connection, patient, kind, about, notice_id=notice_id, now=desk.now)
