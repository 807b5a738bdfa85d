"""Worlds at random: consents, records and one request, drawn from few values so that they often meet.

Values are hostile: wildcards, quotes, mixed case, and texts that normalisation would make one. Each choice is
one draw from a ready-made list, so that thousands of worlds a minute can be had.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import Any, Final

from hypothesis import strategies as st

from consent.model import (
    Action,
    Coding,
    Confidentiality,
    Consent,
    Data,
    Effect,
    Interval,
    Meaning,
    Provision,
    Purpose,
    Record,
    Request,
    Status,
)
from consent.systems import ACT_CODE, ATC, CODELESS, LOINC, READ, RESOURCE_TYPES
from tests.unit.consent.words import A_AT_H, DR_A, DR_B, ORG_H, P1, P2, VITAL_SIGNS, YJ

Pool = Sequence[Any]
Draws = st.SearchStrategy[Any]

ACTORS: Final = (
    DR_A,
    DR_B,
    ORG_H,
    "Organization/k",
    "CareTeam/t",
    "Group/g",
    "Device/app",
    "RelatedPerson/r",
)
COLLECTIVES: Final = ("CareTeam/t", "Group/g")
TYPES: Final = (
    "Observation",
    "MedicationRequest",
    "Condition",
    "Encounter",
    "Patient",
    "Consent",
    "Device",
    "Appointment",
    "Composition",
    "ServiceRequest",
)
FOREIGN: Final = "ImagingStudy"
"""A type that occurs inside of others alone."""

_ODD: Final = "http://例.example/\"'%_\\{}"
_ACCENT: Final = "caf\u00e9"
CODES: Final = (
    Coding(ATC, "C09"),
    Coding(ATC, "c09"),
    Coding(ATC, unicodedata.normalize("NFKC", "Ｃ０９") + "_"),
    Coding(YJ, "Ｃ０９"),
    Coding(LOINC, "85354-9"),
    Coding(LOINC, "%"),
    Coding(_ODD, _ACCENT),
    Coding(_ODD, unicodedata.normalize("NFD", _ACCENT)),
)
UNSYSTEMATIC: Final = Coding("", "C09")
CATEGORIES: Final = (VITAL_SIGNS, Coding("http://cat.example", "'; --"), Coding("http://cat.example", "LAB"))
SENSITIVITIES: Final = (Coding(ACT_CODE, "HIV"), Coding(ACT_CODE, "PSY"))
AUTHORS: Final = (DR_A, DR_B, "Organization/pharmacy")
REFERENCES: Final = ("Observation/0", "MedicationRequest/1", "Encounter/2", "Bundle/3")

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
NOW: Final = EPOCH + timedelta(days=1)
_DAYS: Final = tuple(EPOCH + timedelta(days=days) for days in range(4))
INTERVALS: Final = (
    *(Interval(start, end) for start, end in combinations(_DAYS, 2)),
    *(Interval(day, None) for day in _DAYS),
    *(Interval(None, day) for day in _DAYS),
    Interval(),
)


@dataclass(frozen=True, slots=True)
class World:
    """What an evaluation is given."""

    consents: tuple[Consent, ...]
    records: tuple[Record, ...]
    request: Request


def some(pool: Pool, least: int = 1, most: int = 2) -> Draws:
    """A few of them."""
    sizes = range(least, most + 1)
    return st.sampled_from(list(chain.from_iterable(map(frozenset, combinations(pool, n)) for n in sizes)))


_CLASSES: Final = (
    *(Coding(RESOURCE_TYPES, name) for name in (*TYPES, "Binary", "Provenance", FOREIGN)),
    *CATEGORIES,
)
_DATA: Final = (
    *(Data(meaning, name) for name in REFERENCES for meaning in (Meaning.INSTANCE, Meaning.DEPENDENTS)),
    *(Data(Meaning.AUTHOREDBY, name) for name in AUTHORS),
)
_ATTRIBUTES: Final[dict[str, Draws]] = {
    "period": st.sampled_from(INTERVALS),
    "actors": some(ACTORS),
    "purposes": some((Purpose.TREAT, Purpose.ETREAT, Purpose.BTG)),
    "actions": some((Action.ACCESS, Action.COLLECT)),
    "classes": some(_CLASSES, most=3),
    "codes": some(CODES, most=3),
    "confidentiality": some(tuple(Confidentiality)),
    "sensitivities": some(SENSITIVITIES),
    "data_period": st.sampled_from(INTERVALS),
    "data": some(_DATA),
}
_OF_REQUESTS: Final = ("period", "actors", "purposes", "actions")
_OF_RECORDS: Final = tuple(name for name in _ATTRIBUTES if name not in _OF_REQUESTS)
_ONE: Final = [frozenset({name}) for name in (*_OF_REQUESTS, *_OF_RECORDS, *_OF_RECORDS)]
_TWO: Final = [frozenset(pair) for pair in combinations(_ATTRIBUTES, 2)]
_BOTH_LABELS: Final = frozenset({"confidentiality", "sensitivities"})
# Few attributes at once, so that each of them decides often; a permit at the root is mostly bare.
_NAMES: Final = {
    Effect.PERMIT: st.sampled_from([*[frozenset[str]()] * len(_ONE), *_ONE]),
    Effect.DENY: st.sampled_from([frozenset[str](), *_ONE]),
    None: st.sampled_from(
        [frozenset[str](), *_ONE, *_ONE, *_ONE, *(pair for pair in _TWO if pair != _BOTH_LABELS)]
    ),
}
_RECIPIENTS: Final = st.sampled_from(
    (
        frozenset({DR_A}),
        frozenset({ORG_H}),
        frozenset({ORG_H, "Group/g"}),
        frozenset({DR_A, "Organization/k"}),
        frozenset({"CareTeam/t"}),
        frozenset({"Organization/k"}),
    )
)
_REASONS: Final = st.sampled_from(
    (*[frozenset({Purpose.TREAT})] * 4, frozenset({Purpose.TREAT, Purpose.BTG}), frozenset({Purpose.ETREAT}))
)
_OTHER: Final = {Effect.PERMIT: Effect.DENY, Effect.DENY: Effect.PERMIT}
# How many children a provision may have, by its depth.
_CHILDREN: Final = (st.sampled_from((0, 1, 1, 2)), st.integers(0, 1), st.integers(0, 1), st.just(0))


@st.composite
def provisions(draw: st.DrawFn, effect: Effect, depth: int = 1, granting: bool = False) -> Provision:
    """A tree that can be enforced."""
    granting = granting or (depth == 1 and effect is Effect.PERMIT)
    names = draw(_NAMES[effect if depth == 1 else None])
    attributes = {name: draw(_ATTRIBUTES[name]) for name in sorted(names)}
    if granting:
        attributes = {"actors": draw(_RECIPIENTS), "purposes": draw(_REASONS)} | attributes
    below = _PROVISIONS.get((_OTHER[effect], depth + 1, depth == 1 and effect is Effect.DENY))
    children = tuple(draw(below) for _ in range(draw(_CHILDREN[depth - 1]))) if below is not None else ()
    return Provision(effect=effect, children=children, **attributes)


_PROVISIONS: Final[dict[tuple[Effect, int, bool], Draws]] = {
    (effect, depth, granting): provisions(effect, depth, granting)
    for effect in Effect
    for depth in range(1, 5)
    for granting in (False, True)
}
_ROOTS: Final = {effect: _PROVISIONS[effect, 1, False] for effect in Effect}
_ROOT_EFFECTS: Final = st.sampled_from((*[Effect.PERMIT] * 3, Effect.DENY))
_OWNERS: Final = st.sampled_from((P1, P1, P1, P2, None))
_STATUSES: Final = st.sampled_from((*[Status.ACTIVE] * 9, Status.PROPOSED))


@st.composite
def consents(draw: st.DrawFn, number: int = 0) -> Consent:
    """A patient's consent or a policy, rarely one that does not count."""
    return Consent(
        reference=f"Consent/{number}",
        version=1,
        patient=draw(_OWNERS),
        status=draw(_STATUSES),
        root=draw(_ROOTS[draw(_ROOT_EFFECTS)]),
    )


_FACTS: Final[dict[str, Draws]] = {
    "codes": some((*CODES, UNSYSTEMATIC)),
    "categories": some(CATEGORIES),
    "time": st.sampled_from(INTERVALS),
    "confidentiality": st.sampled_from(tuple(Confidentiality)),
    "sensitivities": some(SENSITIVITIES),
    "authors": some(AUTHORS),
    "source": st.sampled_from(AUTHORS),
    "references": some(REFERENCES),
}
_ABSENT: Final = some(tuple(_FACTS), 0, 3)


def facts(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Any facts that a record of this type may have, most of them present."""
    absent = draw(_ABSENT) | ({"codes"} if kind in CODELESS else set())
    if kind not in READ:
        absent |= {"codes", "categories", "time", "authors"}
    return {name: draw(strategy) for name, strategy in _FACTS.items() if name not in absent}


_PART_TYPES: Final = st.sampled_from((*TYPES, "Practitioner", "Provenance", "Binary", FOREIGN, FOREIGN))
_PART_REFERENCES: Final = st.sampled_from((None, *REFERENCES))
_PART_PATIENTS: Final = st.sampled_from((frozenset(), frozenset({P1}), frozenset({P2})))
_FEW: Final = st.integers(0, 2)


@st.composite
def parts(draw: st.DrawFn, deepest: bool = False) -> Record:
    """A contained resource, or an entry with a reference of its own; the outer ones may have parts."""
    kind = draw(_PART_TYPES)
    return Record(
        type=kind,
        reference=draw(_PART_REFERENCES),
        patients=draw(_PART_PATIENTS),
        parts=() if deepest or draw(_FEW) else (draw(_INNERMOST),),
        **facts(draw, kind),
    )


_INNERMOST: Final = parts(deepest=True)
_PARTS: Final = parts()
_TYPES: Final = st.sampled_from((*TYPES, "Bundle"))
_NAMED: Final = st.sampled_from((*[frozenset({P1})] * 6, frozenset({P1, P2}), frozenset()))
_IN_EIGHT: Final = st.integers(0, 7)


@st.composite
def records(draw: st.DrawFn, number: int) -> Record:
    """A record of one of few types; one in eight has parts, one in four names two patients or nobody."""
    kind = draw(_TYPES)
    return Record(
        type=kind,
        reference=f"{kind}/{number}",
        patients=draw(_NAMED),
        parts=tuple(draw(_PARTS) for _ in range(draw(_FEW))) if draw(_IN_EIGHT) == 7 else (),
        **facts(draw, kind),
    )


# Of the records before it; the last of what a Provenance may follow is a Binary.
_FOLLOWED: Final = {
    "Binary": st.sampled_from(((0,), (0,), (1,), (2,), (None,), ())),
    "Provenance": st.sampled_from(((0,), (1,), (0, 1), (0, 2), (1, None), (), (-1,), (0, -1))),
}


def follower(draw: st.DrawFn, kind: str, about: Sequence[Record]) -> Record:
    """A Binary or a Provenance of some of these records, and perhaps of one that is not there."""
    follows = tuple(None if place is None else about[place] for place in draw(_FOLLOWED[kind]))
    named = frozenset[str]().union(*(record.patients for record in follows if record is not None))
    return Record(
        type=kind,
        reference=f"{kind}/1",
        patients=named if follows else draw(_NAMED),
        follows=follows,
        **facts(draw, kind),
    )


_CALLERS: Final = st.sampled_from(
    (A_AT_H, A_AT_H, A_AT_H, A_AT_H | {"CareTeam/t"}, frozenset({DR_B, "Organization/k"}))
)
_PURPOSES: Final = st.sampled_from((*[Purpose.TREAT] * 8, Purpose.ETREAT, Purpose.BTG))
_ACTIONS: Final = st.sampled_from((*[Action.ACCESS] * 8, Action.COLLECT))
_CLIENTS: Final = st.sampled_from((None, None, "Device/app"))
_RESOLVABLE: Final = some(COLLECTIVES, 0, 2)
_OWN: Final = st.sampled_from((*[frozenset[str]()] * 5, frozenset({P1})))
_OPENED: Final = st.sampled_from((frozenset[str](), frozenset({P1})))


def request(draw: st.DrawFn) -> Request:
    """Mostly the physician at the hospital who treats."""
    return Request(
        actors=draw(_CALLERS),
        purpose=draw(_PURPOSES),
        action=draw(_ACTIONS),
        at=NOW,
        client=draw(_CLIENTS),
        unresolved=draw(_IN_EIGHT) == 7,
        resolvable=draw(_RESOLVABLE),
        own=draw(_OWN),
        opened=draw(_OPENED),
    )


_CONSENTS: Final = tuple(consents(number) for number in range(3))
_RECORDS: Final = tuple(records(number) for number in range(6))
_HOW_MANY: Final = st.integers(1, len(_CONSENTS))


# The hospital may see all: without it, most of what is drawn permits too little to be told apart.
_SHARED: Final = Consent(
    reference="Consent/shared",
    version=1,
    patient=P1,
    status=Status.ACTIVE,
    root=Provision(
        effect=Effect.PERMIT, actors=frozenset({ORG_H}), purposes=frozenset({Purpose.TREAT, Purpose.BTG})
    ),
)
_FIRST: Final = st.sampled_from(((), (_SHARED,)))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to four consents, six records, a Binary and a Provenance of some of them, and one request."""
    given = (*draw(_FIRST), *(draw(strategy) for strategy in _CONSENTS[: draw(_HOW_MANY)]))
    found = [draw(strategy) for strategy in _RECORDS]
    found.append(follower(draw, "Binary", found))
    return World(given, (*found, follower(draw, "Provenance", found)), request(draw))
