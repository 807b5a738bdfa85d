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
    dose, count, counted = drug.dose, usage.quantity, _counted(usage)
    form = FORMS.get(usage.form)
    basis = form.basis if form else counted
    days = count if counted is Basis.PER_DAY else None
    doses = count if counted is Basis.PER_DOSE else None
    if Basis.TOTAL in (basis, counted):
        return Supply(dose, days=days, doses=doses, deviation=_doubt(basis, counted, count))
    return Supply(
        dose * count if dose is not None and count is not None else None,
        per_day=dose if counted is Basis.PER_DAY else None,
        per_dose=dose if counted is Basis.PER_DOSE else None,
        days=days,
        doses=doses,
        deviation=None if counted is basis else DISAGREEMENT,
    )


def _counted(usage: Usage) -> Basis:
    """What 調剤数量 counts: days (日分), doses (回分), or supplies (調剤) of a total."""
    unit = usage.unit or ""
    return Basis.PER_DAY if "日" in unit else Basis.PER_DOSE if "回" in unit else Basis.TOTAL


def _doubt(basis: Basis, counted: Basis, count: Decimal | None) -> str | None:
    if basis is not Basis.TOTAL:
        return UNCOUNTED
    return SEVERAL if counted is Basis.TOTAL and count not in (None, 1) else None


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
