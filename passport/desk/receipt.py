"""The receipt that the desk prints: what was agreed, until when, and how to withdraw it, on one page in two languages.

https://www.iso.org/standard/80392.html

The page holds no name: the desk reads none of the patient. It is made of what the clerks entered, with the names of the
directory, for the desk within an hour and for the patient at any time.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.desk import matters
from passport.desk.deciding import ADDRESS
from passport.desk.matters import RECEIPT, Matter
from passport.effects import checked_consent
from passport.outcomes import NotFound
from passport.receipts.content import ADDRESS as SIGNED
from passport.runtime import Runtime
from passport.sharing.qr import svg
from passport.sharing.roles import names_of
from passport.sharing.words import Words, said
from passport.subjects import Caller

STYLE: Final = """
@page { size: A4; margin: 20mm }
body { font: 11pt/1.6 "IPAexMincho", "Noto Serif JP", serif; color: #000; background: #fff; max-width: 170mm }
h1 { font-size: 16pt; margin: 0 0 4mm } h2 { font-size: 12pt; margin: 6mm 0 1mm }
p { margin: 1mm 0 } .en { font-size: 9.5pt } .line { border-bottom: 1px solid #000; padding-right: 90mm }
table { border-collapse: collapse; margin: 4mm 0 } td { border: 1px solid #000; padding: 1mm 3mm; vertical-align: top }
svg { width: 30mm; height: 30mm }
"""

POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(STYLE.encode()).digest()).decode()
    + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The page runs nothing and loads nothing."""

_TITLES: Final[Mapping[str, Words]] = {
    "consent": Words("同意の控え", "Receipt of a consent"),
    "withdrawal": Words("同意撤回の控え", "Receipt of a withdrawal"),
}
_NAME: Final = Words("ご本人の氏名", "name")
_AGREED: Final = Words("同意した内容", "What was agreed")
_ENDED: Final = Words(
    "次の共有をやめました。この控えの時刻より後の閲覧からは見えません。",
    "These were ended. Nobody sees anything by them in a request that begins after the time of this receipt.",
)
_WITHDRAW_TITLE: Final = Words("やめるには", "How to withdraw")
_WITHDRAW: Final = Words(
    "いつでもやめられます。この控えを市の窓口にお持ちください。理由はいりません。ご自身または代理の方の画面からもやめられます。"
    "やめると、その次の閲覧からもう見えません。",
    "You can stop at any time, without a reason: bring this receipt to the city desk, or stop it on your own screen or "
    "on that of whoever acts for you. From the next request on nobody sees anything by it.",
)
_LOOKED: Final = Words(
    "だれがいつ見たかは記録され、ご自身または代理の方の画面で確かめられます。",
    "Who looked and when is on record, for you and whoever acts for you to check.",
)
_FACTS: Final = (
    Words("登録した時刻", "recorded"),
    Words("控えの番号", "receipt"),
    Words("同意の番号", "consent"),
    Words("書面の番号", "scan of the paper"),
    Words("署名付きの電子控え（ご本人の画面で）", "signed receipt, on your own screen"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a receipt says, before it is HTML."""

    kind: str
    matter: UUID
    recorded: datetime
    consents: Sequence[str]
    document: str
    sentence: Words | None


async def receipt(runtime: Runtime, caller: Caller, matter_id: UUID) -> str:
    """The page of a matter that was confirmed.

    Raises:
        NotFound: there is none, or not for this caller any more.
    """
    text = recorded("GET", f"{ADDRESS}/{matter_id}/receipt")
    async with admitted(runtime, caller, Request(Action.ACCESS, "desk-read", text)) as desk:
        matter = await matters.one(desk, matter_id)
        if matter.kind not in _TITLES or matter.outcome != "confirmed" or not _shown(desk, matter):
            raise NotFound("no such matter")
        page = await _page(desk, matter)
        await matters.tell_logs(desk, [matter])
        return html(page, runtime.settings.zone)


def html(page: Page, zone: ZoneInfo) -> str:
    """The page as HTML that a browser prints on A4."""
    title = _TITLES[page.kind]
    values = (
        f"{page.recorded.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
        str(page.matter),
        "<br>".join(map(escape, page.consents)),
        escape(page.document),
        "<br>".join(escape(_signed(consent)) for consent in page.consents),
    )
    rows = "".join(
        f"<tr><td>{_both(name, ' / ')}</td><td>{value}</td></tr>"
        for name, value in zip(_FACTS, values, strict=True)
    )
    if page.sentence is None:
        body = _paragraphs(_ENDED)
    else:
        body = f"{_heading(_AGREED)}{_paragraphs(page.sentence)}{_heading(_WITHDRAW_TITLE)}{_paragraphs(_WITHDRAW)}"
    code = svg(page.consents[0], sized=False) if len(page.consents) == 1 else ""
    return (
        f'<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>{_both(title, " / ")}</title>'
        f"<style>{STYLE}</style></head><body><h1>{_both(title, ' / ')}</h1>"
        f'<p>{_both(_NAME, " / ")}: <span class="line"></span></p>'
        f"<table>{rows}</table>{body}{_paragraphs(_LOOKED)}{code}</body></html>"
    )


def _signed(consent: str) -> str:
    """Where the patient gets the signed receipt of a Consent."""
    return f"/{SIGNED}/{consent.partition('/')[2]}"


def _shown(desk: Desk, matter: Matter) -> bool:
    """Whether the caller may have it: the patient, or a clerk who stands at the printer."""
    if desk.subject.kind == "clerk":
        return matter.decided is not None and desk.now < matter.decided + RECEIPT
    return matter.patient_key in desk.standing.owns


async def _page(desk: Desk, matter: Matter) -> Page:
    sentence = None
    if matter.kind == "consent":
        read = checked_consent(desk, matter.content["consent"], matter.results[0], 1)
        if read.root is not None:
            names = await names_of(desk, read.root.actors)
            sentence = said(read.root, names, desk.runtime.settings.zone)
    return Page(
        kind=matter.kind,
        matter=matter.id,
        recorded=matter.decided or matter.proposed,
        consents=matter.results,
        document=matter.document or "",
        sentence=sentence,
    )


def _both(words: Words, joint: str) -> str:
    return f"{escape(words.ja)}{joint}{escape(words.en)}"


def _heading(words: Words) -> str:
    return f"<h2>{_both(words, ' / ')}</h2>"


def _paragraphs(words: Words) -> str:
    return f'<p>{escape(words.ja)}</p><p class="en" lang="en">{escape(words.en)}</p>'
