"""Merges as operators put them to one another: asked for by one of them, agreed to or declined by another.

http://hl7.org/fhir/R4/patient.html#merge

What waits is a matter like those of the city desk, sealed with the key of the registration that is to stay in use; a
merge that follows bears its id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from re import compile as pattern
from typing import Any, Final, Literal, Self
from uuid import UUID

from passport.admission import Desk
from passport.desk import matters
from passport.desk.matters import Matter
from passport.outcomes import Conflict, Invalid, NotFound
from passport.patients import store
from passport.records import written_instant
from passport.sql import Row, fetch

KIND: Final = "merge"
"""What such a matter is called."""

REASON_CHARACTERS: Final = range(4, 501)
SHOWN: Final = 200
"""Merges that one answer holds, the newest."""

State = Literal["proposed", "declined", "merged", "undone"]

_PATIENT: Final = pattern(r"Patient/[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator asks for: which registration stays in use, which one it replaces, and why."""

    survivor: str
    duplicate: str
    reason: str

    @classmethod
    def of(cls, matter: Matter) -> Self:
        """What was asked for then."""
        return cls(**matter.content)


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge: what was asked for, what became of it, and whose words these were; None where that is not known."""

    id: UUID
    survivor: str
    duplicate: str
    reason: str | None = None
    proposed: datetime | None = None
    proposed_by: str | None = None
    declined: datetime | None = None
    merged: datetime | None = None
    decided_by: str | None = None
    undone: datetime | None = None

    @property
    def state(self) -> State:
        """How it stands."""
        if self.merged is None:
            return "proposed" if self.declined is None else "declined"
        return "merged" if self.undone is None else "undone"

    @property
    def begun(self) -> datetime:
        """When it was first heard of."""
        return next(time for time in (self.proposed, self.merged) if time is not None)

    def as_json(self) -> dict[str, Any]:
        """The JSON of it."""
        told = {
            "id": str(self.id),
            "state": self.state,
            "survivor": self.survivor,
            "duplicate": self.duplicate,
            "reason": self.reason,
            "proposed_by": self.proposed_by,
            "decided_by": self.decided_by,
        }
        times = {
            "proposed": self.proposed,
            "declined": self.declined,
            "merged": self.merged,
            "undone": self.undone,
        }
        told |= {name: written_instant(time) for name, time in times.items() if time is not None}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Pair:
    """The two registrations by their keys."""

    survivor: int
    duplicate: int

    @property
    def keys(self) -> list[int]:
        """Both."""
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


async def pair_of(desk: Desk, wanted: Asked) -> Pair:
    """The two registrations, each of which is in use.

    Raises:
        NotFound: one of the two is not registered.
        Conflict: another registration replaces one of them already.
    """
    keys = [desk.runtime.keys.reference(one) for one in (wanted.survivor, wanted.duplicate)]
    rows = await fetch(desk.connection, store.HOLDERS, {"record_keys": keys})
    held = {row.record_key: row.patient_key for row in rows}
    if len(held) < len(keys):
        raise NotFound("no such Patient")
    pair = Pair(*(held[key] for key in keys))
    if await fetch(desk.connection, store.STANDING_MERGES, {"patient_keys": pair.keys}):
        raise Conflict("got a registration that another one replaces already, expected two in use")
    return pair


async def put(desk: Desk, pair: Pair, merge_id: UUID, wanted: Asked) -> None:
    """Keep what is asked for until another operator decides."""
    content = {"survivor": wanted.survivor, "duplicate": wanted.duplicate, "reason": wanted.reason}
    await matters.put(desk, pair.survivor, merge_id, KIND, content, None)


async def to_decide(desk: Desk, merge_id: UUID) -> Matter:
    """What waits, held until the transaction ends.

    Raises:
        NotFound: there is no such proposal.
        Conflict: it was decided before.
    """
    matter = await matters.one(desk, merge_id, held=True, kinds=(KIND,))
    if not matter.waits:
        raise Conflict("got a merge that was decided before, expected one that waits")
    return matter


async def one(desk: Desk, merge_id: UUID) -> Merge:
    """One merge as it stands.

    Raises:
        NotFound: there is none of this id.
    """
    found = await _found(desk, merge_id)
    if not found:
        raise NotFound("no such merge")
    return found[0][0]


async def newest(desk: Desk) -> Sequence[tuple[Merge, Sequence[int]]]:
    """The newest merges with whose they are: what waits, what was declined, what stands and what was undone."""
    return await _found(desk, None)


async def _found(desk: Desk, merge_id: UUID | None) -> list[tuple[Merge, Sequence[int]]]:
    put = {matter.id: matter for matter in await matters.of_kind(desk, KIND, merge_id, SHOWN)}
    rows = await fetch(desk.connection, store.MERGES, {"merge_id": merge_id, "limit": SHOWN})
    found: list[tuple[Merge, Sequence[int]]] = [
        (_merged(row, put.pop(row.merge_id, None)), (row.patient_key, row.survivor_key)) for row in rows
    ]
    found += [(_put(matter), (matter.patient_key,)) for matter in put.values()]
    return sorted(found, key=lambda each: each[0].begun, reverse=True)[:SHOWN]


def _merged(row: Row, matter: Matter | None) -> Merge:
    """A merge that followed; of before there were two people nobody is known."""
    told = {} if matter is None else _told(matter)
    return Merge(
        id=row.merge_id,
        survivor=f"Patient/{row.survivor_id}",
        duplicate=f"Patient/{row.duplicate_id}",
        merged=row.merged_at,
        undone=row.undone_at,
        **told,
    )


def _put(matter: Matter) -> Merge:
    wanted = Asked.of(matter)
    return Merge(
        id=matter.id,
        survivor=wanted.survivor,
        duplicate=wanted.duplicate,
        declined=matter.decided,
        **_told(matter),
    )


def _told(matter: Matter) -> dict[str, Any]:
    return {
        "reason": Asked.of(matter).reason,
        "proposed": matter.proposed,
        "proposed_by": matter.proposed_by,
        "decided_by": matter.decided_by,
    }
