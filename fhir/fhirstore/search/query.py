"""A search as it was asked: every part understood, or refused by name.

http://hl7.org/fhir/R4/search.html
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fhirstore.keys import KeyMaker
from fhirstore.search.criteria import Criteria, links_of
from fhirstore.search.cursor import CURSOR
from fhirstore.search.filters import Filters
from fhirstore.search.include import Include, includes, read_include
from fhirstore.search.named import MAX_VALUES, Types
from fhirstore.search.result import DEFAULT_COUNT, MAX_COUNT, RESULT, Result, Summary, Total
from fhirstore.search.sort import SortKey, by_rows
from fhirstore.search.test import SearchError, Unknown, UnknownModifier
from fhirstore.search.whose import WHOSE, of_patients, refers

__all__ = ["CURSOR", "DEFAULT_COUNT", "MAX_COUNT", "MAX_VALUES", "Query", "Total", "parse_query"]

MAX_LINKS: Final = 16
"""Searches behind one search: what chains and `_has` lead to, and the instructions to include."""

MAX_TESTS: Final = 32
"""Conditions on rows: each may be one more table to plan, and the time for that grows faster than their number."""

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Criteria):
    """A search of one type, or of several at once, with what shapes its result.

    `named` are all patients that it names, whoever's records it shows. `echo` are the parameters as they were
    understood, for the self link; the cursor is not among them. With `every` nobody named the types: those are
    searched that the session reaches.
    """

    order: tuple[SortKey, ...]
    count: int
    total: Total
    only_count: bool
    cursor: str | None
    echo: tuple[tuple[str, str], ...]
    named: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    every: bool = False

    @property
    def by_rows(self) -> bool:
        """Whether rows alone answer it: nothing is opened before it is shown."""
        return not (self.sifts or self.links or self.includes) and by_rows(self.order)


def parse_query(
    types: Types,
    pairs: Pairs,
    *,
    keys: KeyMaker,
    zone: ZoneInfo,
    base_urls: Collection[str] = (),
    sifting: bool = False,
    lenient: bool = False,
    now: datetime | None = None,
    compartment: str | None = None,
) -> Query:
    """Read the parameters of a search.

    Args:
        types: the types that are searched.
        pairs: names and values as they came, in their order.
        keys: the installation's keys.
        zone: the passport's time zone, for dates without one.
        base_urls: this service's own base URLs, without a slash at the end.
        sifting: whether parameters that only a record's own elements answer are known.
        lenient: whether what is not known is left out instead of refused.
        now: what an approximate date is near to.
        compartment: the Patient in whose compartment is searched.

    Raises:
        SearchError: a parameter, modifier or value that these types cannot be searched by.
    """
    if len(pairs) > MAX_VALUES:
        raise SearchError("", f"got {len(pairs)} search parameters, expected at most {MAX_VALUES}")
    filters = Filters(keys, zone, tuple(base_urls), sifting, now)
    criteria = Criteria(types=types)
    whose: list[Criteria] = []
    instructions: list[Include] = []
    understood: list[tuple[str, str]] = []
    for name, value in pairs:
        try:
            if name in RESULT:
                alone = Result(types, [(name, value)], sifting)
                alone.order()
                alone.check_contained()
            elif (shaping := name.partition(":")[0]) in RESULT:
                raise UnknownModifier(shaping, name.partition(":")[2], "none")
            elif sifting and includes(name):
                instructions.append(read_include(types, name, value))
            else:
                # Numbered as they come, whatever stands between them: alike searches share a statement.
                asked = filters.read(types, name, value, f"p{len(criteria.tests) + len(criteria.links)}")
                criteria = criteria.beside(asked)
                whose += () if asked.patients is None else (asked,)
        except Unknown:
            if not lenient:
                raise
        else:
            understood.append((name, value))
    _check_size(criteria, instructions)
    named = (
        _of_one(criteria, whose, compartment, keys) if compartment else _of_patients(criteria, whose, keys)
    )
    return _shaped(named, understood, whose, instructions, sifting=sifting)


def _check_size(criteria: Criteria, instructions: Sequence[Include]) -> None:
    """Refuse what the database would plan for too long.

    Raises:
        SearchError: it leads to too many other searches, or has too many conditions.
    """
    if len(links_of(criteria)) + len(instructions) > MAX_LINKS:
        raise SearchError("", f"got more than {MAX_LINKS} chains and includes, expected at most {MAX_LINKS}")
    if len(criteria.tests) > MAX_TESTS:
        text = f"got {len(criteria.tests)} conditions that all have to hold, expected at most {MAX_TESTS}"
        raise SearchError("", text)


def _of_patients(criteria: Criteria, whose: Sequence[Criteria], keys: KeyMaker) -> Criteria:
    """Records of the patients that every parameter names."""
    owners = [asked for asked in whose if asked.held == "owner"]
    naming = [asked for asked in whose if asked.held == "named"]
    if owners:
        patients, *further = [asked.patients or () for asked in owners]
        common = tuple(one for one in patients if all(one in other for other in further))
        if common:
            return _narrowed(replace(criteria, patients=common), naming, keys)
        # Two that differ may be registrations of one person, which is known where records are.
        return _narrowed(replace(criteria, patients=patients), [*owners[1:], *naming], keys)
    if naming:
        first = replace(criteria, patients=naming[0].patients, held="named")
        return _narrowed(first, naming[1:], keys)
    return criteria


def _of_one(criteria: Criteria, whose: Sequence[Criteria], patient: str, keys: KeyMaker) -> Criteria:
    """Records in one patient's compartment."""
    return _narrowed(replace(criteria, patients=(patient,), held="named"), whose, keys)


def _narrowed(criteria: Criteria, whose: Sequence[Criteria], keys: KeyMaker) -> Criteria:
    """Those that lie with, or name, these patients as well."""
    tests, mentions = [], list(criteria.mentions)
    for at, asked in enumerate(whose):
        mentions += asked.patients or ()
        patients = [keys.reference(one) for one in asked.patients or ()]
        bind = f"{WHOSE}{at}"
        owned = asked.held == "owner"
        tests.append(of_patients(criteria.owned, bind, patients) if owned else refers(bind, patients))
    return replace(criteria, tests=criteria.tests + tuple(tests), mentions=tuple(mentions))


def _shaped(
    criteria: Criteria,
    pairs: Pairs,
    whose: Sequence[Criteria],
    instructions: Sequence[Include],
    *,
    sifting: bool,
) -> Query:
    result = Result(criteria.types, pairs, sifting)
    result.check_contained()
    if instructions and result.summary() == "text":
        # http://hl7.org/fhir/R4/search.html#summary
        raise SearchError("_summary", "got `_summary=text` beside what to include, expected one of them")
    others = (one for asked in whose for one in asked.patients or ())
    return Query(
        types=criteria.types,
        tests=criteria.tests,
        sifts=criteria.sifts,
        links=criteria.links,
        patients=criteria.patients,
        held=criteria.held,
        mentions=criteria.mentions,
        named=tuple(dict.fromkeys((*(criteria.patients or ()), *others))),
        includes=tuple(instructions),
        order=result.order(),
        count=result.count(),
        total=result.total(),
        only_count=result.only_count(),
        summary=result.summary(),
        elements=result.elements(),
        cursor=result.single(CURSOR),
        echo=tuple(
            (name, str(result.count()) if name == "_count" else value)
            for name, value in pairs
            if name != CURSOR
        ),
    )
