"""The rulings of the definition beside its worked cases, for the reference and for the SQL."""

from dataclasses import replace
from typing import Any

import pytest

from consent.model import Coding, Confidentiality, Consent, Interval, Record
from consent.systems import ACT_CODE, ATC, LOINC, SNOMED
from tests.unit.consent.conftest import Decides
from tests.unit.consent.words import (
    A_AT_H,
    B_AT_H,
    C09,
    DR_A,
    DR_B,
    N06,
    ORG_H,
    P1,
    P2,
    VITAL_SIGNS,
    YJ,
    Json,
    allow,
    asks,
    concept,
    consent_json,
    consents,
    day,
    deny,
    medicine,
    permit,
    policies,
    read,
    record,
    year,
)

HIV = (ACT_CODE, "HIV")
APP = "Device/app"


def test_a_permit_means_access_unless_it_names_actions(permits: Decides) -> None:
    given = consents(permit(DR_A))
    assert not permits(given, record(), asks(action="collect"))
    assert not permits(given, record(), asks(action="correct"))
    named = consents(permit(DR_A, actions=["collect"]))
    assert permits(named, record(), asks(action="collect"))
    assert not permits(named, record(), asks())


def test_a_permit_in_a_root_deny_has_the_same_defaults(permits: Decides) -> None:
    given = consents(deny(DR_A, purposes=["TREAT", "BTG"], but=[allow(types=["Observation"])]))
    assert permits(given, record(), asks())
    assert not permits(given, record(), asks(action="collect"))
    assert not permits(given, record(), asks(purpose="BTG", opened=frozenset({P1})))


def test_a_permit_in_a_root_deny_spares_no_more_than_it_grants(permits: Decides) -> None:
    given = consents(deny(but=[permit(DR_A)]), permit(DR_A, actions=["access", "collect"]))
    assert permits(given, record(), asks())
    assert not permits(given, record(), asks(action="collect"))
    named = consents(deny(purposes=["TREAT", "BTG"], but=[allow(DR_A)])) + policies(
        permit(DR_A, purposes=["BTG"])
    )
    assert not permits(named, record(), asks(purpose="BTG", opened=frozenset({P1})))


def test_an_exception_of_a_permit_is_for_all_that_the_permit_grants(permits: Decides) -> None:
    wide = permit(
        DR_A, purposes=["TREAT", "BTG"], actions=["access", "collect"], but=[deny(types=["Observation"])]
    )
    opened = frozenset({P1})
    for asked in (asks(), asks(action="collect"), asks(purpose="BTG", opened=opened)):
        assert not permits(consents(wide), record(), asked)
        assert permits(consents(wide), record("Condition"), asked)


@pytest.mark.parametrize("other", [deny(DR_B), deny(purposes=["ETREAT"]), deny(period={"end": "2025"})])
def test_an_exception_that_is_not_about_the_request_takes_nothing_out(permits: Decides, other: Json) -> None:
    given = consents(permit(ORG_H, but=[deny(types=["Condition"]), other]))
    assert permits(given, record(), asks())
    assert not permits(given, record("Condition"), asks())


def test_of_several_levels_a_permit_reaches_the_highest_and_a_deny_begins_at_the_lowest(
    permits: Decides,
) -> None:
    reached = consents(permit(DR_A, labels=["L", "R"]))
    begun = consents(permit(DR_A), deny(labels=["L", "R"]))
    for level in Confidentiality:
        labelled = record(confidentiality=level)
        assert permits(reached, labelled, asks()) is (level <= Confidentiality.R)
        assert permits(begun, labelled, asks()) is (level < Confidentiality.L)


def test_break_glass_is_granted_only_by_a_permit_that_names_it(permits: Decides) -> None:
    opened = asks(purpose="BTG", opened=frozenset({P1}))
    assert not permits(consents(permit(DR_A)), record(), opened)
    assert permits(consents(permit(DR_A, purposes=["BTG"])), record(), opened)


def test_a_deny_without_purpose_blocks_every_purpose_but_break_glass(permits: Decides) -> None:
    given = consents(permit(DR_A, purposes=["TREAT", "BTG", "HRESCH"]), deny())
    assert permits(given, record(), asks(purpose="BTG", opened=frozenset({P1})))
    assert not permits(given, record(), asks(purpose="HRESCH"))


def test_a_deny_without_action_blocks_every_action(permits: Decides) -> None:
    given = consents(permit(DR_A, actions=["collect"]), deny(DR_A))
    assert not permits(given, record(), asks(action="collect"))


def test_the_actor_of_a_root_deny_narrows_the_permits_inside_it(permits: Decides) -> None:
    given = consents(deny(ORG_H, but=[permit(DR_A)]))
    assert permits(given, record(), asks(A_AT_H))
    assert not permits(given, record(), asks(frozenset({DR_A, "Organization/k"})))
    assert not permits(given, record(), asks(B_AT_H))


def test_the_period_of_a_root_deny_bounds_the_permits_inside_it(permits: Decides) -> None:
    given = consents(deny(period={"end": "2020"}, but=[permit(DR_A)]))
    assert not permits(given, record(), asks())


def test_the_exceptions_of_a_root_deny_do_not_narrow_each_other(permits: Decides) -> None:
    given = consents(deny(but=[permit(DR_A), permit(ORG_H, types=["Observation"])]))
    assert permits(given, record(), asks(B_AT_H))
    assert permits(given, record("Condition"), asks(A_AT_H))
    assert not permits(given, record("Condition"), asks(B_AT_H))


def test_the_client_can_be_denied(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(APP))
    assert not permits(given, record(), asks(client=APP))
    assert permits(given, record(), asks(client="Device/other"))
    carved = consents(permit(DR_A, but=[deny(APP, types=["Observation"])]))
    assert not permits(carved, record(), asks(client=APP))
    assert permits(carved, record("Condition"), asks(client=APP))


def test_the_client_is_never_permitted_by_itself(permits: Decides) -> None:
    asked = asks(frozenset({DR_B}), client=APP)
    assert not permits(consents(permit(APP)), record(), asked)
    assert not permits(consents(deny(but=[permit(APP)])), record(), asked)
    assert not permits(consents(deny(APP, but=[permit(DR_B)])), record(), asked)
    assert not permits(consents(permit(DR_B, but=[deny(but=[allow(APP)])])), record(), asked)


def test_a_service_without_a_person_acts_as_its_client(permits: Decides) -> None:
    assert permits(consents(permit(APP)), record(), asks(frozenset({APP})))


def test_a_break_in_the_chain_leaves_every_actor_it_might_have_led_to_unknown(permits: Decides) -> None:
    given = consents(permit(DR_A), deny("Organization/above"))
    assert permits(given, record(), asks())
    assert not permits(given, record(), asks(unresolved=True))
    other_patient = consents(permit(DR_A), deny(P2))
    assert permits(other_patient, record(), asks(unresolved=True))


def test_an_unresolved_team_is_unknown_only_for_those_it_may_list(permits: Decides) -> None:
    member = asks(A_AT_H | {"CareTeam/t"})
    assert permits(consents(permit("CareTeam/t")), record(), member)
    assert not permits(consents(permit("CareTeam/t")), record(), asks())
    assert not permits(consents(permit(DR_A), deny("CareTeam/t")), record(), asks())


def test_a_group_whose_members_are_known_says_nothing_of_another(permits: Decides) -> None:
    given = consents(permit(DR_A), deny("Group/g"))
    assert permits(given, record(), asks(resolvable=frozenset({"Group/g"})))
    assert not permits(given, record(), asks(resolvable=frozenset({"Group/other"})))


def test_a_code_compares_exactly_within_its_system(permits: Decides) -> None:
    given = consents(permit(DR_A, codes=[C09]))
    assert permits(given, medicine(C09), asks())
    for other in ("c09", "Ｃ０９", "C09 ", "C0%", "C0_"):
        assert not permits(given, medicine((ATC, other)), asks())


def test_a_system_that_the_type_uses_but_the_record_lacks_is_unknown(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(codes=[C09]))
    assert permits(given, medicine(N06), asks())
    assert not permits(given, medicine((YJ, "2149")), asks())
    assert permits(given, medicine((YJ, "2149"), N06), asks())


def test_a_system_foreign_to_the_type_is_not_the_records(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(codes=[C09]))
    blood_pressure = record(codes={Coding(LOINC, "85354-9")})
    assert permits(given, blood_pressure, asks())
    for codeless in ("Patient", "Encounter"):
        assert permits(given, record(codeless), asks())


def test_a_code_in_a_foreign_system_counts_where_the_record_carries_it(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(codes=[(SNOMED, "1")]))
    assert not permits(given, medicine((SNOMED, "1")), asks())
    assert permits(given, medicine((SNOMED, "2")), asks())


def test_an_uncoded_record_of_a_coded_type_has_an_unknown_code_in_every_system(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(codes=[(SNOMED, "1")]))
    assert not permits(given, medicine(), asks())
    assert permits(given, medicine(("", "local")), asks())


def test_one_known_code_among_several_values_decides(permits: Decides) -> None:
    given = consents(permit(DR_A, codes=[C09, (YJ, "2149")]))
    assert permits(given, medicine(C09), asks())
    assert not permits(given, medicine(N06), asks())


def test_a_category_is_stated_or_missing(permits: Decides) -> None:
    vitals = consents(permit(DR_A), deny(classes=[VITAL_SIGNS]))
    assert not permits(vitals, record(categories={VITAL_SIGNS}), asks())
    assert permits(vitals, record(categories={Coding("http://cat.example", "LAB")}), asks())
    assert not permits(vitals, record(), asks())
    assert permits(consents(permit(DR_A, classes=[VITAL_SIGNS])), record(categories={VITAL_SIGNS}), asks())


def test_a_class_may_be_a_type_or_a_category(permits: Decides) -> None:
    either = consents(permit(DR_A, types=["Condition"], classes=[VITAL_SIGNS]))
    assert permits(either, record("Condition"), asks())
    assert permits(either, record(categories={VITAL_SIGNS}), asks())
    assert not permits(either, record(), asks())


def test_sensitivity_is_known_only_beside_a_confidentiality_label(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(labels=[HIV]))
    assert permits(given, record(), asks())
    assert permits(given, record(sensitivities={Coding(ACT_CODE, "PSY")}), asks())
    assert not permits(given, record(sensitivities={Coding(*HIV)}), asks())
    assert not permits(given, record(confidentiality=None), asks())


def test_a_deny_inside_a_permit_reads_labels_upwards(permits: Decides) -> None:
    given = consents(permit(DR_A, labels=["V"], but=[deny(labels=["R"], but=[allow(labels=["R"])])]))
    assert permits(given, record(confidentiality=Confidentiality.N), asks())
    assert permits(given, record(confidentiality=Confidentiality.R), asks())
    assert not permits(given, record(confidentiality=Confidentiality.V), asks())


def test_an_open_record_time_is_inside_only_of_an_open_period(permits: Decides) -> None:
    since_2024 = consents(permit(DR_A, data_period={"start": "2024"}))
    assert permits(since_2024, record(time=Interval(day(2024, 1, 1).start, None)), asks())
    assert not permits(since_2024, record(time=Interval(None, day(2025, 1, 1).start)), asks())
    until_2024 = consents(permit(DR_A, data_period={"end": "2024"}))
    assert not permits(until_2024, record(time=Interval(day(2024, 1, 1).start, None)), asks())


def test_a_time_that_ends_before_it_starts_is_no_time(permits: Decides) -> None:
    reversed_time = Interval(day(2024, 6, 2).start, day(2024, 6, 1).start)
    assert not permits(
        consents(permit(DR_A, data_period={"start": "2024"})), record(time=reversed_time), asks()
    )
    denied = consents(permit(DR_A), deny(data_period={"start": "2020", "end": "2020"}))
    assert not permits(denied, record(time=reversed_time), asks())
    assert permits(denied, record(time=year(2024)), asks())


def test_related_to_an_encounter_means_its_dependents(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(data=[("related", "Encounter/1")]))
    assert not permits(given, record("Encounter", "1"), asks())
    assert not permits(given, record(references={"Encounter/1"}), asks())
    assert permits(given, record(references={"Encounter/2"}), asks())


def test_a_permit_by_author_covers_what_that_source_wrote(permits: Decides) -> None:
    given = consents(permit(DR_A, data=[("authoredby", DR_B)]))
    assert permits(given, record(source=DR_B), asks())
    assert permits(given, record(authors={DR_B}, source=DR_A), asks())
    assert not permits(given, record(source=DR_A), asks())


@pytest.mark.parametrize(
    "kind", ["Consent", "AuditEvent", "CareTeam", "RelatedPerson", "Group", "Provenance", "Subscription"]
)
def test_a_provision_without_class_never_covers_what_is_about_the_sharing(
    permits: Decides, kind: str
) -> None:
    assert not permits(consents(permit(ORG_H)), record(kind), asks())
    named = consents(permit(ORG_H, types=[kind]), deny(DR_B))
    assert permits(named, record(kind), asks(B_AT_H))
    assert not permits(consents(permit(ORG_H, types=[kind]), deny(types=[kind])), record(kind), asks())


@pytest.mark.parametrize(
    "kind", ["Practitioner", "PractitionerRole", "Organization", "Location", "Medication"]
)
def test_the_directory_is_readable_and_not_writable(permits: Decides, kind: str) -> None:
    entry = record(kind, patients=frozenset(), confidentiality=None)
    assert permits([], entry, asks())
    assert not permits([], entry, asks(action="collect"))
    assert permits(policies(permit(DR_A, actions=["collect"])), entry, asks(action="collect"))


def test_a_record_that_names_nobody_is_permitted_only_under_a_policy(permits: Decides) -> None:
    nobodys = record(patients=frozenset())
    assert not permits(consents(permit(DR_A)), nobodys, asks())
    assert permits(policies(permit(DR_A)), nobodys, asks())


def test_a_policy_counts_for_every_patient_and_obeys_their_root_denies(permits: Decides) -> None:
    policy = policies(permit(ORG_H))
    assert permits(policy, record(), asks())
    assert permits(policy, record(patients={P2}), asks())
    assert not permits([*policy, *consents(deny(DR_A))], record(), asks())
    assert permits([*policy, *consents(deny(DR_A))], record(patients={P2}), asks())


def test_the_root_deny_of_a_policy_binds_everybody_but_the_patient(permits: Decides) -> None:
    given = [*consents(permit(DR_A)), *policies(deny(types=["Observation"]))]
    assert not permits(given, record(), asks())
    assert permits(given, record(), asks(frozenset({P1}), "PATRQT", own=frozenset({P1})))


def test_a_patient_sees_what_names_only_them(permits: Decides) -> None:
    mine = asks(frozenset({P1}), "PATRQT", own=frozenset({P1}))
    assert permits([], record("Consent"), mine)
    assert permits([], record("AuditEvent"), mine)
    assert not permits([], record(patients={P2}), mine)
    assert not permits([], record("Encounter", patients={P1, P2}), mine)
    shared = consents(permit(P1, purposes=["PATRQT"]), patient=P2)
    assert permits(shared, record("Encounter", patients={P1, P2}), mine)


def test_a_record_that_names_nobody_is_not_the_callers_own(permits: Decides) -> None:
    assert not permits([], record(patients=frozenset()), asks(frozenset({P1}), "PATRQT", own=frozenset({P1})))


def test_only_active_consents_count(permits: Decides) -> None:
    for status in ("draft", "proposed", "rejected", "inactive", "entered-in-error"):
        waiting = read(consent_json(permit(DR_A), status=status))
        assert isinstance(waiting, Consent)
        assert not permits([waiting], record(), asks())


def test_a_consent_under_another_scope_without_provisions_changes_nothing(permits: Decides) -> None:
    research = consent_json(
        {}, scope=concept(("http://terminology.hl7.org/CodeSystem/consentscope", "research"))
    )
    del research["provision"]
    other = read(research)
    assert isinstance(other, Consent)
    assert permits([other, *consents(permit(DR_A))], record(), asks())


def contained(kind: str = "Observation", **facts: Any) -> Record:
    return replace(record(kind), reference=None, patients=frozenset(), confidentiality=None, **facts)


def test_the_whole_is_permitted_if_all_of_its_parts_are(permits: Decides) -> None:
    given = consents(permit(DR_A, types=["Bundle", "Observation"]))
    assert permits(given, record("Bundle", parts=(contained(), contained())), asks())
    assert not permits(given, record("Bundle", parts=(contained(), contained("Condition"))), asks())
    assert not permits(given, record("Bundle", parts=(contained(parts=(contained("Condition"),)),)), asks())


def test_a_part_has_its_containers_facts_where_it_has_none(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(labels=["R"]), deny(data=[("authoredby", DR_B)]))
    container = record(authors={DR_A}, parts=(contained(),))
    assert permits(given, container, asks())
    assert not permits(given, replace(container, confidentiality=Confidentiality.R), asks())
    assert not permits(given, record(authors={DR_A}, parts=(contained(authors=frozenset({DR_B})),)), asks())


@pytest.mark.parametrize(
    ("fact", "asked", "other", "condition"),
    [
        ("codes", frozenset({Coding(*C09)}), frozenset({Coding(*N06)}), {"codes": [C09]}),
        ("categories", frozenset({VITAL_SIGNS}), frozenset({Coding(ATC, "x")}), {"classes": [VITAL_SIGNS]}),
        ("time", year(2025), year(2020), {"data_period": {"start": "2025", "end": "2025"}}),
        ("authors", frozenset({DR_B}), frozenset({DR_A}), {"data": [("authoredby", DR_B)]}),
    ],
)
def test_a_parts_own_fact_counts_before_its_containers(
    permits: Decides, fact: str, asked: Any, other: Any, condition: Json
) -> None:
    given = consents(permit(DR_A, types=["Bundle"]), permit(DR_A, **condition))
    for own, containers, expected in (
        ({fact: asked}, {}, True),
        ({}, {fact: asked}, True),
        ({fact: asked}, {fact: other}, True),
        ({fact: other}, {fact: asked}, False),
        ({}, {}, False),
    ):
        letter = record("Bundle", parts=(contained(**own),), **containers)
        assert permits(given, letter, asks()) is expected


def test_a_part_of_a_directory_type_does_not_matter(permits: Decides) -> None:
    given = consents(permit(DR_A, types=["MedicationRequest"]))
    assert permits(given, medicine(C09, parts=(contained("Practitioner"), contained("Medication"))), asks())


def test_a_patient_whom_only_a_part_names_decides_too(permits: Decides) -> None:
    letter = record("Bundle", parts=(replace(contained(), patients=frozenset({P2})),))
    assert not permits(consents(permit(DR_A)), letter, asks())
    assert permits([*consents(permit(DR_A)), *consents(permit(DR_A), patient=P2)], letter, asks())


def test_a_part_is_an_instance_by_its_own_reference_and_by_its_containers(permits: Decides) -> None:
    letter = record("Bundle", parts=(replace(contained(), reference="Observation/5"),))
    assert not permits(consents(permit(DR_A), deny(data=[("instance", "Observation/5")])), letter, asks())
    assert permits(consents(permit(DR_A, data=[("instance", "Bundle/r")])), letter, asks())


def test_a_provenance_follows_all_its_targets(permits: Decides) -> None:
    given = consents(permit(DR_A, types=["Observation"]))
    visible, hidden = record("Observation", "1"), record("Condition", "2")
    for targets, expected in (
        ((visible,), True),
        ((visible, hidden), False),
        ((visible, None), False),
        ((), False),
    ):
        assert permits(given, record("Provenance", follows=targets), asks()) is expected


def test_a_provenance_of_the_directory_is_readable_as_the_directory_is(permits: Decides) -> None:
    entry = record("Practitioner", "1", patients=frozenset())
    assert permits(consents(permit(DR_A)), record("Provenance", follows=(entry,)), asks())


def test_a_provenance_of_a_provenance_is_not_followed(permits: Decides) -> None:
    given = consents(permit(DR_A, types=["Observation", "Provenance"]))
    first = record("Provenance", "1", follows=(record("Observation", "1"),))
    assert permits(given, first, asks())
    assert not permits(given, record("Provenance", "2", follows=(first,)), asks())


def test_a_root_deny_that_names_the_class_hides_a_provenance(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(types=["Provenance"]))
    target = record("Observation", "1")
    assert permits(given, target, asks())
    assert not permits(given, record("Provenance", follows=(target,)), asks())


def test_a_binary_is_permitted_exactly_where_its_context_is(permits: Decides) -> None:
    given = consents(permit(DR_A, types=["DocumentReference"]), deny(data=[("instance", "Condition/2")]))
    for context, expected in (
        ((record("DocumentReference", "1"),), True),
        ((record("Condition", "2"),), False),
        ((None,), False),
        ((record("Patient", "p1"),), False),
    ):
        assert permits(given, record("Binary", follows=context), asks()) is expected
    whole = consents(permit(DR_A, types=["Patient"]))
    assert permits(whole, record("Binary", follows=(record("Patient", "p1"),)), asks())


def test_a_binary_without_context_needs_a_grant_of_its_own(permits: Decides) -> None:
    assert not permits(consents(permit(DR_A, types=["DocumentReference"])), record("Binary"), asks())
    assert permits(consents(permit(DR_A, types=["Binary"])), record("Binary"), asks())


def test_a_provenance_of_a_binary_follows_it_to_its_context(permits: Decides) -> None:
    given = consents(permit(DR_A, types=["Observation"]))
    for context, expected in ((record("Observation", "1"), True), (record("Condition", "2"), False)):
        binary = record("Binary", "b", follows=(context,))
        assert permits(given, record("Provenance", follows=(binary,)), asks()) is expected


def test_a_binary_follows_neither_a_binary_nor_a_provenance(permits: Decides) -> None:
    given = consents(permit(DR_A, types=["Observation", "Binary", "Provenance"]))
    for kind in ("Binary", "Provenance"):
        other = record(kind, "1", follows=(record("Observation", "1"),))
        assert permits(given, other, asks())
        assert not permits(given, record("Binary", "2", follows=(other,)), asks())


def test_a_root_deny_that_names_the_class_hides_a_binary(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(types=["Binary"]))
    assert not permits(given, record("Binary", follows=(record(),)), asks())


def test_every_patient_of_a_binarys_context_decides(permits: Decides) -> None:
    shared = record(patients={P1, P2})
    binary = record("Binary", follows=(shared,), patients={P1, P2})
    one, other = consents(permit(DR_A)), consents(permit(DR_A), patient=P2)
    assert not permits(one, binary, asks())
    assert permits([*one, *other], binary, asks())


def test_only_a_type_that_follows_others_needs_its_targets(permits: Decides) -> None:
    # The parts make the SQL look at the whole of it.
    letter = record("Bundle", parts=(contained(),), follows=(None,))
    assert permits(consents(permit(DR_A)), letter, asks())


def test_only_a_type_that_follows_others_needs_no_grant_of_its_own(permits: Decides) -> None:
    root, both = permit(DR_A, types=["Condition"]), frozenset({P1, P2})
    given = consents(root) + consents(root, patient=P2)
    target = record("Condition", "1", patients=both)
    assert permits(given, target, asks())
    assert not permits(given, record(follows=(target,), patients=both), asks())


def test_what_stands_inside_of_another_record_needs_a_grant_of_its_own(permits: Decides) -> None:
    for kind in ("Binary", "Provenance"):
        letter = record("Bundle", parts=(contained(), contained(kind)))
        assert not permits(consents(permit(DR_A, types=["Bundle", "Observation"])), letter, asks())
        assert permits(consents(permit(DR_A, types=["Bundle", "Observation", kind])), letter, asks())


def test_a_part_of_a_foreign_type_is_named_by_its_class(permits: Decides) -> None:
    study = record("Bundle", parts=(contained("ImagingStudy"),))
    assert permits(consents(permit(DR_A)), study, asks())
    assert not permits(consents(permit(DR_A), deny(types=["ImagingStudy"])), study, asks())
    assert not permits(consents(permit(DR_A, types=["Bundle"])), study, asks())
    assert permits(consents(permit(DR_A, types=["Bundle", "ImagingStudy"])), study, asks())


def test_what_a_part_of_a_foreign_type_says_is_unknown_whatever_its_container_says(permits: Decides) -> None:
    """Its own code, category, time or author may be the one that was denied, or not the one permitted."""
    whole = record(
        codes={Coding(LOINC, "1")},
        categories={VITAL_SIGNS},
        time=year(2026),
        authors={DR_A},
        parts=(contained("ImagingStudy"),),
    )
    denied: list[Json] = [
        deny(codes=[(LOINC, "2")]),
        deny(classes=[("http://cat.example", "imaging")]),
        deny(data_period={"start": "2024", "end": "2024"}),
        deny(data=[("authoredby", DR_B)]),
    ]
    for one in denied:
        assert permits(consents(permit(DR_A), one), replace(whole, parts=()), asks())
        assert not permits(consents(permit(DR_A), one), whole, asks())
    for chosen in (
        permit(DR_A, codes=[(LOINC, "1")]),
        permit(DR_A, classes=[VITAL_SIGNS]),
        permit(DR_A, data_period={"start": "2026", "end": "2026"}),
        permit(DR_A, data=[("authoredby", DR_A)]),
    ):
        assert permits(consents(chosen), replace(whole, parts=()), asks())
        assert not permits(consents(chosen), whole, asks())


def test_a_part_of_a_foreign_type_has_its_containers_labels_unless_it_has_its_own(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(labels=["R"]))
    study = contained("ImagingStudy")
    assert permits(given, record(parts=(study,)), asks())
    assert not permits(given, record(parts=(replace(study, confidentiality=Confidentiality.R),)), asks())
    assert not permits(given, record(confidentiality=Confidentiality.R, parts=(study,)), asks())


def test_exceptions_of_exceptions_alternate_down_to_the_eighth_level(permits: Decides) -> None:
    rings = [{"start": str(2000 + level), "end": str(2040 - level)} for level in range(8)]
    tree: list[Json] = []
    for level in reversed(range(1, 8)):
        exception = deny if level % 2 else allow
        tree = [exception(data_period=rings[level], but=tree)]
    given = consents(permit(DR_A, data_period=rings[0], but=tree))
    assert [permits(given, record(time=year(2000 + ring)), asks()) for ring in range(8)] == [True, False] * 4


def test_break_glass_inside_a_root_deny_is_for_its_actor_alone(permits: Decides) -> None:
    given = consents(deny(ORG_H, but=[permit(DR_A, purposes=["BTG"])]))
    assert permits(given, record(), asks(A_AT_H, "BTG", opened=frozenset({P1})))
    assert not permits(given, record(), asks(B_AT_H, "BTG", opened=frozenset({P1})))


def test_the_date_of_a_consent_plays_no_part(permits: Decides) -> None:
    for date in ("1999", "2026-07-01", "2999-12-31"):
        dated = read(consent_json(permit(DR_A), dateTime=date))
        assert isinstance(dated, Consent)
        assert permits([dated], record(), asks())


@pytest.mark.parametrize("level", Confidentiality.__members__)
def test_each_level_of_confidentiality_is_one_of_its_own(permits: Decides, level: str) -> None:
    """U < L < M < N < R < V, and no two are the same."""
    order = "ULMNRV"
    assert "".join(Confidentiality.__members__) == order
    labelled = {name: record(confidentiality=Confidentiality[name]) for name in order}
    permitted = consents(permit(DR_A, labels=[level]))
    denied = consents(permit(DR_A), deny(labels=[level]))
    covered = order[: order.index(level) + 1]
    spared = order[: order.index(level)]
    assert "".join(name for name, one in labelled.items() if permits(permitted, one, asks())) == covered
    assert "".join(name for name, one in labelled.items() if permits(denied, one, asks())) == spared


def test_a_record_that_begins_where_a_period_ends_or_ends_where_it_begins_is_outside(
    permits: Decides,
) -> None:
    given = consents(permit(DR_A), deny(data_period={"start": "2024", "end": "2024"}))
    for outside in (year(2023), year(2025)):
        assert permits(given, record(time=outside), asks())
    for inside in (year(2024), Interval(year(2023).start, year(2024).end)):
        assert not permits(given, record(time=inside), asks())


def test_a_part_of_a_part_is_an_instance_by_the_outermost_containers_reference(permits: Decides) -> None:
    entry = replace(record("Observation", "y"), parts=(contained(),))
    whole = record("Bundle", "b", parts=(entry,))
    assert permits(consents(permit(DR_A, data=[("instance", "Bundle/b")])), whole, asks())
    assert not permits(consents(permit(DR_A, data=[("instance", "Observation/y")])), whole, asks())


def test_a_part_that_has_one_kind_of_label_takes_none_of_its_containers(permits: Decides) -> None:
    given = consents(permit(DR_A), deny(labels=[HIV]))
    only_sensitive = replace(contained(), sensitivities=frozenset({Coding(ACT_CODE, "PSY")}))
    assert not permits(given, record("Bundle", parts=(only_sensitive,)), asks())
    both = replace(only_sensitive, confidentiality=Confidentiality.N)
    assert permits(given, record("Bundle", parts=(both,)), asks())
