"""Entering matters at the desk, and deciding them: confirmed by another clerk, or declined.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from re import compile as pattern
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.desk import matters, paper, people, recovering, scanning, stating
from passport.desk.matters import PAGE, Matter, check_clerk
from passport.identity import tokens
from passport.identity.persons import require_another
from passport.notices import Kind as Notice
from passport.notices import tell
from passport.outcomes import Conflict, Invalid, NotFound
from passport.runtime import Runtime
from passport.subjects import Caller

ADDRESS: Final = "desk/matters"

_PATIENT: Final = pattern(r"Patient/[A-Za-z0-9\-.]{1,64}")

Results = tuple[str, ...]
Told = Mapping[str, str]
Read = Callable[[Desk, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
Agreed = Callable[[Desk, Matter], Awaitable[tuple[Results, Told]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of matter: how it is entered, what follows from it, and what the patient is told.

    `title` is what its scan is called; a matter `on_paper` has one.
    """

    read: Read
    agreed: Agreed
    title: str
    on_paper: bool
    notice: Notice | None


def _untold(agreed: Callable[[Desk, Matter], Awaitable[Results]]) -> Agreed:
    """What follows from a matter that hands out nothing."""

    async def with_nothing(desk: Desk, matter: Matter) -> tuple[Results, Told]:
        return await agreed(desk, matter), {}

    return with_nothing


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "consent": Kind(
            paper.consent_read,
            _untold(paper.consent_agreed),
            "同意書 / consent on paper",
            on_paper=True,
            notice="paper-consent-recorded",
        ),
        "withdrawal": Kind(
            paper.withdrawal_read,
            _untold(paper.withdrawal_agreed),
            "同意撤回書 / withdrawal on paper",
            on_paper=True,
            notice=paper.WITHDRAWN,
        ),
        "guardian": Kind(
            people.guardian_read,
            people.guardian_agreed,
            "保護者の届 / guardian's papers",
            on_paper=False,
            notice=None,
        ),
        "statement": Kind(
            stating.statement_read,
            _untold(stating.statement_agreed),
            "本人の申出 / the person's own statement",
            on_paper=False,
            notice=stating.CHANGED,
        ),
        "sign-in": Kind(
            people.sign_in_read,
            people.sign_in_agreed,
            "本人確認 / proof of identity",
            on_paper=False,
            notice=None,
        ),
        "recovery": Kind(
            recovering.recovery_read,
            recovering.recovery_agreed,
            "本人確認 / proof of identity",
            on_paper=False,
            notice=None,
        ),
    }
)
"""The kinds of matters by name."""


async def propose(runtime: Runtime, caller: Caller, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a clerk enters, until another one decides it.

    Raises:
        Refused: the caller is no clerk.
        Invalid: an unknown kind, or something unfit.
        NotFound: there is no such patient, or nothing that it is about.
        Conflict: it cannot come to that as things stand.
    """
    name, patient = tree.get("kind"), tree.get("patient")
    if not isinstance(name, str) or name not in KINDS:
        raise Invalid(f"got another kind, expected one of {', '.join(KINDS)}", ("kind",))
    if not isinstance(patient, str) or not _PATIENT.fullmatch(patient):
        raise Invalid("got no reference such as `Patient/1` in `patient`", ("patient",))
    kind = KINDS[name]
    scan = scanning.scan_of(tree.get("scan")) if kind.on_paper or "scan" in tree else None
    request = Request(Action.COLLECT, "desk-propose", recorded("POST", ADDRESS), patient, "write")
    async with admitted(runtime, caller, request) as desk:
        check_clerk(desk)
        patient_key = desk.standing.asked
        if patient_key is None:
            raise NotFound("no such Patient")
        content = await kind.read(desk, patient, tree)
        document, matter_id = None, tokens.random_uuid(runtime)
        if scan is not None:
            document, page = await scanning.keep(desk, patient, scan, kind.title)
            content |= {PAGE: page}
        await matters.put(desk, patient_key, matter_id, name, content, document)
        await desk.audit(desk.row(patient_key, detail=str(matter_id)))
        return (await matters.one(desk, matter_id)).as_json()


async def waiting(runtime: Runtime, caller: Caller) -> Sequence[dict[str, Any]]:
    """What waits for a second clerk, the oldest first.

    Raises:
        Refused: the caller is no clerk.
    """
    async with admitted(
        runtime, caller, Request(Action.ACCESS, "desk-read", recorded("GET", ADDRESS))
    ) as desk:
        check_clerk(desk)
        found = await matters.waiting(desk)
        await matters.tell_logs(desk, found)
        return [matter.as_json() for matter in found]


async def one(runtime: Runtime, caller: Caller, matter_id: UUID) -> dict[str, Any]:
    """One matter, with what was entered as long as it waits.

    Raises:
        Refused: the caller is no clerk.
        NotFound: there is no such matter.
    """
    text = recorded("GET", f"{ADDRESS}/{matter_id}")
    async with admitted(runtime, caller, Request(Action.ACCESS, "desk-read", text)) as desk:
        check_clerk(desk)
        matter = await matters.one(desk, matter_id)
        await matters.tell_logs(desk, [matter])
        return {**matter.as_json(), **({"content": matter.entered} if matter.waits else {})}


async def confirm(runtime: Runtime, caller: Caller, matter_id: UUID) -> dict[str, Any]:
    """Agree to what another clerk entered; what is handed out is answered this once.

    Raises:
        Refused: the caller is no clerk, or entered it.
        NotFound: there is no such matter.
        Conflict: it was decided before, or cannot come to it as things stand.
    """
    text = recorded("POST", f"{ADDRESS}/{matter_id}/confirm")
    request = Request(Action.CORRECT, "desk-confirm", text, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        matter = await _to_decide(desk, matter_id)
        await require_another(desk.connection, matter.proposed_by, desk.subject.reference)
        kind = KINDS[matter.kind]
        if matter.document is not None:
            await scanning.agreed(desk, matter.document)
        results, told = await kind.agreed(desk, matter)
        await matters.decided(desk, matter, "confirmed", results)
        await _record(desk, matter, kind.notice, results)
        after = await matters.one(desk, matter_id)
        return {**after.as_json(), "results": list(results), **told}


async def decline(runtime: Runtime, caller: Caller, matter_id: UUID) -> dict[str, Any]:
    """Let nothing come of what was entered; whoever entered it may take it back as well.

    Raises:
        Refused: the caller is no clerk.
        NotFound: there is no such matter.
        Conflict: it was decided before.
    """
    text = recorded("POST", f"{ADDRESS}/{matter_id}/decline")
    request = Request(Action.CORRECT, "desk-decline", text, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        matter = await _to_decide(desk, matter_id)
        if matter.document is not None:
            await scanning.taken_back(desk, matter.document, matter.content[PAGE])
        await matters.decided(desk, matter, "declined", ())
        await _record(desk, matter, None, ())
        return (await matters.one(desk, matter_id)).as_json()


async def _to_decide(desk: Desk, matter_id: UUID) -> Matter:
    check_clerk(desk)
    matter = await matters.one(desk, matter_id, held=True)
    if not matter.waits:
        raise Conflict("got a matter that was decided before, expected one that waits")
    return matter


async def _record(desk: Desk, matter: Matter, notice: Notice | None, results: Results) -> None:
    await desk.audit(desk.row(matter.patient_key, detail=str(matter.id)))
    if notice is None:
        return
    about = {"matter": str(matter.id)} | ({"consent": results[0]} if len(results) == 1 else {})
    notice_id = tokens.random_uuid(desk.runtime)
    await tell(desk.connection, matter.patient_key, notice, about, notice_id=notice_id, now=desk.now)
