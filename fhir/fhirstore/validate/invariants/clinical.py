"""The rules of clinical records, medicines, requests and appointments.

http://hl7.org/fhir/R4/clinicalsummary-module.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.elements import Code, codes_in, values_at
from fhirstore.validate.invariants.rule import (
    Node,
    Rule,
    any_of,
    codes_at,
    has,
    has_choice,
    is_one_of,
    needs,
    not_both,
    ordered,
)

_ENTERED_IN_ERROR: Final = "entered-in-error"
_ABATED: Final = frozenset({"inactive", "resolved", "remission"})
_WITHOUT_TIME: Final = frozenset({"proposed", "cancelled", "waitlist"})
_NOT_KEPT: Final = frozenset({"noshow", "cancelled"})


def _allergy_has_status(node: Node) -> bool:
    return "clinicalStatus" in node or _ENTERED_IN_ERROR in codes_at(node, "verificationStatus")


def _no_status_in_error(node: Node) -> bool:
    return "clinicalStatus" not in node or _ENTERED_IN_ERROR not in codes_at(node, "verificationStatus")


def _abated_is_not_active(node: Node) -> bool:
    return not has_choice(node, "abatement") or bool(codes_at(node, "clinicalStatus") & _ABATED)


def _panel_has_no_own_value(node: Node) -> bool:
    if "component" not in node or not has_choice(node, "value"):
        return True
    return set(_full_codes(node, "code")).isdisjoint(_full_codes(node, "component", "code"))


def _full_codes(node: Node, *path: str) -> tuple[Code, ...]:
    return codes_in(values_at(node, (path,)))


def _absent_has_no_value(node: Node) -> bool:
    return "dataAbsentReason" not in node or not has_choice(node, "value")


def _acts_for_as_practitioner(node: Node) -> bool:
    member = node.get("member")
    reference = member.get("reference") if isinstance(member, dict) else None
    if "onBehalfOf" not in node or not isinstance(reference, str) or reference.startswith(("#", "urn:")):
        return True
    return "Practitioner/" in reference


def _age_or_birth(node: Node) -> bool:
    return not (has_choice(node, "age") and has_choice(node, "born"))


def _estimates_an_age(node: Node) -> bool:
    return not has(node, "estimatedAge") or has_choice(node, "age")


def _detail_has_measure(node: Node) -> bool:
    return not has_choice(node, "detail") or "measure" in node


def _dose_or_rate(node: Node) -> bool:
    return "dose" in node or has_choice(node, "rate")


def _start_with_end(node: Node) -> bool:
    return has(node, "start") == has(node, "end")


def _appointment_has_time(node: Node) -> bool:
    return (has(node, "start") and has(node, "end")) or is_one_of(node, "status", _WITHOUT_TIME)


def _cancelled_for_a_reason(node: Node) -> bool:
    return "cancelationReason" not in node or is_one_of(node, "status", _NOT_KEPT)


RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "AllergyIntolerance": (
            Rule("ait-1", "expected a clinicalStatus, unless entered in error", _allergy_has_status),
            Rule("ait-2", "expected no clinicalStatus on what was entered in error", _no_status_in_error),
        ),
        "Appointment": (
            Rule("app-2", "expected both start and end, or neither", _start_with_end),
            Rule(
                "app-3",
                "expected start and end, unless proposed, waiting or cancelled",
                _appointment_has_time,
            ),
            Rule(
                "app-4",
                "expected a cancelationReason only where cancelled or not kept",
                _cancelled_for_a_reason,
            ),
        ),
        "AppointmentParticipant": (Rule("app-1", "expected a type or an actor", any_of("type", "actor")),),
        "CarePlanActivity": (
            Rule("cpl-3", "expected a detail or a reference, not both", not_both("detail", "reference")),
        ),
        "CareTeamParticipant": (
            Rule("ctm-1", "expected onBehalfOf only of a Practitioner", _acts_for_as_practitioner),
        ),
        "Condition": (
            Rule("con-4", "expected a clinicalStatus that fits the abatement", _abated_is_not_active),
            Rule("con-5", "expected no clinicalStatus on what was entered in error", _no_status_in_error),
        ),
        "ConditionEvidence": (Rule("con-2", "expected a code or a detail", any_of("code", "detail")),),
        "ConditionStage": (
            Rule("con-1", "expected a summary or an assessment", any_of("summary", "assessment")),
        ),
        "FamilyMemberHistory": (
            Rule("fhs-1", "expected an age or a birth, not both", _age_or_birth),
            Rule("fhs-2", "expected an age with estimatedAge", _estimates_an_age),
        ),
        "GoalTarget": (Rule("gol-1", "expected a measure with the detail", _detail_has_measure),),
        "ImmunizationEducation": (
            Rule("imm-1", "expected a documentType or a reference", any_of("documentType", "reference")),
        ),
        "MedicationAdministrationDosage": (Rule("mad-1", "expected a dose or a rate", _dose_or_rate),),
        "MedicationDispense": (
            Rule("mdd-1", "expected handing over after preparing", ordered("whenPrepared", "whenHandedOver")),
        ),
        "Observation": (
            Rule("obs-6", "expected no dataAbsentReason beside a value", _absent_has_no_value),
            Rule(
                "obs-7", "expected no value of a panel whose component has its code", _panel_has_no_own_value
            ),
        ),
        "ObservationReferenceRange": (
            Rule("obs-3", "expected low, high or text", any_of("low", "high", "text")),
        ),
        "ServiceRequest": (Rule("prr-1", "expected a code with orderDetail", needs("orderDetail", "code")),),
        "Task": (
            Rule("inv-1", "expected the last change after authoring", ordered("authoredOn", "lastModified")),
        ),
    }
)
