"""How much of a medicine was supplied: what 用量 counts depends on the form.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, 薬品レコード 用量: 内服 is the amount of a day, 屯服
of one dose, 外用 and the others the total.
"""

from dataclasses import dataclass
from decimal import Decimal

from fhirmap.jahis.codes import FORMS, UNIT, Basis, unit_code
from fhirmap.jahis.model import Drug, Usage
from fhirmap.jsonformat import Json, present
from fhirmap.units import UCUM

DISAGREEMENT = "form and unit disagree on days and doses, the unit is followed"
UNCOUNTED = "neither days nor doses are counted, the amount is read as the total"
SEVERAL = "more than one supply of a form whose amount is the total, read as that total"


@dataclass(frozen=True, slots=True)
class Supply:
    """What can be told for sure; `deviation` where form and unit of the usage contradict each other."""

    total: Decimal | None = None
    per_day: Decimal | None = None
    per_dose: Decimal | None = None
    days: Decimal | None = None
    doses: Decimal | None = None
    deviation: str | None = None


def supply_of(drug: Drug, usage: Usage | None) -> Supply:
    """Work out total, rate and duration; of days and doses the one that the unit of 調剤数量 names."""
    if usage is None:
        return Supply()
    basis, count, unit = _basis(usage), usage.quantity, usage.unit or ""
    days = count if "日" in unit else None
    doses = count if "回" in unit and days is None else None
    if basis is Basis.TOTAL or (days is None and doses is None):
        return Supply(drug.dose, days=days, doses=doses, deviation=_total_doubt(basis, count, days, doses))
    counted = Basis.PER_DAY if days is not None else Basis.PER_DOSE
    total = drug.dose * count if drug.dose is not None and count is not None else None
    return Supply(
        total,
        per_day=drug.dose if counted is Basis.PER_DAY else None,
        per_dose=drug.dose if counted is Basis.PER_DOSE else None,
        days=days,
        doses=doses,
        deviation=None if counted is basis else DISAGREEMENT,
    )


def _basis(usage: Usage) -> Basis:
    if form := FORMS.get(usage.form):
        return form.basis
    unit = usage.unit or ""
    return Basis.PER_DAY if "日" in unit else Basis.PER_DOSE if "回" in unit else Basis.TOTAL


def _total_doubt(
    basis: Basis, count: Decimal | None, days: Decimal | None, doses: Decimal | None
) -> str | None:
    if basis is not Basis.TOTAL:
        return UNCOUNTED
    if count not in (None, 1) and days is None and doses is None:
        return SEVERAL
    return None


def quantity(value: Decimal | None, unit: str | None) -> Json | None:
    """Return an amount in the unit as written, with its MERIT-9 code where it has one."""
    if value is None:
        return None
    code = unit_code(unit) if unit else None
    return present({"value": value, "unit": unit, "system": code and UNIT, "code": code})


def days_quantity(days: Decimal) -> Json:
    """Return a number of days."""
    return {"value": days, "unit": "日", "system": UCUM, "code": "d"}


def duration(supply: Supply) -> Json | None:
    """Return for how many days, or how many doses, the supply lasts."""
    if supply.days is not None:
        return days_quantity(supply.days)
    return quantity(supply.doses, "回分")
