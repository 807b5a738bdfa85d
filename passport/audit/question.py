"""A question to the audit log: whose, when, by whom, with what outcome; every part understood or refused.

http://hl7.org/fhir/R4/auditevent.html#search
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fhirstore.keys import KeyMaker
from fhirstore.parameters import parameters_of
from fhirstore.search.query import Query, parse_query
from fhirstore.search.result import SHAPING
from fhirstore.search.test import BadValue, SearchError, UnknownParameter
from fhirstore.subset import Subset, parse_subset
from fhirstore.types import TYPES, resource_type
from passport.audit.actions import OUTCOME_SYSTEM, OUTCOMES
from passport.subjects import CITY

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_AGENT: Final = re.compile(r"(?P<type>[A-Za-z]{1,40})(?P<id>/[A-Za-z0-9\-._@]{1,64})?")
_CODES: Final = ("0", "4", "8", "12")  # of OUTCOME_SYSTEM
_OWN: Final = ("agent", "outcome", "_id")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: no two have the same."""

    recorded: datetime
    audit_id: UUID

    @property
    def id(self) -> str:
        """The id of its AuditEvent; it tells the instant, so that one row is found without its patient."""
        return f"{(self.recorded - EPOCH) // timedelta(microseconds=1)}-{self.audit_id}"


def place_of(id_: str) -> Place | None:
    """Return the place that an AuditEvent's id names, None for any other text."""
    microseconds, _, audit_id = id_.partition("-")
    try:
        if not (microseconds.isascii() and microseconds.isdigit()):
            return None
        place = Place(EPOCH + timedelta(microseconds=int(microseconds)), UUID(audit_id))
    except (ValueError, OverflowError):
        return None
    return place if place.id == id_ else None


@dataclass(frozen=True, slots=True)
class Question:
    """A search of the audit log; None asks for everything, `nowhere` for what cannot be there.

    `descending` is newest first. `part` is what is shown of each, None for all of it. `echo` are the parameters as
    they were understood, the cursor left out.
    """

    query: Query
    agents: tuple[str, ...] | None
    outcomes: tuple[str, ...] | None
    place: Place | None
    nowhere: bool
    descending: bool
    part: Subset | None
    echo: tuple[tuple[str, str], ...]

    @property
    def single(self) -> bool:
        """Whether one AuditEvent is asked for, by its id."""
        return self.place is not None or self.nowhere

    @property
    def shown(self) -> int:
        """How many rows a page holds at most."""
        return 0 if self.query.only_count else self.query.count

    @property
    def named(self) -> frozenset[str]:
        """Whom the question names."""
        return frozenset((*(self.agents or ()), *(self.query.patients or ())))

    @property
    def patient(self) -> str | None:
        """The patient whose log is asked for."""
        return self.query.patients[0] if self.query.patients else None


def parse_question(
    pairs: Sequence[tuple[str, str]],
    *,
    keys: KeyMaker,
    zone: ZoneInfo,
    base_urls: Collection[str] = (),
    lenient: bool = False,
) -> Question:
    """Read the parameters of a search.

    Args:
        pairs: names and values as they came, in their order.
        keys: the installation's keys.
        zone: the passport's time zone, for dates without one.
        base_urls: this service's own base URLs, without a slash at the end.
        lenient: whether what is not known is left out instead of refused.

    Raises:
        SearchError: a parameter or value that the audit log cannot be searched by.
    """
    type_ = resource_type("AuditEvent")
    others = [pair for pair in pairs if pair[0] not in _OWN]
    try:
        query = parse_query((type_,), others, keys=keys, zone=zone, base_urls=base_urls, lenient=lenient)
    except UnknownParameter as error:
        known = dict.fromkeys((*parameters_of(type_.name), *_OWN, *SHAPING))
        raise UnknownParameter(error.parameter, type_.name, list(known)) from None
    own = {name: _single(pairs, name) for name in _OWN}
    if query.patients is not None and len(query.patients) != 1:
        raise BadValue("patient", "one patient")
    if len(query.order) != 1 or query.order[0].name not in {"time", "_lastUpdated"}:
        raise SearchError("_sort", "got another order, expected `date` or `-date`")
    place = None if own["_id"] is None else place_of(own["_id"])
    return Question(
        query=query,
        agents=None if own["agent"] is None else _agents(own["agent"], base_urls),
        outcomes=None if own["outcome"] is None else _outcomes(own["outcome"]),
        place=place,
        nowhere=own["_id"] is not None and place is None,
        descending=query.order[0].descending,
        part=_part(query),
        echo=_understood(pairs, query),
    )


def _part(query: Query) -> Subset | None:
    summary = None if query.summary == "count" else query.summary
    return parse_subset(summary, ",".join(query.elements) or None, query.names)


def _understood(pairs: Sequence[tuple[str, str]], query: Query) -> tuple[tuple[str, str], ...]:
    """All parameters in their order, those of a search as it understood them."""
    understood, echo = list(query.echo), []
    for name, value in pairs:
        if name in _OWN:
            echo.append((name, value))
        elif understood and understood[0][0] == name:
            echo.append(understood.pop(0))
    return tuple(echo)


def _single(pairs: Sequence[tuple[str, str]], name: str) -> str | None:
    values = [value for given, value in pairs if given == name]
    if len(values) > 1:
        raise SearchError(name, f"got `{name}` {len(values)} times, expected it once")
    return values[0] if values else None


def _agents(value: str, base_urls: Collection[str]) -> tuple[str, ...]:
    found = []
    for reference in value.split(","):
        here = [reference.removeprefix(f"{url}/") for url in base_urls if reference.startswith(f"{url}/")]
        found.append(here[0] if here else reference)
    if not all(map(_is_agent, found)):
        raise BadValue("agent", f"a reference such as `Practitioner/1`, or one of {', '.join(sorted(CITY))}")
    return tuple(found)


def _is_agent(text: str) -> bool:
    """Whether somebody may be called so: by a type and an id, or by an office of the city alone."""
    named = _AGENT.fullmatch(text)
    return named is not None and (
        named["type"] in CITY or (named["type"] in TYPES and named["id"] is not None)
    )


def _outcomes(value: str) -> tuple[str, ...]:
    asked = {code.removeprefix(f"{OUTCOME_SYSTEM}|") for code in value.split(",")}
    if not asked <= {*_CODES, *OUTCOMES}:
        raise BadValue("outcome", f"one of {', '.join((*OUTCOMES, *_CODES))}")
    return tuple(outcome for outcome, code in OUTCOMES.items() if asked & {outcome, code})
