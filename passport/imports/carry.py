"""Carrying an import out: read the file, see whose it is, write what the consents cover, once.

https://www.jahis.jp/standard/contents_type=33
https://hl7.org/fhir/R4/provenance.html

The task acts as whoever handed the file over, with what the consents say now. Everything is one transaction
with the mark that the import is done: it happened, or it did not. A source's file never meets another's
records: what was imported before is known by what this source itself has written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from consent.model import Action
from fhirmap.deviations import Deviation
from fhirmap.errors import DifferentPersons, MappingError, TooMuch
from fhirmap.jahis.to_fhir import Imported
from fhirstore.parse import parse
from fhirstore.types import resource_type
from passport.admission import Request, admitted
from passport.audit.query import recorded
from passport.identity.tokens import revoke
from passport.imports import store
from passport.imports.formats import FORMATS
from passport.imports.handover import HANDING_OVER, OF_PERSON, place
from passport.imports.person import DOUBTED, Verdict, compare
from passport.imports.writing import write_new
from passport.keys import open_sealed
from passport.notices import Kind, tell
from passport.outbox import Promise, enter, hold, keep, keeping
from passport.outcomes import PassportError, Refused, Unauthenticated
from passport.records import opened_body
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Bearer

_REMARKS: Final[Mapping[Verdict, tuple[Deviation, ...]]] = {
    "same": (),
    "other-person": (
        Deviation(0, "1", "birth date and name are not those that the passport knows: whose file is this?"),
    ),
    "other-birth": (
        Deviation(0, "1", "the birth date is not the one that the passport knows: whose file is this?"),
    ),
    "only-name": (
        Deviation(
            0,
            "1",
            "the name is not the one that the passport knows, and no birth date was compared: whose file is this?",
        ),
    ),
    "other-name": (Deviation(0, "1", "the name is not the one that the passport knows, the birth date is"),),
    "unknown-person": (
        Deviation(0, "1", "neither birth date nor name could be compared with the passport's"),
    ),
}

_REASONS: Final[Mapping[type[PassportError], str]] = {
    Refused: "not-permitted",
    Unauthenticated: "session-ended",
}

_TOLD: Final[Mapping[str, Kind]] = {
    "finished": "import-finished",
    "refused": "import-refused",
    "quarantined": "import-quarantined",
}


TRIES: Final = 4
"""A file that fails so often, or kills its worker, is refused: it is kept, and may be handed over again."""


AHEAD: Final = timedelta(days=1)
"""How far a date of dispensing may lie ahead: as with readings, what lies further is not believed."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file that waits, opened; `patient` and `source` are references."""

    patient_key: int
    import_id: UUID
    format: str
    patient: str
    source: str
    token_hash: bytes
    data: bytes
    person: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an import; `reason` is a word, None where there is nothing to explain.

    `of_person` is what was found by looking at the Patient. It is there only for what was stored: a refusal tells
    nothing of whom it is about.
    """

    status: str
    reason: str | None = None
    created: Sequence[str] = ()
    deviations: Sequence[Deviation] = ()
    of_person: Sequence[Deviation] = ()


async def carry_out(runtime: Runtime, promise: Promise) -> None:
    """Carry out the import of a promise.

    Raises:
        Taken: another attempt is at it.
    """
    job = await _job(runtime, promise)
    if job is None:
        async with keeping(runtime, promise):
            return
    if promise.attempt > TRIES:
        # This attempt only says that the others failed: whoever waits is to know.
        await _end(runtime, promise, job, Outcome("refused", "failed"))
        return
    read = _read(job, runtime.clock().astimezone(runtime.settings.zone).date() + AHEAD)
    if isinstance(read, Outcome):
        await _end(runtime, promise, job, read)
        return
    try:
        await _store(runtime, promise, job, read)
    except PassportError as error:
        if error.status >= 500:
            raise
        reason = _REASONS.get(type(error), "not-storable")
        await _end(runtime, promise, job, Outcome("refused", reason, deviations=read.deviations))


async def _job(runtime: Runtime, promise: Promise) -> Job | None:
    """The file of a promise; None when it was carried out before."""
    import_id = UUID(promise.arguments["import"])
    row_of = {"patient_key": promise.patient_key, "import_id": import_id}
    async with runtime.pool.connection() as connection, connection.transaction():
        await enter(connection, promise.patient_key)
        rows = await fetch(connection, store.JOB, row_of)
        if not rows:
            return None
        (row,) = rows
        patient = f"Patient/{row.patient_id}"
        secret = runtime.ring.unwrap(promise.patient_key, row.wrapped_key)
        person = await _person(runtime, connection, promise.patient_key, patient, secret)
    data = open_sealed(secret, row.content, place(row.digest))
    return Job(promise.patient_key, import_id, row.format, patient, row.source, row.token_hash, data, person)


async def _person(
    runtime: Runtime, connection: Connection, patient_key: int, patient: str, secret: bytes
) -> dict[str, Any]:
    """The Patient as the passport knows them; empty when there is none any more."""
    key = runtime.keys.reference(patient)
    rows = await fetch(connection, store.PERSON, {"patient_key": patient_key, "record_key": key})
    return parse(opened_body(rows[0], secret, resource_type("Patient").number)) if rows else {}


def _read(job: Job, until: date) -> Imported | Outcome:
    """Map the file, or say why nothing of it may be stored."""
    try:
        return FORMATS[job.format](job.data, patient=job.patient, source=job.source, until=until)
    except DifferentPersons as error:
        return Outcome("quarantined", "several-persons", deviations=(_of_the_file(error),))
    except TooMuch as error:
        return Outcome("refused", "too-much", deviations=(_of_the_file(error),))
    except MappingError as error:
        return Outcome("refused", "unreadable", deviations=(_of_the_file(error),))


def _of_the_file(error: MappingError) -> Deviation:
    return Deviation(0, "?", str(error))


async def _store(runtime: Runtime, promise: Promise, job: Job, mapped: Imported) -> None:
    """Write what is new, and say so, in one transaction.

    Raises:
        Unauthenticated: the source's access has ended.
        Refused: no consent covers anything of the file now.
    """
    query = recorded("POST", "imports", [("patient", job.patient), ("format", job.format)])
    request = Request(Action.COLLECT, "create", query, about=job.patient, isolation="write")
    async with admitted(runtime, Bearer(job.token_hash, needs=HANDING_OVER), request) as desk:
        if not await hold(desk.connection, promise):
            # Another attempt is at it; the transaction ends empty, and nothing is refused.
            return
        writer_key = runtime.keys.token(f"import of {job.patient} by {job.source}")
        await fetch(desk.connection, store.HOLD_WRITER, {"writer_key": writer_key})
        created, found = await write_new(desk, job.patient_key, job.patient, job.source, mapped.resources)
        # Whoever handed the file over named the patient, so it is stored; the resident is told of the doubt.
        verdict = compare(mapped.person, job.person)
        doubt = "another-person" if verdict in DOUBTED else None
        outcome = Outcome("finished", doubt, created, (*found, *mapped.deviations), _REMARKS[verdict])
        await _note(runtime, desk.connection, job, outcome, desk.now)
        await keep(desk.connection, promise, now=desk.now)


async def _end(runtime: Runtime, promise: Promise, job: Job, outcome: Outcome) -> None:
    """Note that an import ended without storing anything; its file stays, sealed."""
    async with keeping(runtime, promise) as connection:
        await _note(runtime, connection, job, outcome, runtime.clock())


async def _note(runtime: Runtime, connection: Connection, job: Job, outcome: Outcome, now: datetime) -> None:
    """Write down what became of an import, tell the person, and end the session that acted for its source."""
    await fetch(
        connection,
        store.FINISH,
        {
            "patient_key": job.patient_key,
            "import_id": job.import_id,
            "status": outcome.status,
            "reason": outcome.reason,
            "created": list(outcome.created),
            "deviations": Jsonb(
                [
                    *({**asdict(each), OF_PERSON: True} for each in outcome.of_person),
                    *(asdict(each) for each in outcome.deviations),
                ]
            ),
            "now": now,
        },
    )
    about = {"import": f"imports/{job.import_id}", "by": job.source}
    await tell(connection, job.patient_key, _kind(outcome), about, notice_id=UUID(runtime.new_id()), now=now)
    await revoke(connection, job.token_hash, now=now)


def _kind(outcome: Outcome) -> Kind:
    doubted = outcome.status == "finished" and outcome.reason is not None
    return "import-doubted" if doubted else _TOLD[outcome.status]
