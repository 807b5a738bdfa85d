"""What a case is asked for with: a reason, of whom or by whom, and from when to when.

https://www.rfc-editor.org/rfc/rfc3339
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from passport.members import check_members
from passport.outcomes import Invalid

REASON_CHARACTERS: Final = range(4, 501)
PERIOD_MAX: Final = timedelta(days=366)

_MEMBERS: Final = frozenset({"reason", "patient", "agent", "from", "to"})
_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")
_AGENT: Final = re.compile(r"[A-Za-z]{1,40}(/[A-Za-z0-9\-._@]{1,64})?")


@dataclass(frozen=True, slots=True)
class Asked:
    """A case that an auditor wants: requests in the log of a patient, by an agent, or both."""

    reason: str
    patient: str | None
    agent: str | None
    starts: datetime
    ends: datetime


def asked(tree: Mapping[str, Any], zone: ZoneInfo) -> Asked:
    """Read the body of a request; `zone` is that of dates without a time.

    Raises:
        Invalid: a member is missing, unknown or unfit.
    """
    check_members(tree, _MEMBERS)
    reason = tree.get("reason")
    if not isinstance(reason, str) or len(reason.strip()) not in REASON_CHARACTERS:
        least, most = REASON_CHARACTERS.start, REASON_CHARACTERS.stop - 1
        raise Invalid(f"got no reason of {least} to {most} characters in `reason`", ("reason",))
    patient = _matched(tree, "patient", _PATIENT, "Patient/1")
    agent = _matched(tree, "agent", _AGENT, "Practitioner/1")
    if patient is None and agent is None:
        raise Invalid("got neither `patient` nor `agent`, expected whose log or whose requests", ("patient",))
    starts, ends = _instant(tree, "from", zone), _instant(tree, "to", zone)
    if not starts < ends <= starts + PERIOD_MAX:
        raise Invalid(
            f"got another period, expected `from` before `to` by at most {PERIOD_MAX.days} days", ("to",)
        )
    return Asked(reason.strip(), patient, agent, starts, ends)


def _matched(tree: Mapping[str, Any], name: str, pattern: re.Pattern[str], example: str) -> str | None:
    value = tree.get(name)
    if value is not None and (not isinstance(value, str) or not pattern.fullmatch(value)):
        raise Invalid(f"got no reference such as `{example}` in `{name}`", (name,))
    return value


def _instant(tree: Mapping[str, Any], name: str, zone: ZoneInfo) -> datetime:
    """An instant, or a day: that of `to` belongs to the period."""
    text = tree.get(name)
    try:
        if isinstance(text, str) and len(text) == len("2026-11-22"):
            day = date.fromisoformat(text) + timedelta(days=int(name == "to"))
            return datetime.combine(day, time(), zone)
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Invalid(f"got neither a day nor an instant with its zone in `{name}`", (name,))
    return instant
