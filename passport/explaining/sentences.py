"""What is said of rules that do nothing, and of why something is or is not shown; a sentence each in both languages.

http://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from consent.explanation import Outside
from consent.idle import Why
from consent.kleene import Truth


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same in both languages."""

    ja: str
    en: str

    def as_json(self) -> dict[str, str]:
        """The JSON of it."""
        return asdict(self)


class Today(StrEnum):
    """Why a provision does nothing with the records, people and policies that there are now."""

    LABEL = "label-reaches-nothing"
    RECORDS = "reaches-nothing-now"
    PURPOSE = "purpose-nobody-holds"
    ACTOR = "actor-not-here"


WARNINGS: Final[Mapping[Why | Today, Sentence]] = {
    Why.OVER: Sentence(
        "この決まりの期間はもう終わっています。効き目はありません。",
        "The period of this rule has ended. It has no effect.",
    ),
    Why.BLOCKED: Sentence(
        "別の拒否がすべてを止めているため、この許可では何も見えません。",
        "Another refusal blocks all of it, so this permission shows nothing.",
    ),
    Why.NEEDLESS: Sentence(
        "この例外は、もとの決まりに当てはまるものと重ならないため、効き目がありません。",
        "This exception never meets the rule that it is an exception of. It has no effect.",
    ),
    Why.UNCODED: Sentence(
        "この種類の記録に、ここに挙げたコード体系のコードはふつう付きません。当てはまる記録がありません。",
        "Records of these kinds do not ordinarily carry codes of these systems. No record matches this rule.",
    ),
    Why.REPEATED: Sentence(
        "すでに別の許可が同じことを許しています。この許可で新しく見えるものはありません。",
        "Another permission already allows the same. This one shows nothing more.",
    ),
    Today.LABEL: Sentence(
        "いま、この秘匿区分に当てはまる記録はありません。",
        "At present no record has a label that this rule covers.",
    ),
    Today.RECORDS: Sentence(
        "いま、この決まりに当てはまる記録はありません。", "At present no record matches this rule."
    ),
    Today.PURPOSE: Sentence(
        "この目的で閲覧できる人も機関も登録されていません。",
        "Nobody here may ask for this purpose of use.",
    ),
    Today.ACTOR: Sentence(
        "この相手は登録されていません。だれにも当てはまりません。",
        "This party is not registered here. The rule applies to nobody.",
    ),
}

BECAUSE: Final[Mapping[Outside | None, Sentence]] = {
    None: Sentence("この同意が許しています。", "This consent permits it."),
    Outside.OWN: Sentence("ご本人の記録です。", "It is your own record."),
    Outside.DIRECTORY: Sentence(
        "だれもが見られる名簿の情報です。", "It is of the directory, which everybody reads."
    ),
    Outside.FOLLOWS: Sentence(
        "もとになる記録が見えるため、これも見えます。", "What it belongs to is seen, and so is this."
    ),
    Outside.LOST: Sentence(
        "もとになる記録が見えないため、これも見えません。",
        "What it belongs to is not seen, and so this is not.",
    ),
    Outside.UNOPENED: Sentence(
        "緊急の開示が行われていないため見えません。", "It takes an emergency opening, and there is none."
    ),
    Outside.FAULT: Sentence(
        "評価できない決まりがあるため見えません。", "A rule that cannot be evaluated keeps it hidden."
    ),
}

PROPOSED: Final = Sentence(
    "この方が出した申し込みそのものです。", "It is the request that this party put themselves."
)
BLOCKED: Final = Sentence("この拒否が止めています。", "This refusal blocks it.")
MAYBE_BLOCKED: Final = Sentence(
    "当てはまるか確かめられないため、この拒否が止めています。",
    "Whether this refusal applies cannot be told, and so it blocks.",
)
OTHERS: Final = Sentence(
    "この記録にはほかの方の名前もあり、その方の許可も要ります。許しているかどうかはお伝えしません。",
    "The record names somebody else too, who has to permit it as well. Whether they do is not told.",
)
LEFT_OUT: Final = Sentence(
    "ほかの方の名前もある記録は数えていません。その方が何を許しているかは、だれにもお伝えしません。",
    "Records that name somebody else too are left out: what that person decided is told to nobody.",
)
NO_CONSENT: Final = Sentence("この相手の名前を挙げた許可がありません。", "No permission names this party.")

FAILING: Final[Mapping[tuple[str, Truth], Sentence]] = {
    ("period", False): Sentence("期間の外です。", "It is outside of the period."),
    ("purpose", False): Sentence("目的が違います。", "It is for another purpose."),
    ("action", False): Sentence("許された行為が違います。", "It is for another kind of action."),
    ("actor", False): Sentence("この相手の名前がありません。", "It does not name this party."),
    ("actor", None): Sentence(
        "この相手がその一員か確かめられません。", "Whether this party belongs to it cannot be told."
    ),
    ("class", False): Sentence("別の種類の記録です。", "It is about records of another kind."),
    ("class", None): Sentence("記録の分類が分かりません。", "The category of the record is not known."),
    ("code", False): Sentence("別の項目の記録です。", "It is about records with another code."),
    ("code", None): Sentence(
        "記録に比べられるコードがありません。", "The record has no code that could be compared."
    ),
    ("securityLabel", False): Sentence("秘匿区分が違います。", "It is about another label."),
    ("securityLabel", None): Sentence(
        "記録の秘匿区分が分かりません。", "The labels of the record are not known."
    ),
    ("dataPeriod", False): Sentence("記録の日付が範囲の外です。", "The record is dated outside of it."),
    ("dataPeriod", None): Sentence(
        "記録の日付がないか、範囲をまたいでいます。", "The record is undated, or only partly within it."
    ),
    ("data", False): Sentence("別の記録についての決まりです。", "It is about another record."),
    ("data", None): Sentence("記録の作成者が分かりません。", "Who wrote the record is not known."),
    ("", True): Sentence("この例外が除いています。", "This exception takes it away."),
    ("", None): Sentence(
        "この例外に当たるか確かめられないため、除かれます。",
        "Whether this exception applies cannot be told, and so it takes it away.",
    ),
}
"""What keeps a rule from applying: an attribute that does not hold or is not known, or an exception that does."""

_DEPENDS: Final = Sentence("記録によります。", "It depends on the record.")


def failing(attribute: str, truth: Truth, *, recordless: bool = False) -> Sentence:
    """What is said of an attribute that is not True; without a record at hand, that it depends on it."""
    if recordless and truth is None and attribute != "actor":
        return _DEPENDS
    return FAILING[attribute, truth]


def leaving_out(total: int) -> dict[str, Any]:
    """How many records no supposed decision is told of, and why where there are any."""
    return {"total": total} if not total else {"total": total, "text": LEFT_OUT.as_json()}
