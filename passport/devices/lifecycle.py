"""The life of an enrolled device: pending, active, suspended, revoked.

What is stored is pending, approved or revoked. Whether an approved device is active or suspended is what the
Consent says that approved it, so that the two can never differ.
"""

from collections.abc import Mapping
from typing import Final, Literal

Status = Literal["pending", "active", "suspended", "revoked"]
Verb = Literal["approve", "suspend", "resume", "revoke"]

TRANSITIONS: Final[Mapping[tuple[Status, Verb], Status]] = {
    ("pending", "approve"): "active",
    ("pending", "revoke"): "revoked",
    ("active", "suspend"): "suspended",
    ("active", "revoke"): "revoked",
    ("suspended", "resume"): "active",
    ("suspended", "revoke"): "revoked",
}
"""Every change there is; a revoked device stays revoked."""


def after(status: Status, verb: Verb) -> Status | None:
    """The status that `verb` leads to, or None where it leads nowhere from here."""
    return TRANSITIONS.get((status, verb))
