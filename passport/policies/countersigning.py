"""Two operators for a policy: what one proposed another puts into force as it is, and nobody puts into force alone.

http://hl7.org/fhir/R4/consent.html

A policy counts for every resident. So its first version waits (`proposed`), and the version that is `active` says
what the one before it said, written by somebody else. What is in force is not changed but ended and proposed anew.

Who proposed is who said the whole of it: neither a patch of somebody else's proposal makes its author, who need not
have read the rest, nor the same once more. And who agrees by a patch says to which version.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fhirstore.parse import Tree, parse
from passport.admission import Desk
from passport.authority import Basis
from passport.identity.persons import require_another
from passport.outcomes import Invalid, Refused
from passport.pieces import Current, Piece
from passport.policies import store
from passport.records import opened_body
from passport.sql import fetch

_ACTIVE: Final = "active"
_PROPOSED: Final = "proposed"
_WAITING: Final = frozenset({"draft", _PROPOSED})
_OF_SERVER: Final = frozenset({"versionId", "lastUpdated"})


async def check_policies(desk: Desk, pieces: Iterable[Piece]) -> None:
    """Refuse policies that one person alone would put into force, and remember who proposes.

    Raises:
        Refused: nobody proposed it, or the caller did; or it is in force and would be changed.
        Invalid: it says something else than what was proposed.
    """
    for piece in pieces:
        if piece.facts.type.name != "Consent" or piece.on is not Basis.OFFICE:
            continue
        if piece.write.method != "delete" and piece.tree.get("status") == _ACTIVE:
            await _check_countersigned(desk, piece)
        elif piece.write.method != "delete":
            await _remember(desk, piece)


async def _remember(desk: Desk, piece: Piece) -> None:
    """Remember who proposes this version: its writer, or whoever did before where it says nothing else.

    Raises:
        Refused: it patches what somebody else proposed.
    """
    current, author = piece.current, desk.subject.reference
    if current is not None and not current.row.deleted:
        before, proposed_by = _stored(desk, current), await _proposed_by(desk, piece, current)
        if piece.write.patch is not None and piece.tree.get("status") in _WAITING and proposed_by != author:
            raise Refused("what somebody else proposed is not patched: propose the whole of it")
        if proposed_by and before.get("status") in _WAITING and _worded(before) == _worded(piece.tree):
            author = proposed_by
    version = current.row.version + 1 if current else 1
    row = {"version": version, "proposed_by": author}
    await fetch(desk.connection, store.PROPOSE, {"consent_key": _key(desk, piece), **row})


async def _proposed_by(desk: Desk, piece: Piece, current: Current) -> str | None:
    asked = {"consent_key": _key(desk, piece), "version": current.row.version}
    rows = await fetch(desk.connection, store.PROPOSED, asked)
    return rows[0].proposed_by if rows else None


async def _check_countersigned(desk: Desk, piece: Piece) -> None:
    current = piece.current
    if current is None or current.row.deleted:
        raise Refused("a policy is `proposed` by one operator and made `active` by another")
    before = _stored(desk, current)
    if before.get("status") != _PROPOSED:
        raise Refused("a policy that is not `proposed` is not made `active`: end it, and propose another")
    proposed_by = await _proposed_by(desk, piece, current)
    if proposed_by is None:
        raise Refused("it is not known who proposed this: propose it anew")
    await require_another(desk.connection, proposed_by, desk.subject.reference)
    if piece.write.patch is not None and not piece.write.names_version:
        text = (
            "got a patch that agrees to whatever is there, expected `If-Match` with the version that was read"
        )
        raise Invalid(text, ("Consent",), status=422, code="business-rule")
    if _said(before) != _said(piece.tree):
        text = "got another policy than the one that was proposed, expected the same with status `active`"
        raise Invalid(text, ("Consent",), status=422, code="business-rule")


def _key(desk: Desk, piece: Piece) -> int:
    return desk.runtime.keys.reference(piece.reference)


def _stored(desk: Desk, current: Current) -> Tree:
    row = current.row
    return parse(opened_body(row, desk.runtime.ring.unwrap(row.patient_key, row.wrapped_key), row.type))


def _worded(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What a policy says, without the tags and labels that stand on it."""
    return {name: value for name, value in tree.items() if name not in {"id", "meta", "status"}}


def _said(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What a policy says, apart from whether it counts and from what the service adds to it."""
    meta = {name: value for name, value in tree.get("meta", {}).items() if name not in _OF_SERVER}
    rest = {name: value for name, value in tree.items() if name not in {"id", "meta", "status"}}
    return {**rest, "meta": meta} if meta else rest
