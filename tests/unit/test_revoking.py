"""What finds a stale answer finds it: histories that one order explains, and histories that none does."""

import pytest

from tests.attacks.revoking import Change, Look, Span, after_withdrawal, unexplained

SHARED, WITHDRAWN, AGAIN = (
    Change(Span(10, 20), shared=True),
    Change(Span(30, 40), shared=False),
    Change(Span(60, 70), shared=True),
)
HISTORY = (SHARED, WITHDRAWN, AGAIN)


def look(began: int, answered: int, *, seen: bool) -> Look:
    return Look(Span(began, answered), seen, "read")


@pytest.mark.parametrize(
    ("began", "answered", "seen"),
    [
        (1, 5, False),
        (12, 18, False),
        (12, 18, True),
        (22, 28, True),
        (32, 38, True),
        (32, 38, False),
        (22, 35, True),
        (35, 45, True),
        (42, 50, False),
        (42, 65, True),
        (1, 100, True),
        (72, 80, True),
    ],
)
def test_what_may_have_been_so_at_its_time_is_explained(began: int, answered: int, seen: bool) -> None:
    assert unexplained(HISTORY, [look(began, answered, seen=seen)]) == []


@pytest.mark.parametrize(
    ("began", "answered", "seen"),
    [(1, 5, True), (22, 28, False), (41, 50, True), (42, 59, True), (72, 80, False)],
)
def test_what_was_never_so_at_its_time_is_not(began: int, answered: int, seen: bool) -> None:
    odd = look(began, answered, seen=seen)
    assert unexplained(HISTORY, [odd]) == [odd]


def test_nobody_sees_what_was_withdrawn_after_somebody_saw_that_it_was() -> None:
    gone, back = look(31, 33, seen=False), look(34, 36, seen=True)
    assert unexplained(HISTORY, [back]) == []
    assert unexplained(HISTORY, [gone, back]) == [back]
    assert unexplained(HISTORY, [gone, look(32, 36, seen=True)]) == []


def test_looks_that_prove_something_are_counted() -> None:
    looks = [
        look(41, 50, seen=False),
        look(39, 50, seen=False),
        look(45, 61, seen=False),
        look(80, 90, seen=True),
    ]
    assert after_withdrawal(HISTORY, looks) == 1
    assert after_withdrawal(HISTORY[:2], looks) == 3
