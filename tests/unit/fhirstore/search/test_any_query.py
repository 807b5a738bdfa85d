"""Whatever is asked by the parameters that there are: it is understood or refused, and never a fault.

http://hl7.org/fhir/R4/search.html
"""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from fhirstore.keys import KeyMaker
from fhirstore.parameters import Kind, parameters_of
from fhirstore.search.query import Query, parse_query
from fhirstore.search.result import RESULT
from fhirstore.search.test import SearchError
from fhirstore.types import TYPES

Pair = tuple[str, str]

KEYS: Final = KeyMaker(bytes(range(32)))
VALUES: Final = st.sampled_from(
    (
        "", " ", ",", "|", "||", "|||", "\\", "\\,", "a\\", "$", "a$b", "8480-6$gt100", "%", "*", "'", "\x00", "花",
        "0", "-0", "0e0", "1e400", "NaN", "１２", "gt", "gt-1", "ap0", "ne5.40", "2026-13", "2026-02-30", "0000",
        "2016-12-31T23:59:60Z", "2026-01-01T00:00+25:00", "ap0001", "Patient/", "Patient/..", "#", "http://",
        "Patient/a/_history/1", "5.4||", "5.4|http://unitsofmeasure.org|[", "1|http://unitsofmeasure.org|10*999",
        "true", "TRUE", "a|b|c|d", "a,b", "http://loinc.org|8480-6",
    )
)  # fmt: skip
MODIFIERS: Final = st.sampled_from(
    (
        ":exact", ":contains", ":missing", ":not", ":text", ":in", ":not-in", ":identifier", ":of-type", ":above",
        ":below", ":Patient", ":Nothing", ":iterate", ":", "::", ":exact:not", "", "", "",
    )
)  # fmt: skip


def names(type_name: str) -> st.SearchStrategy[str]:
    """A parameter of a type, its modifier, and what a chain or `_has` makes of it, one of another type or none."""
    known = sorted(parameters_of(type_name))
    references = [name for name in known if parameters_of(type_name)[name].kind is Kind.REFERENCE]
    plain = st.tuples(st.sampled_from(known), MODIFIERS).map("".join)
    ends = st.sampled_from(
        ("_id", "name", "_lastUpdated", "code:not", "patient.name", "", ".", "nothing", ":x")
    )
    types = st.sampled_from(("", *(f":{name}" for name in TYPES)))
    chained = st.builds(
        lambda *parts: "{}{}.{}".format(*parts), st.sampled_from(references or known), types, ends
    )
    sources = st.sampled_from(sorted(TYPES)).flatmap(
        lambda name: st.sampled_from(sorted(parameters_of(name))).map(lambda each: f"_has:{name}:{each}:")
    )
    return st.one_of(plain, chained, st.tuples(sources, ends).map("".join), st.sampled_from(sorted(RESULT)))


ASKED: Final = st.sampled_from(sorted(TYPES)).flatmap(
    lambda name: st.tuples(st.just(name), st.lists(st.tuples(names(name), VALUES), min_size=1, max_size=3))
)


@given(asked=ASKED, lenient=st.booleans())
def test_a_search_is_understood_or_refused(asked: tuple[str, list[Pair]], *, lenient: bool) -> None:
    type_name, pairs = asked
    try:
        query: Query | None = parse_query(
            (TYPES[type_name],),
            pairs,
            keys=KEYS,
            zone=ZoneInfo("Asia/Tokyo"),
            base_urls=("http://passport.test/fhir",),
            now=datetime(2026, 11, 1, tzinfo=UTC),
            sifting=True,
            lenient=lenient,
        )
    except SearchError as error:
        query = None
        refused = (error.parameter, str(error))
        assert all(refused)
    assert query is None or query.types == (TYPES[type_name],)
