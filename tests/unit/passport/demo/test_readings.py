"""Home readings are the same each time, plausible but for a slipped cuff, and what the service takes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean
from zoneinfo import ZoneInfo

import pytest

from fhirmap.jsonformat import loads
from fhirmap.plausibility import implausible
from fhirmap.submitted import parse_reading
from passport.demo.readings import Reading, blood_pressure, readings
from passport.demo.residents import RESIDENTS, Resident

UNTIL = datetime(2026, 11, 22, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
DAYS = 90


def _all(resident: Resident) -> list[Reading]:
    return [reading for kind in resident.health.devices for reading in readings(resident, kind, UNTIL, DAYS)]


def _known(key: str) -> Resident:
    return next(resident for resident in RESIDENTS if resident.key == key)


def test_a_town_is_the_same_one_each_time() -> None:
    assert [_all(resident) for resident in RESIDENTS] == [_all(resident) for resident in RESIDENTS]


def test_ninety_days_of_thirty_residents_are_some_nine_thousand_observations() -> None:
    taken = [reading for resident in RESIDENTS for reading in _all(resident)]
    observations = len(taken) + sum("pulse" in reading for reading in taken)
    assert 8_000 <= observations <= 10_000


def test_readings_lie_within_the_days_and_before_the_present() -> None:
    times = [datetime.fromisoformat(each["time"]) for resident in RESIDENTS for each in _all(resident)]
    assert max(times) <= UNTIL
    assert min(times) >= UNTIL - timedelta(days=DAYS + 1)


def test_the_service_reads_every_one_and_doubts_only_the_slipped_cuff() -> None:
    reasons = Counter[str]()
    for resident in RESIDENTS:
        for reading in _all(resident):
            text = str(reading).replace("'", '"').encode()
            doubt = implausible(parse_reading(loads(text)), UNTIL.astimezone(UTC))
            reasons[doubt.code if doubt else "believed"] += 1
    assert set(reasons) == {"believed", "systolic-not-above-diastolic"}
    assert 5 <= reasons["systolic-not-above-diastolic"] <= 40


def test_a_treated_pressure_falls_and_a_morning_pressure_stands_out() -> None:
    improving = [each["systolic"] for each in readings(_known("hanako"), "cuff", UNTIL, DAYS)]
    assert mean(improving[:40]) - mean(improving[-40:]) > 5
    surging = readings(_known("sakura"), "cuff", UNTIL, DAYS)
    mornings = [each["systolic"] for each in surging if each["time"][11:13] < "12"]
    evenings = [each["systolic"] for each in surging if each["time"][11:13] > "12"]
    assert mean(mornings) - mean(evenings) > 10


def test_people_forget_and_travel() -> None:
    days = sorted({each["time"][:10] for resident in RESIDENTS[:3] for each in _all(resident)})
    gaps = [
        (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).days
        for resident in RESIDENTS
        for earlier, later in pairwise(sorted({each["time"][:10] for each in _all(resident)}))
    ]
    assert max(gaps) >= 3
    assert len(days) > 80


@pytest.mark.parametrize("key", ["hanako", "taro"])
def test_one_more_reading_resembles_its_resident(key: str) -> None:
    reading = blood_pressure(_known(key), UNTIL)
    assert reading["time"] == "2026-11-22T10:00:00+09:00"
    assert abs(reading["systolic"] - _known(key).health.systolic) < 40


def test_one_more_reading_is_never_one_of_a_cuff_that_slipped() -> None:
    resident = RESIDENTS[0]
    moments = [UNTIL - timedelta(minutes=minute) for minute in range(2_000)]
    taken = [blood_pressure(resident, moment) for moment in moments]
    assert all(one["systolic"] > one["diastolic"] for one in taken)
