"""Members of a request's JSON, https://www.rfc-editor.org/rfc/rfc8259#section-4."""

import pytest

from passport.members import check_members
from passport.outcomes import Invalid


def test_what_is_known_and_what_is_required_may_stand() -> None:
    check_members({"a": 1, "b": 2}, ("b", "c"), ("a",))


def test_another_member_is_named_and_where_it_stands() -> None:
    with pytest.raises(Invalid, match="got `x`, expected no more than a, b") as refused:
        check_members({"a": 1, "x": 2}, ("b",), ("a",))
    assert [problem.expression for problem in refused.value.problems] == ["x"]


def test_a_member_with_an_endless_name_is_cut() -> None:
    with pytest.raises(Invalid) as refused:
        check_members({"x" * 1_000: 1}, ("a",))
    assert len(str(refused.value)) < 150


def test_each_missing_member_is_named_and_what_may_be_left_out_is_told_apart() -> None:
    with pytest.raises(Invalid, match=r"got no `a`, `b`, expected a, b, and there may be c$"):
        check_members({}, ("c",), ("a", "b"))
