"""What a row of the log says was asked for."""

import pytest

from passport.audit.query import recorded
from passport.explaining.access import asked_for


@pytest.mark.parametrize(
    ("action", "method", "path", "found"),
    [
        ("read", "GET", "Observation/1", ("Observation/1", "Observation")),
        ("vread", "GET", "Observation/1/_history/2", ("Observation/1", "Observation")),
        ("history", "GET", "Observation/1/_history", ("Observation/1", "Observation")),
        ("update", "PUT", "Observation/1", ("Observation/1", "Observation")),
        ("create", "POST", "Observation", (None, "Observation")),
        ("search", "GET", "Observation", (None, "Observation")),
        ("search", "GET", "Patient/1/Observation", (None, "Observation")),
        ("search-system", "GET", "Patient/1/*", (None, None)),
        ("everything", "GET", "Patient/1/$everything", (None, None)),
        ("lastn", "GET", "Observation/$lastn", (None, None)),
        ("batch", "POST", "", (None, None)),
        ("read", "GET", "devices/1", (None, None)),
        ("read", "GET", "notifications", (None, None)),
    ],
)
def test_the_record_and_the_type_are_read_from_the_log(
    action: str, method: str, path: str, found: tuple[str | None, str | None]
) -> None:
    assert asked_for(action, recorded(method, path)) == found
    assert asked_for(action, recorded(method, path, [("date", "ge2026-01-01")])) == found


def test_a_text_that_is_no_request_asks_for_nothing() -> None:
    assert asked_for("read", "") == (None, None)
    assert asked_for("read", "***") == (None, None)
