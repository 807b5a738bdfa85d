"""Merging two registrations of one person, and separating them again.

http://hl7.org/fhir/R4/patient.html#merge

A merge moves no record. Each of the two keeps its key, its consents and its log; what is linked is how they are
looked at. So nobody sees more by a merge than what each of the two lets them see, and undoing it loses nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from re import compile as pattern
from typing import Any, Final
from uuid import UUID

from consent.model import Action
from fhirstore.parse import Tree
from passport.admission import Desk, Request, admitted
from passport.audit.actions import MERGE, UNMERGE
from passport.audit.query import recorded
from passport.authority import Basis
from passport.identity import tokens
from passport.identity.scopes import require
from passport.intake import write
from passport.notices import Kind, tell
from passport.outcomes import Conflict, Invalid, NotFound
from passport.patients import links, store
from passport.patients.office import check_operator
from passport.pieces import Write
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import Row, fetch
from passport.subjects import Caller

MERGES: Final = "identity/merges"

REASON_CHARACTERS: Final = range(4, 501)
SHOWN: Final = 200
"""Merges that one answer holds, the newest."""

_PATIENT: Final = pattern(r"Patient/[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator asks for: which registration stays in use, which one it replaces, and why."""

    survivor: str
    duplicate: str
    reason: str


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge, standing or undone."""

    id: UUID
    survivor: str
    duplicate: str
    merged_at: datetime
    undone_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The JSON of it."""
        told: dict[str, Any] = {
            "id": str(self.id),
            "survivor": self.survivor,
            "duplicate": self.duplicate,
            "merged": written_instant(self.merged_at),
        }
        return told if self.undone_at is None else {**told, "undone": written_instant(self.undone_at)}


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two registrations by their keys."""

    survivor: int
    duplicate: int

    @property
    def keys(self) -> list[int]:
        return [self.survivor, self.duplicate]


def asked(tree: Mapping[str, Any]) -> Asked:
    """Read the body of a request.

    Raises:
        Invalid: not two references of different Patients, or no reason of 4 to 500 characters.
    """
    named = [tree.get(name) for name in ("survivor", "duplicate")]
    survivor, duplicate = (one if isinstance(one, str) and _PATIENT.fullmatch(one) else None for one in named)
    if survivor is None or duplicate is None or survivor == duplicate:
        text = "got no two different references such as `Patient/1` in `survivor` and `duplicate`"
        raise Invalid(text, ("survivor", "duplicate"))
    reason = tree.get("reason")
    if not isinstance(reason, str) or len(reason.strip()) not in REASON_CHARACTERS:
        least, most = REASON_CHARACTERS.start, REASON_CHARACTERS.stop - 1
        raise Invalid(f"got no reason of {least} to {most} characters in `reason`", ("reason",))
    return Asked(survivor, duplicate, reason.strip())


async def merge(runtime: Runtime, caller: Caller, wanted: Asked) -> Merge:
    """Let one registration take another one's place.

    Raises:
        Refused: the caller is no operator.
        NotFound: one of the two is not registered.
        Conflict: another registration replaces one of them already.
    """
    request = Request(
        Action.CORRECT, MERGE, recorded("POST", MERGES), wanted.survivor, "write", (wanted.duplicate,)
    )
    async with admitted(runtime, caller, request) as desk:
        pair = await _pair(desk, wanted)
        if await fetch(desk.connection, store.STANDING_MERGES, {"patient_keys": pair.keys}):
            raise Conflict("got a registration that another one replaces already, expected two in use")
        merge_id = tokens.random_uuid(runtime)
        was_active = await _link_patients(desk, wanted)
        row = {
            "duplicate": pair.duplicate,
            "survivor": pair.survivor,
            "merge_id": merge_id,
            "was_active": was_active,
            "now": desk.now,
        }
        await fetch(desk.connection, store.MERGE, row)
        await _settle(desk, pair)
        await _tell(desk, pair, "registrations-merged", wanted.survivor, wanted.duplicate)
        return Merge(merge_id, wanted.survivor, wanted.duplicate, desk.now, None)


async def undo(runtime: Runtime, caller: Caller, merge_id: UUID) -> Merge:
    """Separate two registrations: each is again what it was, with what was written of it since.

    Raises:
        Refused: the caller is no operator.
        NotFound: there is no such merge.
        Conflict: it was undone before.
    """
    request = Request(
        Action.CORRECT, UNMERGE, recorded("POST", f"{MERGES}/{merge_id}/undo"), isolation="write"
    )
    async with admitted(runtime, caller, request) as desk:
        await _hold(desk)
        row = next(iter(await _merges(desk, merge_id)), None)
        if row is None:
            raise NotFound("no such merge")
        found = _merge(row)
        key = {"duplicate": row.patient_key, "merge_id": merge_id, "now": desk.now}
        if not await fetch(desk.connection, store.UNDO, key):
            raise Conflict("got a merge that was undone before, expected one that stands")
        pair = _Pair(row.survivor_key, row.patient_key)
        await _unlink_patients(desk, found, row.was_active)
        await _settle(desk, pair)
        await _tell(desk, pair, "registrations-separated", found.survivor, found.duplicate)
        return Merge(found.id, found.survivor, found.duplicate, found.merged_at, desk.now)


async def merges(runtime: Runtime, caller: Caller) -> Sequence[Merge]:
    """The newest merges, standing and undone.

    Raises:
        Refused: the caller is no operator.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "search", recorded("GET", MERGES))) as desk:
        check_operator(desk)
        require(desk.subject.scopes, "s", "Patient")
        rows = await _merges(desk, None)
        told = {key for row in rows for key in (row.patient_key, row.survivor_key)}
        await desk.audit(*(desk.row(patient) for patient in sorted(told or {0})))
        return [_merge(row) for row in rows]


async def _hold(desk: Desk) -> None:
    check_operator(desk)
    await fetch(desk.connection, store.HOLD, {"key": desk.runtime.keys.token("merge of registrations")})


async def _pair(desk: Desk, wanted: Asked) -> _Pair:
    await _hold(desk)
    keys = [desk.runtime.keys.reference(one) for one in (wanted.survivor, wanted.duplicate)]
    rows = await fetch(desk.connection, store.HOLDERS, {"record_keys": keys})
    held = {row.record_key: row.patient_key for row in rows}
    if len(held) < len(keys):
        raise NotFound("no such Patient")
    return _Pair(*(held[key] for key in keys))


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
    def survive(tree: Tree) -> Tree:
        return links.unlinked(tree, found.duplicate, links.REPLACES)

    def reinstate(tree: Tree) -> Tree:
        return links.unlinked(links.reinstated(tree, was_active), found.survivor, links.REPLACED_BY)

    await _rewrite(desk, {found.survivor: survive, found.duplicate: reinstate}, UNMERGE, None)


async def _rewrite(desk: Desk, patches: Mapping[str, links.Patch], activity: str, reason: str | None) -> None:
    """Write a new version of each Patient, and beside it the Provenance that says why."""
    writes = []
    for reference, patch in patches.items():
        told = links.provenance(reference, activity, reason, written_instant(desk.now))
        writes.append(Write("update", "Patient", id=reference.partition("/")[2], patch=patch))
        writes.append(Write("create", "Provenance", told, on=Basis.OFFICE))
    await write(desk, writes)


async def _settle(desk: Desk, pair: _Pair) -> None:
    """Draw anew what the standing merges come to for everybody concerned."""
    (row,) = await fetch(desk.connection, store.UNLINK, {"patient_keys": pair.keys})
    concerned = {"patient_keys": row.patient_keys}
    for statement in (store.LINK, store.UNSPREAD_DEATHS, store.SPREAD_DEATHS):
        await fetch(desk.connection, statement, concerned)


async def _tell(desk: Desk, pair: _Pair, kind: Kind, survivor: str, duplicate: str) -> None:
    about = {"survivor": survivor, "duplicate": duplicate, "by": desk.subject.reference}
    for patient in pair.keys:
        notice_id = tokens.random_uuid(desk.runtime)
        await tell(desk.connection, patient, kind, about, notice_id=notice_id, now=desk.now)


async def _merges(desk: Desk, merge_id: UUID | None) -> Sequence[Row]:
    return await fetch(desk.connection, store.MERGES, {"merge_id": merge_id, "limit": SHOWN})


def _merge(row: Row) -> Merge:
    return Merge(
        id=row.merge_id,
        survivor=f"Patient/{row.survivor_id}",
        duplicate=f"Patient/{row.duplicate_id}",
        merged_at=row.merged_at,
        undone_at=row.undone_at,
    )
