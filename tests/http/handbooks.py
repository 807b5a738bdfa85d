"""Medication handbooks of made-up people, as pharmacies hand them over (JAHISTC08)."""

from collections.abc import Sequence
from typing import Final

BORN: Final = "19550703"
NAME: Final = "見本　花子"
ALLERGY: Final = "2,1,架空花粉,1"

_PRESCRIBED: Final = (
    "11,れいじ薬局,07,4,9999901,,,,1",
    "51,雛形内科,07,1,9999902,1",
    "55,雛形　診,内科,1",
)


def handbook(
    *days: str, born: str = BORN, name: str = NAME, remarks: Sequence[str] = (), drug: str = "見本錠５ｍｇ"
) -> bytes:
    """A handbook with one dispensed medicine on each of `days` (YYYYMMDD)."""
    lines = ["JAHISTC08,1", f"1,{name},2,{born},,,,,,,ミホン　ハナコ", *remarks]
    for day in days:
        lines += [
            f"5,{day},1",
            *_PRESCRIBED,
            f"201,1,{drug},1,錠,4,2171022F5999,1",
            "301,1,１日１回朝食後服用,28,日分,1,2,1011040000000000,1",
        ]
    return ("\r\n".join(lines) + "\r\n").encode("cp932")
