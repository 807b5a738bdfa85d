"""Opening, showing and closing a case; whose log it opens reads by whom and why.

http://hl7.org/fhir/R4/auditevent.html
https://profiles.ihe.net/ITI/BALP/

Without a case an auditor sees who did what when, and neither what was asked for nor of whom. A case lasts eight hours
and reaches what it names and nothing else.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from consent.model import Action
from fhirstore.tables import NOBODY
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.cases import store
from passport.cases.asking import asked
from passport.cases.covering import tell_opened
from passport.identity import tokens
from passport.identity.store import PATIENT_KEY
from passport.keys import open_sealed, seal
from passport.outcomes import Conflict, NotFound, Refused
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import Row, fetch
from passport.subjects import Caller

ADDRESS: Final = "audit/cases"
LASTS: Final = timedelta(hours=8)
SHOWN: Final = 200


async def open_case(runtime: Runtime, caller: Caller, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Open a case; a patient whom it names is told at once, any other when it opens their log.

    Raises:
        Invalid: the body asks for no case.
        Refused: the caller is no auditor.
        NotFound: there is no such patient.
    """
    wanted = asked(tree, runtime.settings.zone)
    text = recorded("POST", ADDRESS)
    request = Request(Action.CORRECT, "case-open", text, wanted.patient, "write")
    async with admitted(runtime, caller, request) as desk:
        _check_auditor(desk)
        patient_key = desk.standing.asked
        if wanted.patient is not None and patient_key is None:
            raise NotFound("no such patient")
        case_id = tokens.random_uuid(runtime)
        row = {
            "case_id": case_id,
            "opened_by": desk.subject.reference,
            "reason": await _sealed(desk, patient_key or NOBODY, case_id, wanted.reason),
            "patient_key": patient_key,
            "agent": wanted.agent,
            "starts": wanted.starts,
            "ends": wanted.ends,
            "now": desk.now,
            "expires_at": desk.now + LASTS,
        }
        await fetch(desk.connection, store.OPEN, row)
        await desk.audit(desk.row(patient_key or NOBODY, detail=str(case_id)))
        if patient_key is not None:
            await tell_opened(desk, [(patient_key, case_id)])
        (opened,) = await fetch(desk.connection, store.ONE, _own(desk, case_id))
        return _as_json(desk, opened)


async def cases(runtime: Runtime, caller: Caller) -> Sequence[dict[str, Any]]:
    """An auditor's own cases, or those that opened the caller's log, the newest first.

    Raises:
        Refused: the caller is neither an auditor nor somebody with a log of their own.
    """
    async with admitted(
        runtime, caller, Request(Action.ACCESS, "case-read", recorded("GET", ADDRESS))
    ) as desk:
        desk.require("s", "AuditEvent")
        if desk.subject.kind == "auditor":
            mine = {"opened_by": desk.subject.reference, "limit": SHOWN}
            rows = await fetch(desk.connection, store.OF_AUDITOR, mine)
            await desk.audit(desk.row(NOBODY))
            return [_as_json(desk, row) for row in rows]
        owns = desk.standing.owns
        if not owns:
            raise Refused("cases are opened by auditors")
        rows = await fetch(desk.connection, store.OF_PATIENTS, {"patient_keys": list(owns), "limit": SHOWN})
        await desk.audit(*(desk.row(patient) for patient in owns))
        return [_as_told(desk, row) for row in rows]


async def close_case(runtime: Runtime, caller: Caller, case_id: UUID) -> dict[str, Any]:
    """Close a case before its time; every request that begins after the answer sees nothing more by it.

    Raises:
        Refused: the caller is no auditor.
        NotFound: there is no such case of theirs.
        Conflict: it is over.
    """
    text = recorded("POST", f"{ADDRESS}/{case_id}/close")
    request = Request(Action.CORRECT, "case-close", text, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        _check_auditor(desk)
        closed = await fetch(desk.connection, store.CLOSE, {**_own(desk, case_id), "now": desk.now})
        rows = await fetch(desk.connection, store.ONE, _own(desk, case_id))
        if not rows:
            raise NotFound("no such case")
        if not closed:
            raise Conflict("got a case that is over, expected one that goes on")
        await desk.audit(desk.row(closed[0].patient_key or NOBODY, detail=str(case_id)))
        return _as_json(desk, rows[0])


def _check_auditor(desk: Desk) -> None:
    """Cases are the auditors'.

    Raises:
        Refused: it is somebody else who asks, or a session that may not read the log.
    """
    if desk.subject.kind != "auditor":
        raise Refused("cases are opened by auditors")
    desk.require("s", "AuditEvent")


def _own(desk: Desk, case_id: UUID) -> dict[str, object]:
    return {"case_id": case_id, "opened_by": desk.subject.reference}


async def _sealed(desk: Desk, patient_key: int, case_id: UUID, reason: str) -> bytes:
    """The reason under the key of the patient whom it is about, or of nobody: it may say what is wrong with them."""
    (row,) = await fetch(desk.connection, PATIENT_KEY, {"patient_key": patient_key})
    ring = desk.runtime.ring
    key = ring.unwrap(patient_key, row.wrapped_key)
    return seal(key, reason.encode(), _place(case_id), random=ring.random)


def _place(case_id: UUID) -> bytes:
    return b"audit case " + case_id.bytes


def _reason(desk: Desk, row: Row) -> str:
    key = desk.runtime.ring.unwrap(row.sealed_for, row.wrapped_key)
    return open_sealed(key, row.reason, _place(row.case_id)).decode()


def _as_json(desk: Desk, row: Row) -> dict[str, Any]:
    """A case as its auditor reads it."""
    over = row.closed_at or row.expires_at
    return {
        "case": str(row.case_id),
        "reason": _reason(desk, row),
        "patient": None if row.patient_key is None else f"Patient/{row.patient_id}",
        "agent": row.agent,
        "from": written_instant(row.starts),
        "to": written_instant(row.ends),
        "opened": written_instant(row.opened_at),
        "until": written_instant(over),
        "open": desk.now < over,
    }


def _as_told(desk: Desk, row: Row) -> dict[str, Any]:
    """A case as somebody reads it whose log it opened."""
    told = _as_json(desk, row)
    reason = told["reason"]
    return {
        **{name: value for name, value in told.items() if name != "patient"},
        "by": row.opened_by,
        "text": {
            "ja": f"監査担当者が、あなたのパスポートへのアクセスの履歴を調べました。理由: {reason}",
            "en": f"An auditor looked into the accesses to your passport because: {reason}",
        },
    }
