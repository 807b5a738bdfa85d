"""The headers of the pages: what they may load, who may frame them, and what they tell others.

https://www.w3.org/TR/CSP3/
https://owasp.org/www-project-secure-headers/

Scripts and styles are files of the passport's own; nothing inline runs, nothing is loaded from elsewhere.
"""

from typing import Final

STRICT: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""For whatever is no page: should a browser show it as one, it can do nothing."""

PERSONAL: Final = "no-store"
"""No answer is kept by anything on its way unless it says itself that everybody may have it."""

FOREVER: Final = "public, max-age=31536000, immutable"
"""For what is named by its content."""

# https://www.w3.org/TR/permissions-policy/: what a page of the passport never asks a browser for.
PERMISSIONS: Final = ", ".join(
    [
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
        *(f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb")),
    ]
)


def of_page(
    *, leads_to: str = "", scripts: str = "", styles: str = "", plain_form: bool = False
) -> dict[str, str]:
    """The headers of a page.

    Args:
        leads_to: the origin to which the answer to its form may send the browser.
        scripts: which inline scripts may run, by their hashes.
        styles: what may style it beside the passport's own files.
        plain_form: whether it has a form that works without script. Such a form tells where it was sent from, which
            `no-referrer` would keep back.
    """
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' {scripts}".strip(),
        "style-src": f"'self' {styles}".strip(),
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        # A browser holds a form's redirections to it too.
        "form-action": f"'self' {leads_to}".strip(),
        "frame-ancestors": "'none'",
    }
    return {
        "Cache-Control": PERSONAL,
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "Referrer-Policy": "same-origin" if plain_form else "no-referrer",
        "X-Frame-Options": "DENY",
    }
