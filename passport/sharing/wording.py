"""What a person is shown before they share: one text per preset and language, named by its hash.

https://www.rfc-editor.org/rfc/rfc6920
http://hl7.org/fhir/R4/consent-definitions.html#Consent.source_x_

A text that was shown is never changed: whoever changes a word raises the version, and a grant that names an
earlier one is asked to show it anew. The Consent carries the text itself, and its hash as the address of the policy
that was agreed to, so that what was shown can be proved as long as the Consent is kept.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from fhirstore import base64url
from passport.outcomes import Conflict, Invalid
from passport.sharing.presets import Preset

MEDIA_TYPE: Final = "text/plain;charset=utf-8"


class Language(StrEnum):
    """The languages in which people are asked."""

    JA = "ja"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Wording:
    """One text as it is shown, to the last character."""

    preset: Preset
    language: Language
    version: str
    text: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text in UTF-8."""
        return sha256(self.text.encode()).digest()

    @property
    def hash(self) -> str:
        """The same in hexadecimal digits."""
        return self.digest.hex()

    @property
    def name(self) -> str:
        """What it is called in one word: preset, language and version."""
        return f"{self.preset}/{self.language}/{self.version}"

    @property
    def uri(self) -> str:
        """The address that its hash is (RFC 6920)."""
        return f"ni:///sha-256;{base64url.encode(self.digest)}"

    @property
    def attachment(self) -> dict[str, Any]:
        """The text as the source of a Consent."""
        return {
            "contentType": MEDIA_TYPE,
            "language": str(self.language),
            "data": b64encode(self.text.encode()).decode(),
            "title": self.name,
        }

    def as_json(self) -> dict[str, str]:
        """What a client needs to show it and to name it afterwards."""
        return {"version": self.version, "hash": self.hash, "text": self.text}


_VERSION: Final = "3"

_JA_BEGINS: Final = (
    "この画面に示した相手に、この画面に示した記録を、この画面に示した目的のために見せます。"
    "共有コードを使うときは、受付で最初にコードを使った医療機関が相手になります。"
)
_JA_LEFT_OUT: Final = (
    "特に慎重に扱う印のある記録（HIV、精神科、依存症、性と生殖、遺伝に関するものなど）は、"
    "この画面で「含める」と選ばないかぎり見えません。コードがなく言葉だけの病名・薬・検査なども、"
    "何についてのものか確かめられないので同じです。照らし合わせられない方式のコードだけの病名も同じです。\n"
    "印は、記録にあるコードを一覧と照らし合わせて付けます。一覧にない薬・検査・処置などには付かず、その記録は見えます。"
    "文書・画像・アレルギーに何が書かれているかも確かめていません。"
)
_JA_ENDS: Final = (
    "いつでもやめられます。やめると、その次の閲覧からもう見えません。すでに見られた内容は取り消せません。\n"
    "だれがいつ見たかは記録され、ご自身で確かめられます。共有するかどうかは自由です。"
)
_EN_BEGINS: Final = (
    "Whoever is named on this screen will see the records that are named on this screen, for the purpose that "
    "is named on this screen. With a share code it is the institution that first uses the code at its reception."
)
_EN_LEFT_OUT: Final = (
    "Records that are marked for special care (such as on HIV, psychiatry, addiction, sexuality and reproduction, "
    "or genetics) are left out unless you choose on this screen to include them. So are diagnoses, medicines and "
    "results in words alone, without a code, since it cannot be checked what they are about, and diagnoses whose codes "
    "are of a kind that cannot be looked up.\n"
    "Records are marked by looking up their codes in a list. Medicines, results, procedures and others that are not "
    "in the list are not marked, and will be seen. Nor is it checked what is written in documents, images and "
    "allergies."
)
_EN_ENDS: Final = (
    "You can stop at any time. Nobody sees anything by it from the next request on; what was seen before cannot be "
    "unseen.\n"
    "Who looked, and when, is on record for you to check. Whether you share is your own choice."
)


def _ja(title: str, lasts: str) -> str:
    return "\n".join((title, _JA_BEGINS, _JA_LEFT_OUT, lasts, _JA_ENDS))


def _en(title: str, lasts: str) -> str:
    return "\n".join((title, _EN_BEGINS, _EN_LEFT_OUT, lasts, _EN_ENDS))


_TEXTS: Final[Mapping[tuple[Preset, Language], str]] = {
    (Preset.VISIT, Language.JA): _ja(
        "きょうの受診のための共有（24時間）",
        "共有が始まってから24時間たつと、ひとりでに終わります。",
    ),
    (Preset.VISIT, Language.EN): _en(
        "Sharing for today's visit (24 hours)",
        "It ends by itself 24 hours after it began.",
    ),
    (Preset.THREE_MONTHS, Language.JA): _ja(
        "三か月の共有",
        "これから増える記録も見えます。三か月後の同じ日が過ぎると、ひとりでに終わります。",
    ),
    (Preset.THREE_MONTHS, Language.EN): _en(
        "Sharing for three months",
        "They will see records that are yet to come as well. It ends by itself with the same day three months on.",
    ),
    (Preset.ONGOING, Language.JA): _ja(
        "やめるまで続く共有",
        "これから増える記録も見えます。ひとりでに終わることはなく、あなたがやめるまで続きます。",
    ),
    (Preset.ONGOING, Language.EN): _en(
        "Sharing until you stop it",
        "They will see records that are yet to come as well. It does not end by itself: it goes on until you stop it.",
    ),
}

WORDINGS: Final[Mapping[tuple[Preset, Language], Wording]] = {
    (preset, language): Wording(preset, language, _VERSION, text)
    for (preset, language), text in _TEXTS.items()
}
"""What is shown now."""


class NotShown(Conflict):
    """What a grant says was shown is not what is shown now."""

    def __init__(self) -> None:
        expected = "expected it to be shown anew, see `GET /sharing/presets`"
        super().__init__(f"got another version or hash than the wording of now, {expected}", ("hash",))


def agreed(preset: Preset, tree: Mapping[str, Any]) -> Wording:
    """The wording that a person was shown, by `language`, `version` and `hash` of a request.

    Raises:
        Invalid: a member is missing, or there is no such language.
        NotShown: the wording of now is another one.
    """
    language = tree.get("language")
    if not isinstance(language, str) or language not in Language.__members__.values():
        raise Invalid(f"got no language, expected one of {', '.join(Language)}", ("language",))
    version, hash_ = tree.get("version"), tree.get("hash")
    if not isinstance(version, str) or not isinstance(hash_, str):
        raise Invalid(
            "got no `version` and `hash` of what was shown, expected both as texts", ("version", "hash")
        )
    known = WORDINGS[preset, Language(language)]
    if (version, hash_.lower()) != (known.version, known.hash):
        raise NotShown
    return known
