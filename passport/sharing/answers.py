"""What a person does with the requests that were put to them: read, grant as they like it, or decline.

http://hl7.org/fhir/R4/consent.html

Each answer is the next version of the request's own Consent, made from what is stored at that moment.
"""

from collections.abc import Mapping
from typing import Any, Final

from consent.model import Status
from fhirstore.parse import Tree
from passport.admission import Desk
from passport.audit.query import recorded
from passport.members import check_members
from passport.outcomes import NotFound
from passport.pieces import Versions
from passport.runtime import Runtime
from passport.sharing.consents import Answer, answered, check_waits
from passport.sharing.grants import ending
from passport.sharing.owning import change, read, told
from passport.sharing.presets import preset_of
from passport.sharing.requests import ADDRESS
from passport.sharing.terms import EDITABLE, answered_attributes, until_of
from passport.sharing.wording import agreed
from passport.subjects import Caller

_MEMBERS: Final = EDITABLE | {"preset", "language", "version", "hash", "replaces"}


async def received(runtime: Runtime, caller: Caller, patient: str | None) -> list[dict[str, Any]]:
    """The requests that wait for the caller's answer, the newest first.

    Raises:
        Refused: the caller is no patient and no proxy.
    """
    found = await read(runtime, caller, ADDRESS, patient, [Status.PROPOSED])
    return await told(runtime, caller, ADDRESS, found)


async def one_received(runtime: Runtime, caller: Caller, request_id: str) -> dict[str, Any]:
    """One request that waits for the caller's answer.

    Raises:
        NotFound: there is none of this id that waits.
        Refused: the caller is no patient and no proxy.
    """
    for one in await received(runtime, caller, None):
        if one["id"] == request_id:
            return one
    raise NotFound


async def grant(
    runtime: Runtime,
    caller: Caller,
    request_id: str,
    tree: Mapping[str, Any],
    if_match: Versions | None = None,
) -> dict[str, Any]:
    """Make a request active, as it was asked but for what `tree` changes of it.

    Raises:
        PreconditionFailed: `if_match` is another version than the current one.
        NotFound: there is no such request, or the caller may not read it.
        Conflict: it was answered already, or what the person was shown is not what is shown now.
        Invalid: a member is missing, unknown or unfit, or the request is for what is restricted and nothing says that
            this is shared.
    """
    check_members(tree, _MEMBERS)
    zone, now = runtime.settings.zone, runtime.clock()
    wording = agreed(preset_of(tree.get("preset")), tree)
    changed, labelled = answered_attributes(tree, zone)
    answer = Answer(changed, labelled, wording, until_of(tree, now, zone))

    def patch(stored: Tree, desk: Desk) -> Tree:
        return answered(stored, answer, desk.subject.reference, desk.now, zone)

    query = recorded("POST", f"{ADDRESS}/{request_id}/grant")
    return await change(
        runtime, caller, request_id, query, patch, beside=ending(tree.get("replaces")), if_match=if_match
    )


async def decline(
    runtime: Runtime, caller: Caller, request_id: str, if_match: Versions | None = None
) -> dict[str, Any]:
    """Reject a request; whoever asked learns that and nothing else.

    Raises:
        PreconditionFailed: `if_match` is another version than the current one.
        NotFound: there is no such request, or the caller may not read it.
        Conflict: it was answered already.
    """

    def patch(stored: Tree, _: Desk) -> Tree:
        check_waits(stored)
        return {**stored, "status": "rejected"}

    query = recorded("POST", f"{ADDRESS}/{request_id}/decline")
    return await change(runtime, caller, request_id, query, patch, if_match=if_match)
