"""As whom a device acts that signs for itself: it has no session, and its signature is looked at each time.

https://www.rfc-editor.org/rfc/rfc7515
"""

import re
from typing import Final

from consent.model import Purpose
from passport.subjects import Subject

ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")  # http://hl7.org/fhir/R4/datatypes.html#id
NO_ID: Final = "-"
"""Stands for what cannot be the id of anything."""

SCOPES: Final = frozenset({"system/Observation.c", "system/Provenance.c"})


def device_of(device_id: str) -> str:
    """The reference of the device at an address."""
    return f"Device/{device_id if ID.fullmatch(device_id) else NO_ID}"


def subject_of(device: str) -> Subject:
    """The subject that a device acts as: itself, at its person's request."""
    return Subject(
        kind="device",
        reference=device,
        role=None,
        client=None,
        patient_key=None,
        patient=None,
        purpose=Purpose.PATRQT,
        scopes=SCOPES,
        session_id=None,
        opened_patient_key=None,
    )
