"""Why a certificate is not taken for a qualification; the reason is the caller's own matter, and stands in the log."""

from typing import Literal

from passport.outcomes import Refused

Reason = Literal[
    "authority",
    "certificate",
    "chain",
    "key-usage",
    "revocation",
    "role",
    "signature",
    "challenge",
    "another",
]


class NotQualified(Refused):
    """A certificate that shows no qualification of whoever sent it."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
