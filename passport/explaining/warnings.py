"""Warnings before a consent is saved: rules in it that do nothing, each with its place and a sentence.

http://hl7.org/fhir/R4/consent.html

What comparison finds is confirmed by counting: with and without the rule, whoever it could be about sees the same.
What is there at present (records, people, purposes in use) is counted and looked up, and may be otherwise tomorrow.
"""

from asyncio import to_thread
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from consent.explain import ROOT
from consent.idle import Idle, Ruled, Why, granting, idle
from consent.model import Action, Consent, Provision, Purpose
from consent.shape import ShapeNode
from passport.disclosure.weighing import Weighed, matched, weigh
from passport.explaining.asked import ONLOOKERS
from passport.explaining.people import People, actors_of
from passport.explaining.sentences import WARNINGS, Today
from passport.explaining.store import HELD, HERE
from passport.explaining.supposition import Case, Draft, Supposition, affordable, apart
from passport.sql import fetch

CONFIRMED_WITH: Final = 6
"""Callers with whom a finding is confirmed, each for one purpose."""

MOST_FINDINGS: Final = 20
"""Findings that are confirmed and told; a consent may hold more provisions."""

_LOOKED_UP: Final = ONLOOKERS - {"Patient"}
"""Who is told of as missing; whether somebody else has a passport is told to nobody."""


@dataclass(frozen=True, slots=True)
class Warned:
    """One rule that does nothing: the consent and the path of the provision, why, and what makes it so."""

    consent: str
    path: str
    why: Why | Today
    by: tuple[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """The JSON of it."""
        told: dict[str, Any] = {
            "consent": self.consent,
            "path": self.path,
            "why": str(self.why),
            "always": isinstance(self.why, Why),
            "text": WARNINGS[self.why].as_json(),
        }
        return told if self.by is None else {**told, "by": {"consent": self.by[0], "path": self.by[1]}}


async def warnings_of(supposition: Supposition, people: People) -> list[Warned]:
    """All warnings about the drafts, in their order.

    Round trips, however many consents there are: two to confirm what comparison found, if it found anything, one to
    count what each rule matches, and two look-ups.
    """
    if not supposition.drafts:
        return []
    after = supposition.after
    key_of = supposition.viewing.desk.runtime.keys.reference
    keys: dict[int, str] = {key_of(name): name for name in actors_of(after)}
    drafted = [draft.consent.reference for draft in supposition.drafts]
    found = await to_thread(idle, after, drafted, supposition.viewing.desk.now, people.leads(keys))
    found = found[:MOST_FINDINGS]
    confirmed = await _confirmed(supposition, people, found)
    named = {(one.consent, one.path) for one in found}
    today = [one for one in await _today(supposition) if not _under(one, named)]
    listed = [*(Warned(one.consent, one.path, one.why, one.by) for one in confirmed), *today]
    return sorted(listed, key=lambda one: (drafted.index(one.consent), _places(one.path)))


def _under(one: Warned, named: set[tuple[str, str]]) -> bool:
    """Whether something was found already of the provision, or of one that it stands in."""
    return any(one.consent == consent and f"{one.path}.".startswith(f"{path}.") for consent, path in named)


def _places(path: str) -> tuple[int, ...]:
    return tuple(int(step.rstrip("]")) for step in path.removeprefix(ROOT).split(".provision[")[1:])


async def _confirmed(supposition: Supposition, people: People, found: Sequence[Idle]) -> list[Idle]:
    """What was found, as far as nobody sees anything more or less without it, and one count goes."""
    cases, pairs = await to_thread(_paired, supposition, people, found)
    if not cases:
        return list(found)
    viewing = supposition.viewing
    async with viewing.desk.connection.transaction(force_rollback=True):
        stood = await supposition.stand(cases)
    # Counted behind the viewer's own wall: what a caller sees lies there as well, as far as the viewer may know.
    decisions, places = await to_thread(apart, stood)
    most = affordable(decisions)
    weighed = await weigh(viewing.whose, decisions[:most])
    counted = [(at, *sorted((places[one], places[other]))) for at, one, other in pairs]
    told = {at for at, _, last in counted if last < most} | {*range(len(found))} - {
        at for at, _, _ in counted
    }
    contradicted = {at for at, first, last in counted if last < most and _differ(weighed, first, last)}
    return [one for at, one in enumerate(found) if at in told - contradicted]


def _paired(
    supposition: Supposition, people: People, found: Sequence[Idle]
) -> tuple[list[Case], list[tuple[int, int, int]]]:
    """The cases of each finding with the rule and without it, and the places of both."""
    drafts = {draft.consent.reference: draft for draft in supposition.drafts}
    cases: list[Case] = []
    pairs: list[tuple[int, int, int]] = []
    for at, one in enumerate(found):
        for case in islice(_concerned(supposition, people, drafts[one.consent], one), CONFIRMED_WITH):
            pairs.append((at, len(cases), len(cases) + 1))
            cases += [case, supposition.lacking(case, drafts[one.consent], one.path)]
    return cases, pairs


def _differ(weighed: Sequence[Weighed], one: int, other: int) -> bool:
    return any((group.seen >> one ^ group.seen >> other) & 1 for group in weighed)


def _concerned(supposition: Supposition, people: People, draft: Draft, one: Idle) -> Iterator[Case]:
    """Whoever a provision could be about, for each purpose that it could be about."""
    keys = supposition.viewing.desk.runtime.keys
    actors = _actors(draft.consent, one.path)
    named = {keys.reference(actor) for actor in actors}
    for person in people.listed:
        if named and not named & person.actors:
            continue
        for purpose in person.purposes:
            yield supposition.case(supposition.subject(person.reference, purpose), Action.ACCESS, saved=True)


def _actors(consent: Consent, path: str) -> frozenset[str]:
    """The actors of a grant; of anything else everybody is concerned."""
    ruled: Ruled | None = next((one for one in granting(consent) if one.path == path), None)
    return frozenset() if ruled is None else ruled.actors[-1]


async def _today(supposition: Supposition) -> list[Warned]:
    """What the drafts say of records, people and purposes of which there are none at present."""
    provisions = [
        (draft, path, provision) for draft in supposition.drafts for path, provision in _paths(draft.consent)
    ]
    held, here = await _held(supposition, provisions), await _here(supposition)
    told = await _unmatched(supposition)
    for draft, path, provision in provisions:
        if provision.purposes and not provision.purposes & held:
            told.append(Warned(draft.consent.reference, path, Today.PURPOSE))
        if provision.actors and not any(actor in here for actor in provision.actors):
            told.append(Warned(draft.consent.reference, path, Today.ACTOR))
    return told


def _paths(consent: Consent) -> Iterator[tuple[str, Provision]]:
    """Every provision with its path, parents first."""
    if consent.root is not None:
        yield from _below(ROOT, consent.root)


def _below(path: str, provision: Provision) -> Iterator[tuple[str, Provision]]:
    yield path, provision
    for place, child in enumerate(provision.children):
        yield from _below(f"{path}.provision[{place}]", child)


async def _held(
    supposition: Supposition, provisions: Sequence[tuple[Draft, str, Provision]]
) -> frozenset[Purpose]:
    """The purposes that anybody may ask for; break-glass where a policy lets anybody open."""
    desk = supposition.viewing.desk
    asked = {purpose for _, _, provision in provisions for purpose in provision.purposes}
    if not asked:
        return frozenset()
    params = {"purposes": sorted(asked), "now": desk.now}
    rows = await fetch(desk.connection, HELD, params)
    opens = any(
        Purpose.BTG in ruled.purposes
        for consent in supposition.before
        if consent.patient is None
        for ruled in granting(consent)
    )
    return frozenset(Purpose(row.purpose) for row in rows) | ({Purpose.BTG} if opens else set())


async def _here(supposition: Supposition) -> frozenset[str]:
    """Those of the drafts' actors who are in the directory or among the person's own, or about whom nothing is told."""
    viewing = supposition.viewing
    keys = viewing.desk.runtime.keys
    actors = actors_of(draft.consent for draft in supposition.drafts)
    looked_up = {keys.reference(name): name for name in actors if name.partition("/")[0] != "Patient"}
    if not looked_up:
        return actors
    params = {"keys": sorted(looked_up), "patient_keys": [0, *viewing.registrations]}
    rows = await fetch(viewing.desk.connection, HERE, params)
    missing = looked_up.keys() - {row.record_key for row in rows}
    return actors - {looked_up[key] for key in missing}


async def _unmatched(supposition: Supposition) -> list[Warned]:
    """Provisions that match no record that there is, and whether it is for their labels."""
    asked: list[tuple[Draft, str, bool]] = []
    groups: list[Sequence[ShapeNode]] = []
    for draft in supposition.drafts:
        if not draft.compiled.grants:
            continue
        # The first grant of a consent holds all of its provisions, parents first.
        shape = draft.compiled.grants[0].shape
        above = _above(shape.nodes)
        for at, (path, provision) in enumerate(_paths(draft.consent)):
            if provision.confidentiality or provision.sensitivities:
                asked.append((draft, path, True))
                groups.append([_label_alone(shape.nodes[at])])
            if _narrows(provision):
                asked.append((draft, path, False))
                groups.append([shape.nodes[each] for each in above[at]])
    counts = await matched(supposition.viewing.whose, groups)
    found: dict[tuple[str, str], Warned] = {}
    for (draft, path, label), count in zip(asked, counts, strict=True):
        if not count:
            place = (draft.consent.reference, path)
            found.setdefault(place, Warned(*place, Today.LABEL if label else Today.RECORDS))
    return list(found.values())


def _above(nodes: Sequence[ShapeNode]) -> Mapping[int, Sequence[int]]:
    """Each node with all above it."""
    above: dict[int, Sequence[int]] = {0: [0]}
    for at, node in enumerate(nodes):
        for child in node.children:
            above[child] = [*above[at], child]
    return above


def _label_alone(node: ShapeNode) -> ShapeNode:
    return ShapeNode(
        deny=node.deny,
        types=node.types,
        categories=node.categories,
        confidentiality=node.confidentiality,
        sensitivities=node.sensitivities,
    )


def _narrows(provision: Provision) -> bool:
    """Whether it asks anything of records."""
    return bool(
        provision.classes
        or provision.codes
        or provision.confidentiality
        or provision.sensitivities
        or provision.data_period
        or provision.data
    )
