"""What a person reads whose form was refused, or whose page cannot be shown: what it means, and what to do next.

https://www.w3.org/TR/WCAG22/#error-suggestion

The status and its headers are those that a program is answered with. Nothing of what was sent is shown again.
"""

from html import escape
from typing import Final, Literal

from fastapi import Request
from fastapi.responses import HTMLResponse

from passport.identity.authorization.redirects import origin
from passport.outcomes import InsufficientAuthentication, PassportError, TooMany
from passport.routes.identity_pages import language, page, wants_json
from passport.routes.messages import media_type, runtime_of

_PLACES: Final = ("/auth/login", "/auth/logout", "/auth/authorize", "/auth/device", "/auth/federation")
"""Where the pages without script are, with what lies below."""

Why = Literal["signed-out", "anew", "form", "gone", "unread", "changed", "slow", "failed"]

_BY_STATUS: Final[dict[int, Why]] = {
    401: "signed-out",
    403: "form",
    404: "gone",
    405: "gone",
    409: "changed",
    410: "gone",
}

_TEXTS: Final = {
    "ja": {
        "title": "この操作はできませんでした",
        "signed-out": "ここではサインインしていないか、サインインの期限が切れました。"
        "もう一度サインインして、はじめからやり直してください。",
        "anew": "この操作には、あらためてのサインイン（お仕事ではパスキーでのサインイン）が必要です。"
        "一度サインアウトし、サインインし直してください。",
        "form": "この操作は許されていないか、画面が古くなっています。{address} で画面を開き直してください。",
        "gone": "お探しの画面はないか、もう使えなくなっています。はじめからやり直してください。",
        "unread": "送られた内容を読み取れませんでした。はじめからやり直し、入力を確かめてください。",
        "changed": "別の操作で状態が変わったため、続けられませんでした。はじめからやり直してください。",
        "slow": "失敗や依頼が短い時間に続いたため、しばらく受け付けられません。"
        "{seconds} 秒ほど待ってから、はじめからやり直してください。",
        "failed": "いまはお答えできません。しばらくしてから、はじめからやり直してください。",
        "app": "アプリから来られた方は、アプリからやり直してください。",
        "again": "はじめの画面へ",
    },
    "en": {
        "title": "This could not be done",
        "signed-out": "You are not signed in here, or no longer. Sign in once more and begin again.",
        "anew": "This wants you to sign in anew (at work, with a passkey). Sign out, and sign in once more.",
        "form": "You may not do this, or the page that you sent is too old. Open it anew at {address}.",
        "gone": "There is no such page, or it is over. Please begin again.",
        "unread": "What was sent cannot be read. Please begin again, and check what you enter.",
        "changed": "Something else changed meanwhile, so this could not go on. Please begin again.",
        "slow": "There were too many failures or requests in a short time. "
        "Wait for about {seconds} seconds, and begin again.",
        "failed": "There is no answer right now. Wait a while, and begin again.",
        "app": "If an app sent you here, begin again there.",
        "again": "To the beginning",
    },
}


def wanted(request: Request) -> bool:
    """Whether it is a person who reads the answer to a request, at a page without script.

    A program may accept HTML without meaning it: it has a token, or sends JSON.
    """
    readable = "text/html" in request.headers.get("accept", "") and not wants_json(request)
    by_program = "authorization" in request.headers or media_type(request) == "application/json"
    path = request.url.path
    return readable and not by_program and any(path == at or path.startswith(f"{at}/") for at in _PLACES)


def refused(request: Request, error: PassportError) -> HTMLResponse:
    """The page for an error.

    It leads to the beginning: a browser asks before it goes back to what a form was answered with.
    """
    text, path = _TEXTS[language(request)], request.url.path
    seconds = error.retry_seconds if isinstance(error, TooMany) else 0
    address = origin(runtime_of(request).settings.base_url)
    why = text[_why(error)].format(seconds=seconds, address=escape(address))
    by_app = f"<p>{text['app']}</p>" if path.startswith("/auth/authorize") else ""
    begins = "/auth/device" if path.startswith("/auth/device") else "/auth/login"
    body = (
        f"<h1>{text['title']}</h1><p role=alert>{why}</p>{by_app}<p><a href={begins}>{text['again']}</a></p>"
    )
    answer = page(request, text["title"], body, status=error.status)
    answer.headers.update(error.headers)
    return answer


def _why(error: PassportError) -> Why:
    if isinstance(error, InsufficientAuthentication):
        return "anew"
    if isinstance(error, TooMany):
        return "slow"
    return "failed" if error.status >= 500 else _BY_STATUS.get(error.status, "unread")
