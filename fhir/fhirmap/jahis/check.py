"""One line against its record type: the values a person would read, and every deviation.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, chapter 3.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from fhirmap.deviations import Deviation
from fhirmap.jahis.dates import read_date
from fhirmap.jahis.decode import Line, half_width, shown_record
from fhirmap.jahis.records import RECORDS, Field, Kind, Need, RecordType

NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}")
DEVICE_FORMS = frozenset({"9", "10"})  # materials and others need no usage
NO_CODE = "1"
USAGE_CODE_LENGTH = 16  # JAMI 標準用法規格


@dataclass(frozen=True, slots=True)
class Header:
    """What the header line says: `JAHISTCnn` and who hands the file to whom."""

    version: int
    from_provider: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A line that was read; `values` holds only fields that are not empty, codes in half width."""

    line: int
    number: str
    values: Mapping[str, str] = field(repr=False)

    def get(self, key: str) -> str | None:
        """Return the value of a field, None where it is empty."""
        return self.values.get(key)

    def day(self, key: str) -> date | None:
        """Return the date of a field, None where no person could tell it."""
        text = self.get(key)
        return read_date(text).day if text else None

    def number_at(self, key: str) -> Decimal | None:
        """Return the number of a field with its decimals as written, None where it is none."""
        text = self.get(key)
        return Decimal(text) if text and NUMBER.fullmatch(text) else None


def check(line: Line, header: Header) -> tuple[Record | None, list[Deviation]]:
    """Read one line; None for a record number that the specification does not know."""
    kind = RECORDS.get(line.record)
    if kind is None:
        text = f"unknown record with {len(line.fields)} fields, not imported"
        return None, [Deviation(line.number, shown_record(line), text)]
    values: dict[str, str] = {}
    problems = list(_read(kind, line.fields, header, values))
    record = Record(line.number, kind.number, values)
    return record, [Deviation(line.number, kind.number, text) for text in problems]


def _read(
    kind: RecordType, written: tuple[str, ...], header: Header, values: dict[str, str]
) -> Iterator[str]:
    """Fill `values` and yield what deviates."""
    if header.version < kind.since:
        yield f"record exists since JAHISTC{kind.since:02}, header says JAHISTC{header.version:02}"
    fields, problem = _aligned(kind, written)
    if problem:
        yield problem
    for position, (spec, text) in enumerate(zip(kind.fields, fields, strict=True), start=2):
        value, found = _value(spec, text)
        if value:
            values[spec.key] = value
            found += _beyond(spec, value, header)
        elif spec.need is Need.ALWAYS or (spec.need is Need.PROVIDER and header.from_provider):
            found.append("is empty, expected a value")
        yield from (f"field {position} `{spec.label}` {each}" for each in found)
    if condition := _CONDITIONS.get(kind.number):
        yield from condition(values, header)


def _aligned(kind: RecordType, written: tuple[str, ...]) -> tuple[list[str], str | None]:
    """Lay the fields over the record type: pad what is missing, mend what a comma in a text tore."""
    fields, expected = list(written), len(kind.fields)
    while len(fields) > expected and not fields[-1].strip():
        fields.pop()
    if _lacks_kind_of_information(kind, fields):
        return [fields[0], "", fields[1]], None  # answered for by the empty field
    missing, surplus = expected - len(fields), len(fields) - expected
    if surplus <= 0:
        return fields + [""] * missing, None
    if (at := kind.free_text) is not None:
        joined = [*fields[:at], ",".join(fields[at : at + surplus + 1]), *fields[at + surplus + 1 :]]
        if all(_fits(*pair) for pair in zip(kind.fields[at + 1 :], joined[at + 1 :], strict=True)):
            return joined, "commas within the text, read as one field"
    problem = f"got {len(fields)} fields, expected {expected}; the further ones are not imported"
    return fields[:expected], problem


def _lacks_kind_of_information(kind: RecordType, fields: list[str]) -> bool:
    # The specification's own samples of record 411 leave out its second field.
    return kind.number == "411" and len(fields) == 2 and half_width(fields[1]) in {"1", "2", "8", "9"}


def _fits(spec: Field, text: str) -> bool:
    value = half_width(text)
    if not value:
        return True
    if spec.kind is Kind.DATE:
        return read_date(value).day is not None
    return not spec.values or value in spec.values


def _value(spec: Field, text: str) -> tuple[str, list[str]]:
    value, found = text.strip(), []
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].strip()
        found.append("is quoted, expected no quotes")
    if spec.kind in (Kind.CODE, Kind.NUMBER):
        narrow = half_width(value)
        if narrow != text:
            found.append("holds blanks or full-width characters, expected half width")
        value = narrow
    return value, found


def _beyond(spec: Field, value: str, header: Header) -> list[str]:
    found = []
    if header.version < spec.since:
        found.append(f"exists since JAHISTC{spec.since:02}")
    if len(value.encode("cp932", errors="replace")) > spec.size_bytes:
        found.append(f"is longer than {spec.size_bytes} bytes")
    if spec.values and value not in spec.values:
        found.append(f"is none of {', '.join(sorted(spec.values, key=int))}")
    if spec.kind is Kind.NUMBER and not NUMBER.fullmatch(value):
        found.append("is no number in digits, such as 28 or 0.5, without a sign")
    if spec.kind is Kind.DATE and (problem := read_date(value).deviation):
        found.append(problem)
    return found


def _code_without_value(values: Mapping[str, str], _header: Header) -> Iterator[str]:
    if values.get("code_type", NO_CODE) != NO_CODE and "code" not in values:
        yield "the code type announces a code, and there is none"


def _usage(values: Mapping[str, str], header: Header) -> Iterator[str]:
    yield from _code_without_value(values, header)
    if header.from_provider and "name" not in values and values.get("form") not in DEVICE_FORMS:
        yield "field 3 `用法名称` is empty, expected a value unless the form is 9 or 10"
    if "code" in values and len(values["code"]) != USAGE_CODE_LENGTH:
        yield f"field 8 `用法コード` has another length than {USAGE_CODE_LENGTH}"


_CONDITIONS: dict[str, Callable[[Mapping[str, str], Header], Iterator[str]]] = {
    "31": _code_without_value,
    "201": _code_without_value,
    "301": _usage,
}
