"""What goes wrong on the way to a provider and back; the person reads one text, the log says which it was.

https://openid.net/specs/openid-connect-core-1_0.html#AuthError
"""

from typing import Final, Literal

from passport.outcomes import PassportError, Refused

Reason = Literal[
    "denied",
    "state",
    "provider",
    "issuer",
    "header",
    "key",
    "signature",
    "audience",
    "time",
    "nonce",
    "token-hash",
    "subject",
    "user-info",
    "my-number",
    "too-long-ago",
]
"""Why an answer was not believed, as the audit row says it."""

_DENIED: Final = "the sign-in was given up at the provider"
_DISBELIEVED: Final = "the provider's answer does not belong to a sign-in that began here: begin again"


class Disbelieved(Refused):
    """What came back is not believed; `reason` is for the log alone."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(_DENIED if reason == "denied" else _DISBELIEVED)
        self.reason = reason


class ProviderSilent(PassportError):
    """A provider cannot be reached, or answers what cannot be used; whoever asked may ask again."""

    outcome = "error"

    def __init__(self, text: str = "the provider cannot be reached, or its answer cannot be used") -> None:
        super().__init__(502, "transient", text)
