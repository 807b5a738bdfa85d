"""What a person shares now, with whom and until when; sharing unasked, replacing, and withdrawing.

http://hl7.org/fhir/R4/consent.html
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from consent.model import Action, Status
from fhirstore.errors import Problem
from fhirstore.parse import Tree
from fhirstore.types import PROPOSABLE
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.disclosure import directory_trees
from passport.intake import write
from passport.members import check_members
from passport.outcomes import Conflict, Invalid
from passport.pieces import Write
from passport.runtime import Runtime
from passport.sharing.codes import patient_in, sharer_key
from passport.sharing.consents import Agreed, offered
from passport.sharing.owning import as_written, change, check_owner, read, told
from passport.sharing.presets import preset_of
from passport.sharing.terms import (
    NARROWING,
    offered_attributes,
    permit,
    purpose_of,
    until_of,
    with_attributes,
)
from passport.sharing.wording import agreed
from passport.subjects import Caller

ADDRESS: Final = "sharing/grants"

_MEMBERS: Final = frozenset(
    {
        "patient",
        "recipient",
        "purpose",
        "until",
        "preset",
        "language",
        "version",
        "hash",
        "replaces",
        *NARROWING,
    }
)
_RECIPIENT: Final = re.compile(r"(?:Organization|Practitioner|PractitionerRole)/[A-Za-z0-9\-.]{1,64}")
_CONSENT: Final = re.compile(rf"{PROPOSABLE}/([A-Za-z0-9\-.]{{1,64}})")
GIVEN_STATES: Final = ("active", "upcoming", "ended", "withdrawn")
_GIVEN: Final = (Status.ACTIVE, Status.INACTIVE, Status.ERROR)


async def given(
    runtime: Runtime, caller: Caller, patient: str | None, state: str | None
) -> list[dict[str, Any]]:
    """What is shared, and what has ended or was withdrawn, the newest first; with a `state` only what is in it.

    Raises:
        Invalid: there is no such state.
        Refused: the caller is no patient and no proxy.
    """
    if state is not None and state not in GIVEN_STATES:
        raise Invalid(f"got another state, expected one of {', '.join(GIVEN_STATES)}", ("state",))
    found = await read(runtime, caller, ADDRESS, patient, _GIVEN)
    return await told(runtime, caller, ADDRESS, [one for one in found if state in (None, one.state)])


async def share(runtime: Runtime, caller: Caller, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Grant somebody of the directory something unasked; what it replaces ends in the same moment.

    Raises:
        Invalid: a member is missing, unknown or unfit, or the recipient is not in the directory.
        NotShown: what the person was shown is not what is shown now.
        Refused: the caller may not share for this person.
        NotFound: there is no such Consent to be replaced.
    """
    check_members(tree, _MEMBERS)
    zone, now, recipient = runtime.settings.zone, runtime.clock(), _recipient(tree)
    wording, until = agreed(preset_of(tree.get("preset")), tree), until_of(tree, now, zone)
    provision = with_attributes(permit(recipient, purpose_of(tree)), offered_attributes(tree, zone))
    replaced = ending(tree.get("replaces"))
    request = Request(Action.COLLECT, "create", recorded("POST", ADDRESS), patient_in(tree), "write")
    async with admitted(runtime, caller, request) as desk:
        check_owner(desk, "c")
        sharer_key(desk)
        patient = request.about or desk.subject.reference
        if recipient not in await directory_trees(desk, [recipient]):
            text = "got a recipient whom the directory does not know"
            raise Invalid([Problem("error", "not-found", "recipient", text)], status=422)
        agreement = Agreed(provision, wording, until)
        consent = offered(patient, desk.subject.reference, agreement, desk.now, zone)
        written, *_ = await write(desk, [Write("create", PROPOSABLE, consent), *replaced])
        return await as_written(desk, written)


async def withdraw(runtime: Runtime, caller: Caller, id_: str) -> dict[str, Any]:
    """End a Consent; again is the same.

    Raises:
        NotFound: there is no such Consent, or the caller may not read it.
        Conflict: it is a request that waits for an answer.
    """

    def patch(stored: Tree, _: Desk) -> Tree:
        return ended(stored)

    return await change(runtime, caller, id_, recorded("POST", f"{ADDRESS}/{id_}/withdraw"), patch)


def ended(stored: Tree) -> Tree:
    """The Consent, withdrawn.

    Raises:
        Conflict: it waits for an answer.
    """
    if stored.get("status") == "proposed":
        raise Conflict("got a request that waits for an answer, expected a consent that was granted")
    return {**stored, "status": "inactive"}


def ending(replaced: object) -> list[Write]:
    """What ends the Consent that another one takes the place of, if there is one.

    Raises:
        Invalid: it is no reference of a Consent.
    """
    if replaced is None:
        return []
    match = _CONSENT.fullmatch(replaced) if isinstance(replaced, str) else None
    if match is None:
        raise Invalid("got no reference such as `Consent/1` in `replaces`", ("replaces",))
    return [Write("update", PROPOSABLE, id=match[1], patch=ended, place="replaces")]


def _recipient(tree: Mapping[str, Any]) -> str:
    recipient = tree.get("recipient")
    if isinstance(recipient, str) and _RECIPIENT.fullmatch(recipient):
        return recipient
    expected = "a reference of an Organization, a Practitioner or a PractitionerRole"
    raise Invalid(f"got no recipient, expected {expected}", ("recipient",))
