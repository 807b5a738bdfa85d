"""What one file may become: linear in its size, whatever refers to what, and never more than a worker can do."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from fhirmap.errors import TooMuch
from fhirmap.jahis import limits
from fhirmap.jahis.decode import split_lines
from fhirmap.jahis.limits import MAX_DRUGS_OF_RP, MAX_SHARED, Findings, limited
from fhirmap.jahis.read import read_notebook
from fhirmap.jahis.to_fhir import Imported, import_jahis

Import = Callable[..., Imported]

DRUG = "201,1,見本錠,1,錠,1,,1\n"
BOUGHT = "JAHISTC08,2\n1,見本 花子,2,S300401\n"

SHARED = {
    "usages": "301,1,食後,7,日分,1,1,,1\n",
    "usage supplements": "311,1,補足,1\n",
    "notes of the RP": "391,1,注意,1\n",
    "supplements of a medicine": "281,1,補足,1\n",
    "notes of a medicine": "291,1,注意,1\n",
    "notes of the visit": "421,残薬なし,1\n",
    "pharmacists": "15,例示 薬子,,1\n",
}


def repeated(tree: Any) -> int:
    """The longest list anywhere in a resource."""
    if isinstance(tree, dict):
        return max(map(repeated, tree.values()), default=0)
    if isinstance(tree, list):
        return max(len(tree), *map(repeated, tree))
    return 0


@pytest.mark.parametrize("line", SHARED.values(), ids=SHARED)
def test_what_medicines_share_is_limited_and_what_is_beyond_is_told_by_line(head: str, line: str) -> None:
    result = import_jahis((head + DRUG + line * (MAX_SHARED + 5)).encode(), patient="Patient/1", source="x")
    assert max(map(repeated, result.resources)) <= MAX_SHARED + 1
    first = head.count("\n") + 2
    beyond = [each.line for each in result.deviations if each.text.startswith(f"further than {MAX_SHARED}")]
    assert beyond[-1] == first + MAX_SHARED + 4
    assert beyond == list(range(beyond[0], beyond[-1] + 1))


def test_an_rp_has_so_many_medicines_and_the_texts_of_further_ones_are_no_others(head: str) -> None:
    further = "201,1,多すぎる錠,1,錠,1,,1\n281,1,その補足,1\n291,1,その注意,1\n"
    data = head + DRUG * MAX_DRUGS_OF_RP + further + "201,2,別の錠,1,錠,1,,1\n281,2,別の補足,1\n"
    result = import_jahis(data.encode(), patient="Patient/1", source="x")
    assert len(result.resources) == 2 * (MAX_DRUGS_OF_RP + 1)
    assert not any("その" in str(each) or "多すぎる" in str(each) for each in result.resources)
    assert "別の補足" in str(result.resources[-1])
    told = [(each.record, each.text) for each in result.deviations if each.text.endswith("not imported")]
    assert told == [
        ("201", f"further than {MAX_DRUGS_OF_RP} of its RP, not imported"),
        ("281", "belongs to a medicine that is not imported, not imported"),
        ("291", "belongs to a medicine that is not imported, not imported"),
    ]


def test_the_text_of_a_medicine_without_a_name_is_not_given_to_the_one_before(
    head: str, imported: Import
) -> None:
    usage = "301,1,食後,7,日分,1,1,,1\n"
    result = imported(head + DRUG + "201,1,,1,錠,1,,1\n291,1,名のない薬の注意,1\n" + usage)
    assert not any("名のない" in str(each) for each in result.resources)


def test_ingredients_belong_to_the_last_medicine_of_their_number_and_are_limited() -> None:
    bought = "3,薬Ａ,,,2,1,\n3,薬Ｂ,,,2,1,\n3,薬Ｃ,,,2,2,\n" + "31,1,成分,1,,2\n" * (MAX_SHARED + 1)
    result = import_jahis((BOUGHT + bought).encode(), patient="Patient/1", source="x")
    assert [len(each.get("note", ())) for each in result.resources] == [0, MAX_SHARED, 0]
    assert result.deviations[-1].text == f"further than {MAX_SHARED} of its medicine, not imported"


def lines_run(data: bytes) -> int:
    """How many lines of the mapping are run for a file: a measure of work that no machine's speed is in."""
    run = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal run
        run += event == "line"
        return trace if "fhirmap" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        import_jahis(data, patient="Patient/1", source="x")
    finally:
        sys.settrace(before)
    return run


@pytest.mark.parametrize(
    "body",
    [
        lambda n: DRUG * n + "301,1,食後,7,日分,1,1,,1\n" * n,
        lambda n: "".join(f"3,薬,,,2,{i},\n" for i in range(n)) + "31,zz,成分,1,,2\n" * n,
        lambda n: DRUG * n + "391,1,注意,1\n421,残薬なし,1\n" * n,
        lambda n: "JAHISTC08,1\n911,1,999,1\n" * n,
    ],
    ids=["usages", "ingredients", "notes", "parts"],
)
def test_twice_the_lines_are_at_most_twice_the_work(body: Callable[[int], str], head: str) -> None:
    once, twice = (lines_run((head + body(n)).encode()) for n in (250, 500))
    assert twice <= 2.1 * once


def test_a_file_of_too_many_records_is_refused(monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    monkeypatch.setattr(limits, "MAX_RECORDS", 10)
    import_jahis((head + DRUG * 5).encode(), patient="Patient/1", source="x")
    with pytest.raises(TooMuch, match="got more than 10 records"):
        import_jahis((head + DRUG * 6).encode(), patient="Patient/1", source="x")


def test_no_more_is_made_of_a_file_once_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OUTPUT_BYTES", 1_000)
    made = iter([{"text": "長" * 100}] * 10)
    with pytest.raises(TooMuch, match="got records of more than 1000 bytes"):
        limited(made, Findings())
    assert len(list(made)) == 6


def test_a_text_of_a_whole_file_is_not_given_to_every_medicine(head: str) -> None:
    data = head + "".join(f"201,{rp},見本錠,1,錠,1,,1\n" for rp in range(100)) + f"421,{'長' * 150_000},1\n"
    with pytest.raises(TooMuch, match="bytes"):
        import_jahis(data.encode(), patient="Patient/1", source="x")


def test_a_file_of_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.jahis.decode.MAX_LINES", 3)
    assert len(split_lines(b"JAHISTC08,1\n501,a,1\n\n\n501,a,1\n")[0]) == 3
    with pytest.raises(TooMuch, match="got more than 3 lines"):
        split_lines(b"JAHISTC08,1\n" + b"501,a,1\n" * 3)


def test_so_many_deviations_are_listed_the_first_by_line_and_the_others_counted() -> None:
    findings = Findings()
    lines, _ = split_lines(b"JAHISTC08,1\n" + b"999,x\n" * 5_000)
    read_notebook(lines[:1] + lines[:0:-1], findings)
    told = findings.listed()
    assert told[0].text == f"{5_001 - limits.MAX_DEVIATIONS} further deviations are not listed"
    assert [each.line for each in told[1:4]] == [0, 2, 3]
    assert len(told) == limits.MAX_DEVIATIONS + 1
