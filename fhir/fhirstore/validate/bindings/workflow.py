"""Required bindings of requests, appointments and messages.

http://hl7.org/fhir/R4/workflow-module.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings.value_sets import (
    EVENT_STATUS,
    REQUEST_INTENT,
    REQUEST_PRIORITY,
    REQUEST_STATUS,
    codes,
)

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("Appointment", "status"): codes(
            """
            proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist
            """
        ),
        ("AppointmentParticipant", "required"): codes("required optional information-only"),
        ("AppointmentParticipant", "status"): codes("accepted declined tentative needs-action"),
        ("Communication", "priority"): REQUEST_PRIORITY,
        ("Communication", "status"): EVENT_STATUS,
        ("CommunicationRequest", "priority"): REQUEST_PRIORITY,
        ("CommunicationRequest", "status"): REQUEST_STATUS,
        ("ServiceRequest", "intent"): REQUEST_INTENT,
        ("ServiceRequest", "priority"): REQUEST_PRIORITY,
        ("ServiceRequest", "status"): REQUEST_STATUS,
        ("Task", "intent"): codes(
            """
            unknown proposal plan order original-order reflex-order filler-order instance-order option
            """
        ),
        ("Task", "priority"): REQUEST_PRIORITY,
        ("Task", "status"): codes(
            """
            draft requested received accepted rejected ready cancelled in-progress on-hold failed completed
            entered-in-error
            """
        ),
    }
)
