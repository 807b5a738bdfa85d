"""The plain pages on the way back from a provider: a code, a choice, or what went wrong.

https://www.w3.org/TR/CSP3/
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse

from passport.identity.federation.acting import Waiting
from passport.identity.federation.errors import Disbelieved, ProviderSilent
from passport.identity.federation.providers import Provider
from passport.outcomes import PassportError
from passport.routes.identity_pages import language, page

_TEXTS: Final = {
    "ja": {
        "recognised": "で本人確認ができました。",
        "link": "はじめての方は、市の窓口（医療者は病院）で受け取ったログイン名とコードを一度だけ入力してください。",
        "login": "ログイン名",
        "code": "コード",
        "wrong": "ログイン名またはコードが違います。",
        "next": "次へ",
        "choose": "どの立場で利用しますか",
        "not-signed-in": "サインインできませんでした",
        "denied": "サインイン先で本人確認を取りやめたため、サインインしていません。",
        "disbelieved": "サインイン先からの答えが、このブラウザーで始めたサインインのものと確かめられませんでした。"
        "お手数ですが、最初からやり直してください。",
        "silent": "サインイン先に接続できないか、その答えを読み取れませんでした。しばらくしてからやり直してください。",
        "refused": "この方法ではサインインできません。最初からやり直すか、窓口（医療者は病院）にお尋ねください。",
        "again": "最初からやり直す",
        "where": "サインインする場所を選ぶ",
        "nowhere": "選べる場所はありません。",
    },
    "en": {
        "recognised": "has recognised you.",
        "link": "If this is your first time, enter once the login and the code that the city desk (or your hospital) "
        "gave you.",
        "login": "Login",
        "code": "Code",
        "wrong": "There is no such login with this code.",
        "next": "Next",
        "choose": "As whom do you act?",
        "not-signed-in": "You are not signed in",
        "denied": "The sign-in was given up at the other service.",
        "disbelieved": "The answer of the other service does not belong to a sign-in that began in this browser. "
        "Please begin again.",
        "silent": "The other service cannot be reached, or its answer cannot be used. Please try again later.",
        "refused": "You cannot sign in this way. Begin again, or ask the city desk (or your hospital).",
        "again": "Begin again",
        "where": "Choose where to sign in",
        "nowhere": "There is nowhere to choose.",
    },
}


def providers_page(
    request: Request, providers: Sequence[Provider], wanted: Mapping[str, str]
) -> HTMLResponse:
    """Where people may sign in elsewhere; `wanted` is where they go on from there."""
    text = _TEXTS[language(request)]
    query = escape(urlencode(wanted))
    links = "".join(
        f"<li><a href='/auth/federation/{each.provider_id}/start?{query}'>{escape(each.name)}</a></li>"
        for each in providers
    )
    listed = f"<ul>{links}</ul>" if links else f"<p>{text['nowhere']}</p>"
    return page(request, text["where"], f"<h1>{text['where']}</h1>{listed}")


def waiting_page(request: Request, found: Waiting, *, wrong: bool = False) -> HTMLResponse:
    """What the person has to say before they are signed in."""
    text = _TEXTS[language(request)]
    head = f"<p>{escape(found.provider.name)} {text['recognised']}</p>"
    if found.choices:
        buttons = "".join(
            f"<p><button name=login value='{escape(row.login)}'>{escape(row.role or row.subject)}</button></p>"
            for row in found.choices
        )
        form = f"<form method=post action=/auth/federation/role>{buttons}</form>"
        return page(request, text["choose"], f"<h1>{text['choose']}</h1>{head}{form}")
    warning = f"<p role=alert>{text['wrong']}</p>" if wrong else ""
    body = (
        f"<h1>{text['next']}</h1>{head}<p>{text['link']}</p>{warning}<form method=post action=/auth/federation/link>"
        f"<label>{text['login']}<input type=text name=login autocomplete=username required></label>"
        f"<label>{text['code']}<input type=password name=code autocomplete=one-time-code required></label>"
        f"<button>{text['next']}</button></form>"
    )
    return page(request, text["next"], body, status=401 if wrong else 200)


def refusal_page(request: Request, refusal: PassportError) -> HTMLResponse:
    """That nobody was signed in."""
    text = _TEXTS[language(request)]
    body = (
        f"<h1>{text['not-signed-in']}</h1><p>{text[_why(refusal)]}</p>"
        f"<p><a href=/auth/login>{text['again']}</a></p>"
    )
    return page(request, text["not-signed-in"], body, status=refusal.status)


def _why(refusal: PassportError) -> str:
    """Which sentence a person reads; what it was in particular is in the log, and for programs in the answer."""
    if isinstance(refusal, Disbelieved):
        return "denied" if refusal.reason == "denied" else "disbelieved"
    return "silent" if isinstance(refusal, ProviderSilent) else "refused"
