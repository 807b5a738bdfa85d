"""A resource as the reference takes it: the facts that are read of it, in the words of `consent.model`.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Sequence
from typing import Final

from consent.model import Coding, Confidentiality, Interval, Record
from consent.systems import FOLLOWING
from fhirstore.elements import Code
from fhirstore.facts import Facts
from fhirstore.times import BEGINNING, END

DEEPEST: Final = 2
"""A Provenance of a Binary of anything else: nothing follows over more steps."""


def record_of(facts: Facts, source: str | None = None) -> Record:
    """A record with its parts, without what it follows; `source` is who wrote it."""
    return Record(
        type=facts.type.name,
        reference=facts.reference,
        patients=frozenset(facts.patients),
        codes=_codings(facts.codes),
        categories=_codings((*facts.categories, *facts.implied_categories)),
        time=_time(facts),
        confidentiality=None if facts.confidentiality is None else Confidentiality[facts.confidentiality],
        sensitivities=_codings(facts.sensitivities),
        authors=frozenset(facts.authors),
        source=source,
        references=frozenset(facts.references),
        parts=tuple(map(record_of, facts.parts)),
    )


def stands_lower(target: str, follower: str) -> bool:
    """Whether a record of the one type can be followed by one of the other; what stands no lower may lead back."""
    return FOLLOWING.get(target, 0) < FOLLOWING.get(follower, 0)


def _codings(codes: Sequence[Code]) -> frozenset[Coding]:
    return frozenset(Coding(*code) for code in codes)


def _time(facts: Facts) -> Interval | None:
    if facts.time is None:
        return None
    start, end = facts.time.start, facts.time.end
    return Interval(None if start == BEGINNING else start, None if end == END else end)
