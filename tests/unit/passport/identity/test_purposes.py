"""The list of purposes is closed, and nobody is given the emergency's."""

import pytest

from passport.identity.purposes import GRANTABLE, UnknownPurpose, all_grantable, grantable


@pytest.mark.parametrize("code", GRANTABLE)
def test_each_of_the_ten_can_be_given(code: str) -> None:
    assert grantable(code) == code


def test_there_are_ten_beside_the_emergency() -> None:
    assert len(GRANTABLE) == 10


@pytest.mark.parametrize("code", ["BTG", "", "treat", "TREAT ", "MARKETING", None, 3, ["TREAT"]])
def test_anything_else_is_refused(code: object) -> None:
    with pytest.raises(UnknownPurpose):
        grantable(code)


def test_a_list_of_purposes_holds_each_once() -> None:
    assert all_grantable(["TREAT", "CAREMGT", "TREAT"]) == ("TREAT", "CAREMGT")


@pytest.mark.parametrize("codes", [[], "TREAT", None, 5, ["TREAT", "BTG"], [None]])
def test_a_list_that_is_empty_or_holds_another_is_refused(codes: object) -> None:
    with pytest.raises(UnknownPurpose):
        all_grantable(codes)


def test_a_refusal_says_which_member_and_whether_there_was_one() -> None:
    told = {}
    for name, read in (("purpose", grantable), ("purposes", all_grantable)):
        for missing in (True, False):
            with pytest.raises(UnknownPurpose) as refused:
                read(None if missing else "MARKETING")
            assert refused.value.expression == (name,)
            told[name, missing] = refused.value.text.partition(",")[0]
    assert told["purpose", True] == told["purposes", True] == "got no purpose of use"
    assert told["purpose", False] == told["purposes", False] == "got another purpose of use"
