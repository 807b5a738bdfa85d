"""Whose office the registrations are.

http://hl7.org/fhir/R4/patient.html#merge
"""

from passport.admission import Desk
from passport.outcomes import Refused


def check_operator(desk: Desk) -> None:
    """Who is registered is an operator's office, and tells everybody else of people whom they must not know.

    Raises:
        Refused: it is somebody else who asks.
    """
    if desk.subject.kind != "operator":
        raise Refused("registrations are kept by operators")
