import pytest

from fhirmap.errors import UnreadableSource
from fhirmap.jahis.decode import split_lines

TEXT = "JAHISTC08,1\r\n1,見本 花子,2,S300401\r\n501,１日３～４回,1\r\n"


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16"])
def test_every_usual_encoding_is_recognised(encoding: str) -> None:
    lines, deviations = split_lines(TEXT.encode(encoding))
    assert [line.record for line in lines] == ["JAHISTC08", "1", "501"]
    assert lines[1].fields[0] == "見本 花子"
    assert lines[2].fields[0] == "１日３～４回"
    assert deviations == []


def test_half_width_katakana_in_cp932_are_not_taken_for_utf8() -> None:
    lines, _ = split_lines("JAHISTC08,1\r\n501,ﾁｱﾂｲ,1\r\n".encode("cp932"))
    assert lines[1].fields[0] == "ﾁｱﾂｲ"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_line_end_is_accepted(end: str) -> None:
    lines, _ = split_lines(TEXT.replace("\r\n", end).encode("cp932"))
    assert [line.number for line in lines] == [1, 2, 3]


def test_blank_lines_and_the_dos_end_of_file_are_passed_over() -> None:
    lines, deviations = split_lines(f"\r\n{TEXT}\r\n\x1a".encode("cp932"))
    assert [line.number for line in lines] == [2, 3, 4]
    assert deviations == []


def test_a_quotation_mark_is_a_character_like_any_other() -> None:
    lines, _ = split_lines(b'JAHISTC08,1\r\n501,5" "a,1\r\n')
    assert lines[1].fields == ('5" "a', "1")


def test_record_numbers_in_full_width_are_read() -> None:
    lines, _ = split_lines("ＪＡＨＩＳＴＣ０８,1\n５,20260310,1\n".encode())
    assert lines[0].header_version == 8
    assert lines[1].record == "5"


def test_a_line_parted_by_full_width_commas_is_read_and_reported() -> None:
    lines, deviations = split_lines("JAHISTC08,1\n５，２０２６０３１０，１\n".encode("cp932"))
    assert lines[1].fields == ("２０２６０３１０", "１")
    assert [(each.line, each.record) for each in deviations] == [(2, "5")]


def test_undecodable_bytes_private_and_control_characters_are_reported_and_the_rest_is_read() -> None:
    lines, deviations = split_lines(TEXT.encode("cp932") + b"501,\xf0\x40\x00\x07ok\x81,1\r\n")
    assert "ok" in lines[3].fields[0]
    assert [(each.line, each.record) for each in deviations] == [(4, "501")] * 3


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n \r\n", b"\x1a", b"1,no header,1\r\n", b"%PDF-1.7\n", b"\x00\x01\x02\xff", b"JAHISTC,1"],
)
def test_what_no_person_could_read_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSource):
        split_lines(data)


LONGER = (
    TEXT
    + "201,1,アムロジピンＯＤ錠５ｍｇ「見本」,1,錠,4,2171022F5999,1\r\n301,1,１日１回　朝食後服用,28,日分\r\n"
)


BYTES_OF_NONE = b"JAHISTC08,1\r\n1,\x85\x21\x86\x21\x87\x21\x88\x21\x89\x21\r\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (LONGER.replace("～", "").encode("euc_jp"), "EUC-JP"),
        (LONGER.replace("～", "").encode("iso2022_jp"), "ISO-2022-JP"),
        (BYTES_OF_NONE, "no characters"),
    ],
    ids=["euc", "jis", "none"],
)
def test_a_file_in_an_encoding_that_is_not_read_is_refused_with_its_name(data: bytes, told: str) -> None:
    with pytest.raises(UnreadableSource, match=told):
        split_lines(data)


@pytest.mark.parametrize("text", ["ﾐﾎﾝ ﾊﾅｺ", "ﾁｱﾂｲ･ｻﾗｼ", "ｱ･ｲ･ｳ･ｴ･"])
def test_half_width_katakana_are_not_taken_for_another_encoding(text: str) -> None:
    lines, _ = split_lines(f"JAHISTC08,1\r\n501,{text},1\r\n".encode("cp932"))
    assert lines[1].fields[0] == text


def test_a_byte_here_and_there_keeps_nobody_from_the_rest() -> None:
    data = LONGER.encode("cp932").replace("錠".encode("cp932"), b"\xff\xff")
    lines, deviations = split_lines(data)
    assert lines[1].fields[0] == "見本 花子"
    assert {each.line for each in deviations} == {4}
