"""Handing a file over: who may, what is kept of it, and the task that is left for a worker.

https://www.jahis.jp/standard/contents_type=33

Whether the person's consents cover each record is decided when it is written. Here it is only decided whether
there is anything that this source may hand over for this person, before the person is looked up. Whether the file is
about the same person as the passport is told to whoever may read that Patient, and to nobody else: a source that may
only write would learn a birth date by guessing.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.disclosure.seeing import may_see
from passport.identity.tokens import delegate
from passport.imports import store
from passport.imports.formats import FORMATS
from passport.imports.permitted import may_hand_over
from passport.keys import seal
from passport.needs import Scoped
from passport.outbox import enter, leave
from passport.outcomes import Invalid, NotFound, Refused, TooMany
from passport.runtime import Runtime
from passport.sql import Row, fetch
from passport.subjects import Caller

TASK: Final = "import"

FILE_MAX_BYTES: Final = 1_048_576

MOST_WAITING: Final = 100
"""Files of one source that may wait for a worker; a counter that hands over faster comes back."""

MOST_WAITING_BEFORE_LONG: Final = 10
"""Files of one source that may wait when a long one comes: one of a whole life is handed over once."""

RETRY_SECONDS: Final = 10
"""After so long a worker has carried in tens of files of a visit each."""

UNPACED_BYTES: Final = 8_192
"""What is due at once however many files wait: a year of visits, for which a worker takes a fraction of a second."""

PACE_SECONDS_A_BYTE: Final = 50e-6
"""How long a worker may take for each byte more: a medicine has at least 27, and takes about a millisecond."""

RECORDS: Final = ("MedicationDispense", "MedicationStatement")
"""What a file is made of: a session that may create, or search, neither has nothing to do with imports."""

HANDING_OVER: Final = Scoped("c", RECORDS)
"""What a session needs that hands a file over, when it does and when a worker writes what stands in it."""

OF_PERSON: Final = "ofPerson"
"""Marks a deviation that was found by comparing the file with the Patient."""

_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")
_UNKNOWN_PATIENT: Final = -1
"""No patient_key: an import that is not there costs what a denied one costs."""


@dataclass(frozen=True, slots=True)
class Status:
    """What became of an import; `deviations` are objects with `line`, `record` and `text`."""

    status: str
    reason: str | None
    created: list[str]
    deviations: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The JSON of it."""
        told = {"status": self.status, "created": self.created, "deviations": self.deviations}
        return told if self.reason is None else {**told, "reason": self.reason}


async def receive(runtime: Runtime, caller: Caller, patient: str, format_: str, data: bytes) -> UUID:
    """Take a file for `patient` (a reference) and leave its import to a worker; return the import's id.

    The same bytes from the same source are the same import. A long one that a source hands over while others of its
    files wait is due after the time that a worker takes for them, so that nobody else's file waits for all of them.

    Raises:
        TooMany: so many files of this source wait already.
        Invalid: an unknown format, or no reference of a Patient.
        Refused: the caller is not the patient, and no consent lets the caller hand anything over; or the
            session's scopes do not.
    """
    if format_ not in FORMATS:
        raise Invalid(
            f"got format `{format_[:40]}`, expected one of {', '.join(sorted(FORMATS))}", ("format",)
        )
    if not _PATIENT.fullmatch(patient):
        raise Invalid("got no reference of a Patient, expected such as `Patient/1`", ("patient",))
    query = recorded("POST", "imports", [("patient", patient), ("format", format_)])
    request = Request(Action.COLLECT, "create", query, about=patient, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        desk.require("c", *RECORDS)
        patient_key = await _permitted(desk)
        import_id = await _take(desk, patient_key, format_, data)
        grants = desk.standing.refs.get(patient_key, ())
        await desk.audit(desk.row(patient_key, grants=grants, detail=f"Import/{import_id}"))
        return import_id


async def _permitted(desk: Desk) -> int:
    """The patient in question, if the caller may hand anything over for them."""
    asked = desk.standing.asked
    if asked is None or not await may_hand_over(desk, asked):
        raise Refused
    return asked


async def _take(desk: Desk, patient_key: int, format_: str, data: bytes) -> UUID:
    (owner,) = await fetch(desk.connection, store.OWNER, {"patient_key": patient_key})
    secret = desk.runtime.ring.unwrap(patient_key, owner.wrapped_key)
    digest = blake2b(data, digest_size=32, key=secret, person=b"import").digest()
    source = desk.subject.actor
    same = {"patient_key": patient_key, "source": source, "digest": digest}
    source_key = desk.runtime.keys.token(f"import by {source}")
    await fetch(desk.connection, store.HOLD_SOURCE, {"source_key": source_key})
    # A statement of its own: it sees what was committed while the lock was waited for.
    known = await fetch(desk.connection, store.SAME, same)
    if known:
        return _id(known)
    (waiting,) = await fetch(desk.connection, store.WAITING, {"source": source})
    longer = max(len(data) - UNPACED_BYTES, 0)
    if waiting.files >= (MOST_WAITING_BEFORE_LONG if longer else MOST_WAITING):
        raise TooMany(RETRY_SECONDS)
    taken = await fetch(
        desk.connection,
        store.RECEIVE,
        {
            **same,
            "import_id": UUID(desk.runtime.new_id()),
            "format": format_,
            "content": seal(secret, data, place(digest), random=desk.runtime.ring.random),
            "token_hash": await delegate(desk.runtime, desk.connection, desk.subject, now=desk.now),
            "now": desk.now,
        },
    )
    import_id = _id(taken)
    pause = timedelta(seconds=waiting.files * longer * PACE_SECONDS_A_BYTE)
    await _promise(desk, patient_key, import_id, source, pause)
    return import_id


async def _promise(desk: Desk, patient_key: int, import_id: UUID, source: str, pause: timedelta) -> None:
    record_key = desk.runtime.keys.reference(f"Import/{import_id}")
    await fetch(desk.connection, store.LOCATE, {"record_key": record_key, "patient_key": patient_key})
    arguments = {"import": str(import_id), "source": source}
    outbox_id, due_at = UUID(desk.runtime.new_id()), desk.now + pause
    await leave(
        desk.connection, patient_key, TASK, arguments, outbox_id=outbox_id, now=desk.now, due_at=due_at
    )


def place(digest: bytes) -> bytes:
    """What a file is bound to when it is sealed: itself, whatever row it stands in."""
    return b"import " + digest


def _id(rows: Any) -> UUID:
    found = rows[0].import_id
    if not isinstance(found, UUID):
        raise TypeError("an import's id is a UUID")
    return found


async def status_of(runtime: Runtime, caller: Caller, import_id: UUID) -> Status:
    """What became of an import, for its person and for whoever handed it over.

    Whoever handed a file over learns that it was refused even after the consent is gone: this row is their own. What
    was found by looking at the Patient is told to whoever may read the Patient now.

    Raises:
        NotFound: there is no such import, or it is neither the caller's file nor the caller's passport.
        Refused: the session's scopes do not allow it.
    """
    reference = f"Import/{import_id}"
    request = Request(Action.ACCESS, "read", recorded("GET", f"imports/{import_id}"), about=reference)
    async with admitted(runtime, caller, request) as desk:
        desk.require("s", *RECORDS)
        asked = desk.standing.asked
        patient_key = _UNKNOWN_PATIENT if asked is None else asked
        await enter(desk.connection, patient_key)
        rows = await fetch(
            desk.connection, store.STATUS, {"patient_key": patient_key, "import_id": import_id}
        )
        if not rows or (patient_key not in desk.standing.owns and rows[0].source != desk.subject.actor):
            raise NotFound
        (row,) = rows
        await desk.audit(desk.row(patient_key, detail=reference))
        known = await may_see(desk, f"Patient/{row.patient_id}")
        return _told(row) if known else _told_without_person(row)


def _told(row: Row) -> Status:
    found = [{name: one[name] for name in ("line", "record", "text")} for one in row.deviations]
    return Status(row.status, row.reason, row.created, found)


def _told_without_person(row: Row) -> Status:
    """The status as if nothing had been compared: whatever is finished with a reason is a doubt about the person."""
    told = _told(row)
    found = [one for one, kept in zip(told.deviations, row.deviations, strict=True) if OF_PERSON not in kept]
    return replace(told, deviations=found, reason=None if row.status == "finished" else row.reason)
