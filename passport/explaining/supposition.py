"""A supposition: consents that are in force, drafts beside them, and how anybody would stand under some of both.

http://hl7.org/fhir/R4/consent.html

It is a composition of grants and no write: the drafts travel as rows in the statement of the standing, so nothing is
locked, and other transactions see nothing of it. What a draft says of records is known to this supposition alone, not
to the process.
"""

import json
from asyncio import to_thread
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent.compile import ACTION_BITS, Compiled, compile_consent
from consent.element import Issue
from consent.errors import ShapeCollision
from consent.idle import without
from consent.model import Action, Consent
from consent.read import read_consent
from consent.shape import Shape
from consent.store import GRANT_TABLES, Rows, grant_rows, load_shapes
from fhirstore.errors import Problem
from fhirstore.keys import KeyMaker
from fhirstore.parse import Tree
from passport.decision import Decision, decide
from passport.disclosure.supposing import InForce, in_force
from passport.explaining.asked import Edit
from passport.explaining.viewing import Viewing
from passport.identity.principals import KINDS_BY_TYPE
from passport.outcomes import Invalid
from passport.runtime import Runtime
from passport.standing import Supposed, suppose
from passport.subjects import Subject
from passport.turns import in_pieces

SCOPES: Final = frozenset({"user/*.cruds"})
"""What consents let through is asked, whatever narrower session somebody may have."""

MOST_CONSENTS: Final = 2_000
"""Consents of one person, policies included, that one answer compares with each other."""

MOST_CONDITIONS: Final = 1_000
"""Provisions that one count looks at, each as often as somebody else's records are decided by it."""

_DRAFTS: Final = "drafts"
_IN_FORCE: Final = frozenset({"draft", "proposed", "active"})


@dataclass(frozen=True, slots=True)
class Case:
    """Somebody in a supposed state of consents: keys of those that are left out, and of drafts that count."""

    subject: Subject
    action: Action
    without: frozenset[int] = frozenset()
    including: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Stood:
    """What came of a case: who they act for (keys), and what they would be let through."""

    case: Case
    decision: Decision
    actors: frozenset[int]
    unresolved: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft, or a draft without one of its provisions, as it would count; `key` is no stored consent's."""

    consent: Consent
    compiled: Compiled
    key: int


@dataclass(frozen=True, slots=True)
class Filed:
    """A consent in force as it is read; `since` its version was written."""

    consent: Consent
    stored: InForce


class Supposition:
    """The consents of one person with an edit to them; `viewing` is the look that it belongs to."""

    def __init__(self, viewing: Viewing, edit: Edit, filed: Sequence[Filed], drafts: Sequence[Draft]) -> None:
        """Put together what `supposed` has read."""
        self.viewing = viewing
        self.edit = edit
        self.filed = tuple(filed)
        self.drafts = tuple(drafts)
        self._variants: dict[int, Draft] = {draft.key: draft for draft in drafts}
        self._lacking: dict[tuple[int, str], Draft] = {}

    @property
    def replaced(self) -> frozenset[int]:
        """The keys of the consents whose place the drafts take."""
        keys = self.viewing.desk.runtime.keys
        return frozenset(keys.reference(name) for name in self.edit.replaces)

    @property
    def drafted(self) -> frozenset[int]:
        """The keys of the drafts."""
        return frozenset(draft.key for draft in self.drafts)

    @property
    def before(self) -> list[Consent]:
        """The consents in force."""
        return [one.consent for one in self.filed]

    @property
    def after(self) -> list[Consent]:
        """The consents that would be in force."""
        kept = [one.consent for one in self.filed if one.stored.record_key not in self.replaced]
        return [*kept, *(draft.consent for draft in self.drafts)]

    def case(self, subject: Subject, action: Action, *, saved: bool) -> Case:
        """Somebody before or after the edit is saved."""
        if not saved:
            return Case(subject, action)
        return Case(subject, action, self.replaced, self.drafted)

    def lacking(self, case: Case, draft: Draft, path: str) -> Case:
        """The same without one provision of a draft."""
        variant = self._lacking.get((draft.key, path))
        if variant is None:
            left, keys = without(draft.consent, path), self.viewing.desk.runtime.keys
            key = keys.reference(f"{draft.consent.reference}#{path}")
            variant = Draft(left, compile_consent(left, keys), key)
            self._lacking[draft.key, path] = self._variants[key] = variant
        return replace(case, including=case.including - {draft.key} | {variant.key})

    def subject(self, reference: str, purpose: str, client: str | None = None) -> Subject:
        """Somebody who is not here, as they would be signed in; for BTG, with an opening of this person's records."""
        kind = reference.partition("/")[0]
        return Subject(
            kind=KINDS_BY_TYPE[kind],
            reference=reference,
            role=reference if kind == "PractitionerRole" else None,
            client=client,
            patient_key=None,
            patient=None,
            purpose=purpose,
            scopes=SCOPES,
            session_id=None,
            opened_patient_key=self.viewing.patient_key if purpose == "BTG" else None,
        )

    async def stand(self, cases: Sequence[Case]) -> list[Stood]:
        """How each case would stand, in their order; the wall is left where the last one has it.

        One statement, whatever there is of cases and of consents; one more for shapes that this process never met.
        """
        desk = self.viewing.desk
        params = {
            **desk.params,
            **await to_thread(self._rows, frozenset(key for case in cases for key in case.including)),
            "about_keys": [desk.runtime.keys.reference(self.viewing.patient)],
            "patient_keys": [patient for group in desk.standing.groups.values() for patient in group],
            "cases": json.dumps([self._row(place, case) for place, case in enumerate(cases)]),
        }
        found = await suppose(desk.connection, params) if cases else []
        runtime = await self._knowing(found)
        return [
            Stood(
                case=case,
                decision=await decide(runtime, desk.connection, one.standing, case.action),
                actors=one.actors,
                unresolved=one.unresolved,
            )
            async for case, one in in_pieces(list(zip(cases, found, strict=True)))
        ]

    def _rows(self, included: Collection[int]) -> dict[str, str]:
        """The rows of these drafts, by table."""
        whose = {reference: key for key, reference in self.viewing.registrations.items()}
        rows: dict[str, Rows] = {table: [] for table in GRANT_TABLES}
        for draft in (self._variants[key] for key in sorted(included)):
            patient_key = whose[draft.consent.patient or ""]
            for table, written in grant_rows(draft.compiled, patient_key, draft.key).items():
                rows[table] += written
        return {table: json.dumps(written) for table, written in rows.items()}

    def _row(self, place: int, case: Case) -> Mapping[str, Any]:
        keys, subject = self.viewing.desk.runtime.keys, case.subject
        return {
            "place": place,
            "kind": subject.kind,
            "subject": subject.reference,
            "role": subject.role,
            "client": subject.client,
            "actor_key": keys.reference(subject.actor),
            "client_key": None if subject.client is None else keys.reference(subject.client),
            "opened_patient_key": subject.opened_patient_key,
            "purpose": subject.purpose,
            "scopes": sorted(subject.scopes),
            "action_bit": ACTION_BITS[case.action],
            "without": sorted(case.without),
            "including": sorted(case.including),
        }

    async def _knowing(self, found: Collection[Supposed]) -> Runtime:
        """The running service with the shapes of the drafts, which it does not keep."""
        runtime = self.viewing.desk.runtime
        drafted = self._shapes()
        held = {
            one.shape_key for each in found for signature in each.standing.groups for one in signature
        } | {one.shape_key for each in found for one in each.standing.policies}
        missing = held - drafted.keys() - runtime.shapes.keys()
        if missing:
            runtime.shapes.update(await load_shapes(self.viewing.desk.connection, missing))
        return replace(
            runtime, shapes={**{key: runtime.shapes[key] for key in held & runtime.shapes.keys()}, **drafted}
        )

    def _shapes(self) -> dict[int, Shape]:
        known = self.viewing.desk.runtime.shapes
        shapes: dict[int, Shape] = {}
        for draft in self._variants.values():
            for grant in draft.compiled.grants:
                shape = grant.shape
                if (
                    shapes.setdefault(grant.shape_key, shape) != shape
                    or known.get(grant.shape_key, shape) != shape
                ):
                    raise ShapeCollision("got a shape whose key another one has, expected a key of its own")
        return shapes


def apart(stood: Sequence[Stood]) -> tuple[list[Decision], list[int]]:
    """The decisions that several come to, each once, and the place of each one's own among them.

    What somebody sees because they wrote it, a request of theirs, is left out: it makes no two of them alike.
    """
    places: dict[Hashable, int] = {}
    decisions: list[Decision] = []
    at: list[int] = []
    for one in stood:
        decision = replace(one.decision, proposals=False, structure=("shared", one.decision.structure))
        place = places.setdefault(_alike(decision), len(decisions))
        if place == len(decisions):
            decisions.append(decision)
        at.append(place)
    return decisions, at


def affordable(decisions: Sequence[Decision]) -> int:
    """How many of the decisions, from the first on, one statement asks; of each at least what it takes to compare two.

    What a statement costs grows with the provisions that each decision has to look at.
    """
    asked = 0
    for count, decision in enumerate(decisions):
        asked += sum(
            len(grant.shape.nodes)
            for group in (*decision.sight.groups, decision.sight.otherwise or ())
            for grant in group
            if grant.shape is not None
        )
        if asked > MOST_CONDITIONS and count >= 2:
            return count
    return len(decisions)


def _alike(decision: Decision) -> Hashable:
    """Equal for all who see the same by the same rules."""
    bound = ((name, keys) for name, keys in decision.params.items() if name not in {"requester", "proposed"})
    return decision.structure, tuple(sorted((name, tuple(keys)) for name, keys in bound))


async def supposed(viewing: Viewing, edit: Edit) -> Supposition:
    """Read the consents in force, and compile the drafts; one statement.

    Raises:
        Invalid: a draft cannot be enforced, what it replaces is no consent of this person in force, or there are too
            many of these.
    """
    keys, zone = viewing.desk.runtime.keys, viewing.desk.runtime.settings.zone
    listed = await in_force(viewing.whose, MOST_CONSENTS + 1)
    if len(listed) > MOST_CONSENTS:
        text = f"got a person with more than {MOST_CONSENTS} consents in force, which are too many to compare"
        raise Invalid(text, code="too-costly")
    filed = await to_thread(lambda: list(_filed(viewing, listed)))
    own = {one.stored.reference for one in filed if one.stored.patient_key in viewing.registrations}
    for place, name in enumerate(edit.replaces):
        if name not in own:
            text = "got no consent of yours that is in force, expected one to replace"
            raise Invalid(text, (f"replaces[{place}]",), status=422, code="business-rule")
    drafts = await to_thread(lambda: list(_drafted(edit, keys, zone)))
    return Supposition(viewing, edit, filed, drafts)


def _drafted(edit: Edit, keys: KeyMaker, zone: ZoneInfo) -> Iterator[Draft]:
    for place, tree in enumerate(edit.drafts):
        read = read_consent(_as_saved(tree), reference=f"{_DRAFTS}[{place}]", version=0, zone=zone)
        if not isinstance(read, Consent):
            raise _unenforceable(read, place)
        yield Draft(read, compile_consent(read, keys), keys.reference(read.reference))


def _filed(viewing: Viewing, listed: Iterable[InForce]) -> Iterator[Filed]:
    """The consents as they are read; one that names a patient and lies with nobody, or the other way, is none."""
    zone = viewing.desk.runtime.settings.zone
    for stored in listed:
        read = read_consent(stored.tree, reference=stored.reference, version=stored.version, zone=zone)
        own = stored.patient_key in viewing.registrations
        if isinstance(read, Consent) and (read.patient is not None) == own:
            yield Filed(read, stored)


def named_consent(ref: str) -> str:
    """How a consent is called in an answer: `Consent/1/_history/2`, or `drafts[0]`, which has no version."""
    return ref.partition("/")[0] if ref.startswith(_DRAFTS) else ref


def _unenforceable(issues: Sequence[Issue], place: int) -> Invalid:
    """The refusal of a draft, as saving it would be refused."""
    problems = [
        Problem("error", "not-supported", f"drafts[{place}].{one.expression.partition('.')[2]}", one.text)
        for one in issues
    ]
    return Invalid(problems, status=422, code="not-supported")


def _as_saved(tree: Tree) -> Tree:
    """A draft or a request as it counts once it is granted."""
    return {**tree, "status": "active"} if tree.get("status") in _IN_FORCE else tree
