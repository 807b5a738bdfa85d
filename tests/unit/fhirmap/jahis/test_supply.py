from decimal import Decimal

import pytest

from fhirmap.jahis.model import Drug, Usage
from fhirmap.jahis.supply import DISAGREEMENT, SEVERAL, UNCOUNTED, Supply, supply_of


def supply(dose: str | None, count: str | None, unit: str, form: str | None) -> Supply:
    drug = Drug(
        line=8,
        name="見本錠",
        dose=Decimal(dose) if dose else None,
        unit="錠",
        code_type="1",
        code=None,
        generic_name=None,
        generic_code=None,
        creator="1",
    )
    return supply_of(drug, Usage(9, "用法", Decimal(count) if count else None, unit, form, None))


@pytest.mark.parametrize("form", ["1", "6", "7"])
def test_what_is_taken_daily_is_the_amount_of_a_day_times_the_days(form: str) -> None:
    assert supply("1.5", "14", "日分", form) == Supply(
        Decimal("21.0"), per_day=Decimal("1.5"), days=Decimal(14)
    )


def test_as_needed_is_the_amount_of_a_dose_times_the_doses() -> None:
    assert supply("2", "10", "回分", "3") == Supply(Decimal(20), per_dose=Decimal(2), doses=Decimal(10))


@pytest.mark.parametrize("form", ["2", "4", "5", "9", "10"])
def test_external_use_drops_injections_and_materials_give_the_total(form: str) -> None:
    assert supply("50", "1", "調剤", form) == Supply(Decimal(50))


def test_the_total_of_external_use_is_not_multiplied_by_days() -> None:
    assert supply("50", "7", "日分", "5") == Supply(Decimal(50), days=Decimal(7))


def test_a_weekly_medicine_counted_in_doses_follows_the_unit_and_is_reported() -> None:
    assert supply("1", "4", "回分", "1") == Supply(
        Decimal(4), per_dose=Decimal(1), doses=Decimal(4), deviation=DISAGREEMENT
    )


def test_what_cannot_be_told_for_sure_is_reported() -> None:
    assert supply("3", "1", "調剤", "1") == Supply(Decimal(3), deviation=UNCOUNTED)
    assert supply("50", "2", "調剤", "5") == Supply(Decimal(50), deviation=SEVERAL)


def test_without_a_form_the_unit_decides() -> None:
    assert supply("3", "7", "日分", None).total == Decimal(21)
    assert supply("3", "7", "回分", None).per_dose == Decimal(3)
    assert supply("3", "1", "調剤", None).total == Decimal(3)


def test_a_missing_number_gives_no_total() -> None:
    assert supply(None, "7", "日分", "1").total is None
    assert supply("3", None, "日分", "1").total is None
