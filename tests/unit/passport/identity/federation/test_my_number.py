"""What has the shape of a My Number is found, however it is written, and what has not is left alone."""

import pytest

from passport.identity.federation.my_number import holds_one, is_one, names_one
from passport.identity.federation.saying import said_of

GOOD = "123456789018"


def with_check_digit(eleven: str) -> str:
    """By the ordinance, written out in another way than the product does it."""
    weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]
    left = sum(int(digit) * weight for digit, weight in zip(eleven, weights, strict=True)) % 11
    return eleven + str(0 if left <= 1 else 11 - left)


@pytest.mark.parametrize(
    "eleven", ["12345678901", "00000000000", "99999999999", "31415926535", "27182818284"]
)
def test_one_check_digit_of_ten_is_right(eleven: str) -> None:
    good = with_check_digit(eleven)
    assert [digit for digit in "0123456789" if is_one(eleven + digit)] == [good[-1]]


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        int(GOOD),
        "1234 5678 9018",
        "1234-5678-9018",
        "１２３４５６７８９０１８",
        f"番号は{GOOD}です",
        ["x", {"y": GOOD}],
        {"マイナンバー": "-"},
        {"my_number": None},
    ],
)
def test_it_is_found_however_it_is_written(value: object) -> None:
    assert holds_one(value)


@pytest.mark.parametrize(
    "value",
    [
        "123456789012",
        "1234567890180",
        "12345678901",
        "架空県架空市1丁目2番3号",
        None,
        True,
        {"phone_number": "x"},
    ],
)
def test_what_is_none_is_left_alone(value: object) -> None:
    assert not holds_one(value)


def test_it_is_found_by_its_name_wherever_it_stands() -> None:
    assert names_one({"individualNumber": "x"})
    assert names_one({"a": {"b": [{"個人番号": "x"}]}})
    assert not names_one({"sub": "x", "phone_number": "x", "address": {"house_number": "x"}})


def test_an_attribute_that_holds_one_is_left_out_and_the_others_stay() -> None:
    said = {"name": f"見本 {GOOD}", "birthdate": "1958-04-12", "gender": "female", "email": "x@example.jp"}
    assert said_of(said, ("name", "address", "birthdate", "gender")) == {
        "birthdate": "1958-04-12",
        "gender": "female",
    }


@pytest.mark.parametrize(
    "said",
    [
        {"birthdate": "1958-13-12"},
        {"birthdate": "0000-04-12"},
        {"gender": "unknown"},
        {"name": ""},
        {"name": "x" * 300},
        {"name": "a\u202eb"},
        {"address": {"country": "JP"}},
    ],
)
def test_what_cannot_be_taken_over_is_not_offered(said: dict[str, object]) -> None:
    assert said_of(said, ("name", "address", "birthdate", "gender")) == {}
