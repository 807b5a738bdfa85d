"""What an お薬手帳 file says, once its lines are read.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, chapter 2: groups of information.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

PROFESSIONAL, PATIENT = "1", "2"  # レコード作成者

Sex = Literal["male", "female"]
Origin = Literal["provider", "patient"]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the file is about, to be compared with the passport's Patient before anything is stored."""

    name: str | None
    kana: str | None
    birth_date: date | None
    sex: Sex | None


@dataclass(frozen=True, slots=True)
class Note:
    """Free text, with the label of its record and who wrote it when."""

    label: str
    text: str
    creator: str | None
    written: date | None = None


@dataclass(frozen=True, slots=True)
class Institution:
    """A pharmacy, clinic or hospital; `table` is 点数表 (1 medical, 3 dental, 4 pharmacy)."""

    name: str | None
    prefecture: str | None
    table: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Prescriber:
    """Where and by whom a prescription was written."""

    institution: Institution | None
    doctor: str | None = None
    department: str | None = None


@dataclass(slots=True)
class Drug:
    """One medicine of an RP (record 201), with what belongs to it alone (281, 291)."""

    line: int
    name: str | None
    dose: Decimal | None
    unit: str | None
    code_type: str | None
    code: str | None
    generic_name: str | None
    generic_code: str | None
    creator: str | None
    supplements: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Usage:
    """How the medicines of an RP are taken and how much was supplied (record 301)."""

    line: int
    name: str | None
    quantity: Decimal | None
    unit: str | None
    form: str | None
    code: str | None


@dataclass(slots=True)
class Rp:
    """The medicines that share one usage (201, 301), with what belongs to all of them (311, 391)."""

    number: str
    prescriber: Prescriber | None
    drugs: list[Drug] = field(default_factory=list)
    usage: Usage | None = None
    supplements: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class Visit:
    """One day of dispensing (record 5) with all that follows it; `ahead` tells that nobody believes the day."""

    day: date | None
    ahead: bool = False
    dispenser: Institution | None = None
    pharmacists: list[str] = field(default_factory=list)
    rps: list[Rp] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Remark:
    """患者特記: `kind` 1 allergy, 2 adverse reaction, 3 history, 9 other."""

    kind: str | None
    text: str
    creator: str | None


@dataclass(slots=True)
class OverTheCounter:
    """A medicine bought without prescription (record 3), with its ingredients (31)."""

    name: str | None
    start: date | None
    end: date | None
    creator: str | None
    sequence: str | None
    jan: str | None
    ingredients: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Notebook:
    """A whole file."""

    version: int
    origin: Origin
    person: Person | None = None
    remarks: list[Remark] = field(default_factory=list)
    over_the_counter: list[OverTheCounter] = field(default_factory=list)
    memos: list[Note] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
