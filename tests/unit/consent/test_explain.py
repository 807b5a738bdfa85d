"""How decisions come about, case by case."""

from dataclasses import replace

from consent.explain import ROOT, explain, outline
from consent.explanation import Explanation, Outside, Weighed
from consent.model import Consent, Effect, Provision, Purpose, Record, Status
from tests.unit.consent.words import (
    B_AT_H,
    C09,
    DR_A,
    DR_B,
    ED,
    N06,
    ORG_H,
    P1,
    P2,
    allow,
    asks,
    consents,
    deny,
    medicine,
    permit,
    policies,
    record,
)

INNER = f"{ROOT}.provision[0]"


def named(weighed: tuple[Weighed, ...]) -> list[tuple[str, str, Effect, bool | None]]:
    return [(one.consent.reference, one.path, one.effect, one.truth) for one in weighed]


def lacking(one: Weighed) -> list[tuple[str, str, bool | None]]:
    return list(one.failing())


def only(told: Explanation) -> tuple[Weighed, ...]:
    (view,) = told.views
    return view.weighed


def test_a_permit_is_the_reason() -> None:
    told = explain(consents(permit(DR_A)), record(), asks())
    assert told.permitted
    assert named(told.views[0].because) == [("Consent/0", ROOT, Effect.PERMIT, True)]
    assert told.views[0].blocked == ()


def test_an_attribute_that_does_not_hold_is_named() -> None:
    (one,) = only(explain(consents(permit(DR_A, purposes=["HRESCH"], types=["Condition"])), record(), asks()))
    assert lacking(one) == [(ROOT, "purpose", False), (ROOT, "class", False)]


def test_an_attribute_that_is_not_known_is_named_as_that() -> None:
    (one,) = only(explain(consents(permit(DR_A, codes=[C09])), medicine(), asks()))
    assert (one.truth, lacking(one)) == (None, [(ROOT, "code", None)])


def test_an_exception_that_takes_away_is_named_by_its_path() -> None:
    given = consents(permit(ORG_H, but=[deny(types=["MedicationRequest"], but=[allow(codes=[C09])])]))
    (one,) = only(explain(given, medicine(N06), asks()))
    assert lacking(one) == [(INNER, "", True)]
    (exception,) = one.steps[0].exceptions
    assert list(exception.exceptions[0].failing()) == [(f"{INNER}.provision[0]", "code", False)]
    (one,) = only(explain(given, medicine(C09), asks()))
    assert (one.truth, lacking(one)) == (True, [])


def test_a_block_is_named_beside_what_would_permit() -> None:
    told = explain(consents(permit(ORG_H), deny(DR_B)), record(), asks(B_AT_H))
    (view,) = told.views
    assert not told.permitted
    assert [one.path for one in view.because] == [ROOT]
    assert named(view.blocked) == [("Consent/1", ROOT, Effect.DENY, True)]


def test_a_permit_inside_of_a_deny_is_told_with_its_root() -> None:
    given = consents(deny(types=["Condition"], but=[allow(DR_A, purposes=["TREAT"])]))
    block, grant = only(explain(given, record(), asks()))
    assert (block.effect, block.path, block.truth) == (Effect.DENY, ROOT, False)
    assert (grant.effect, grant.path, grant.truth) == (Effect.PERMIT, INNER, False)
    assert lacking(grant) == [(ROOT, "class", False)]


def test_a_policy_is_weighed_for_every_patient() -> None:
    told = explain(policies(permit(DR_A)), record(patients={P1, P2}), asks())
    assert [(view.patient, view.permitted) for view in told.views] == [(P1, True), (P2, True)]
    assert told.of({P1}).views == told.views[:1]


def test_what_stands_outside_of_consents_is_told_as_that() -> None:
    emergency = asks(frozenset({ED}), "BTG")
    assert explain([], Record(type="Practitioner", reference=DR_A), asks()).outside is Outside.DIRECTORY
    assert explain([], record(), asks(own=frozenset({P1}))).views[0].outside is Outside.OWN
    assert explain(policies(permit(ED, purposes=["BTG"])), record(), emergency).views[0].outside is (
        Outside.UNOPENED
    )
    lost = Record(type="Provenance", reference="Provenance/1", patients=frozenset({P1}), follows=(None,))
    assert explain([], lost, asks()).outside is Outside.LOST


def test_what_follows_a_record_is_told_with_it() -> None:
    followed = Record(
        type="Provenance", reference="Provenance/1", patients=frozenset({P1}), follows=(record(),)
    )
    told = explain(consents(permit(DR_A)), followed, asks())
    assert (told.permitted, told.views[0].outside) == (True, Outside.FOLLOWS)
    (target,) = told.follows
    assert target is not None
    assert [one.path for one in target.views[0].because] == [ROOT]
    (mine,), (elsewhere,) = told.of({P1}).follows, told.of({P2}).follows
    assert mine == target
    assert elsewhere is not None
    assert elsewhere.views == ()
    lost = Record(type="Provenance", reference="Provenance/1", patients=frozenset({P1}), follows=(None,))
    assert explain([], lost, asks()).of({P1}).follows == (None,)


def test_a_rule_that_cannot_be_evaluated_is_a_deny() -> None:
    root = Provision(effect=Effect.PERMIT, actors=frozenset({DR_A}), purposes=frozenset({Purpose.TREAT}))
    object.__setattr__(root, "effect", "perhaps")
    given = [Consent(reference="Consent/x", version=1, patient=P1, status=Status.ACTIVE, root=root)]
    told = explain(given, record(), asks())
    assert (told.permitted, told.outside) == (False, Outside.FAULT)
    assert outline(given, asks()) == ()


def test_it_ends_when_the_first_of_its_periods_does() -> None:
    given = consents(
        deny(
            period={"end": "2026-12-31T00:00:00Z"},
            but=[allow(DR_A, purposes=["TREAT"], period={"end": "2026-10-31T00:00:00Z"})],
        )
    )
    block, grant = only(explain(given, record(), asks()))
    assert (str(block.until), str(grant.until)) == ("2026-12-31 00:00:00+00:00", "2026-10-31 00:00:00+00:00")
    begun, within = only(
        explain(
            consents(
                deny(period={"start": "2026"}, but=[allow(DR_A, purposes=["TREAT"], period={"end": "2027"})])
            ),
            record(),
            asks(),
        )
    )
    assert (begun.until, str(within.until)) == (None, "2027-12-31 15:00:00+00:00")
    (one,) = only(explain(consents(permit(DR_A)), record(), asks()))
    assert one.until is None


def test_an_outline_tells_what_is_known_without_a_record() -> None:
    given = consents(
        permit(DR_A, types=["Condition"]), permit(DR_B), permit(DR_A, codes=[C09], labels=["N"]), deny()
    )
    typed = outline(given, asks(), "Observation")
    assert [one.truth for one in typed] == [False, False, None, True]
    assert lacking(typed[2]) == [(ROOT, "code", None), (ROOT, "securityLabel", None)]
    (of_this_type,) = outline(given[:1], asks(), "Condition")
    assert of_this_type.truth is True
    for unmet in ({"period": {"end": "2020"}}, {"actions": ["collect"]}, {"purposes": ["HRESCH"]}):
        (one,) = outline(consents(permit(DR_A, **unmet)), asks())
        assert one.truth is False
    waiting = replace(given[0], status=Status.PROPOSED)
    assert outline([waiting], asks(), "Condition") == ()
    untyped = outline(given, asks())
    assert [one.truth for one in untyped] == [None, False, None, None]
