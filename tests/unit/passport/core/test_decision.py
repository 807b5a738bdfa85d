"""The condition that a standing becomes: what it can let through at all, and which types policies cover."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import BigInteger, literal, select

from consent.compile import compile_consent
from consent.grants import MOST_WEIGHED
from consent.model import Action
from fhirstore.tables import NOBODY, resource
from fhirstore.types import TYPE_NUMBERS
from passport.admission import Request, admitted
from passport.decision import Decision, decide, granted, is_of, ruled, unweighed
from passport.sql import fetch, prepare
from passport.standing import Held, Signature, Standing
from passport.subjects import Bearer, Subject
from tests import resources as made
from tests.town import Town, Voice
from tests.unit.consent.words import Json, deny, permit, policies

pytestmark = pytest.mark.anyio

EVERYONE = Subject(
    kind="practitioner",
    reference="Practitioner/a",
    role=None,
    client=None,
    patient_key=None,
    patient=None,
    purpose="TREAT",
    scopes=frozenset(),
    session_id=None,
    opened_patient_key=None,
)


def signature(town: Town, *roots: Json) -> Signature:
    """Grants whose every condition on the request is met; their shapes are known to the process."""
    held = []
    for consent in policies(*roots):
        for grant in compile_consent(consent, town.runtime.keys).grants:
            town.runtime.shapes[grant.shape_key] = grant.shape
            held.append(Held(int(grant.effect), grant.shape_key, (1 << len(grant.nodes)) - 1, 0))
    assert held
    return tuple(held)


async def decided(
    town: Town,
    *,
    of_one: Signature = (),
    policy: Signature = (),
    subject: Subject = EVERYONE,
    everyone: bool = False,
    action: Action = Action.ACCESS,
    patient: int = 7,
) -> Decision:
    groups: dict[Signature, tuple[int, ...]] = {policy: (NOBODY,)}
    if of_one:
        groups[(*of_one, *policy)] = (patient,)
    standing = Standing(
        subject=subject,
        actor_key=1,
        groups=groups,
        refs={patient: tuple(f"Consent/{at}/_history/1" for at in range(len(of_one) + len(policy)))},
        policies=policy,
        everyone=everyone,
        named=(patient,),
    )
    async with town.runtime.pool.connection() as connection:
        return await decide(town.runtime, connection, standing, action)


def text(decision: Decision) -> str:
    """The condition as SQL."""
    return prepare(select(decision.clause(resource.alias("r")))).text


async def lets_through(town: Town, patient: Voice, held: Signature) -> list[str]:
    """The ids of this patient's records that the condition lets through, on the database."""
    token = await town.token(patient.reference, patient.purpose)
    records = resource.alias("r")
    async with admitted(
        town.runtime, Bearer(sha256(token.encode()).digest()), Request(Action.ACCESS, "read", "GET x")
    ) as desk:
        decision = await decided(town, of_one=held, patient=desk.standing.own or 0)
        prepared = prepare(
            select(records.c.id).where(records.c.patient_key != NOBODY, decision.clause(records))
        )
        return [row.id for row in await fetch(desk.connection, prepared, decision.params)]


async def test_without_any_grant_nothing_can_be_let_through(town: Town) -> None:
    assert (await decided(town)).hopeless
    assert (await decided(town, of_one=signature(town, deny()))).hopeless


async def test_a_permit_an_own_passport_or_an_office_gives_hope(town: Town) -> None:
    permitted = signature(town, permit("Practitioner/a", types=["Condition"]))
    assert not (await decided(town, of_one=permitted)).hopeless
    assert not (await decided(town, policy=permitted)).hopeless
    assert not (await decided(town, policy=permitted, everyone=True)).hopeless
    own = replace(EVERYONE, kind="patient", reference="Patient/p", patient="Patient/p", patient_key=7)
    assert not (await decided(town, subject=own)).hopeless
    assert not (await decided(town, subject=replace(EVERYONE, kind="operator"))).hopeless


async def test_what_counts_for_everybody_else_gives_hope_by_itself(town: Town) -> None:
    permitted = signature(town, permit("Practitioner/a", types=["Condition"]))
    decision = await decided(town, policy=permitted, everyone=True)
    assert not replace(decision, sight=replace(decision.sight, groups=())).hopeless
    assert replace(decision, sight=replace(decision.sight, groups=(), otherwise=None)).hopeless


@pytest.mark.parametrize(
    ("root", "covered"),
    [
        (permit("Organization/o"), {"Observation": True, "Patient": True, "Consent": False, "Group": False}),
        (permit("Organization/o", types=["Consent"]), {"Consent": True, "Observation": False}),
        (permit("Organization/o", codes=[made.BODY_WEIGHT]), {"Observation": False}),
        (permit("Organization/o", labels=["N"]), {"Observation": False}),
        (permit("Organization/o", data_period={"start": "2026"}), {"Observation": False}),
        (permit("Organization/o", data=[("instance", "Observation/1")]), {"Observation": False}),
        (permit("Organization/o", but=[deny(types=["Condition"])]), {"Observation": False}),
        (permit("Organization/o", types=["Observation"], classes=[("urn:x", "y")]), {"Observation": True}),
    ],
    ids=str,
)
async def test_a_policy_covers_a_type_if_it_asks_nothing_of_its_records(
    town: Town, root: Json, covered: dict[str, bool]
) -> None:
    decision = await decided(town, policy=signature(town, root))
    assert {name: decision.covers(name) for name in covered} == covered


async def test_a_policy_whose_condition_is_not_met_or_not_known_covers_nothing(town: Town) -> None:
    (met,) = signature(town, permit("Organization/o"))
    assert (await decided(town, policy=(met,))).covers("Observation")
    for other in (met._replace(trues=0), met._replace(shape_key=123)):
        assert not (await decided(town, policy=(other,))).covers("Observation")


async def test_a_policy_that_denies_leaves_no_type_covered(town: Town) -> None:
    both = signature(town, permit("Organization/o"), deny(types=["Condition"]))
    assert not (await decided(town, policy=both)).covers("Observation")


async def test_a_patients_grant_is_no_policy(town: Town) -> None:
    assert not (await decided(town, of_one=signature(town, permit("Organization/o")))).covers("Observation")


async def test_a_shape_that_cannot_be_learned_grants_nothing_and_blocks(town: Town, hanako: Voice) -> None:
    await hanako.create(made.weight(hanako.reference))
    unknown, known = Held(1, 123, 1, 0), signature(town, permit("Practitioner/a"))
    assert len(await lets_through(town, hanako, known)) == 2
    assert len(await lets_through(town, hanako, (*known, unknown))) == 2
    assert await lets_through(town, hanako, (unknown,)) == []
    for effect in (2, 9):
        assert await lets_through(town, hanako, (*known, unknown._replace(effect=effect))) == []


async def test_equal_standings_have_one_structure_and_their_patients_are_bound(town: Town) -> None:
    held = signature(town, permit("Practitioner/a"))
    one, other = await decided(town, of_one=held), await decided(town, of_one=held)
    assert one.structure == other.structure
    assert one.params["patients_0"] == [7]
    assert text(one) == text(other)
    narrower = await decided(town, of_one=signature(town, permit("Practitioner/a", types=["Condition"])))
    assert narrower.structure != one.structure


async def test_proposals_are_read_by_their_requester_and_written_by_consent(town: Town) -> None:
    reading, collecting = await decided(town), await decided(town, action=Action.COLLECT)
    assert (reading.proposals, collecting.proposals) == (True, False)
    for kind in ("operator", "auditor", "patient"):
        assert not (await decided(town, subject=replace(EVERYONE, kind=kind))).proposals


async def test_the_directory_is_open_to_readers_alone(town: Town) -> None:
    assert (await decided(town)).sight.directory
    assert not (await decided(town, action=Action.COLLECT)).sight.directory


async def test_each_grant_is_named_for_the_log(town: Town) -> None:
    held = signature(town, permit("Practitioner/a"), permit("Practitioner/a", types=["Condition"]))
    decision = await decided(town, of_one=held)
    named = {granted(7, at): f"Consent/{at}/_history/1" for at in range(2)}
    assert dict(decision.grants) == named
    assert all(is_of(7, code) and not is_of(8, code) for code in named)
    assert is_of(8, ruled(0))
    assert is_of(NOBODY, granted(NOBODY, 0))
    assert not is_of(7, granted(NOBODY, 0))


def test_only_the_registrations_of_whom_is_named_are_theirs() -> None:
    merged, others = {1: "Patient/a", 2: "Patient/b"}, {3: "Patient/c", 4: "Patient/d"}
    linked = {1: merged, 2: merged, 3: others, 4: others}
    standing = Standing(
        EVERYONE, actor_key=1, groups={}, refs={}, policies=(), everyone=False, named=(1,), linked=linked
    )
    assert standing.registrations_of("Patient/d") == {"Patient/c", "Patient/d"}
    assert standing.registrations_of("Patient/alone") == frozenset()


async def codes(
    town: Town, patient: Voice, held: Signature, policy: Signature, whose: int
) -> list[list[int]]:
    """What a patient's one record is let through by, by numbers, by the bits' numbers, and beside these."""
    records = resource.alias("r")
    decision = await decided(town, of_one=held, policy=policy, everyone=True, patient=whose)
    whole = decision.weighed(records)
    statement = select(
        decision.relied(records).label("relied"),
        unweighed(records.c.patient_key, whole.bits).label("bits"),
        whole.beside.label("beside"),
    ).where(records.c.type == TYPE_NUMBERS["Observation"], records.c.patient_key != NOBODY)
    token = await town.token(patient.reference, patient.purpose)
    async with admitted(
        town.runtime, Bearer(sha256(token.encode()).digest()), Request(Action.ACCESS, "read", "GET x")
    ) as desk:
        (row,) = await fetch(desk.connection, prepare(statement), decision.params)
        return [list(row.relied), list(row.bits or ()), list(row.beside or ())]


async def key_of(town: Town, patient: Voice) -> int:
    token = await town.token(patient.reference, patient.purpose)
    async with admitted(
        town.runtime, Bearer(sha256(token.encode()).digest()), Request(Action.ACCESS, "read", "GET x")
    ) as desk:
        assert desk.standing.own is not None
        return desk.standing.own


async def test_the_bits_of_a_row_say_the_grants_that_it_is_let_through_by(town: Town, hanako: Voice) -> None:
    await hanako.create(made.weight(hanako.reference))
    key = await key_of(town, hanako)
    any_type, other = permit("Practitioner/a"), permit("Practitioner/a", types=["Condition"])
    held, policy = signature(town, other, any_type), signature(town, any_type)
    own = [granted(key, 1), granted(key, 2)]
    assert await codes(town, hanako, held, policy, key) == [own, own, []]
    by_policy = [ruled(0)]
    assert await codes(town, hanako, held, policy, key + 1) == [by_policy, by_policy, []]


async def test_more_grants_than_a_number_has_bits_for_are_said_one_by_one(town: Town, hanako: Voice) -> None:
    await hanako.create(made.weight(hanako.reference))
    key = await key_of(town, hanako)
    (one,) = signature(town, permit("Practitioner/a"))
    most = [granted(key, place) for place in range(MOST_WEIGHED)]
    assert await codes(town, hanako, (one,) * MOST_WEIGHED, (), key) == [most, most, []]
    more = [*most, granted(key, MOST_WEIGHED)]
    assert await codes(town, hanako, (one,) * (MOST_WEIGHED + 1), (), key) == [more, [], more]


async def test_bits_are_told_as_of_a_patient_or_as_of_the_policies(town: Town) -> None:
    def said(bits: int) -> Any:
        return unweighed(literal(7, BigInteger), literal(bits, BigInteger))

    statement = select(
        said(1 | 1 << MOST_WEIGHED - 1).label("own"),
        said(1 << MOST_WEIGHED | 1 << 1).label("policies"),
        said(0).label("none"),
    )
    async with town.runtime.pool.connection() as connection:
        (row,) = await fetch(connection, prepare(statement), {})
    assert (row.own, row.policies) == ([granted(7, 0), granted(7, MOST_WEIGHED - 1)], [ruled(1)])
    assert row.none is None
