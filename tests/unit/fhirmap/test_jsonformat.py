from decimal import Decimal
from typing import Any

import pytest

from fhirmap.errors import MalformedJson
from fhirmap.jsonformat import dumps, loads, present


@pytest.mark.parametrize("number", ["72.50", "0.0", "-1.230", "128", "0.00000001"])
def test_numbers_come_out_as_they_went_in(number: str) -> None:
    text = f'{{"value":{number}}}'.encode()
    assert dumps(loads(text)) == text


def test_a_positive_exponent_is_written_out() -> None:
    assert dumps(Decimal("2E+2")) == b"200"


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b'{"a":Infinity}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedJson):
        loads(text)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_json_cannot_hold_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        dumps(value)


def test_absent_members_are_left_out_and_zero_and_false_are_not() -> None:
    members: dict[str, Any] = {"a": None, "b": [], "c": {}, "d": "", "e": 0, "f": False, "g": Decimal(0)}
    assert present(members) == {"e": 0, "f": False, "g": Decimal(0)}
