"""Consents become grants: which ones, for whom, and what each asks of a request."""

from dataclasses import replace

import pytest

from consent.compile import (
    ACTION_BITS,
    PURPOSE_BITS,
    Compiled,
    Grant,
    GrantEffect,
    compile_consent,
)
from consent.errors import UnknownRule
from consent.model import Action, Coding, Confidentiality, Consent, Effect, Provision, Purpose
from consent.systems import ACT_CODE
from tests.unit.consent.enforcement import KEYS
from tests.unit.consent.words import (
    DR_A,
    DR_B,
    ORG_H,
    VITAL_SIGNS,
    Json,
    allow,
    consent_json,
    consents,
    deny,
    permit,
    read,
)

ALL_BUT_BREAK_GLASS = sum(PURPOSE_BITS.values()) - PURPOSE_BITS[Purpose.BTG]


def compiled(root: Json) -> Compiled:
    (one,) = consents(root)
    return compile_consent(one, KEYS)


def only(root: Json) -> Grant:
    (grant,) = compiled(root).grants
    return grant


def test_a_permit_root_is_one_grant() -> None:
    grant = only(permit(DR_A, ORG_H, but=[deny(but=[allow()]), deny()]))
    assert (grant.ordinal, grant.effect, grant.shape.heads) == (0, GrantEffect.PERMIT, 1)
    assert [node.children for node in grant.shape.nodes] == [(1, 3), (2,), (), ()]
    assert [node.node for node in grant.nodes] == [0, 1, 2, 3]
    assert grant.recipients == tuple(sorted(KEYS.reference(actor) for actor in (DR_A, ORG_H)))


def test_a_deny_root_blocks_and_each_permit_in_it_is_a_grant_behind_the_root() -> None:
    block, first, second = compiled(deny(ORG_H, but=[permit(DR_A, but=[deny()]), permit()])).grants
    assert (block.effect, block.shape.heads, block.recipients) == (GrantEffect.BLOCK, 1, ())
    assert [node.children for node in block.shape.nodes] == [(1, 3), (2,), (), ()]
    assert (first.effect, first.shape.heads) == (GrantEffect.PERMIT, 2)
    assert [node.children for node in first.shape.nodes] == [(), (2,), ()]
    assert first.recipients == (KEYS.reference(DR_A),)
    assert second.recipients == (KEYS.reference(ORG_H),)


def test_defaults_depend_on_where_a_provision_stands() -> None:
    block, grant = compiled(deny(but=[allow(DR_A, purposes=["TREAT"], but=[deny()])])).grants
    access = ACTION_BITS[Action.ACCESS]
    treatment = PURPOSE_BITS[Purpose.TREAT]
    assert [(n.purposes, n.actions) for n in block.nodes] == [
        (ALL_BUT_BREAK_GLASS, None),
        (treatment, access),
        (None, None),
    ]
    assert [(n.purposes, n.actions) for n in grant.nodes] == [(None, None), (treatment, access), (None, None)]
    _, inheriting = compiled(deny(purposes=["TREAT"], but=[allow(DR_A)])).grants
    assert inheriting.nodes[1].purposes == ALL_BUT_BREAK_GLASS


def test_what_a_permit_names_counts_and_no_default_beside_it() -> None:
    (named,) = only(permit(DR_A, ORG_H, actions=["collect"])).nodes
    assert named.actors == tuple(sorted(map(KEYS.reference, (DR_A, ORG_H))))
    assert (named.purposes, named.actions) == (PURPOSE_BITS[Purpose.TREAT], ACTION_BITS[Action.COLLECT])
    (plain,) = only(permit(DR_A)).nodes
    assert plain.actions == ACTION_BITS[Action.ACCESS]
    (block,) = compiled(deny()).grants
    assert block.nodes[0].actors is None


def test_what_a_provision_asks_of_records_is_its_shape() -> None:
    named = [("instance", "Observation/1"), ("dependents", "Encounter/2"), ("authoredby", DR_B)]
    asked: Json = {"types": ["Observation"], "classes": [VITAL_SIGNS], "labels": ["L", "R"], "data": named}
    permitted, denied = only(permit(DR_A, **asked, but=[deny(**asked)])).shape.nodes
    for node in (permitted, denied):
        assert node.types == ("Observation",)
        assert node.categories == tuple(
            sorted([KEYS.category(*VITAL_SIGNS), KEYS.implied_category(*VITAL_SIGNS)])
        )
        assert node.instances == (KEYS.reference("Observation/1"),)
        assert node.dependents == (KEYS.reference("Encounter/2"),)
        assert node.authors == (KEYS.reference(DR_B),)
    assert (permitted.deny, permitted.confidentiality) == (False, Confidentiality.R)
    assert (denied.deny, denied.confidentiality) == (True, Confidentiality.L)


def test_the_client_counts_only_where_it_can_narrow() -> None:
    block, grant = compiled(deny(DR_B, but=[permit(DR_A, but=[deny(DR_B, but=[allow(DR_A)])])])).grants
    assert [node.granting for node in block.nodes] == [False, True, False, True]
    assert [node.granting for node in grant.nodes] == [True, True, False, True]


def test_actors_that_memberships_lead_to_are_told_apart() -> None:
    grant = only(permit(DR_A, "Group/g", "CareTeam/t"))
    assert grant.nodes[0].chained
    assert grant.nodes[0].collectives == tuple(sorted(map(KEYS.reference, ("Group/g", "CareTeam/t"))))
    assert not only(permit("Device/d")).nodes[0].chained


@pytest.mark.parametrize(
    ("kind", "chained", "collective"),
    [
        ("Practitioner", True, False),
        ("PractitionerRole", True, False),
        ("Organization", True, False),
        ("CareTeam", True, True),
        ("Group", True, True),
        ("Device", False, False),
        ("Patient", False, False),
        ("RelatedPerson", False, False),
    ],
)
def test_of_each_kind_of_actor_it_is_known_what_leads_there(
    kind: str, chained: bool, collective: bool
) -> None:
    (node,) = only(permit(f"{kind}/x")).nodes
    assert (node.chained, bool(node.collectives)) == (chained, collective)


def test_a_grant_names_the_version_that_is_relied_on() -> None:
    assert compiled(permit(DR_A)).consent_ref == "Consent/0/_history/1"


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_a_consent_that_is_not_active_is_no_grant(status: str) -> None:
    one = read(consent_json(permit(DR_A), status=status))
    assert isinstance(one, Consent)
    assert compile_consent(one, KEYS).grants == ()


@pytest.mark.parametrize(
    "root",
    [
        Provision(effect=Effect.PERMIT, actors=frozenset({DR_A})),
        Provision(effect=Effect.PERMIT, purposes=frozenset({Purpose.TREAT})),
        Provision(
            effect=Effect.DENY,
            confidentiality=frozenset({Confidentiality.N}),
            sensitivities=frozenset({Coding(ACT_CODE, "HIV")}),
        ),
    ],
)
def test_a_rule_that_reading_refuses_is_never_compiled(root: Provision) -> None:
    (one,) = consents(permit(DR_A))
    with pytest.raises(UnknownRule):
        compile_consent(replace(one, root=root), KEYS)


def test_the_stored_numbers_never_change() -> None:
    assert {effect.name: effect.value for effect in GrantEffect} == {"PERMIT": 1, "BLOCK": 2}
    assert [(purpose.value, bit) for purpose, bit in PURPOSE_BITS.items()] == [
        ("TREAT", 1),
        ("ETREAT", 2),
        ("BTG", 4),
        ("CAREMGT", 8),
        ("HPAYMT", 16),
        ("HOPERAT", 32),
        ("PUBHLTH", 64),
        ("HRESCH", 128),
        ("HMARKT", 256),
        ("PATRQT", 512),
        ("FAMRQT", 1024),
    ]
    assert [(action.value, bit) for action, bit in ACTION_BITS.items()] == [
        ("access", 1),
        ("collect", 2),
        ("correct", 4),
    ]
