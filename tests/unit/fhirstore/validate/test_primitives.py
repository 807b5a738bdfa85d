from time import perf_counter

import pytest

from fhirstore.validate.primitives import CHECKS

GOOD: dict[str, list[object]] = {
    "boolean": [True, False],
    "integer": [0, -1, 2**31 - 1, -(2**31)],
    "unsignedInt": [0, 2**31 - 1],
    "positiveInt": [1],
    "string": ["a", " a ", "花子", "a\nb\tc\rd", " "],
    "code": ["a", "a b", "<=", "Asia/Tokyo"],
    "id": ["a", "A-z.0", "a" * 64],
    "uri": ["http://x.example/a?b#c", "urn:oid:1.2", "#x", "日本"],
    "oid": ["urn:oid:1.2.392.100495.20.1.73", "urn:oid:2.16"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "base64Binary": ["YQ==", "YWI=", "YWJj", "YW\nJj", ""],
    "date": ["2024", "2024-06", "2024-06-01", "0001", "2024-02-29"],
    "dateTime": ["2024", "2024-06-01T10:00:00Z", "2024-06-01T10:00:00.123+09:00", "2016-12-31T23:59:60Z"],
    "instant": ["2024-06-01T10:00:00Z", "2024-06-01T10:00:00.1+14:00"],
    "time": ["10:00:00", "23:59:60", "00:00:00.000"],
}
BAD: dict[str, list[object]] = {
    "boolean": [0, 1, "true", None, "yes"],
    "integer": ["1", True, None, 1.0, 2**31],
    "unsignedInt": [-1],
    "positiveInt": [0],
    "string": ["", 5, None, True, ["a"], "a\x00", "a\x0b"],
    "code": ["", " a", "a ", "a  b", "a\tb", "a\n", 5],
    "id": ["", "a b", "a" * 65, "a_b", "日", "a/b", "a\n", 5],
    "uri": ["", "a b", "a\n", 5],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
    "base64Binary": ["@@@", "YQ=", "Y", "YQ==YQ==", 5],
    "date": ["", "0000", "2024-13", "2024-02-30", "2023-02-29", "24", "2024-6", "2024-06-01T10:00:00Z", 2024],
    "dateTime": [
        "2024-06-01T10:00:00",
        "2024-06-01T10:00Z",
        "2024-06-01T24:00:00Z",
        "2024-06-01T10:00:00+15:00",
        "2024-06-01 10:00:00Z",
        "2024-02-30T10:00:00Z",
        "0000-01-01T10:00:00Z",
        "yesterday",
    ],
    "instant": ["2024", "2024-06-01", "2024-06-01T10:00:00"],
    "time": ["24:00:00", "10:00", "10:00:00Z"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in GOOD for value in GOOD[name]])
def test_value_of_the_type_is_accepted(name: str, value: object) -> None:
    assert CHECKS[name](value) is None


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in BAD for value in BAD[name]])
def test_other_value_is_refused_without_repeating_it(name: str, value: object) -> None:
    reason = CHECKS[name](value)
    assert reason is not None
    assert reason.startswith("expected ")


def test_string_over_a_megabyte_is_refused() -> None:
    assert CHECKS["string"]("a" * (1024 * 1024)) is None
    assert CHECKS["string"]("a" * (1024 * 1024 + 1)) is not None
    assert CHECKS["string"]("花" * (1024 * 1024 // 3 + 1)) is not None


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    "text", ["AAAA" + " " * 500_000 + "!", "A " * 250_000 + "!", "urn:oid:1" + ".1" * 250_000 + "x"]
)
def test_check_of_a_hostile_text_costs_no_more_than_its_length(name: str, text: str) -> None:
    began = perf_counter()
    CHECKS[name](text)
    assert perf_counter() - began < 5
