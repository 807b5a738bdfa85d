"""A preview tells what then happens: on generated passports, consents and edits, over HTTP.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consent.model import Coding, Effect, Interval, Provision
from consent.systems import ACT_CODE, LOINC
from tests import resources as made
from tests.cast import Cast, cast_of
from tests.databases import Database
from tests.explaining import changed, everything, explained, previewed, shown
from tests.hospital import records_of
from tests.town import Town, Voice, served
from tests.unit.consent.words import DR_A, DR_B, ORG_H, Json, consent_json, permit
from tests.unit.consent.words import provision as provision_json
from tests.unit.consent.worlds import NOW, provisions

FEW: Final = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A world costs seconds: one that breaks the law is shown as it was drawn.
    phases=(Phase.reuse, Phase.generate),
)
HIV: Final = (ACT_CODE, "HIV")
LABELS: Final = st.sampled_from(((), ("L",), ("N",), ("N",), ("N", HIV), ("R",), ("V",)))
DAYS: Final = st.sampled_from(("2025-12-31", "2026-01-01", "2026-01-02", "2026-01"))
KINDS: Final = (
    "pressure",
    "weight",
    "tablet",
    "allergy",
    "condition",
    "contained",
    "Encounter",
    "Goal",
    "List",
)

Drawn = tuple[str, tuple[Any, ...], str]


@dataclass(frozen=True, repr=False)
class World:
    """What a resident has and shares, what another one shares, and the edit that is about to be saved."""

    records: Sequence[Drawn]
    shared: bool
    consents: Sequence[Provision]
    others: Sequence[Provision]
    drafts: Sequence[Provision]
    replaced: Sequence[bool]

    def __repr__(self) -> str:
        """In few words: a tree of provisions in full is pages long."""
        roots = {
            name: [_json(root, {}) for root in getattr(self, name)]
            for name in ("consents", "others", "drafts")
        }
        return f"World({self.records}, {self.shared}, {roots}, {self.replaced})"


_ROOTS: Final = st.sampled_from([*[Effect.PERMIT] * 3, Effect.DENY]).flatmap(
    lambda effect: provisions(effect)
)


def worlds() -> st.SearchStrategy[World]:
    return st.builds(
        World,
        records=st.lists(st.tuples(st.sampled_from(KINDS), LABELS, DAYS), min_size=3, max_size=7),
        shared=st.booleans(),
        consents=st.lists(_ROOTS, max_size=3),
        others=st.lists(_ROOTS, max_size=1),
        drafts=st.lists(_ROOTS, max_size=2),
        replaced=st.lists(st.booleans(), min_size=3, max_size=3),
    )


@dataclass(frozen=True, repr=False)
class Place:
    """The served passport that the worlds are put into, one after the other, and its event loop."""

    town: Town
    cast: Cast
    portal: BlockingPortal


@pytest.fixture(scope="module")
def place(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with _running(module_database, tmp_path_factory) as running:
        yield running


@contextmanager
def _running(database: Database, folders: pytest.TempPathFactory) -> Iterator[Place]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(served(database, folders.mktemp("installation"))) as town,
    ):
        cast = portal.call(cast_of, town)
        # For everybody's vital signs, and in an emergency.
        vital_signs = (made.OBSERVATION_CATEGORY, "vital-signs")
        for policy in (
            permit(cast.pharmacy, classes=[vital_signs]),
            permit(cast.emergency, purposes=["BTG", "TREAT"], types=["AllergyIntolerance"]),
        ):
            portal.call(town.policy, consent_json(policy, None))
        yield Place(town, cast, portal)


@FEW
@given(world=worlds())
def test_what_a_preview_shows_is_what_is_then_seen(place: Place, world: World) -> None:
    place.portal.call(_previewed_and_saved, place, world)


async def _previewed_and_saved(place: Place, world: World) -> None:
    town, cast = place.town, place.cast
    hanako, taro = await town.resident("見本 花子"), await town.resident("見本 太郎")
    await _filled(place, hanako, taro, world)
    names, now = await _named(place, hanako), town.clock()
    kept = [(await hanako.grant(_root(root, names, now)))[0] for root in world.consents]
    for root in world.others:
        await taro.grant(_root(root, names, now))
    drafts = [_root(root, names, now) for root in world.drafts]
    replaces = [one for one, gone in zip(kept, world.replaced, strict=False) if gone]
    own = set(await everything(hanako, hanako.reference))
    # What names somebody else too is told of by nothing that is only supposed: it says what that person decided.
    theirs = own - {one for one in own if one.startswith("Appointment/")}
    onlookers = [cast.role_a, cast.role_b, cast.role_a_at_k, cast.hospital, cast.pharmacy]
    before = {one: await _seen(town, one, hanako) for one in onlookers}
    told = {one: await previewed(hanako, one, *drafts, replaces=replaces) for one in onlookers}
    change = await changed(hanako, *drafts, replaces=replaces)
    assert {one: await _seen(town, one, hanako) for one in onlookers} == before
    for one in replaces:
        tree = await hanako.read(one)
        await hanako.replace(one, {**tree, "status": "inactive"})
    await hanako.grant(*drafts)
    after = {one: await _seen(town, one, hanako) for one in onlookers}
    # What the resident does not see is not told, nor what names somebody else too.
    assert {one: shown(told[one]) for one in onlookers} == {
        one: [each for each in after[one] if each in theirs] for one in onlookers
    }
    for one in onlookers:
        numbers = len(theirs & set(after[one])), len(theirs & set(before[one]))
        assert told[one]["leftOut"]["total"] == len(own - theirs)
        assert (told[one]["total"], told[one]["now"]) == numbers
        assert sum(group["total"] for group in told[one]["counts"]) == numbers[0]
        for person in change["people"]:
            if (person["reference"], person["purpose"]) == (one, "TREAT"):
                assert (person["after"], person["before"]) == numbers
    for record in sorted(theirs):
        await _explained(hanako, record, {one for one in onlookers if record in after[one]}, onlookers)


async def _explained(hanako: Voice, record: str, seeing: set[str], onlookers: Sequence[str]) -> None:
    """Whoever is said to see a record does, and why is said; of everybody who is named at all."""
    told = await explained(hanako, record=record)
    seen = {one["reference"] for one in told["seenBy"] if one["purpose"] == "TREAT"}
    unseen = {one["reference"] for one in told["notSeenBy"] if one["purpose"] == "TREAT"}
    assert not seen & unseen
    assert seen & set(onlookers) == seeing & (seen | unseen)
    assert all(one["because"] for one in told["seenBy"])
    assert all(one["against"] for one in told["notSeenBy"])


async def _seen(town: Town, onlooker: str, hanako: Voice) -> list[str]:
    return await everything(town.as_(onlooker), hanako.reference)


async def _filled(place: Place, hanako: Voice, taro: Voice, world: World) -> None:
    """The records, and one that is another person's as well."""
    for kind, labels, day in world.records:
        await hanako.create(_record(hanako.reference, kind, labels, day))
    if not world.shared:
        return
    for who in (hanako, taro):
        await who.grant(permit(place.cast.pharmacy, types=["Appointment"], actions=["collect"]))
    if world.others:
        await taro.grant(permit(hanako.reference, purposes=["PATRQT"], types=["Appointment"]))
    of_both = [{"actor": made.reference(who.reference), "status": "accepted"} for who in (hanako, taro)]
    tree = {**records_of(hanako.reference)["Appointment"], "participant": of_both}
    await place.town.as_(place.cast.pharmacy).create(tree)


def _record(patient: str, kind: str, labels: Sequence[Any], day: str) -> Json:
    meta: dict[str, Any] = {"meta": made.labelled(*labels)} if labels else {}
    inside = {**made.prescription(patient, made.CANDESARTAN), "id": "m"}
    if kind in {"Goal", "List"}:
        return {**records_of(patient)[kind], **meta}
    trees: Mapping[str, Any] = {
        "pressure": lambda: made.pressure(patient, time=day, **meta),
        "weight": lambda: made.weight(patient, time=day, **meta),
        "tablet": lambda: made.prescription(patient, ("http://www.whocc.no/atc", "C09"), time=day, **meta),
        "allergy": lambda: made.allergy(patient, **meta),
        "condition": lambda: made.condition(patient, **meta),
        "contained": lambda: made.weight(
            patient, time=day, contained=[inside], basedOn=[made.reference("#m")], **meta
        ),
        "Encounter": lambda: made.encounter(patient, **meta),
    }
    tree: Json = trees[kind]()
    return tree


async def _named(place: Place, hanako: Voice) -> dict[str, str]:
    """Who stands for whom the provisions name."""
    cast = place.cast
    return {
        DR_A: cast.dr_a,
        DR_B: cast.dr_b,
        ORG_H: cast.hospital,
        "Organization/k": cast.clinic,
        "CareTeam/t": await hanako.create(made.care_team(hanako.reference, cast.dr_b, cast.clinic)),
        "Group/g": await place.town.operator.create(made.group(cast.dr_a, cast.dr_b)),
        "Device/app": await place.town.operator.create({"resourceType": "Device", "status": "active"}),
        "RelatedPerson/r": await hanako.create(made.related_person(hanako.reference)),
        "Organization/pharmacy": cast.pharmacy,
    }


def _root(n: Provision, names: Mapping[str, str], now: datetime) -> Json:
    """A root as FHIR writes it; one that is over already would not be taken."""
    over = n.period is not None and n.period.end is not None and n.period.end <= NOW
    return _json(replace(n, period=None) if over else n, names, now - NOW)


def _json(n: Provision, names: Mapping[str, str], ahead: timedelta = timedelta()) -> Json:
    """A provision as FHIR writes it, about the people of the town, so much later."""
    return provision_json(
        str(n.effect),
        *sorted(names.get(actor, actor) for actor in n.actors),
        purposes=sorted(n.purposes),
        actions=sorted(n.actions),
        classes=[_coding(one) for one in sorted(n.classes)],
        codes=[_coding(one) for one in sorted(n.codes)],
        labels=[
            *(level.name for level in sorted(n.confidentiality)),
            *((one.system, one.code) for one in sorted(n.sensitivities)),
        ],
        period=_period(n.period, ahead),
        data_period=_period(n.data_period),
        data=[(str(one.meaning), names.get(one.reference, one.reference)) for one in sorted(n.data)],
        but=[_json(child, names, ahead) for child in n.children],
    )


def _coding(one: Coding) -> tuple[str, str]:
    # A text that FHIR takes for a code, where it is none.
    return (one.system, one.code) if one.code.strip() else (LOINC, "85354-9")


def _period(period: Interval | None, ahead: timedelta = timedelta()) -> Json | None:
    """An interval so much later; an open one is none."""
    if period is None:
        return None
    ends = {"start": period.start, "end": period.end}
    return {name: (end + ahead).isoformat() for name, end in ends.items() if end is not None} or None
