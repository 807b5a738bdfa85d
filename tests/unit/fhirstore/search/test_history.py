"""What a history is asked for."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhirstore.search.history import parse_changes
from fhirstore.search.test import SearchError

TOKYO = ZoneInfo("Asia/Tokyo")


def test_a_history_is_asked_since_an_instant_or_as_of_a_day() -> None:
    asked = parse_changes([("_since", "2026-10-01T09:00:00+09:00"), ("_at", "2026-10-02")], zone=TOKYO)
    assert asked.since == datetime(2026, 10, 1, tzinfo=UTC)
    assert asked.at is not None
    assert asked.at.start == datetime(2026, 10, 1, 15, tzinfo=UTC)
    assert (asked.count, asked.cursor) == (50, None)


def test_the_echo_is_what_was_understood() -> None:
    asked = parse_changes([("_count", "5000"), ("_cursor", "x"), ("foo", "1")], zone=TOKYO, lenient=True)
    assert asked.echo == (("_count", "1000"),)
    assert asked.cursor == "x"


@pytest.mark.parametrize(
    "pairs",
    [
        [("foo", "1")],
        [("_since", "soon")],
        [("_at", "")],
        [("_count", "0")],
        [("_count", "-1")],
        [("_count", "1"), ("_count", "2")],
        [("_sort", "_lastUpdated")],
    ],
)
def test_what_a_history_cannot_be_asked_is_named(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(SearchError) as refused:
        parse_changes(pairs, zone=TOKYO)
    assert refused.value.parameter == pairs[-1][0]
