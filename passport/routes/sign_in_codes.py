"""Sign-in codes as operators hand them out, confirm them for each other, and take them back.

https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from fhirstore.tables import NOBODY
from passport.identity.persons import city_kind
from passport.identity.sign_in_codes import countersigning, taking_back
from passport.identity.sign_in_codes.handing_out import hand_out
from passport.routes.auth import json_tree, operator_desk
from passport.routes.authorization import NO_STORE, json
from passport.subjects import Subject

router = APIRouter(prefix="/auth/sign-in-codes", tags=["authorization"])

_PATH: Final = "auth/sign-in-codes"


@router.post("")
async def post_code(request: Request) -> Response:
    """Hand out a sign-in code, shown this once; it is good at once, or waits for another operator; operators only."""
    tree = await json_tree(request)
    async with operator_desk(request, "code-hand-out", _PATH) as desk:
        by = desk.subject.reference
        handed = await hand_out(desk.runtime, desk.connection, tree, now=desk.now, handed_by=by)
        await desk.audit(desk.row(_of(handed.concerned), detail=_whose(handed.subject)))
    waits = {"waits_for": "another operator", "proposal": handed.proposal} if handed.proposal else {}
    return json({"login": handed.login, "code": handed.code, **waits}, 201)


@router.get("")
async def list_codes(request: Request, after: str = "") -> Response:
    """Codes that wait for another operator, for whom and by whom, and never the codes; operators only."""
    async with operator_desk(request, "code-list", _PATH) as desk:
        found = await countersigning.waiting(desk.connection, after=after, now=desk.now)
        await desk.audit(desk.row(NOBODY))
    return json({"waiting": [each.as_json for each in found]})


@router.post("/{login}/confirm")
async def confirm_code(request: Request, login: str) -> Response:
    """Let a code be good that another operator handed out, named as `{"proposal"}`."""
    named = (await _tree(request)).get("proposal")
    async with operator_desk(request, "code-confirm", _PATH) as desk:
        by = desk.subject.reference
        found = await countersigning.confirm(desk.runtime, desk.connection, login, named, now=desk.now, by=by)
        await desk.audit(desk.row(_of(found.concerned), detail=_whose(found.subject)))
    return json({"login": login, "subject": found.subject.reference})


@router.post("/{login}/decline")
async def decline_code(request: Request, login: str) -> Response:
    """Let nothing come of a code that waits; the one that is good goes on; operators only."""
    async with operator_desk(request, "code-decline", _PATH) as desk:
        subject = await countersigning.decline(desk.connection, login, now=desk.now)
        await desk.audit(desk.row(NOBODY, detail=subject))
    return json({"login": login, "subject": subject})


@router.delete("/{login}")
async def delete_code(request: Request, login: str) -> Response:
    """Take a sign-in code back and end the sessions of whoever it was for; operators only."""
    async with operator_desk(request, "code-withdraw", _PATH) as desk:
        concerned = await taking_back.withdraw(desk.runtime, desk.connection, login, now=desk.now)
        await desk.audit(desk.row(_of(concerned)))
    return Response(status_code=204, headers=NO_STORE)


def _of(concerned: int | None) -> int:
    """In whose log it stands."""
    return NOBODY if concerned is None else concerned


def _whose(subject: Subject) -> str:
    """Whom a code signs in, in the role that it is for."""
    return subject.reference if city_kind(subject.reference) is not None else subject.actor


async def _tree(request: Request) -> Mapping[str, Any]:
    """What is sent, nothing where there is no body: whoever may not confirm is told that first."""
    return await json_tree(request) if "content-type" in request.headers else {}
