"""The record types of an お薬手帳 file, field by field.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, chapter 3. https://www.jahis.jp/standard/contents_type=33
"""

from dataclasses import dataclass
from enum import Enum, auto

NEWEST_VERSION = 8  # JAHISTC08 is the format of Ver. 2.5 and 2.6


class Kind(Enum):
    """How the text of a field is read."""

    TEXT = auto()  # free text in any width
    CODE = auto()  # letters and digits, read in half width
    DATE = auto()  # YYYYMMDD or GYYMMDD
    NUMBER = auto()  # digits with at most one decimal point


class Need(Enum):
    """Who must fill in a field."""

    OPTIONAL = auto()
    PROVIDER = auto()  # required in files from a provider to a patient
    ALWAYS = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `size_bytes` in cp932, `values` the only ones allowed where there are any."""

    key: str
    label: str
    size_bytes: int
    need: Need = Need.OPTIONAL
    kind: Kind = Kind.TEXT
    values: frozenset[str] = frozenset()
    since: int = 1


@dataclass(frozen=True, slots=True)
class RecordType:
    """One record type; `since` is the first version (JAHISTCnn) that has it."""

    number: str
    label: str
    fields: tuple[Field, ...]
    since: int = 1

    @property
    def free_text(self) -> int | None:
        """Position of the one field whose commas cannot be mistaken for further fields.

        That is the content of a note: the fields after it are few and short, so surplus ones are its.
        """
        return next((i for i, field in enumerate(self.fields) if field.key == "content"), None)


A, P = Need.ALWAYS, Need.PROVIDER

CREATOR = Field("creator", "レコード作成者", 1, A, Kind.CODE, frozenset("1289"))
RP = Field("rp", "RP番号", 3, A, Kind.CODE)


def _text(key: str, label: str, size: int, need: Need = Need.OPTIONAL, since: int = 1) -> Field:
    return Field(key, label, size, need, since=since)


def _code(key: str, label: str, size: int, need: Need = Need.OPTIONAL, *values: str, since: int = 1) -> Field:
    return Field(key, label, size, need, Kind.CODE, frozenset(values), since)


def _date(key: str, label: str, need: Need = Need.OPTIONAL) -> Field:
    return Field(key, label, 8, need, Kind.DATE)


def _institution(*tables: str) -> tuple[Field, ...]:
    return (
        _text("name", "名称", 120, A),
        _code("prefecture", "都道府県", 2, P),
        _code("table", "点数表", 1, P, *tables),
        _code("code", "医療機関コード", 7, P),
    )


def _note(number: str, label: str, size: int, *, rp: bool, since: int = 1) -> RecordType:
    content = _text("content", "内容", size, A)
    return RecordType(number, label, (RP, content, CREATOR) if rp else (content, CREATOR), since)


RECORDS: dict[str, RecordType] = {
    each.number: each
    for each in (
        RecordType(
            "1",
            "患者情報",
            (
                _text("name", "氏名", 40, A),
                _code("sex", "性別", 1, A, "1", "2"),
                _date("birth_date", "生年月日", A),
                _text("postal_code", "郵便番号", 8),
                _text("address", "住所", 800),
                _text("phone", "電話番号", 13),
                _text("emergency_contact", "緊急連絡先", 800),
                _text("blood_type", "血液型", 20),
                _text("weight", "体重", 7),
                _text("kana", "氏名カナ", 40),
            ),
        ),
        RecordType(
            "2",
            "患者特記",
            (
                _code("kind", "患者特記種別", 1, A, "1", "2", "3", "9"),
                _text("content", "内容", 120, A),
                CREATOR,
            ),
        ),
        RecordType(
            "3",
            "要指導医薬品・一般用医薬品服用",
            (
                _text("name", "薬品名称", 120, A),
                _date("start", "服用開始年月日"),
                _date("end", "服用終了年月日"),
                CREATOR,
                _code("sequence", "レコード通番", 3, since=8),
                _code("jan", "JANコード", 13, since=8),
            ),
        ),
        RecordType(
            "31",
            "要指導医薬品・一般用医薬品成分",
            (
                _code("sequence", "レコード通番", 3, A),
                _text("name", "成分名", 256, A),
                _code("code_type", "成分コード種別", 1, A, "1", "2"),
                _code("code", "成分コード", 20),
                CREATOR,
            ),
            since=8,
        ),
        RecordType(
            "4", "手帳メモ", (_text("content", "内容", 400, A), _date("written", "入力年月日"), CREATOR)
        ),
        RecordType("5", "調剤等年月日", (_date("date", "調剤等年月日", A), CREATOR)),
        RecordType(
            "11",
            "調剤－医療機関等",
            (
                *_institution("1", "3", "4"),
                _text("postal_code", "郵便番号", 8),
                _text("address", "住所", 800),
                _text("phone", "電話番号", 13),
                CREATOR,
            ),
        ),
        RecordType(
            "15",
            "調剤－医師・薬剤師",
            (_text("name", "氏名", 40, A), _text("contact", "連絡先", 800), CREATOR),
        ),
        RecordType("51", "処方－医療機関", (*_institution("1", "3"), CREATOR)),
        RecordType(
            "55",
            "処方－医師",
            (_text("name", "氏名", 40, A), _text("department", "診療科名", 80), CREATOR),
        ),
        RecordType(
            "201",
            "薬品",
            (
                RP,
                _text("name", "薬品名称", 120, A),
                Field("dose", "用量", 12, P, Kind.NUMBER),
                _text("unit", "単位名", 12, P),
                _code("code_type", "薬品コード種別", 1, P, "1", "2", "3", "4", "6"),
                _code("code", "薬品コード", 13),
                CREATOR,
                _text("generic_name", "一般名", 120, since=8),
                _code("generic_code_type", "一般名コード種別", 1, Need.OPTIONAL, "1", "2", since=8),
                _code("generic_code", "一般名コード", 12, since=8),
            ),
        ),
        _note("281", "薬品補足", 100, rp=True),
        _note("291", "薬品服用注意", 400, rp=True),
        RecordType(
            "301",
            "用法",
            (
                RP,
                _text("name", "用法名称", 100),
                Field("quantity", "調剤数量", 3, P, Kind.NUMBER),
                _text("unit", "調剤単位", 100, P),
                _code("form", "剤形コード", 2, P, "1", "2", "3", "4", "5", "6", "7", "9", "10"),
                _code("code_type", "用法コード種別", 1, P, "1", "2"),
                _code("code", "用法コード", 16),
                CREATOR,
            ),
        ),
        _note("311", "用法補足", 100, rp=True),
        _note("391", "処方服用注意", 400, rp=True),
        _note("401", "服用注意", 400, rp=False),
        RecordType(
            "411",
            "医療機関等提供情報",
            (
                _text("content", "内容", 400, A),
                _code("kind", "提供情報種別", 2, A, "30", "31", "99"),
                CREATOR,
            ),
        ),
        _note("421", "残薬確認", 400, rp=False, since=7),
        _note("501", "備考", 400, rp=False),
        RecordType("601", "患者等記入", (_text("content", "内容", 400, A), _date("written", "入力年月日"))),
        RecordType(
            "701",
            "かかりつけ薬剤師",
            (
                _text("name", "氏名", 40, A),
                _text("pharmacy", "勤務先薬局名称", 120),
                _text("contact", "連絡先", 800),
                _date("start", "担当開始日"),
                _date("end", "担当終了日"),
                CREATOR,
            ),
        ),
        RecordType(
            "911",
            "分割制御",
            (
                _code("id", "データ固有ID", 14, A),
                _code("parts", "分割数", 3, A),
                _code("part", "データ連番", 3, A),
            ),
        ),
    )
}
