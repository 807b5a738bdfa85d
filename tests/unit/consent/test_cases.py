"""The worked cases of the definition, one by one, for the reference and for the SQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from consent.model import Coding, Confidentiality, Interval
from tests.unit.consent.conftest import Decides
from tests.unit.consent.words import (
    A_AT_H,
    B_AT_H,
    C09,
    DR_A,
    DR_B,
    ED,
    N06,
    ORG_H,
    P1,
    P2,
    YJ,
    allow,
    asks,
    consent_json,
    consents,
    day,
    deny,
    medicine,
    permit,
    policies,
    provision,
    read,
    record,
    year,
)

IN_THE_ED = frozenset({ED, "Practitioner/e"})


def test_1_without_consents_nothing_is_permitted(permits: Decides) -> None:
    for kind in ("Observation", "Patient", "Consent", "MedicationRequest"):
        for purpose in ("TREAT", "ETREAT", "PATRQT"):
            assert not permits([], record(kind), asks(purpose=purpose))


def test_2_a_permit_is_for_its_actor_and_its_purpose(permits: Decides) -> None:
    given = consents(permit(DR_A))
    assert permits(given, record(), asks(A_AT_H))
    assert not permits(given, record(), asks(A_AT_H, "HRESCH"))
    assert not permits(given, record(), asks(B_AT_H))


def test_3_an_exception_of_an_exception_permits_again(permits: Decides) -> None:
    given = consents(permit(ORG_H, but=[deny(types=["MedicationRequest"], but=[allow(codes=[C09])])]))
    assert permits(given, record("Observation"), asks())
    assert permits(given, medicine(C09), asks())
    assert not permits(given, medicine(N06), asks())
    assert not permits(given, medicine((YJ, "2149")), asks())
    assert not permits(given, medicine(), asks())


def test_4_a_root_deny_blocks_whatever_is_granted_beside_it(permits: Decides) -> None:
    given = consents(permit(ORG_H), deny(DR_B))
    assert not permits(given, record(), asks(B_AT_H))
    assert permits(given, record(), asks(A_AT_H))
    with_collect = consents(permit(ORG_H), deny(DR_B), permit(ORG_H, actions=["collect"]))
    assert not permits(with_collect, record(), asks(B_AT_H, action="collect"))


def test_5_a_deny_inside_a_permit_carves_out_of_that_permit_alone(permits: Decides) -> None:
    given = consents(permit(ORG_H, but=[deny(types=["MedicationRequest"])]), permit(DR_A))
    assert permits(given, medicine(C09), asks(A_AT_H))
    assert not permits(given, medicine(C09), asks(B_AT_H))


def test_6_a_permitted_label_covers_itself_and_what_is_less_confidential(permits: Decides) -> None:
    given = consents(permit(ORG_H, labels=["N"]))
    assert permits(given, record(confidentiality=Confidentiality.L), asks())
    assert permits(given, record(confidentiality=Confidentiality.N), asks())
    assert not permits(given, record(confidentiality=Confidentiality.R), asks())
    assert not permits(given, record(confidentiality=None), asks())


def test_7_a_denied_label_covers_itself_and_what_is_more_confidential(permits: Decides) -> None:
    given = consents(permit(ORG_H), deny(labels=["R"]))
    assert permits(given, record(confidentiality=Confidentiality.N), asks())
    assert not permits(given, record(confidentiality=Confidentiality.R), asks())
    assert not permits(given, record(confidentiality=Confidentiality.V), asks())
    assert not permits(given, record(confidentiality=None), asks())


def test_8_a_permitted_data_period_covers_what_lies_in_it(permits: Decides) -> None:
    given = consents(permit(DR_A, data_period={"start": "2024", "end": "2024-12-31"}))
    straddling = Interval(day(2024, 12, 31 - 1).start, day(2025, 1, 1).end)
    assert permits(given, record(time=day(2024, 6, 1)), asks())
    assert not permits(given, record(time=day(2025, 1, 1)), asks())
    assert not permits(given, record(time=straddling), asks())
    assert not permits(given, record(time=None), asks())


def test_9_a_denied_data_period_spares_what_lies_outside_of_it(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(data_period={"start": "2024", "end": "2024"}))
    straddling = Interval(day(2024, 12, 30).start, day(2025, 1, 1).end)
    assert permits(given, record(time=year(2026)), asks())
    assert not permits(given, record(time=straddling), asks())
    assert not permits(given, record(time=None), asks())


def test_10_a_permit_ends_at_the_instant_that_its_period_names(permits: Decides) -> None:
    start = datetime(2026, 7, 1, 3, 0, 0, tzinfo=UTC)
    given = consents(permit(DR_A, period={"start": "2026-07-01T03:00:00Z", "end": "2026-07-01T03:00:05Z"}))
    assert permits(given, record(), asks(at=start))
    assert permits(given, record(), asks(at=start + timedelta(seconds=4.999)))
    assert not permits(given, record(), asks(at=start + timedelta(seconds=5)))
    assert not permits(given, record(), asks(at=start - timedelta(microseconds=1)))


def test_11_an_instance_is_that_record_and_dependents_also_what_refers_to_it(permits: Decides) -> None:
    request = record("MedicationRequest", "7")
    dispense = record("MedicationDispense", "8", references={"MedicationRequest/7"})
    for meaning, expected in (("instance", True), ("dependents", False)):
        given = consents(permit(ORG_H, but=[deny(data=[(meaning, "MedicationRequest/7")])]))
        assert not permits(given, request, asks())
        assert permits(given, dispense, asks()) is expected
        assert permits(given, record(), asks())


def test_12_authored_by_is_unknown_without_an_author(permits: Decides) -> None:
    given = consents(permit(ORG_H, but=[deny(data=[("authoredby", "Practitioner/x")])]))
    assert not permits(given, record(authors={"Practitioner/x"}), asks())
    assert not permits(given, record(source="Practitioner/x", authors={"Practitioner/y"}), asks())
    assert not permits(given, record(), asks())
    assert permits(given, record(authors={"Practitioner/y"}), asks())


def test_13_a_record_that_names_two_patients_needs_both(permits: Decides) -> None:
    shared = record("Encounter", patients={P1, P2})
    assert not permits(consents(permit(DR_A)), shared, asks())
    assert permits([*consents(permit(DR_A)), *consents(permit(DR_A), patient=P2)], shared, asks())


def test_14_break_glass_passes_a_deny_that_does_not_name_it(permits: Decides) -> None:
    given = [*policies(permit(ED, purposes=["BTG"])), *consents(deny())]
    assert permits(given, record(), asks(IN_THE_ED, "BTG", opened=frozenset({P1})))
    assert not permits(given, record(), asks(IN_THE_ED, "TREAT"))
    assert not permits(given, record(), asks(IN_THE_ED, "BTG"))
    assert not permits(given, record(), asks(IN_THE_ED, "BTG", opened=frozenset({P2})))


def test_15_a_deny_that_names_break_glass_holds_against_it(permits: Decides) -> None:
    given = [
        *policies(permit(ED, purposes=["BTG"])),
        *consents(deny(purposes=["BTG"], types=["MedicationRequest"])),
    ]
    assert not permits(given, medicine(C09), asks(IN_THE_ED, "BTG", opened=frozenset({P1})))
    assert permits(given, record(), asks(IN_THE_ED, "BTG", opened=frozenset({P1})))


def test_16_a_permit_in_a_root_deny_grants_unless_another_deny_blocks(permits: Decides) -> None:
    given = consents(deny(but=[permit(ED, purposes=["ETREAT"])]))
    assert permits(given, record(), asks(IN_THE_ED, "ETREAT"))
    assert not permits(given, record(), asks(IN_THE_ED, "TREAT"))
    blocked = consents(deny(but=[permit(ED, purposes=["ETREAT"])]), deny(ED))
    assert not permits(blocked, record(), asks(IN_THE_ED, "ETREAT"))


def test_17_a_denied_group_that_cannot_be_resolved_denies_everybody(permits: Decides) -> None:
    given = consents(permit(DR_A), deny("Group/g"))
    assert not permits(given, record(), asks())
    assert permits(given, record(), asks(resolvable=frozenset({"Group/g"})))


def test_18_a_bare_deny_blocks_everything(permits: Decides) -> None:
    assert not permits(consents(permit(ORG_H), deny()), record(), asks())


def test_19_grants_add_up(permits: Decides) -> None:
    given = consents(permit(ORG_H, labels=["N"]), permit(DR_A, labels=["R"]))
    restricted = record(confidentiality=Confidentiality.R)
    assert permits(given, restricted, asks(A_AT_H))
    assert not permits(given, restricted, asks(B_AT_H))


def test_20_break_glass_can_be_granted_inside_a_root_deny(permits: Decides) -> None:
    given = consents(deny(but=[permit(ED, purposes=["BTG"])]))
    assert permits(given, record(), asks(IN_THE_ED, "BTG", opened=frozenset({P1})))
    assert not permits(given, record(), asks(IN_THE_ED, "TREAT"))


def test_21_a_granting_node_without_actor_and_purpose_is_refused() -> None:
    issues = read(consent_json(deny(but=[provision("permit", types=["Observation"])])))
    assert isinstance(issues, list)
    assert [issue.expression for issue in issues] == ["Consent.provision.provision[0]"] * 2
    assert "actor" in issues[0].text
    assert "purpose" in issues[1].text


def test_22_consents_audits_and_care_teams_are_covered_only_by_name(permits: Decides) -> None:
    for kind in ("Consent", "AuditEvent", "CareTeam", "RelatedPerson", "Group"):
        assert not permits(consents(permit(ORG_H)), record(kind), asks())
        assert permits(consents(permit(ORG_H, types=[kind])), record(kind), asks())


def test_23_a_grant_to_an_organization_is_not_for_its_people_in_another_role(permits: Decides) -> None:
    at_k = frozenset({DR_A, "PractitionerRole/a-at-k", "Organization/k"})
    assert not permits(consents(permit(ORG_H)), record(), asks(at_k))


def test_the_order_of_consents_does_not_matter_in_any_case(permits: Decides) -> None:
    given = consents(permit(ORG_H, labels=["N"]), permit(DR_A, labels=["R"]), deny(DR_B))
    restricted = replace(record(), confidentiality=Confidentiality.R, codes=frozenset({Coding(*C09)}))
    for order in (given, given[::-1], [*given, *given]):
        assert permits(order, restricted, asks(A_AT_H))
        assert not permits(order, restricted, asks(B_AT_H))
