"""The pieces of a write: what is to be stored, what it replaces, and the checks that need nothing but these.

http://hl7.org/fhir/R4/http.html#update
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from consent.model import Action
from fhirstore.errors import Problem
from fhirstore.facts import Facts
from fhirstore.parse import Tree, serialise
from fhirstore.rows import RecordRow
from fhirstore.types import resource_type
from fhirstore.validate import validate
from passport.admission import Desk
from passport.authority import Basis
from passport.decision import Decision
from passport.identity.scopes import Right, allows
from passport.outcomes import Invalid, NotAllowed, NotFound, PreconditionFailed, Refused
from passport.records import Owner, named
from passport.subjects import Subject

Method = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Write:
    """One write: an update or delete names its record; a create gets its id here, or from our own code.

    `confirm` asks the models of fhir.resources too; whoever made the tree from checked values may do without.
    """

    method: Method
    type: str
    tree: Tree | None = None
    id: str | None = None
    if_match: int | None = None
    confirm: bool = True


@dataclass(frozen=True, slots=True)
class Written:
    """What a write made; `created` tells a new record from a new version, `body` is its JSON."""

    reference: str
    version: int
    last_updated: datetime
    body: bytes
    created: bool


@dataclass(frozen=True, slots=True)
class Current:
    """The current version of a record that a write is about, locked."""

    row: Any
    correctable: bool
    collectable: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One write on its way: what it says, what it replaces, and what it rests on."""

    write: Write
    id: str
    tree: Tree
    facts: Facts
    current: Current | None
    on: Basis


def check_valid(writes: Sequence[Write]) -> None:
    """Every problem of every resource at once, before anything is looked up."""
    problems: list[Problem] = []
    for one in writes:
        if one.tree is None:
            continue
        problems += validate(one.tree, confirm=one.confirm)
        if one.tree.get("resourceType") != one.type:
            text = f"got another resourceType than the address names, expected `{one.type}`"
            problems.append(Problem("error", "invalid", "resourceType", text))
        if one.method == "update" and one.tree.get("id") != one.id:
            problems.append(
                Problem(
                    "error", "invalid", f"{one.type}.id", "got another id than the address, expected the same"
                )
            )
    if problems:
        raise Invalid(problems, status=422)


def check_scopes(subject: Subject, writes: Sequence[Write]) -> None:
    """Refuse what the session was not given for.

    Raises:
        Refused: a scope is missing.
    """
    rights: dict[Method, Right] = {"create": "c", "update": "u", "delete": "d"}
    if not all(allows(subject.scopes, one.type, rights[one.method]) for one in writes):
        raise Refused("the session's scopes do not allow this")


def check_current(one: Write, current: Current | None, on: Basis, granted: Decision) -> None:
    """Refuse an update or deletion of what the caller does not see, may not change, or has not seen last.

    Raises:
        NotFound: a deletion of what is out of sight.
        NotAllowed: an update of what is out of sight.
        Refused: the caller sees it and may not change it.
        PreconditionFailed: `if_match` is another version than the current one.
    """
    if one.method == "create":
        return
    if current is None:
        type_ = resource_type(one.type)
        named_by_office = on is Basis.OFFICE and (type_.directory or type_.is_patient)
        creatable = named_by_office or granted.covers(one.type)
        if one.method == "delete":
            raise NotFound
        if not creatable:
            raise NotAllowed
    elif on is Basis.CONSENT and not (current.correctable or current.collectable):
        raise Refused
    if one.if_match is not None and one.if_match != (current.row.version if current else 0):
        raise PreconditionFailed


def check_same_patient(desk: Desk, piece: Piece, owner: Owner) -> None:
    """A record stays with its patient; whether another one is here must not show in a proposal's update."""
    if piece.current is None:
        return
    row, keys = piece.current.row, desk.runtime.keys
    same = row.patient_key == owner.patient_key
    if piece.on is Basis.PROPOSAL:
        same = all(keys.reference(name) in row.refs for name in piece.facts.patients)
    if not same:
        raise Invalid("got another patient than the record's, expected the same", status=422)


def registers(piece: Piece) -> bool:
    """Whether the piece gives a person a passport."""
    return piece.facts.type.is_patient and piece.current is None


def questions(action: Action, pieces: Sequence[Piece], rows: Sequence[RecordRow]) -> dict[Action, list[int]]:
    """Which rows have to be judged, by the action that each rests on."""
    asked: dict[Action, list[int]] = {}
    for piece, row in zip(pieces, rows, strict=True):
        if piece.on is Basis.CONSENT or (piece.on is Basis.OWN and row.others):
            resting = action
            if piece.current is not None:
                resting = Action.CORRECT if piece.current.correctable else Action.COLLECT
            elif piece.write.method == "update":
                resting = Action.COLLECT
            asked.setdefault(resting, []).append(row.record_key)
    return asked


def answered(piece: Piece, row: RecordRow, desk: Desk) -> Written:
    """What the caller is told of a record that was written."""
    body = serialise(named(piece.tree, id_=row.id, version=row.version, last_updated=desk.now))
    reference = f"{piece.facts.type.name}/{row.id}"
    return Written(reference, row.version, desk.now, body, created=piece.current is None)
