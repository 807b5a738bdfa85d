"""The cookie of a browser session, and the proof that a form was sent from a page of ours.

https://www.rfc-editor.org/rfc/rfc6265#section-4.1
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html

A browser takes a cookie named `__Host-…` over TLS alone, for this host alone. An installation on a machine of its own
is reached by plain HTTP, where the cookie bears another name: one never passes for the other.
"""

from datetime import timedelta
from typing import Final

from fastapi import Request, Response

from passport.identity.authorization.redirects import origin
from passport.outcomes import Refused
from passport.settings import Settings

SECURE_NAME: Final = "__Host-passport"
PLAIN_NAME: Final = "passport-plain-http"


def name(settings: Settings, purpose: str = "") -> str:
    """What the cookie is called at this installation: that of a session, or the one of another `purpose`."""
    called = SECURE_NAME if _secure(settings) else PLAIN_NAME
    return f"{called}-{purpose}" if purpose else called


def cookie(request: Request, settings: Settings, purpose: str = "") -> str:
    """The text of the cookie that a browser sent, empty where it sent none."""
    return request.cookies.get(name(settings, purpose), "")


def give(
    response: Response, settings: Settings, text: str, purpose: str = "", *, lasts: timedelta | None = None
) -> None:
    """Hand a cookie out; it ends with the browser, unless it `lasts`, and with its session before."""
    response.set_cookie(
        name(settings, purpose),
        text,
        max_age=None if lasts is None else int(lasts.total_seconds()),
        path="/",
        secure=_secure(settings),
        httponly=True,
        samesite="lax",
    )


def take_back(response: Response, settings: Settings) -> None:
    """Have the browser forget it."""
    response.delete_cookie(name(settings), path="/", secure=_secure(settings), httponly=True, samesite="lax")


def require_own_page(request: Request, settings: Settings) -> None:
    """Let a request through that a page of ours sent: the browser says where it comes from.

    Raises:
        Refused: it comes from elsewhere, or does not say.
    """
    site, sender = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    told = [value for value in (site, sender) if value is not None]
    own = origin(settings.base_url)
    if not told or site not in {None, "same-origin"} or sender not in {None, own}:
        raise Refused(f"expected a form of the passport's own pages, which are opened at `{own}`")


def _secure(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")
