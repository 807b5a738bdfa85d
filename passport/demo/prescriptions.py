"""What the town's pharmacy hands over: medication handbooks in the format of JAHIS, version 2.6.

https://www.jahis.jp/ (電子版お薬手帳データフォーマット仕様書)

The products are made up (every brand is 「見本」), and so are the last digits of their codes; ingredient and
form in the codes are those of the real groups.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from passport.demo.residents import Resident

ENCODING: Final = "cp932"
"""What the format prescribes; the Japanese of Windows, not plain Shift_JIS."""

LINE_END: Final = "\r\n"
DAYS_PER_PRESCRIPTION: Final = 28

_FROM_PROVIDER: Final = 1  # record creator and output category: a medical institution
_PREFECTURE, _PHARMACY_TABLE, _MEDICAL_TABLE = "07", "4", "1"
_SEXES: Final = {"male": 1, "female": 2}
_YJ, _CLAIMS = 4, 2  # code kinds of record 201


@dataclass(frozen=True, slots=True)
class Medicine:
    """A product and how it is taken.

    `amount` is per day for tablets, the total for tapes (`form` 5); `usage` is a JAMI code, empty where the
    text alone says it; `days` how long one dispensing lasts.
    """

    name: str
    code_kind: int
    code: str
    amount: str
    unit: str
    usage_text: str
    usage: str = ""
    form: int = 1
    days: int = DAYS_PER_PRESCRIPTION


_AFTER_BREAKFAST: Final = ("１日１回　朝食後服用", "1011040000000000")
_AFTER_SUPPER: Final = ("１日１回　夕食後服用", "1011000400000000")
_AFTER_MEALS: Final = ("１日３回　毎食後服用", "1013044400000000")

MEDICINES: Final[Mapping[str, Medicine]] = {
    "amlodipine": Medicine(
        "アムロジピンＯＤ錠５ｍｇ「見本」", _YJ, "2171022F5999", "1", "錠", *_AFTER_BREAKFAST
    ),
    "olmesartan": Medicine(
        "オルメサルタンＯＤ錠２０ｍｇ「見本」", _YJ, "2149044F7999", "1", "錠", *_AFTER_BREAKFAST
    ),
    "atorvastatin": Medicine(
        "アトルバスタチン錠１０ｍｇ「見本」", _YJ, "2189015F2999", "1", "錠", *_AFTER_SUPPER
    ),
    "metformin": Medicine(
        "メトホルミン塩酸塩錠２５０ｍｇ「見本」", _YJ, "3962002F2999", "3", "錠", *_AFTER_MEALS
    ),
    "lansoprazole": Medicine(
        "ランソプラゾールＯＤ錠１５ｍｇ「見本」", _YJ, "2329023F1999", "1", "錠", *_AFTER_BREAKFAST
    ),
    "rebamipide": Medicine(
        "レバミピド錠１００ｍｇ「見本」", _CLAIMS, "629999101", "3", "錠", *_AFTER_MEALS, days=14
    ),
    "carbocisteine": Medicine(
        "カルボシステイン錠５００ｍｇ「見本」", _CLAIMS, "629999102", "3", "錠", *_AFTER_MEALS, days=5
    ),
    "acetaminophen": Medicine(
        "アセトアミノフェン錠２００ｍｇ「見本」",
        _YJ,
        "1141007F1999",
        "2",
        "錠",
        "発熱・痛みのあるとき",
        form=3,
        days=10,
    ),
    "ketoprofen-tape": Medicine(
        "ケトプロフェンテープ２０ｍｇ「見本」",
        _YJ,
        "2649729S2999",
        "14",
        "枚",
        "１日１回　腰に貼付",
        form=5,
        days=1,
    ),
}


def handbook(resident: Resident, until: date, days: int) -> bytes:
    """The medication handbook of a resident: one visit every four weeks in the `days` days before `until`."""
    lines = [*_person(resident), *_visits(resident, until, days)]
    return LINE_END.join([*lines, ""]).encode(ENCODING)


def _record(*fields: object) -> str:
    return ",".join(str(field) for field in fields)


def _person(resident: Resident) -> Iterator[str]:
    full_width = resident.name.replace(" ", "　")
    yield _record("JAHISTC08", _FROM_PROVIDER)
    born = f"{resident.born:%Y%m%d}"
    kana = resident.kana.replace(" ", "　")
    yield _record(1, full_width, _SEXES[resident.gender], born, "", "", "", "", "", "", kana)
    if resident.allergy is not None:
        yield _record(2, 1, resident.allergy, _FROM_PROVIDER)


def _visits(resident: Resident, until: date, days: int) -> Iterator[str]:
    """Newest visit first, as the format wants it."""
    for ago in range(5, days + 1, DAYS_PER_PRESCRIPTION):
        yield from _visit(resident, until - timedelta(days=ago))


def _visit(resident: Resident, on: date) -> Iterator[str]:
    pharmacy = ("れいじ薬局　駅前店", _PREFECTURE, _PHARMACY_TABLE, "9999901", "", "架空県架空市例示町１", "")
    clinic = ("雛形内科クリニック", _PREFECTURE, _MEDICAL_TABLE, "9999902")
    yield _record(5, f"{on:%Y%m%d}", _FROM_PROVIDER)
    yield _record(11, *pharmacy, _FROM_PROVIDER)
    yield _record(15, "仮名　調", "", _FROM_PROVIDER)
    yield _record(51, *clinic, _FROM_PROVIDER)
    yield _record(55, "雛形　診", "内科", _FROM_PROVIDER)
    for number, name in enumerate(resident.medicines, start=1):
        yield from _prescription(number, MEDICINES[name])


def _prescription(number: int, medicine: Medicine) -> Iterator[str]:
    drug = (medicine.name, medicine.amount, medicine.unit, medicine.code_kind, medicine.code)
    yield _record(201, number, *drug, _FROM_PROVIDER)
    quantity = (medicine.days, "日分" if medicine.form == 1 else "回分" if medicine.form == 3 else "調剤")
    coded = 2 if medicine.usage else 1
    yield _record(
        301, number, medicine.usage_text, *quantity, medicine.form, coded, medicine.usage, _FROM_PROVIDER
    )
