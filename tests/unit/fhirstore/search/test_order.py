"""Orders by what records say, and the cursors that lead on in them."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.parameters import parameters_of
from fhirstore.search.cursor import BadCursor, SortValue, open_cursor, seal_cursor
from fhirstore.search.order import COMPARED_CHARACTERS, Place, follows, in_order, room
from fhirstore.search.sort import SortKey

SECRET = bytes(range(32))
PARAMETER = parameters_of("Observation")["value-quantity"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=COMPARED_CHARACTERS)
VALUES = st.one_of(
    st.none(),
    TEXTS,
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**20), max_value=10**20),
    st.datetimes(timezones=st.just(UTC)),
)
ORDERS = st.lists(st.booleans(), min_size=1, max_size=4).map(
    lambda downs: [SortKey(f"k{at}", down, (PARAMETER,)) for at, down in enumerate(downs)]
)


@st.composite
def ordered(draw: st.DrawFn) -> tuple[list[SortKey], list[Place]]:
    order = draw(ORDERS)
    values = st.lists(VALUES, min_size=len(order), max_size=len(order))
    keys = draw(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=12))
    return order, [(draw(values), key) for key in keys]


@given(ordered())
def test_each_place_follows_those_before_it_and_no_other(drawn: tuple[list[SortKey], list[Place]]) -> None:
    order, places = drawn
    listed = [places[at] for at in in_order(places, order)]
    assert len(listed) == len(places)
    for at, place in enumerate(listed):
        assert [follows(other, place, order) for other in listed] == [
            other > at for other in range(len(listed))
        ]


def test_what_has_no_value_comes_last_both_ways() -> None:
    places: list[Place] = [
        ([value], key) for key, value in enumerate((None, Decimal(1), Decimal("1.5"), None))
    ]
    for descending, expected in ((False, [1, 2, 0, 3]), (True, [2, 1, 3, 0])):
        assert in_order(places, [SortKey("k", descending, (PARAMETER,))]) == expected


@given(st.lists(VALUES, min_size=2, max_size=2), st.integers(-(2**63), 2**63 - 1))
def test_a_cursor_gives_back_its_place_and_is_of_one_length(values: list[SortValue], key: int) -> None:
    order = [
        SortKey("a", descending=False, parameters=(PARAMETER,)),
        SortKey("b", descending=True, parameters=(PARAMETER,)),
    ]
    text = seal_cursor(SECRET, b"question", values, key, more_bytes=room(order))
    assert open_cursor(SECRET, b"question", text) == (values, key)
    empty = seal_cursor(SECRET, b"question", [None, None], 0, more_bytes=room(order))
    assert len(text) == len(empty)
    with pytest.raises(BadCursor):
        open_cursor(SECRET, b"another question", text)


def test_places_of_rows_take_no_further_room() -> None:
    assert room([SortKey("time", descending=True), SortKey("_id", descending=False)]) == 0


def test_moments_are_compared_as_moments() -> None:
    order = [SortKey("k", descending=False, parameters=(PARAMETER,))]
    moments = [datetime(2026, 10, day, tzinfo=UTC) for day in (1, 2, 3)]
    places: list[Place] = [([moment], key) for key, moment in enumerate(moments)]
    assert all(follows(later, earlier, order) for earlier, later in pairwise(places))
