"""The refusals of the authorization server, as OAuth says them.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2
https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
"""

import re
from typing import Final, Literal

from authlib.oauth2 import OAuth2Error

RETRY: Final = "Retry-After"

ErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_scope",
    "access_denied",
    "login_required",
    "interaction_required",
    "invalid_target",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "authorization_pending",
    "slow_down",
    "expired_token",
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "temporarily_unavailable",
]

# RFC 6749, section 5.2: what a description may consist of; Authlib answers anything else by a fault.
_UNFIT: Final = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


class Refusal(OAuth2Error):
    """What is not granted, and why; `redirect_uri` is set only where it was found among the registered ones."""

    def __init__(
        self, error: ErrorCode, text: str, *, redirect_uri: str | None = None, state: str | None = None
    ) -> None:
        super().__init__(
            description=_UNFIT.sub("'", text),
            status_code=401 if error == "invalid_client" else 400,
            error=error,
            redirect_uri=redirect_uri,
            state=state,
        )


class TooOften(Refusal):
    """The caller's own requests are too many; nobody else's count."""

    def __init__(self, retry_seconds: int) -> None:
        text = f"got too many requests, expected a pause of {retry_seconds} s"
        super().__init__("temporarily_unavailable", text)
        self.status_code = 429  # RFC 9126, section 2.3
        self.retry_seconds = retry_seconds

    def get_headers(self) -> list[tuple[str, str]]:
        """When to come back, beside what goes with each refusal."""
        return [*super().get_headers(), (RETRY, str(self.retry_seconds))]


class UnknownRequest(Refusal):
    """A request to the authorization endpoint that is answered to the person alone, since nobody else is known."""

    def __init__(self, text: str = "") -> None:
        super().__init__(
            "invalid_request",
            text or "expected a registered client and one of its addresses, letter by letter",
        )
