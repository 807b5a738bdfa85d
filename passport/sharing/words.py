"""What a Consent says, in words that its person reads: who may do what with which records, why, and until when.

http://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from consent.model import Action, Confidentiality, Effect, Interval, Provision, Purpose
from passport.sharing.categories import CATEGORIES, named


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    ja: str
    en: str

    def as_json(self) -> dict[str, str]:
        """The JSON of it."""
        return asdict(self)


PURPOSES: Final[Mapping[Purpose, Words]] = {
    Purpose.TREAT: Words("診療", "treatment"),
    Purpose.ETREAT: Words("救急の診療", "emergency treatment"),
    Purpose.BTG: Words("同意を待てない緊急時", "an emergency that cannot wait for consent"),
    Purpose.CAREMGT: Words("療養の支援", "care management"),
    Purpose.HPAYMT: Words("医療費の支払い", "payment for care"),
    Purpose.HOPERAT: Words("医療機関の運営", "running the institution"),
    Purpose.PUBHLTH: Words("公衆衛生", "public health"),
    Purpose.HRESCH: Words("研究", "research"),
    Purpose.HMARKT: Words("案内や宣伝", "marketing"),
    Purpose.PATRQT: Words("ご本人の求め", "your own request"),
    Purpose.FAMRQT: Words("ご家族の求め", "your family's request"),
}
"""What each purpose of use is called."""

ACTIONS: Final[Mapping[Action, Words]] = {
    Action.ACCESS: Words("閲覧", "see"),
    Action.COLLECT: Words("追加", "add"),
    Action.CORRECT: Words("訂正", "correct"),
}

UNNAMED: Final[Mapping[str, Words]] = {
    "RelatedPerson": Words("家族または代理の方", "a relative or proxy"),
    "Device": Words("登録した機器", "an enrolled device"),
    "CareTeam": Words("ケアチーム", "a care team"),
    "Group": Words("グループ", "a group"),
    "Patient": Words("ご本人", "the person themselves"),
}
"""Whom the directory does not know by name."""

_SOMEBODY: Final = Words("名前の分からない相手", "somebody whose name is not known")
_ANYONE: Final = Words("だれも", "Nobody")
_EVERYTHING: Final = Words(
    "すべての記録（同意・家族・ケアチームの登録を除く）",
    "all records (except consents, family and care teams)",
)
_OTHER_CLASS: Final = Words("その他に指定された種類の記録", "further kinds of records that are named")
_OF_CODES: Final = Words("（指定された項目だけ）", " (of these only the items that are named)")
_ORDINARY: Final = Words(
    "（特に慎重に扱う印のある記録と、印を確かめられない記録を除く）",
    " (except those marked for special care, and those of which that is not known)",
)
_CONDITIONS: Final = Words("ただし、除外や条件があります。", " There are exceptions or conditions.")
_NOTHING: Final = Words("", "")
_OPEN: Final = Words("やめるまで", "until you stop it")


def said(root: Provision, names: Mapping[str, str], zone: ZoneInfo) -> Words:
    """The sentence about a root provision.

    Args:
        root: the provision.
        names: what the directory calls its actors.
        zone: the passport's time zone, in which days are told.
    """
    who, what, why = _who(root, names), _what(root, zone), _why(root)
    until, verbs = ending(root.period, zone), _verbs(root)
    further = _CONDITIONS if _conditional(root) else _NOTHING
    if root.effect is Effect.DENY:
        who = who or _ANYONE
        particle = "" if who is _ANYONE else "は"
        cannot = "may" if who is _ANYONE else "may not"
        return Words(
            f"{who.ja}{particle}、{what.ja}を{why.ja}{verbs.ja}できません（{until.ja}）。{further.ja}",
            f"{who.en} {cannot} {verbs.en} {what.en}{why.en}, {until.en}.{further.en}",
        )
    who = who or _SOMEBODY
    return Words(
        f"{who.ja}は、{what.ja}を{why.ja}{until.ja}{verbs.ja}できます。{further.ja}",
        f"{_begun(who.en)} may {verbs.en} {what.en}{why.en}, {until.en}.{further.en}",
    )


def ending(period: Interval | None, zone: ZoneInfo) -> Words:
    """Until when, in the days of a zone; the last day is the one that is still within."""
    if period is None or period.end is None:
        return _OPEN
    day = _last(period.end, zone)
    clock = "" if day != period.end.astimezone(zone) else f"{day:%H:%M}"
    ja = f"{day.year}年{day.month}月{day.day}日{clock}まで"
    return Words(ja, f"until {day.day} {day:%B} {day.year}{f', {clock}' if clock else ''}")


def category(name: str) -> Words:
    """What a category, a type or a class is called."""
    known = CATEGORIES.get(name)
    if known is not None:
        return Words(known.ja, known.en)
    return _OTHER_CLASS if "|" in name else Words(name, name)


def _last(end: datetime, zone: ZoneInfo) -> datetime:
    """The end, or where it is a midnight the day before."""
    local = end.astimezone(zone)
    midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
    return local - timedelta(days=1) if midnight else local


def _who(root: Provision, names: Mapping[str, str]) -> Words | None:
    if not root.actors:
        return None
    return _listed(_named(actor, names) for actor in sorted(root.actors))


def _named(actor: str, names: Mapping[str, str]) -> Words:
    name = names.get(actor)
    return Words(name, name) if name else UNNAMED.get(actor.partition("/")[0], _SOMEBODY)


def _what(root: Provision, zone: ZoneInfo) -> Words:
    kinds = _listed(category(name) for name in named(root.classes)) if root.classes else _EVERYTHING
    codes = _OF_CODES if root.codes else _NOTHING
    labels = _ORDINARY if _ordinary(root) else _NOTHING
    times = _times(root.data_period, zone)
    return Words(f"{times.ja}{kinds.ja}{codes.ja}{labels.ja}", f"{kinds.en}{codes.en}{labels.en}{times.en}")


def _times(period: Interval | None, zone: ZoneInfo) -> Words:
    if period is None:
        return _NOTHING
    first = _day(period.start and period.start.astimezone(zone), "から", "from")
    last = _day(period.end and _last(period.end, zone), "まで", "until")
    return Words(f"{first.ja}{last.ja}の", f"{first.en}{last.en}")


def _day(day: datetime | None, ja: str, en: str) -> Words:
    if day is None:
        return _NOTHING
    return Words(f"{day.year}年{day.month}月{day.day}日{ja}", f" {en} {day.day} {day:%B} {day.year}")


def _why(root: Provision) -> Words:
    if not root.purposes:
        return _NOTHING
    whys = _listed(PURPOSES[purpose] for purpose in Purpose if purpose in root.purposes)
    return Words(f"{whys.ja}のために", f" for {whys.en}")


def _verbs(root: Provision) -> Words:
    meant = {Action.ACCESS} if root.effect is Effect.PERMIT else set(Action)
    last = "and" if root.effect is Effect.PERMIT else "or"
    return _listed((ACTIONS[action] for action in Action if action in (root.actions or meant)), last)


def _ordinary(root: Provision) -> bool:
    """Whether it shows all but what is labelled above the normal."""
    return root.effect is Effect.PERMIT and root.confidentiality == {Confidentiality.N}


def _conditional(root: Provision) -> bool:
    labelled = root.sensitivities or (root.confidentiality and not _ordinary(root))
    return bool(root.children or root.data or labelled)


def _listed(words: Iterable[Words], joint: str = "and") -> Words:
    """Several in one phrase, each once."""
    listed = list(dict.fromkeys(words))
    *first, last = [one.en for one in listed]
    en = f"{', '.join(first)} {joint} {last}" if first else last
    return Words("・".join(one.ja for one in listed), en)


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
