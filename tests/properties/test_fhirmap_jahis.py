"""Laws of reading an お薬手帳: dates go both ways, hostile files are read or refused, never more."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.bundle import url_of
from fhirmap.errors import MappingError
from fhirmap.formats import FORMATS
from fhirmap.jahis.dates import ERAS, read_date
from fhirmap.jahis.records import RECORDS
from fhirmap.jahis.to_fhir import Imported, import_jahis
from fhirmap.jsonformat import dumps

days = st.dates(date(1868, 1, 25), date(2117, 12, 31))
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=",\r\n") | st.sampled_from('　 "，１Ａｱ9.'),
    max_size=8,
)
fields = st.one_of(
    words,
    st.sampled_from(
        ["", "1", "2", "3", "9", "01", "0.5", "R080310", "20260310", "日分", "回分", "錠", "適量"]
    ),
)
lines = st.builds(
    lambda record, rest: ",".join([record, *rest]),
    st.sampled_from([*RECORDS, "999", "JAHISTC08", "JAHISTC99"]) | words,
    st.lists(fields, max_size=12),
)
notebooks = st.lists(lines, max_size=25).map(lambda each: "\r\n".join(["JAHISTC08,1", *each]))


def imported(data: bytes) -> Imported | None:
    try:
        return import_jahis(data, patient="Patient/1", source="Organization/1")
    except MappingError:
        return None


def references(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        yield from (each for name, each in value.items() if name == "reference")
        yield from references(list(value.values()))


@given(days)
def test_every_day_of_the_eras_is_read_from_both_forms(day: date) -> None:
    era = next(each for each in ERAS if each.first <= day <= each.last)
    written = f"{era.letter}{day.year - era.first.year + 1:02}{day:%m%d}"
    assert read_date(written) == read_date(f"{day:%Y%m%d}")
    assert read_date(written).day == day
    assert read_date(written).deviation is None


def test_the_eras_follow_each_other_without_gap() -> None:
    for before, after in pairwise(ERAS):
        assert before.last + timedelta(days=1) == after.first


@given(words)
def test_any_text_is_a_date_or_a_deviation(text: str) -> None:
    read = read_date(text)
    assert read.day is not None or read.deviation


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_mapped_or_refused(data: bytes, with_header: bool) -> None:
    imported(b"JAHISTC08,1\r\n" * with_header + data)


@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=200))
def test_any_bytes_in_any_format_are_mapped_or_refused(name: str, data: bytes) -> None:
    try:
        FORMATS[name](data)
    except MappingError:
        return


@given(notebooks, st.sampled_from(["cp932", "utf-8"]))
def test_any_lines_become_valid_resources_that_refer_to_nothing_else(text: str, encoding: str) -> None:
    result = imported(text.encode(encoding, errors="replace"))
    resources = result.resources if result else ()
    for resource in resources:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(dumps(resource))
    known = {"Patient/1", *(url_of(resource) for resource in resources)}
    assert set(references(list(resources))) <= known


@given(notebooks)
def test_identifiers_are_unique_within_a_file_and_the_same_again(text: str) -> None:
    data = text.encode()
    result, again = imported(data), imported(data)
    assert result == again
    if result is not None:
        values = [each["identifier"][0]["value"] for each in result.resources]
        assert len(values) == len(set(values))


@given(st.lists(lines, max_size=5), st.text("花子薬秘密", min_size=3, max_size=6))
def test_no_deviation_and_no_refusal_repeats_what_a_file_says(others: list[str], secret: str) -> None:
    everywhere = [",".join([record, *[secret] * 11]) for record in [*RECORDS, secret]]
    told = refusal_or_deviations("\r\n".join(["JAHISTC08,1", *everywhere, *others]))
    assert told
    assert not any(secret in each for each in told)


def refusal_or_deviations(text: str) -> list[str]:
    try:
        result = import_jahis(text.encode(), patient="Patient/1", source="Organization/1")
    except MappingError as error:
        return [str(error)]
    return [f"{each.record} {each.text}" for each in result.deviations]
