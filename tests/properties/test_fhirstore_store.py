"""Laws of keys, times, facts and sealed bodies."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirstore.bodies import ZSTD, Address, Bodies, Sealed
from fhirstore.errors import BodyForged, UnknownType
from fhirstore.facts import Facts, extract
from fhirstore.indexing import index_rows, parse_token, token_keys
from fhirstore.keys import KeyMaker
from fhirstore.parameters import parameters_of
from fhirstore.times import BEGINNING, END, interval_at, interval_of, interval_of_period
from fhirstore.types import TypeNumber
from tests.properties.test_fhirstore_text import VALUES, damaged
from tests.unit.fhirstore.examples import LOINC, blood_pressure

KEYS = KeyMaker(bytes(range(32)))
BODIES = Bodies()
TOKYO = ZoneInfo("Asia/Tokyo")
ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("Asia/Tokyo", "UTC", "America/Sao_Paulo", "Pacific/Apia", "Europe/Dublin")]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ADDRESSES = st.builds(
    Address,
    patient_key=st.integers(-(2**63), 2**63 - 1),
    type=st.integers(1, 2**15 - 1).map(TypeNumber),
    id=st.from_regex(r"[A-Za-z0-9\-.]{1,64}", fullmatch=True),
    version=st.integers(1, 2**31 - 1),
)
SECRETS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=12, max_size=12)
DAYS = st.dates().map(date.isoformat)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=OFFSETS).map(lambda moment: moment.isoformat())
WRITTEN = st.one_of(DAYS, DAYS.map(lambda day: day[:7]), DAYS.map(lambda day: day[:4]), MOMENTS)


# Bodies


@given(st.binary(max_size=2000), SECRETS, ADDRESSES, NONCES)
def test_body_opens_as_it_was_sealed(plain: bytes, key: bytes, address: Address, nonce: bytes) -> None:
    assert BODIES.open(BODIES.seal(plain, key, address, nonce=nonce), key, address) == plain


@given(st.binary(max_size=200), SECRETS, ADDRESSES, ADDRESSES)
def test_body_opens_nowhere_else(plain: bytes, key: bytes, address: Address, other: Address) -> None:
    assume(address != other)
    sealed = BODIES.seal(plain, key, address, nonce=bytes(12))
    with pytest.raises(BodyForged):
        BODIES.open(sealed, key, other)


@given(st.binary(max_size=200), st.integers(0), st.integers(1, 255))
def test_no_changed_body_opens(plain: bytes, at: int, flip: int) -> None:
    address = Address(1, TypeNumber(1), "x", 1)
    sealed = BODIES.seal(plain, bytes(32), address, nonce=bytes(12))
    body = bytearray(sealed.body)
    body[at % len(body)] ^= flip
    with pytest.raises(BodyForged):
        BODIES.open(Sealed(sealed.codec, bytes(body)), bytes(32), address)


@given(st.binary(max_size=200))
def test_no_bytes_of_a_stranger_open(body: bytes) -> None:
    with pytest.raises(BodyForged):
        BODIES.open(Sealed(ZSTD, body), bytes(32), Address(1, TypeNumber(1), "x", 1))


# Times


@given(WRITTEN, ZONES)
def test_interval_is_never_empty_and_fits_databases(written: str, zone: ZoneInfo) -> None:
    interval = interval_of(written, zone)
    if interval is not None:
        assert BEGINNING <= interval.start < interval.end <= END
        assert interval.start.tzinfo is interval.end.tzinfo is UTC


@given(st.dates(date(2, 1, 1), date(9998, 12, 30)), ZONES)
def test_coarser_value_covers_the_finer_one(day: date, zone: ZoneInfo) -> None:
    written = day.isoformat()
    whole, month, year = (interval_of(written[:length], zone) for length in (10, 7, 4))
    if whole is not None:
        assert month is not None
        assert year is not None
        assert month.covers(whole)
        assert year.covers(month)


@given(st.dates(date(2, 1, 1), date(9998, 12, 30)), ZONES)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: ZoneInfo) -> None:
    today, tomorrow = interval_of(day.isoformat(), zone), interval_of((day + timedelta(1)).isoformat(), zone)
    if today is not None and tomorrow is not None:
        assert today.end == tomorrow.start


@given(st.datetimes(timezones=OFFSETS).filter(lambda moment: 1 < moment.year < 9999), ZONES)
def test_moment_lies_in_what_it_covers(moment: datetime, zone: ZoneInfo) -> None:
    interval = interval_of(moment.isoformat(timespec="seconds"), zone)
    assert interval is not None
    assert interval.start <= moment < interval.end


@given(WRITTEN, WRITTEN, ZONES)
def test_period_covers_its_two_sides(start: str, end: str, zone: ZoneInfo) -> None:
    first, last = interval_of(start, zone), interval_of(end, zone)
    period = interval_of_period({"start": start, "end": end}, zone)
    if period is not None and first is not None and last is not None:
        assert (period.start, period.end) == (first.start, last.end)


@given(st.one_of(VALUES, st.text(max_size=30), st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.{0,20}")), ZONES)
def test_any_value_is_an_interval_or_none(value: Any, zone: ZoneInfo) -> None:
    interval = interval_at(value, zone)
    assert interval is None or interval.start < interval.end


# Facts, keys and index rows


def facts_or_none(tree: dict[str, Any]) -> Facts | None:
    try:
        return extract(tree, zone=TOKYO)
    except UnknownType:
        return None


@given(damaged())
def test_facts_of_any_tree_are_read_without_an_error(tree: dict[str, Any]) -> None:
    found = facts_or_none(tree)
    if found is not None:
        columns = found.columns(KEYS)
        assert (columns.starts is None) == (columns.ends is None)
        assert len(columns.patients) == len(found.patients)
        assert all(part.parts == () for part in found.parts)
        assert len(index_rows(tree, found, keys=KEYS).tokens) <= 2 * len(found.main_codes) + 2


@given(damaged())
def test_part_has_every_fact_that_its_container_has(tree: dict[str, Any]) -> None:
    bundle = {"resourceType": "Bundle", "id": "b", "type": "collection", "entry": [{"resource": tree}]}
    found = facts_or_none(bundle | {"meta": {"security": [{"system": "s", "code": "x"}]}})
    for part in found.parts if found is not None else ():
        assert part.sensitivities or part.confidentiality
        assert bool(part.patients) == bool(found and found.patients)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_pairs_have_one_key_exactly_when_they_are_equal(a: str, b: str, c: str, d: str) -> None:
    assert (KEYS.code(a, b) == KEYS.code(c, d)) == ((a, b) == (c, d))
    assert (KEYS.identifier(a, b) == KEYS.identifier(c, d)) == ((a, b) == (c, d))


@given(st.sampled_from([LOINC, "http://x.example/a|b", "http://y.example\\", ""]), TEXTS.filter(bool))
def test_search_finds_the_code_that_was_written(system: str, code: str) -> None:
    coding = {"code": code} | ({"system": system} if system else {})
    tree = blood_pressure(code={"coding": [coding]})
    written = {row.value for row in index_rows(tree, extract(tree, zone=TOKYO), keys=KEYS).tokens}
    parameter = parameters_of("Observation")["code"]
    for text in (_escaped(code), f"{_escaped(system)}|{_escaped(code)}"):
        assert not written.isdisjoint(token_keys(parameter, parse_token(text), KEYS))


def _escaped(text: str) -> str:
    for character in "\\|,$":
        text = text.replace(character, f"\\{character}")
    return text
