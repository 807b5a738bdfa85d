"""Code systems and identifiers that an お薬手帳 names by a digit.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, 別表; their URIs as in JP Core 1.2,
https://jpfhir.jp/fhir/core/
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

from fhirmap.jahis.model import Drug, Institution, OverTheCounter
from fhirmap.jsonformat import Json, present

RECEIPT = "urn:oid:1.2.392.100495.20.2.71"  # レセプト電算処理システム用コード
PRICE_LIST = "urn:oid:1.2.392.100495.20.2.72"  # 薬価基準収載医薬品コード (厚労省コード)
YJ = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
HOT_BY_LENGTH = {
    7: "http://medis.or.jp/CodeSystem/master-HOT7",
    9: "http://medis.or.jp/CodeSystem/master-HOT9",
    13: "http://medis.or.jp/CodeSystem/master-HOT13",
}
GENERIC_NAME = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationGeneralOrderCode"
GTIN = "https://www.gs1.org/gtin"
USAGE = "http://jami.jp/CodeSystem/MedicationUsage"
METHOD = "http://jami.jp/CodeSystem/MedicationMethodBasicUsage"
ROUTE = "http://jpfhir.jp/fhir/core/CodeSystem/route-codes"
UNIT = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code"
RP_NUMBER = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber"
ORDER_IN_RP = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex"
INSTITUTION_10_DIGITS = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
INSTITUTION_7_DIGITS = "urn:oid:1.2.392.100495.20.3.23"

_PLAIN = re.compile(r"[0-9A-Za-z]+")


class Basis(Enum):
    """What the number in the field 用量 counts."""

    PER_DAY = auto()
    PER_DOSE = auto()
    TOTAL = auto()


@dataclass(frozen=True, slots=True)
class Form:
    """剤形コード: its name, what 用量 counts, and the JP Core codes for method and route."""

    name: str
    basis: Basis
    method: tuple[str, str] | None = None
    route: tuple[str, str] | None = None


_ORAL = (("1", "内服"), ("PO", "口"))

FORMS: dict[str | None, Form] = {
    "1": Form("内服", Basis.PER_DAY, *_ORAL),
    "2": Form("内滴", Basis.TOTAL, *_ORAL),
    "3": Form("屯服", Basis.PER_DOSE, *_ORAL),
    "4": Form("注射", Basis.TOTAL, ("3", "注射")),
    "5": Form("外用", Basis.TOTAL, ("2", "外用"), ("AP", "外用")),
    "6": Form("浸煎", Basis.PER_DAY, *_ORAL),
    "7": Form("湯", Basis.PER_DAY, *_ORAL),
    "9": Form("材料", Basis.TOTAL),
    "10": Form("その他", Basis.TOTAL),
}

# MERIT-9 医薬品単位略号, by the spellings (NFKC, upper case) that files use.
_UNIT_SPELLINGS = {
    "TAB": ("錠", "T", "TAB"),
    "CAP": ("カプセル", "C", "CAP"),
    "PCK": ("包",),
    "G": ("G", "グラム"),
    "MG": ("MG",),
    "ML": ("ML", "ミリリットル"),
    "SHT": ("枚",),
    "HON": ("本",),
    "KO": ("個", "コ"),
    "BTL": ("瓶", "ビン"),
    "TUBE": ("管",),
    "PIPE": ("筒",),
    "KIT": ("キット",),
    "BLST": ("ブリスター",),
    "AMP": ("アンプル", "A"),
    "VIL": ("バイアル", "V"),
    "SYRG": ("シリンジ",),
    "BAG": ("袋",),
    "VSL": ("容器",),
    "DROP": ("滴",),
    "PILL": ("丸",),
    "SHET": ("シート",),
    "UNT": ("単位",),
    "DOSE": ("回分",),
    "TIME": ("回",),
    "CAN": ("缶",),
    "SET": ("セット",),
    "BOX": ("箱",),
    "ROLL": ("巻",),
    "PARI": ("組",),
}
_UNITS = {spelling: code for code, spellings in _UNIT_SPELLINGS.items() for spelling in spellings}


def unit_code(unit: str) -> str | None:
    """Return the MERIT-9 code of a unit as written (`Ｃ` is a capsule); None for one it lacks."""
    return _UNITS.get("".join(unicodedata.normalize("NFKC", unit).upper().split()))


def _drug_system(code_type: str | None, code: str) -> str | None:
    if code_type == "6":
        return HOT_BY_LENGTH.get(len(code))
    return {"2": RECEIPT, "3": PRICE_LIST, "4": YJ}.get(code_type or "")


def _coding(system: str | None, code: str | None, display: str | None) -> list[Json]:
    if system is None or code is None or not _PLAIN.fullmatch(code):
        return []
    return [present({"system": system, "code": code, "display": display})]


def _own_coding(drug: Drug) -> list[Json]:
    return _coding(_drug_system(drug.code_type, drug.code or ""), drug.code, drug.name)


def medication(drug: Drug) -> Json:
    """Return the medicine under its own code and, where given, the code of its generic name.

    A code of an unknown system is kept without one rather than lost.
    """
    coding = _own_coding(drug)
    if not coding and drug.code:
        coding = [present({"code": drug.code, "display": drug.name})]
    coding += _coding(GENERIC_NAME, drug.generic_code, drug.generic_name)
    return present({"coding": coding, "text": drug.name or drug.code})


def bought_medicine(bought: OverTheCounter) -> Json:
    """Return a medicine bought without prescription under its JAN, a GTIN-13."""
    return present({"coding": _coding(GTIN, bought.jan, bought.name), "text": bought.name or bought.jan})


def is_coded(drug: Drug) -> bool:
    """Tell whether a medicine has no code, or one of a code system that is known here."""
    return drug.code is None or bool(_own_coding(drug))


def institution_identifier(institution: Institution) -> Json | None:
    """Return 都道府県 + 点数表 + 医療機関コード (10 digits), or the 7 digits alone where those lack."""
    prefecture, table, code = institution.prefecture, institution.table, institution.code
    if code is None or not _PLAIN.fullmatch(code):
        return None
    if prefecture and table and re.fullmatch(r"[0-9]{10}", full := f"{prefecture:0>2}{table}{code}"):
        return {"system": INSTITUTION_10_DIGITS, "value": full}
    return {"system": INSTITUTION_7_DIGITS, "value": code}
