"""Who may ask what consents do: the person themselves, and a proxy who may write that person's Consents.

http://hl7.org/fhir/R4/consent.html

Anybody else is refused before anything is looked up, whomever they name. What a proxy is told is bounded by what the
proxy sees: the records, and the Consents.
"""

from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from consent.model import Action
from fhirstore.facts import extract
from fhirstore.parse import Tree
from passport.admission import Desk, Request, admitted
from passport.audit.record import AuditRow
from passport.authority import Basis, basis
from passport.decision import decide
from passport.disclosure.drafted import may_be_written
from passport.disclosure.weighing import Whose
from passport.explaining.store import HOLD_LOOK
from passport.outcomes import Invalid, Refused, TooMany
from passport.pieces import Write, check_valid
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller, Subject

CONSENT: Final = "Consent"

AT_ONCE: Final = 2
"""Looks of one caller that are answered at the same time."""

RETRY_SECONDS: Final = 5
"""When a caller who has more of them may come back."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """One look at what consents do: an open transaction, and the person's records as the viewer sees them.

    `registrations` are that person's, by patient_key; `patient` is the one that was asked about.
    """

    desk: Desk
    whose: Whose
    patient: str
    registrations: Mapping[int, str]

    @property
    def patient_key(self) -> int:
        """The patient_key of the registration that was asked about."""
        return next(key for key, reference in self.registrations.items() if reference == self.patient)

    async def end(self, shown: Mapping[int, Sequence[tuple[int, int]]] | None = None) -> None:
        """Record the look and COMMIT, in one round trip; `shown` are record keys and versions by patient_key."""
        told = {self.patient_key: [], **(shown or {})}
        async with self.desk.connection.pipeline():
            await self.desk.audit(*(self._row(patient, records) for patient, records in told.items()))
            await self.desk.commit()

    def _row(self, patient_key: int, records: Sequence[tuple[int, int]]) -> AuditRow:
        proxy = self.desk.subject.kind == "proxy"
        return self.desk.row(
            patient_key,
            behalf_of=self.registrations.get(patient_key) if proxy else None,
            record_keys=[key for key, _ in records],
            versions=[version for _, version in records],
        )


@asynccontextmanager
async def viewing(
    runtime: Runtime,
    caller: Caller,
    request: Request,
    *,
    patient: str | None = None,
    drafts: Sequence[Tree] = (),
) -> AsyncIterator[Viewing]:
    """Open a look at what consents do; two round trips more where the request is about something else than a Patient.

    Args:
        runtime: the running service.
        caller: who asks.
        request: what the audit says of it; about the patient, or a record.
        patient: whose consents; None for the caller's own.
        drafts: Consents that are about to be saved.

    Raises:
        Refused: the caller is neither the person nor a proxy who may write these Consents.
        Invalid: a draft breaks the specification, or it is not said whose consents are meant.
        TooMany: the caller looks at others already.
    """
    async with admitted(runtime, caller, request) as desk:
        desk.require("s", CONSENT)
        await _take_turn(desk)
        await _turn(desk, _whom(desk.subject, patient))
        await to_thread(
            check_valid,
            [Write("create", CONSENT, draft, place=f"drafts[{at}]") for at, draft in enumerate(drafts)],
        )
        if desk.subject.kind == "proxy":
            await _check_proxy(desk, drafts)
        decision = await decide(runtime, desk.connection, desk.standing, Action.ACCESS)
        whose = Whose.of(desk, decision)
        about = desk.request.about or ""
        registrations = desk.standing.seen_with(desk.standing.named[0]) or {desk.standing.named[0]: about}
        yield Viewing(desk, whose, about, registrations)


async def _take_turn(desk: Desk) -> None:
    """Refuse a caller who has as many looks going as one may have; nobody waits for it, whichever process answers.

    Raises:
        TooMany: they have.
    """
    keys = desk.runtime.keys
    turns = [keys.token(f"look {at} of {desk.subject.reference}") for at in range(AT_ONCE)]
    for turn in turns:
        (row,) = await fetch(desk.connection, HOLD_LOOK, {"turn": turn})
        if row.held:
            return
    raise TooMany(RETRY_SECONDS)


def _whom(subject: Subject, patient: str | None) -> str:
    """Whose consents are meant: the caller's own, or those of whom a proxy names."""
    if subject.kind == "patient":
        if patient is not None and not subject.is_patient(patient):
            raise Refused
        return patient or subject.reference
    if subject.kind != "proxy":
        raise Refused
    if patient is None:
        raise Invalid(
            "got no `patient`, expected whose consents are meant, such as `Patient/1`", ("patient",)
        )
    return patient


async def _turn(desk: Desk, patient: str) -> None:
    """Let the request be about a patient, whatever it was about."""
    if desk.request.about != patient:
        desk.standing = await desk.standing_towards(Action.ACCESS, patient)
        desk.request = replace(desk.request, about=patient)
        desk.stay_with_patient(desk.by)
    if desk.standing.asked is None:
        # Nobody whom a proxy could act for; the same answer as for somebody whom they do not.
        raise Refused


async def _check_proxy(desk: Desk, drafts: Sequence[Tree]) -> None:
    """Refuse a proxy who could not write these Consents, or any Consent where there are none.

    Raises:
        Refused: no consent lets them, or one of the drafts names them.
    """
    patient = desk.request.about or ""
    trees = drafts or [{"resourceType": CONSENT, "status": "active", "patient": {"reference": patient}}]
    settings = desk.runtime.settings
    facts = [
        extract({**tree, "id": "draft"}, zone=settings.zone, base_urls=(settings.fhir_url,)) for tree in trees
    ]
    for tree, each in zip(trees, facts, strict=True):
        if basis(desk.subject, tree, each, None) is not Basis.CONSENT:
            raise Refused
    standing = await desk.standing_for(Action.COLLECT)
    decision = await decide(desk.runtime, desk.connection, standing, Action.COLLECT)
    columns = [each.columns(desk.runtime.keys) for each in facts]
    if not await may_be_written(desk, decision.by().of(CONSENT), columns, desk.standing.named[0]):
        raise Refused
