"""Whether a reading can be true: what cannot is quarantined with the reason, never shown as fact.

Ranges: `fhirmap.vitals`. Home blood pressure: JSH 2019.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fhirmap.reading import Absent, Measured, Reading
from fhirmap.units import convert
from fhirmap.vitals import PULSE

FUTURE_TOLERANCE = timedelta(minutes=10)  # clocks of home devices drift
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Implausible:
    """Why a reading is not believed: a stable code, and a sentence that holds no value."""

    code: str
    english: str
    japanese: str


def implausible(reading: Reading, now: datetime) -> Implausible | None:
    """Return the first reason against the reading or one of its companions; None if believable.

    A value that the device itself marked absent is no reason: it is stored as absent.
    """
    return next(
        (
            reason
            for each in (reading, *reading.companions)
            for reason in (_time(each, now), _ranges(each), _order(each))
            if reason is not None
        ),
        None,
    )


def _time(reading: Reading, now: datetime) -> Implausible | None:
    if reading.time is None:
        return Implausible("time-missing", "The time of the reading is missing", "測定日時がありません")
    if reading.time.at > now + FUTURE_TOLERANCE:
        return Implausible("time-in-future", "The time lies in the future", "測定日時が未来です")
    if reading.time.at < EARLIEST:
        return Implausible("time-in-past", "The time lies before 1900", "測定日時が1900年より前です")
    return None


def _ranges(reading: Reading) -> Implausible | None:
    # A pulse is counted on the side: it is a member of another reading, and named as that.
    member = "pulse" if reading.vital is PULSE else None
    return next((reason for each in reading.values if (reason := _range(each, member)) is not None), None)


def _range(measured: Measured, member: str | None) -> Implausible | None:
    value, bounds = _stored(measured), measured.measurand
    if value is None or bounds.low <= value <= bounds.high:
        return None
    return Implausible(
        f"{member or bounds.name}-out-of-range",
        f"{bounds.english} lies outside of the believable range",
        f"{bounds.japanese}がありうる範囲の外です",
    )


def _order(reading: Reading) -> Implausible | None:
    values = {each.measurand.name: _stored(each) for each in reading.values}
    systolic, diastolic = values.get("systolic"), values.get("diastolic")
    if systolic is None or diastolic is None or systolic > diastolic:
        return None
    return Implausible(
        "systolic-not-above-diastolic",
        "Systolic blood pressure does not lie above the diastolic",
        "収縮期血圧が拡張期血圧を上回っていません",
    )


def _stored(measured: Measured) -> Decimal | None:
    return None if isinstance(measured.value, Absent) else convert(measured.value, measured.unit)
