"""Ninety days of home readings: mornings and evenings, weekdays, trends, trips, and a cuff that slips.

Home blood pressure is measured within an hour of waking and before going to bed (JSH 2019). The numbers are
drawn from a generator seeded with the resident, so a town is the same one each time it is built.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from passport.demo.residents import Health, Kind, Resident

Reading = dict[str, Any]
"""A reading as the device endpoint takes it: `{"type": …, "time": …, …}`."""

TREND_DAYS: Final = 90
MONDAY_MMHG: Final = 3
WEEKEND_MMHG: Final = -3
TRIP_CHANCE_PER_DAY: Final = 0.012
SLIP_CHANCE: Final = 0.004
"""Once in 250 readings the cuff sits badly, and what it says cannot be true."""

TWICE_FROM_DILIGENCE: Final = 0.95
"""Who is this diligent measures twice in a session, as the guideline asks."""

FEVER_DAYS_BEFORE: Final = range(30, 35)

_MORNING: Final = time(6, 40)
_EVENING: Final = time(21, 20)
_SPREAD_MINUTES: Final = 28


@dataclass(frozen=True, slots=True)
class _Session:
    """One time that somebody sits down to measure; `days_left` counts to the last day."""

    at: datetime
    days_left: int
    is_morning: bool


def readings(resident: Resident, kind: Kind, until: datetime, days: int) -> list[Reading]:
    """What one device of a resident measured in the `days` days before `until`, oldest first.

    `until` carries the time zone that the resident lives in.
    """
    random = Random(f"{resident.key}/{kind}")
    sessions = _sessions(random, resident.health.diligence, until, days)
    taken = _MEASURES[kind](random, resident.health, sessions)
    return [reading for reading in taken if reading["time"] <= until.isoformat()]


def blood_pressure(resident: Resident, at: datetime) -> Reading:
    """One more blood pressure of a resident, as their cuff says it at `at`: it sits well, so that it can be true."""
    session = _Session(at, days_left=0, is_morning=at.hour < 12)
    random = Random(f"{resident.key}/{at.isoformat()}")
    return _cuff_reading(random, resident.health, session, at, drift=0.0, slips=False)


def _sessions(random: Random, diligence: float, until: datetime, days: int) -> Iterator[_Session]:
    back_after = 0
    for day in range(days + 1):
        on = until.date() - timedelta(days=days - day)
        if random.random() < TRIP_CHANCE_PER_DAY:
            back_after = day + random.randint(3, 7)
        for is_morning in (True, False):
            at = _about(random, on, _MORNING if is_morning else _EVENING, until)
            if random.random() < diligence and day >= back_after:
                yield _Session(at, days - day, is_morning)


def _about(random: Random, on: date, around: time, until: datetime) -> datetime:
    seconds = 60 * min(80.0, max(-80.0, random.gauss(0, _SPREAD_MINUTES)))
    return datetime.combine(on, around, until.tzinfo) + timedelta(seconds=round(seconds))


def _cuff(random: Random, health: Health, sessions: Iterable[_Session]) -> Iterator[Reading]:
    drift = 0.0
    for session in sessions:
        # Good and bad days come in runs.
        drift = 0.6 * drift + random.gauss(0, 4)
        yield _cuff_reading(random, health, session, session.at, drift)
        if health.diligence >= TWICE_FROM_DILIGENCE:
            # The second reading of a session is usually a little lower.
            yield _cuff_reading(random, health, session, session.at + timedelta(minutes=2), drift - 3)


def _cuff_reading(
    random: Random, health: Health, session: _Session, at: datetime, drift: float, *, slips: bool = True
) -> Reading:
    expected = health.systolic + health.trend * (1 - session.days_left / TREND_DAYS)
    expected += health.morning if session.is_morning else 0
    expected += {0: MONDAY_MMHG, 5: WEEKEND_MMHG, 6: WEEKEND_MMHG}.get(at.weekday(), 0)
    systolic = round(expected + drift + random.gauss(0, 3))
    diastolic = round(health.diastolic + 0.5 * (systolic - health.systolic) + random.gauss(0, 3))
    diastolic = max(45, min(diastolic, systolic - 20))
    if random.random() < SLIP_CHANCE and slips:
        systolic, diastolic = diastolic, systolic
    pulse = round(health.pulse + random.gauss(0, 4))
    return _reading("blood-pressure", at, systolic=systolic, diastolic=diastolic, pulse=pulse)


def _scale(random: Random, health: Health, sessions: Iterable[_Session]) -> Iterator[Reading]:
    for session in sessions:
        kilograms = health.weight + health.weight_trend * (1 - session.days_left / TREND_DAYS)
        if session.is_morning:
            yield _reading("body-weight", session.at, value=round(kilograms + random.gauss(0, 0.3), 1))


def _oximeter(random: Random, health: Health, sessions: Iterable[_Session]) -> Iterator[Reading]:
    for session in sessions:
        percent = round(health.saturation + random.gauss(0, 1)) - (2 if _feverish(health, session) else 0)
        if not session.is_morning:
            yield _reading("oxygen-saturation", session.at, value=max(84, min(percent, 100)))


def _thermometer(random: Random, health: Health, sessions: Iterable[_Session]) -> Iterator[Reading]:
    for session in sessions:
        celsius = 38.4 if _feverish(health, session) else 36.3 + (0 if session.is_morning else 0.3)
        yield _reading("body-temperature", session.at, value=round(celsius + random.gauss(0, 0.2), 1))


def _feverish(health: Health, session: _Session) -> bool:
    return health.fever and session.days_left in FEVER_DAYS_BEFORE


def _reading(kind: str, at: datetime, **values: float) -> Reading:
    return {"type": kind, "time": at.isoformat(timespec="seconds"), **values}


_MEASURES: Final[Mapping[Kind, Callable[[Random, Health, Iterable[_Session]], Iterator[Reading]]]] = {
    "cuff": _cuff,
    "scale": _scale,
    "oximeter": _oximeter,
    "thermometer": _thermometer,
}
