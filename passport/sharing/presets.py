"""For how long people share: today's visit, three months, or until they stop it.

http://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.period
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from consent.period import read_period
from passport.outcomes import Invalid

SYSTEM: Final = "urn:healthcare-passport:sharing-preset"
"""The code system of the presets in `Consent.policyRule`."""

VISIT: Final = timedelta(hours=24)
MONTHS: Final = 3


class Preset(StrEnum):
    """A choice of how long; each is the most that a grant lasts."""

    VISIT = "visit"
    THREE_MONTHS = "three-months"
    ONGOING = "ongoing"


def preset_of(value: object) -> Preset:
    """Read the name of a preset.

    Raises:
        Invalid: there is none of that name.
    """
    if isinstance(value, str) and value in Preset.__members__.values():
        return Preset(value)
    raise Invalid(f"got no preset, expected one of {', '.join(Preset)}", ("preset",))


def ending(preset: Preset, now: datetime, zone: ZoneInfo) -> str | None:
    """When a grant of this preset ends that begins `now`, as a FHIR dateTime; None where it does not end by itself.

    A visit ends at an instant, three months with a day of `zone`.
    """
    if preset is Preset.VISIT:
        return instant(now + VISIT)
    if preset is Preset.THREE_MONTHS:
        return _months_later(now.astimezone(zone).date(), MONTHS).isoformat()
    return None


def period(ends: Iterable[str | None], now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """The period that begins `now` and ends with the first of these ends, each a FHIR dateTime.

    Raises:
        Invalid: one is no dateTime, or is over.
    """
    start = instant(now)
    given = [end for end in ends if end is not None]
    try:
        known = [(read_period({"start": start, "end": end}, zone).end, end) for end in given]
    except ValueError:
        raise Invalid("got an end that is no date, or one that is over", ("until",)) from None
    bounded = [(last, end) for last, end in known if last is not None]
    return {"start": start} | ({"end": min(bounded)[1]} if bounded else {})


def instant(moment: datetime) -> str:
    """A moment as FHIR writes it, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last one where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
