"""The plain pages of signing in and of deciding: server-rendered, whole without script, and in no frame.

https://www.w3.org/TR/CSP3/
https://cheatsheetseries.owasp.org/cheatsheets/Clickjacking_Defense_Cheat_Sheet.html

They work in any browser. Where there is script, the built pages take the place of what stands in `pages`, at the same
address. A browser holds a form's redirections to `form-action` too, so the address that a decision leads to stands
beside the passport's own.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from typing import Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse

from passport.identity.authorization.redirects import origin
from passport.web.built import ASSETS, Built
from passport.web.policy import of_page

# For a passport whose pages were not built; else they have a file for it.
_STYLE: Final = """
body { font-family: system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.6 }
label { display: block; margin: .5rem 0 } input[type=text], input[type=password], select { font: inherit; width: 100% }
button { font: inherit; padding: .5rem 1.5rem; margin: 1rem 1rem 0 0 }
small { color: #444 }
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

_TEXTS: Final = {
    "ja": {
        "passport": "ヘルスケアパスポート",
        "plainly": "スクリプトなしで使う",
        "sign-in": "サインイン",
        "login": "ログイン名",
        "code": "コード",
        "wrong": "ログイン名またはコードが違います。",
        "signed-in": "{login} としてサインインしています。",
        "sign-out": "サインアウト",
        "elsewhere": "ほかのサービスで本人確認をする",
        "get-token": "コマンドライン用のトークンを出す",
        "token": "アクセストークン",
        "keep": "だれにも見せないでください。サインアウトすると使えなくなります。",
        "asks": "があなたの記録を使う許可を求めています",
        "may": "許可すると次のことができます",
        "limits": "見られる範囲は、記録のご本人の同意によってさらに狭められます。",
        "why": "目的",
        "patient": "患者の番号",
        "allow": "許可する",
        "deny": "許可しない",
        "goes": "答えの送り先",
        "not": "許可できないもの",
        "wrong-request": "この依頼には答えられません",
        "wrong-app": "依頼したアプリがここに登録されていないか、この使い方を許されていません。"
        "アプリの提供者にお知らせください。",
        "wrong-asked": "アプリからの依頼に誤りがあるため、先に進めません。"
        "アプリに戻ってやり直すか、アプリの提供者にお知らせください。",
        "one-factor": "お仕事で記録を開くには、パスキーでのサインインが必要です。"
        "まだお持ちでない方は、先に登録してください。",
        "user-code": "機器に表示されているコード",
        "wrong-user-code": "このコードを表示している機器はありません。コードと期限を確かめてください。",
        "nowhere": "このページはありません",
        "to-start": "はじめのページへ",
        "next": "次へ",
        "done": "終わりました。機器に戻ってください。",
    },
    "en": {
        "passport": "Healthcare passport",
        "plainly": "Go on without script",
        "sign-in": "Sign in",
        "login": "Login",
        "code": "Code",
        "wrong": "There is no such login with this code.",
        "signed-in": "You are signed in as {login}.",
        "sign-out": "Sign out",
        "elsewhere": "Sign in with another service",
        "get-token": "Get a token for the command line",
        "token": "Access token",
        "keep": "Show it to nobody. It ends when you sign out.",
        "asks": "asks to use your records",
        "may": "If you allow it, it can",
        "limits": "What is seen is narrowed further by the consents of the people concerned.",
        "why": "Purpose",
        "patient": "Number of the patient",
        "allow": "Allow",
        "deny": "Do not allow",
        "goes": "The answer goes to",
        "not": "What cannot be allowed",
        "wrong-request": "This request cannot be answered",
        "wrong-app": "The app that sent you is not registered here, or may not do this. "
        "Please tell those who offer it.",
        "wrong-asked": "Something is wrong with what the app asks for. "
        "Go back to it and try again, or tell those who offer it.",
        "one-factor": "To open records at work you sign in with a passkey. If you have none yet, register one first.",
        "user-code": "The code that your device shows",
        "wrong-user-code": "No device shows this code now. Check the code, and whether its minutes are over.",
        "nowhere": "There is no such page",
        "to-start": "To the first page",
        "next": "Next",
        "done": "Done. Go back to your device.",
    },
}


def language(request: Request) -> str:
    """Japanese, unless the browser would rather have English."""
    first = request.headers.get("accept-language", "ja").partition(",")[0].strip().lower()
    return "en" if first.startswith("en") else "ja"


def wants_json(request: Request) -> bool:
    """Whether the caller is a program rather than a person's browser."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def headers(redirect_uri: str | None = None) -> dict[str, str]:
    """What goes with each page; a form's answer may lead to `redirect_uri`."""
    leads_to = origin(redirect_uri) if redirect_uri else ""
    return of_page(leads_to=leads_to, styles=f"'sha256-{_STYLE_HASH}'", plain_form=True)


def shell(request: Request, *, without_script: str) -> HTMLResponse:
    """A page that the script makes; `without_script` is the address of what there is without it."""
    text = _TEXTS[language(request)]
    body = f"<noscript><p><a href={without_script}>{text['plainly']}</a></p></noscript>"
    answer = page(request, text["passport"], body, None, 200)
    answer.headers.update(of_page())
    return answer


def sign_in_page(
    request: Request,
    *,
    action: str = "",
    query: str = "",
    wrong: bool = False,
    redirect_uri: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """The form of a login and its code; `action` and `query` are what it leads back to."""
    text = _TEXTS[language(request)]
    warning = f"<p role=alert>{text['wrong']}</p>" if wrong else ""
    wanted = urlencode({name: value for name, value in (("to", action), ("request", query)) if value})
    body = (
        f"<h1>{text['sign-in']}</h1>{warning}<form method=post action=/auth/login>"
        f"{_hidden('request', query)}{_hidden('to', action)}"
        f"<label>{text['login']}<input type=text name=login autocomplete=username required></label>"
        f"<label>{text['code']}<input type=password name=code autocomplete=one-time-code required></label>"
        f"<button>{text['sign-in']}</button></form>"
        f"<p><a href='/auth/federation?{escape(wanted)}'>{text['elsewhere']}</a></p>"
    )
    return page(request, text["sign-in"], body, redirect_uri, status)


def signed_in_page(request: Request, login: str, csrf: str, purposes: Iterable[str] = ()) -> HTMLResponse:
    """Who is signed in, with the way out; and to a token for one of these purposes."""
    text = _TEXTS[language(request)]
    listed = "".join(f"<option>{escape(each)}</option>" for each in purposes)
    to_token = (
        f"<form method=post action=/auth/login/token>{_hidden('csrf', csrf)}"
        f"<label>{text['why']}<select name=purpose>{listed}</select></label>"
        f"<button>{text['get-token']}</button></form>"
    )
    body = (
        f"<p>{_signed_in(text, login)}</p>{to_token if listed else ''}"
        f"<form method=post action=/auth/logout>{_hidden('csrf', csrf)}<button>{text['sign-out']}</button></form>"
    )
    return page(request, text["sign-in"], body, None, 200)


def token_page(request: Request, token: str, seconds: int) -> HTMLResponse:
    """A token, for whoever works without a page of their own; it stands there once."""
    text = _TEXTS[language(request)]
    warning = f"<p><small>{seconds} s. {text['keep']}</small></p>"
    body = f"<h1>{text['token']}</h1><p><code>{escape(token)}</code></p>{warning}"
    return page(request, text["token"], body, None, 200)


def scope_page(
    request: Request, offered: dict[str, Any], *, query: str, action: str = "/auth/authorize/decision"
) -> HTMLResponse:
    """What an app asks for, and the two answers."""
    tongue = language(request)
    text = _TEXTS[tongue]
    said = [each["means"][tongue] for each in (*offered["scopes"], *offered["beside"])]
    purposes = "".join(
        f"<option value='{escape(each['purpose'])}'>{escape(each['means'][tongue])}</option>"
        for each in offered["purposes"]
    )
    patient = (
        f"<label>{text['patient']}<input type=text name=patient></label>" if offered["names_patient"] else ""
    )
    refused = offered["refused"]
    warning = f"<p role=alert>{escape(refused[tongue])}</p>" if refused else ""
    listed = "" if refused else f"<p>{text['may']}</p>{_list(said)}"
    without = offered["not_offered"]
    not_offered = f"<p><small>{text['not']}: {escape(', '.join(without))}</small></p>" if without else ""
    allow = f"<button name=decision value=allow>{text['allow']}</button>" if offered["purposes"] else ""
    address = offered.get("redirect_uri")
    goes = f"<p><small>{text['goes']}: {escape(origin(address))}</small></p>" if address else ""
    body = (
        f"<h1>{escape(offered['client']['name'])} {text['asks']}</h1>"
        f"<p>{_signed_in(text, offered['person']['login'])}</p>{warning}{listed}{not_offered}"
        f"<p>{text['limits']}</p><form method=post action={action}>"
        f"{_hidden('request', query)}{_hidden('csrf', offered['csrf'])}{patient}"
        f"<label>{text['why']}<select name=purpose>{purposes}</select></label>"
        f"{allow}<button name=decision value=deny>{text['deny']}</button></form>{goes}"
    )
    return page(request, text["allow"], body, address, 200)


def user_code_page(request: Request, csrf: str, *, wrong: bool = False) -> HTMLResponse:
    """Where a person enters the code that a device shows."""
    text = _TEXTS[language(request)]
    warning = f"<p role=alert>{text['wrong-user-code']}</p>" if wrong else ""
    body = (
        f"<h1>{text['user-code']}</h1>{warning}<form method=post action=/auth/device/asked>"
        f"{_hidden('csrf', csrf)}<label>{text['user-code']}<input type=text name=user_code required></label>"
        f"<button>{text['next']}</button></form>"
    )
    return page(request, text["user-code"], body, None, 404 if wrong else 200)


def done_page(request: Request) -> HTMLResponse:
    """That a device was answered."""
    text = _TEXTS[language(request)]
    return page(request, text["next"], f"<p>{text['done']}</p>", None, 200)


Refused = Literal["wrong-app", "wrong-asked", "one-factor"]
"""Why a request is not answered, as a person is told it."""

UNFIT_APP: Final = frozenset({"invalid_client", "unauthorized_client"})
"""The errors of OAuth that say something of the app, and not of what it asks for: RFC 6749, section 5.2."""


def refusal_page(request: Request, why: Refused, status: int) -> HTMLResponse:
    """That a request cannot be answered, told to the person since nobody else is known."""
    text = _TEXTS[language(request)]
    body = f"<h1>{text['wrong-request']}</h1><p>{text[why]}</p>"
    return page(request, text["wrong-request"], body, None, status)


def nowhere_page(request: Request) -> HTMLResponse:
    """That there is no page at this address, in both languages: nobody is known to have chosen one."""
    body = "".join(
        f"<section lang={tongue}><h1>{text['nowhere']}</h1><p><a href=/home>{text['to-start']}</a></p></section>"
        for tongue, text in _TEXTS.items()
    )
    return page(request, _TEXTS[language(request)]["nowhere"], body, None, 404)


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page that somebody is to read."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")


def page(
    request: Request, title: str, body: str, redirect_uri: str | None = None, status: int = 200
) -> HTMLResponse:
    """A page around its body; its form may lead to `redirect_uri`."""
    tongue = language(request)
    html = (
        f"<!doctype html><html lang={tongue}><head><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width, initial-scale=1'><title>{title}</title>"
        f"<link rel=icon href='data:,'>{_loads(request.app.state.built)}</head><body><div id=pages>"
        f"<header class=top><span class=name>{_TEXTS[tongue]['passport']}</span></header>"
        f"<main>{body}</main></div></body></html>"
    )
    return HTMLResponse(html, status, headers=headers(redirect_uri))


def _loads(built: Built) -> str:
    """What a page loads; its own style where nothing was built."""
    if not built.is_there:
        return f"<style>{_STYLE}</style>"
    styles = "".join(f"<link rel=stylesheet href={ASSETS}/{name}>" for name in built.styles)
    return f"{styles}<script type=module src={ASSETS}/{built.script}></script>"


def _signed_in(text: Mapping[str, str], login: str) -> str:
    """Who is signed in, by the login that they typed or have their passkey for."""
    return text["signed-in"].format(login=escape(login))


def _hidden(name: str, value: str) -> str:
    return f"<input type=hidden name={name} value='{escape(value)}'>"


def _list(said: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in said)}</ul>"
