"""Order by what records themselves say: any parameter, several of them, ties, records without the element.

http://hl7.org/fhir/R4/search.html#sort
"""

from itertools import chain
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import resources as made
from tests.town import BASE_URL, Voice, link, references

pytestmark = pytest.mark.anyio


async def test_amounts_give_an_order_and_what_has_none_comes_last(hanako: Voice) -> None:
    none = await hanako.create(made.pressure(hanako.reference))
    heavy, light = [await hanako.create(made.weight(hanako.reference, at)) for at in (80.0, 60.0)]
    assert await hanako.found("Observation", ("_sort", "value-quantity")) == [light, heavy, none]
    assert await hanako.found("Observation", ("_sort", "-value-quantity")) == [heavy, light, none]


async def test_codes_and_texts_give_an_order(hanako: Voice) -> None:
    weight = await hanako.create(made.weight(hanako.reference))
    pressure = await hanako.create(made.pressure(hanako.reference))
    assert await hanako.found("Observation", ("_sort", "code")) == [weight, pressure]
    assert await hanako.found("Observation", ("_sort", "-code")) == [pressure, weight]


async def test_of_several_values_the_one_that_comes_first_counts(hanako: Voice) -> None:
    both, middle = [
        await hanako.create(made.weight(hanako.reference, identifier=[{"value": value} for value in values]))
        for values in ("az", "m")
    ]
    assert await hanako.found("Observation", ("_sort", "identifier")) == [both, middle]
    assert await hanako.found("Observation", ("_sort", "-identifier")) == [both, middle]


@pytest.mark.parametrize(
    "sort", ["value-quantity", "-value-quantity,date", "code,-value-quantity", "status,_id", "-date,code,_id"]
)
async def test_pages_of_any_size_show_each_record_once_in_one_order(hanako: Voice, sort: str) -> None:
    for kilograms, day in ((60.0, 1), (60.0, 1), (61.5, 2), (60.0, 3), (59.9, 3)):
        await hanako.create(made.weight(hanako.reference, kilograms, f"2026-10-0{day}"))
    await hanako.create(made.pressure(hanako.reference))
    await hanako.create(made.weight(hanako.reference, 70.0, None, status="amended"))
    whole = await hanako.found("Observation", ("_sort", sort))
    assert len(whole) == len(set(whole)) == 7
    for size in (1, 2, 3, 7):
        pages = await hanako.walk("Observation", ("_sort", sort), ("_count", str(size)))
        assert list(chain.from_iterable(pages)) == whole
        assert all(len(page) == size for page in pages[:-1])


async def test_what_is_written_between_pages_moves_nothing_that_was_shown(hanako: Voice) -> None:
    written = [await hanako.create(made.weight(hanako.reference, at)) for at in (60.0, 61.0, 62.0, 63.0)]
    bundle = await hanako.search("Observation", ("_sort", "value-quantity"), ("_count", "2"))
    assert references(bundle) == written[:2]
    await hanako.remove(written[1])
    await hanako.create(made.weight(hanako.reference, 59.0))
    late = await hanako.create(made.weight(hanako.reference, 62.5))
    second = (await hanako.get((link(bundle, "next") or "").removeprefix(BASE_URL))).json()
    third = (await hanako.get((link(second, "next") or "").removeprefix(BASE_URL))).json()
    assert references(second) + references(third) == [written[2], late, written[3]]


async def test_cursors_are_of_one_length_whatever_the_records_say(hanako: Voice) -> None:
    lengths = set()
    for text in ("a", "長い" * 400, '\x7f"\\' * 40, "ż" * 31):
        for _ in range(2):
            tree = made.weight(hanako.reference, method={"text": text})
            await hanako.create({**tree, "code": {"text": text}})
        bundle = await hanako.search("Observation", ("_sort", "method,-code"), ("_count", "1"))
        (cursor,) = parse_qs(urlsplit(link(bundle, "next") or "").query)["_cursor"]
        lengths.add(len(cursor))
    assert len(lengths) == 1


async def test_a_record_without_a_time_is_the_oldest(hanako: Voice) -> None:
    ordered = [
        await hanako.create(made.weight(hanako.reference, 60.0, day)) for day in (None, "2024", "2026")
    ]
    assert await hanako.found("Observation", ("_sort", "date")) == ordered
    assert await hanako.found("Observation", ("_sort", "-date")) == ordered[::-1]
