"""Approving, suspending, resuming and revoking a device: each is a version of the Consent that approves it.

http://hl7.org/fhir/R4/consent.html

Whoever may write the person's Consents may do it: the person, or a proxy whose grant names class Consent. For
everybody else the device is not there. What the person changed in the Consent by hand stays as they wrote it.
"""

from collections.abc import Mapping
from typing import Final

from consent.model import Action
from fhirstore.parse import Tree, parse
from fhirstore.types import resource_type
from passport import disclosure
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.devices import store
from passport.devices.approval import consent
from passport.devices.enrolments import Enrolment, enrolment_of
from passport.devices.lifecycle import Verb, after
from passport.intake import write
from passport.outcomes import Conflict, Gone, NotFound, PreconditionFailed, Refused
from passport.pieces import Write
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller

_CONSENT_STATUS: Final[Mapping[Verb, str]] = {
    "approve": "active",
    "suspend": "inactive",
    "resume": "active",
    "revoke": "inactive",
}
_REJECTED: Final = "rejected"
"""The status of the Consent of a device that was revoked before it was ever approved."""


async def change(runtime: Runtime, caller: Caller, device_id: str, verb: Verb) -> dict[str, str]:
    """Carry out `verb` on a device; return its new status and the reference of its Consent.

    Raises:
        NotFound: there is no such device, or the caller may not decide about it.
        Conflict: the device is in a state from which the verb leads nowhere.
    """
    device = f"Device/{device_id}"
    text = recorded("POST", f"devices/{device_id}/{verb}")
    current = await _current(runtime, caller, device, text)
    action = Action.COLLECT if current is None else Action.CORRECT
    async with admitted(runtime, caller, Request(action, "update", text, device, "write")) as desk:
        enrolment = await _locked(desk, runtime.keys.reference(device))
        reference = await _decided(desk, enrolment, verb, current)
        status = after(enrolment.status, verb)
        if status is None:
            raise Conflict(f"got `{verb}` for a device that is {enrolment.status}")
        await _note(desk, enrolment, "revoked" if status == "revoked" else "approved", reference)
    return {"status": status, "consent": reference}


async def _current(runtime: Runtime, caller: Caller, device: str, query: str) -> Tree | None:
    """The Consent of a device as the caller may read it; None before there is one.

    Raises:
        NotFound: the caller may not read it, whether by consent or by the session's scopes.
    """
    async with runtime.pool.connection() as connection:
        enrolment = await enrolment_of(connection, runtime.keys.reference(device))
    if enrolment is None or enrolment.consent is None:
        return None
    id_ = enrolment.consent.partition("/")[2]
    try:
        shown = await disclosure.read(runtime, caller, resource_type("Consent"), id_, query)
    except Gone:
        return None
    except Refused:
        raise NotFound from None
    return parse(shown.body)


async def _locked(desk: Desk, device_key: int) -> Enrolment:
    """The device, held until the transaction ends, if this caller may decide about it at all."""
    known = desk.standing.asked is not None and (
        desk.standing.asked in desk.standing.owns or desk.subject.kind == "proxy"
    )
    place = {"patient_key": desk.standing.asked, "device_key": device_key}
    if not known or not await fetch(desk.connection, store.LOCK, place):
        raise NotFound
    enrolment = await enrolment_of(desk.connection, device_key)
    if enrolment is None:
        raise NotFound
    return enrolment


async def _decided(desk: Desk, enrolment: Enrolment, verb: Verb, current: Tree | None) -> str:
    """Write the Consent that says so; its reference.

    It is written before the transition is looked at: only who may write it learns how the device stands.

    Raises:
        NotFound: the caller may not.
        Conflict: the Consent was changed meanwhile.
    """
    try:
        (written,) = await write(desk, [_write(desk, enrolment, verb, current)])
    except Refused:
        raise NotFound from None
    except PreconditionFailed:
        raise Conflict("the device's Consent was changed meanwhile, try again") from None
    return "/".join(written.reference.split("/")[:2])


def _write(desk: Desk, enrolment: Enrolment, verb: Verb, current: Tree | None) -> Write:
    status = _CONSENT_STATUS[verb]
    if current is not None:
        seen = frozenset({int(current["meta"]["versionId"])})
        return Write("update", "Consent", {**current, "status": status}, current["id"], seen)
    tree = consent(enrolment.patient, enrolment.device, enrolment.kinds, desk.now)
    # Whether the verb leads anywhere is told after it is known that the caller may write.
    rejected = _REJECTED if verb == "revoke" else status
    return Write("create", "Consent", {**tree, "status": rejected}, confirm=False)


async def _note(desk: Desk, enrolment: Enrolment, status: str, reference: str) -> None:
    parameters = {
        "patient_key": enrolment.patient_key,
        "device_key": enrolment.device_key,
        "status": status,
        "consent_id": reference.partition("/")[2],
        "consent_key": desk.runtime.keys.reference(reference),
    }
    await fetch(desk.connection, store.CHANGE, parameters)
