import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from fhirmap.errors import MalformedPayload, MappingError
from fhirmap.formats import FORMATS, Mapped
from fhirmap.jsonformat import Json

Valid = Callable[[Iterable[Json]], None]
CUFF = {"gatt": "2A35", "hex": "0079004f005d00", "time": "2026-11-21T06:45:00+09:00"}


def gatt(content: object) -> Mapped:
    return FORMATS["gatt"](json.dumps(content).encode())


def resources(mapped: Mapped) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in mapped.bundle["entry"]]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (each for name, each in value.items() if name == "reference")
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_a_notebook_becomes_a_bundle_whose_references_all_resolve(notebook: str, valid: Valid) -> None:
    mapped = FORMATS["jahis"](notebook.encode("cp932"))
    valid([mapped.bundle])
    patient, *_ = resources(mapped)
    assert [each["text"] for each in patient["name"]] == ["見本 花子", "ミホン ハナコ"]
    assert (patient["gender"], patient["birthDate"]) == ("female", "1955-04-01")
    assert set(references(mapped.bundle)) <= {entry["fullUrl"] for entry in mapped.bundle["entry"]}


def test_deviations_of_a_notebook_come_with_the_bundle(notebook: str) -> None:
    mapped = FORMATS["jahis"]((notebook + "999,x,1\n").encode())
    assert [(each.line, each.record) for each in mapped.deviations] == [(10, "999")]


@pytest.mark.parametrize(
    "content",
    [CUFF, [CUFF], {"readings": [CUFF]}, {"vectors": [{"uuid": "2A35", "hex": CUFF["hex"]} | CUFF]}],
)
def test_a_payload_is_found_in_every_usual_wrapping(content: object, valid: Valid) -> None:
    mapped = gatt(content)
    valid([mapped.bundle])
    assert mapped.deviations == ()
    assert [each["resourceType"] for each in resources(mapped)] == ["Patient", "Device", "Observation"]
    assert set(references(mapped.bundle)) <= {entry["fullUrl"] for entry in mapped.bundle["entry"]}


def test_json_lines_are_read_line_by_line() -> None:
    lines = "\n".join(json.dumps(each) for each in (CUFF, CUFF)).encode()
    mapped = FORMATS["gatt"](lines)
    urls = [entry["fullUrl"] for entry in mapped.bundle["entry"]]
    assert len(set(urls)) == len(urls) == 4


def test_without_a_time_the_device_clock_is_taken_and_reported() -> None:
    mapped = gatt({"gatt": "2A35", "hex": "0679004f005d00ea0704010705093a00"})
    pressure, pulse = resources(mapped)[2:]
    assert pressure["effectiveDateTime"] == pulse["effectiveDateTime"] == "2026-04-01T07:05:09+09:00"
    assert [(each.line, each.record) for each in mapped.deviations] == [(1, "2A35")]


def test_without_any_time_the_time_is_absent(valid: Valid) -> None:
    mapped = gatt({"gatt": "2A37", "hex": "0048"})
    valid([mapped.bundle])
    assert "effectiveDateTime" not in resources(mapped)[2]
    assert mapped.deviations[0].text == "no time given, and none in the payload"


def test_a_value_that_is_not_believed_is_reported() -> None:
    (deviation,) = gatt({**CUFF, "gatt": "2A37", "hex": "0003"}).deviations
    assert deviation.text == "Heart rate lies outside of the believable range"


def test_a_malformed_reading_among_others_is_reported_and_the_others_are_mapped() -> None:
    mapped = gatt([{"gatt": "2A35", "hex": "00"}, CUFF, "x"])
    assert [each.line for each in mapped.deviations] == [1, 3]
    assert len(resources(mapped)) == 3


@pytest.mark.parametrize("content", [[], {}, {"vectors": []}, 7, "2A35", [None], {"gatt": "2A35"}])
def test_a_file_without_any_reading_is_refused(content: object) -> None:
    with pytest.raises(MappingError):
        gatt(content)


def test_a_file_whose_only_payload_is_short_is_refused_for_that() -> None:
    with pytest.raises(MalformedPayload, match="got 1 bytes, expected 7"):
        gatt({**CUFF, "hex": "00"})
