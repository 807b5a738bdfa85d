"""The pieces of a write: what is to be stored, what it replaces, and the checks that need nothing but these.

http://hl7.org/fhir/R4/http.html#update
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from consent.model import Action
from fhirstore.elements import Code, codes_in, values_at
from fhirstore.errors import Problem
from fhirstore.facts import Facts
from fhirstore.parse import Tree
from fhirstore.rows import RecordRow
from fhirstore.subset import SUBSETTED
from fhirstore.types import TYPES
from fhirstore.validate import validate
from passport.admission import Desk
from passport.authority import Basis
from passport.decision import Decision
from passport.identity.record_scopes import Right
from passport.outcomes import Invalid, NotFound, NothingToUpdate, PreconditionFailed, Refused, naming
from passport.records import Owner
from passport.subjects import Subject
from passport.turns import in_pieces

Method = Literal["create", "update", "delete"]

Versions = frozenset[int]
"""The versions that a write is made for; 0 is that nothing is there, `ANY` whatever is."""

ANY: Final = -1
MADE_FOR_ANY: Final[Versions] = frozenset({ANY})
MADE_FOR_NONE: Final[Versions] = frozenset({0})

_PROVENANCE: Final = "Provenance"
_RIGHTS: Final[Mapping[Method, Right]] = {"create": "c", "update": "u", "delete": "d"}


class InvalidWrites(Invalid):
    """Some of several writes break the specification; `failing` are their places among them.

    One that is `misnamed`, as another record than its address says, is a bad request, whatever else it is.
    http://hl7.org/fhir/R4/http.html#update
    """

    def __init__(
        self, problems: Iterable[Problem], failing: Collection[int], *, misnamed: bool = False
    ) -> None:
        super().__init__(problems, status=400 if misnamed else 422)
        self.failing = frozenset(failing)


@dataclass(frozen=True, slots=True)
class Write:
    """One write: an update or delete names its record; a create gets its id here, or from our own code.

    A `patch` makes the content of an update from what is stored. `confirm` asks whether a new consent can ever
    count; whoever ends one with its creation does without. `place` is where the content stands in the request,
    `on` what our own code has settled that it rests on, `source` the reference as whose it is kept if not its caller's.
    `labels_only` tells that it changes security labels alone: the record stays that of who wrote it before. `taken`
    are labels that it takes away. A `blind` patch comes out the same whatever is stored.
    """

    method: Method
    type: str
    tree: Tree | None = None
    id: str | None = None
    if_match: Versions | None = None
    confirm: bool = True
    patch: Callable[[Tree], Tree] | None = None
    place: str = ""
    on: Basis | None = None
    source: str | None = None
    labels_only: bool = False
    taken: frozenset[Code] = frozenset()
    blind: bool = False

    @property
    def needs(self) -> Right | None:
        """Which right of the session's scopes it takes, None where it takes none.

        The Provenance that our own code writes beside others needs none, nor does what two clerks agreed on.
        """
        if self.on is Basis.DESK or (self.on is not None and self.type == _PROVENANCE):
            return None
        return _RIGHTS[self.method]

    @property
    def shows(self) -> bool:
        """Whether its caller is told of what is stored: a patch that fits or fails says what it was held against."""
        return self.patch is not None and self.on is None and not self.blind

    @property
    def rights(self) -> tuple[Right, ...]:
        """Which rights of the session's scopes it takes, of the very record that it is about."""
        return tuple(right for right in (self.needs, "r" if self.shows else None) if right is not None)

    @property
    def names_version(self) -> bool:
        """Whether it says which one version was read before it was made."""
        return self.if_match is not None and len(self.if_match) == 1 and min(self.if_match) > 0

    @property
    def entry(self) -> str:
        """Where the whole of it stands in the request, empty where it is the request."""
        return self.place.removesuffix(".resource")

    def with_tree(self, tree: Tree) -> "Write":
        """The same with this content."""
        return replace(self, tree=tree)


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
    """The current version of a record that a write is about, locked.

    `given` tells that the session was given to read it, `readable` that the caller's consents let them as well.
    """

    row: Any
    correctable: bool
    collectable: bool
    readable: bool
    given: bool

    @property
    def versions(self) -> tuple[int, ...]:
        """What a write of it may be made for: of a deleted one also that nothing is there, else that anything is."""
        return (self.row.version, 0 if self.row.deleted else ANY)

    @property
    def seen(self) -> int | None:
        """Its number, where it is there and its caller may read it."""
        version: int | None = self.row.version if self.readable and not self.row.deleted else None
        return version


@dataclass(frozen=True, slots=True)
class Piece:
    """One write on its way: what it says, what it replaces, and what it rests on."""

    write: Write
    id: str
    tree: Tree
    facts: Facts
    current: Current | None
    on: Basis

    @property
    def reference(self) -> str:
        """`Type/id` of the record."""
        return f"{self.facts.type.name}/{self.id}"

    @property
    def creates(self) -> bool:
        """Whether nothing was there for its caller: a record that is new, or that was deleted."""
        return self.current is None or bool(self.current.row.deleted)


def reference_of(one: Write) -> str:
    """`Type/id` of what a write names; a creation names nothing yet."""
    return f"{one.type}/{one.id}" if one.method != "create" else ""


def check_valid(writes: Sequence[Write]) -> None:
    """Every problem of every resource at once, before anything is looked up.

    Raises:
        InvalidWrites: there is one.
    """
    _refuse(writes, [_problems(one) for one in writes])


async def check_valid_in_pieces(writes: Sequence[Write]) -> None:
    """The same of any number of resources, so that others are answered in between.

    Raises:
        InvalidWrites: there is a problem.
    """
    _refuse(writes, [_problems(one) async for one in in_pieces(writes)])


def _problems(one: Write) -> list[Problem]:
    if one.tree is None:
        return []
    found = [*validate(one.tree), *_misnamed(one, one.tree), *_cut(one.tree), *_unsent(one.tree)]
    return [placed(problem, one.place) for problem in found]


def _refuse(writes: Sequence[Write], found: Sequence[Sequence[Problem]]) -> None:
    if any(found):
        failing = [at for at, problems in enumerate(found) if problems]
        named = [writes[at] for at in failing]
        sent = [one for one in named if one.patch is None]
        misnamed = any(one.tree is not None and any(_misnamed(one, one.tree)) for one in sent)
        raise InvalidWrites(
            [problem for problems in found for problem in problems], failing, misnamed=misnamed
        )


def _misnamed(one: Write, tree: Tree) -> Iterator[Problem]:
    """What stands in the content otherwise than in the address."""
    if tree.get("resourceType") != one.type:
        text = f"got another resourceType than the address names, expected `{one.type}`"
        yield Problem("error", "invalid", "resourceType", text)
    if one.method == "update" and tree.get("id") != one.id:
        text = misnamed(tree, f"`{one.id}` as in the address")
        yield Problem("error", "invalid", f"{one.type}.id", text)


def misnamed(tree: Tree, expected: str) -> str:
    """The text about a resource whose id is another than the `expected` one, or missing."""
    id_ = tree.get("id")
    got = "no id" if id_ is None else f"id `{id_[:64]}`" if isinstance(id_, str) else "an id that is no text"
    return f"got {got} in the resource, expected {expected}"


def _cut(tree: Tree) -> Iterator[Problem]:
    """Whether only a part of a record came, as `_summary` and `_elements` show it: the rest would be lost."""
    if Code(**SUBSETTED) in codes_in(values_at(tree, (("meta", "tag"),))):
        text = "got a resource tagged `SUBSETTED`, expected all of it: a part would replace the whole"
        yield Problem("error", "incomplete", f"{tree.get('resourceType')}.meta.tag", text)


def _unsent(tree: Tree) -> Iterator[Problem]:
    """Whether what came is to be carried out, and would be kept with nothing of it done."""
    if tree.get("resourceType") == "Bundle" and (kind := tree.get("type")) in ("batch", "transaction"):
        text = f"got a Bundle of type `{kind}` to be stored, expected it at the base address, which carries it out"
        yield Problem("error", "business-rule", "Bundle.type", text)


def placed(problem: Problem, place: str) -> Problem:
    """The problem with its place in the request: of an entry, `Bundle.entry[2].resource.status`."""
    if not place:
        return problem
    inside = problem.expression.partition(".")[2] if problem.expression[:1].isupper() else problem.expression
    return replace(problem, expression=f"{place}.{inside}" if inside else place)


def check_scopes(desk: Desk, writes: Sequence[Write]) -> None:
    """Refuse what the session was not given for.

    Raises:
        OutOfScope: a scope is missing.
    """
    first: dict[tuple[Right, str], Write] = {}
    for one in writes:
        for right in one.rights:
            first.setdefault((right, one.type), one)
    for (right, type_name), one in first.items():
        with naming(one.entry):
            desk.require_reach(right, type_name)


def may_name(subject: Subject, type_name: str, granted: Decision) -> bool:
    """Whether new records of a type get their ids from this caller, who also writes deleted ones again."""
    type_ = TYPES[type_name]
    office = subject.kind == "operator" and (type_.directory or type_.is_patient)
    return office or granted.covers(type_name)


def check_current(
    subject: Subject, one: Write, current: Current | None, on: Basis, granted: Decision
) -> None:
    """Refuse an update or deletion of what the caller does not see, may not change, or has not seen last.

    Raises:
        NotFound: a deletion of what is out of sight.
        NothingToUpdate: an update of what is out of sight.
        Refused: the caller sees it and may not change it.
        PreconditionFailed: `if_match` is another version than the current one.
    """
    if one.method == "create":
        return
    if current is None:
        if one.method == "delete":
            raise NotFound
        if not may_name(subject, one.type, granted):
            raise NothingToUpdate
    elif on is Basis.CONSENT and not (current.correctable or current.collectable):
        raise Refused
    check_version(one, current)


def check_version(one: Write, current: Current | None) -> None:
    """Refuse what was made from another version than the current one.

    Raises:
        PreconditionFailed: the current version is none of `if_match`.
    """
    if one.if_match is not None and one.if_match.isdisjoint(current.versions if current else MADE_FOR_NONE):
        raise PreconditionFailed(seen=current.seen if current else None)


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


def resting(piece: Piece) -> Action | None:
    """The action of a consent that the piece rests on, None where it rests on no consent."""
    shared = piece.on is Basis.OWN and len(piece.facts.patients) > 1
    if piece.on is not Basis.CONSENT and not shared:
        return None
    if piece.current is None or piece.creates:
        return Action.COLLECT
    return Action.CORRECT if piece.current.correctable else Action.COLLECT


def answered(piece: Piece, row: RecordRow, plain: bytes) -> Written:
    """What the caller is told of a record that was written."""
    return Written(piece.reference, row.version, row.last_updated, plain, created=piece.creates)


def already(write: Write, row: Any) -> Written:
    """What the caller is told of a deletion that was done before; `row` is the tombstone."""
    return Written(f"{write.type}/{write.id}", row.version, row.last_updated, b"", created=False)


def made_for(if_match: str | None, if_none_match: str | None, place: str = "") -> Versions | None:
    """The versions that a write is made for, None where it does not say.

    `place` is where its conditions stand, if not in headers.

    Raises:
        Invalid: they name no version, or contradict each other.
    """
    if if_none_match is None:
        return None if if_match is None else versions_of(if_match, place and f"{place}.ifMatch")
    if if_match is not None or if_none_match.strip() != "*":
        raise Invalid(
            "got an `If-None-Match` for a write, expected `*`, and no `If-Match` beside it",
            (f"{place}.ifNoneMatch",) if place else (),
        )
    return MADE_FOR_NONE


def versions_of(tags: str, place: str = "") -> Versions:
    """The versions that an `If-Match` names: each of its entity tags, or by `*` whichever is there.

    https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1

    Raises:
        Invalid: it names none, or something that is no version.
    """
    if tags.strip() == "*":
        return MADE_FOR_ANY
    # Versions begin with 1: no other number is ever there.
    return frozenset(version_of(tag, place) for tag in tags.split(",")) - MADE_FOR_NONE


def version_of(tag: str, place: str = "") -> int:
    """The version that an entity tag names.

    Raises:
        Invalid: it names none.
    """
    digits = tag.strip().removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Invalid('got an unreadable `If-Match`, expected `W/"1"` or `*`', (place,) if place else ())
    return int(digits)
