"""Who acts for a child, and a sign-in of one's own: what two clerks find from papers that they are shown.

https://laws.e-gov.go.jp/law/129AC0000000089 (民法 4 条, 818 条)
"""

from collections.abc import Mapping
from typing import Any, Final

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.authority import Basis
from passport.desk.matters import Matter, check_clerk
from passport.family import guarding
from passport.family import store as family
from passport.family.ending import held, take_back
from passport.family.grants import MEMBERS, relative_of
from passport.identity import tokens
from passport.identity.codes import login_of
from passport.identity.sign_in_codes.handing_out import hand_out
from passport.members import check_members
from passport.notices import tell
from passport.outcomes import Conflict, NotFound
from passport.patients.store import REGISTRATIONS
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller

GUARDIAN_MEMBERS: Final = frozenset({"kind", "patient", "scan"}) | MEMBERS
SIGN_IN_MEMBERS: Final = frozenset({"kind", "patient", "scan", "login"})
GUARDIANSHIPS: Final = "desk/guardianships"

_PURPOSE: Final = "PATRQT"


async def guardian_read(desk: Desk, patient: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Read who is to act for a child; a guardian decides, unless it is said otherwise.

    Raises:
        Invalid: an unfit member.
        Conflict: it is not known when the child is of age, or it is.
    """
    check_members(tree, GUARDIAN_MEMBERS)
    members = {"decides": True} | {name: tree[name] for name in MEMBERS if name in tree}
    relative_of(members)
    await guarding.of_age_at(desk, desk.standing.named[0], patient)
    return members


async def guardian_agreed(desk: Desk, matter: Matter) -> tuple[tuple[str, ...], dict[str, str]]:
    """Let the guardian act: what was written, and the code that they sign in by."""
    relative = relative_of(matter.content)
    begun = await guarding.begin(desk, matter.patient_key, matter.patient, relative)
    return (begun.proxy, *begun.consents), {"login": begun.login, "code": begun.code}


async def sign_in_read(desk: Desk, patient: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Read for which login somebody is to get a code.

    Raises:
        Invalid: an unfit login.
        Conflict: a guardian acts for them still.
    """
    check_members(tree, SIGN_IN_MEMBERS)
    await check_of_age(desk, patient)
    return {"login": login_of(tree.get("login"))}


async def sign_in_agreed(desk: Desk, matter: Matter) -> tuple[tuple[str, ...], dict[str, str]]:
    """Hand a code to a resident, who has shown who they are."""
    await check_of_age(desk, matter.patient)
    tree = {"login": matter.content["login"], "subject": matter.patient, "purposes": [_PURPOSE]}
    handed = await hand_out(desk.runtime, desk.connection, tree, now=desk.now)
    return (), {"login": handed.login, "code": handed.code}


async def end_guardian(runtime: Runtime, caller: Caller, proxy_id: str) -> dict[str, Any]:
    """Let a guardian act no more, before the child is of age; one clerk does it, since it shows less to everybody.

    Raises:
        Refused: the caller is no clerk.
        NotFound: there is no such guardian.
        Conflict: it was ended before.
    """
    text = recorded("POST", f"{GUARDIANSHIPS}/{proxy_id}/end")
    request = Request(Action.CORRECT, "desk-end", text, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        check_clerk(desk)
        row = await held(desk, proxy_id)
        if row is None or not row.guardian:
            raise NotFound("no such guardian")
        ended = await take_back(desk, row, Basis.DESK)
        about = {"guardian": ended["proxy"]}
        notice_id = tokens.random_uuid(runtime)
        await tell(
            desk.connection, row.patient_key, "guardian-ended", about, notice_id=notice_id, now=desk.now
        )
        await desk.audit(desk.row(row.patient_key, detail=ended["proxy"]))
        return ended


async def check_of_age(desk: Desk, patient: str) -> None:
    """Refuse a code of their own to whom a guardian acts for, by whichever of their registrations."""
    asked = {"patient_keys": [], "record_keys": [desk.runtime.keys.reference(patient)]}
    kin = [row.patient_id for row in await fetch(desk.connection, REGISTRATIONS, asked)]
    ids = [patient.partition("/")[2], *kin]
    if await fetch(desk.connection, family.GUARDIANS, {"patient_ids": ids, "now": desk.now}):
        raise Conflict("got a child for whom a guardian acts, expected somebody who is of age")
