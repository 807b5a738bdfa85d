"""The search arguments of a scope in words: which of the records an app may see.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from fhirstore.indexing import parse_token
from passport.identity.record_scopes import Argument
from passport.sharing.words import Words

_NAMES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "category": Words("分類", "category"),
        "code": Words("コード", "code"),
        "vaccine-code": Words("ワクチンのコード", "vaccine code"),
        "type": Words("種類", "type"),
        "status": Words("状態", "status"),
        "clinical-status": Words("症状の状態", "clinical status"),
        "lifecycle-status": Words("進みぐあい", "lifecycle status"),
        "_security": Words("取扱いの印", "label"),
    }
)
_VALUES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        # http://terminology.hl7.org/CodeSystem/observation-category
        "vital-signs": Words("血圧や体重などの測定値", "vital signs"),
        "laboratory": Words("検体検査", "laboratory"),
        "imaging": Words("画像検査", "imaging"),
        "procedure": Words("処置", "procedure"),
        "survey": Words("問診", "survey"),
        "exam": Words("診察", "exam"),
        "therapy": Words("治療", "therapy"),
        "activity": Words("活動", "activity"),
        "social-history": Words("生活習慣", "social history"),
        # http://terminology.hl7.org/CodeSystem/condition-category
        "problem-list-item": Words("続いている病名", "problem list item"),
        "encounter-diagnosis": Words("受診のときの病名", "encounter diagnosis"),
    }
)
"""Codes of categories, which say the same in any system that has them."""


def argument_words(arguments: Sequence[Argument]) -> Words:
    """Which records the arguments leave, to be put behind what a scope is for; nothing where there are none."""
    if not arguments:
        return Words("", "")
    said = [_said(one) for one in arguments]
    return Words(
        f"（{'、かつ'.join(one.ja for one in said)}ものだけ）",
        f" (only where {' and '.join(one.en for one in said)})",
    )


def _said(argument: Argument) -> Words:
    name = _NAMES.get(argument.name, Words(argument.name, argument.name))
    values = [_value(argument.name, value) for value in argument.values]
    ja, en = "か".join(f"「{one.ja}」" for one in values), " or ".join(one.en for one in values)
    return Words(f"{name.ja}が{ja}の", f"the {name.en} is {en}")


def _value(name: str, value: str) -> Words:
    code = parse_token(value).code or value
    known = _VALUES.get(code) if name == "category" else None
    return known or Words(code, code)
