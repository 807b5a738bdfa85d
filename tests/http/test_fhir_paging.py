"""Pages: their order and size, ties, records that come and go between them, cursors and whom they are for.

http://hl7.org/fhir/R4/http.html#paging
"""

from itertools import chain, pairwise
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice, link, outcome, references
from tests.unit.consent.words import deny, permit

pytestmark = pytest.mark.anyio

WEIGHTS = ("code", "http://loinc.org|29463-7")


def times(count: int) -> list[str]:
    return [f"2026-10-{day:02d}" for day in range(1, count + 1)]


async def weighed(voice: Voice, *moments: str | None) -> list[str]:
    return [await voice.create(made.weight(voice.reference, 60.0, moment)) for moment in moments]


async def first_cursor(voice: Voice, *params: tuple[str, str]) -> str:
    bundle = await voice.search("Observation", *params, ("_count", "1"))
    (cursor,) = parse_qs(urlsplit(link(bundle, "next") or "").query)["_cursor"]
    return cursor


async def test_observations_come_newest_first_unless_asked_otherwise(hanako: Voice) -> None:
    written = await weighed(hanako, "2026-10-02", "2026-10-01", "2026-10-03")
    newest_first = [written[2], written[0], written[1]]
    for query in ((), (WEIGHTS,), (("_sort", "-date"),), (WEIGHTS, ("_sort", "-date"))):
        assert await hanako.found("Observation", *query) == newest_first
    for query in ((("_sort", "date"),), (WEIGHTS, ("_sort", "date"))):
        assert await hanako.found("Observation", *query) == newest_first[::-1]


async def test_what_has_no_time_comes_by_its_writing(hanako: Voice) -> None:
    written = [await hanako.create(made.device(hanako.reference)) for _ in range(3)]
    assert await hanako.found("Device") == written[::-1]


async def test_records_are_sorted_by_id_and_by_last_update(hanako: Voice) -> None:
    written = await weighed(hanako, *times(4))
    await hanako.replace(written[1], made.weight(hanako.reference, 61.0))
    assert await hanako.found("Observation", ("_sort", "_id")) == sorted(written)
    assert await hanako.found("Observation", ("_sort", "-_id")) == sorted(written, reverse=True)
    by_writing = [written[0], written[2], written[3], written[1]]
    assert await hanako.found("Observation", ("_sort", "_lastUpdated")) == by_writing
    assert await hanako.found("Observation", ("_sort", "-_lastUpdated")) == by_writing[::-1]


async def test_a_second_sort_key_orders_what_the_first_leaves_equal(hanako: Voice) -> None:
    first = sorted(await weighed(hanako, "2026-10-01", "2026-10-01"))
    second = sorted(await weighed(hanako, "2026-10-02", "2026-10-02"))
    assert await hanako.found("Observation", ("_sort", "-date,_id")) == second + first
    assert await hanako.found("Observation", ("_sort", "date,-_id")) == first[::-1] + second[::-1]


@pytest.mark.parametrize("sort", ["date", "-date", "_id", "-_id", "_lastUpdated", "-date,_lastUpdated", ""])
@pytest.mark.parametrize("coded", [True, False])
async def test_pages_of_any_size_show_each_record_once_in_one_order(
    hanako: Voice, sort: str, coded: bool
) -> None:
    await weighed(hanako, None, "2026-10-01", None, "2026-10-01", "2026-10-02", "2026-10-01", "2026")
    query = [*([WEIGHTS] if coded else []), *([("_sort", sort)] if sort else [])]
    whole = await hanako.found("Observation", *query)
    assert len(whole) == 7
    for size in (1, 2, 3, 7):
        pages = await hanako.walk("Observation", *query, ("_count", str(size)))
        assert list(chain.from_iterable(pages)) == whole
        assert all(len(page) == size for page in pages[:-1])
        assert pages[-1]


async def test_the_last_page_has_no_next_link(hanako: Voice) -> None:
    await weighed(hanako, *times(2))
    for size, expected in (("1", True), ("2", False), ("3", False)):
        bundle = await hanako.search("Observation", ("_count", size))
        assert (link(bundle, "next") is not None) is expected


async def test_what_is_written_between_pages_moves_nothing_that_was_shown(hanako: Voice) -> None:
    written = await weighed(hanako, *times(4))
    bundle = await hanako.search("Observation", ("_sort", "date"), ("_count", "2"))
    assert references(bundle) == written[:2]
    await hanako.remove(written[0])
    await hanako.remove(written[1])
    await weighed(hanako, "2026-09-01")
    (late,) = await weighed(hanako, "2026-10-31")
    second = (await hanako.get((link(bundle, "next") or "").removeprefix(BASE_URL))).json()
    third = (await hanako.get((link(second, "next") or "").removeprefix(BASE_URL))).json()
    assert references(second) + references(third) == [*written[2:], late]


async def test_a_page_holds_fifty_records_unless_asked_otherwise(hanako: Voice) -> None:
    entries = [made.weight(f"{BASE_URL}/fhir/{hanako.reference}") for _ in range(2)]
    for _ in range(51):
        await hanako.create(made.bundle(*entries))
    assert [len(page) for page in await hanako.walk("Bundle")] == [50, 1]
    assert len(await hanako.found("Bundle", ("_count", "51"))) == 51


async def test_a_count_of_none_and_a_summary_count_tell_the_total_alone(hanako: Voice) -> None:
    await weighed(hanako, *times(3))
    for query in (("_summary", "count"), ("_count", "0"), ("_count", "00")):
        bundle = await hanako.search("Observation", query)
        assert bundle["total"] == 3
        assert "entry" not in bundle
        assert link(bundle, "next") is None


async def test_a_total_is_told_when_it_is_asked_for(hanako: Voice) -> None:
    await weighed(hanako, *times(3))
    bundle = await hanako.search("Observation", ("_total", "accurate"), ("_count", "1"))
    assert (bundle["total"], len(bundle["entry"])) == (3, 1)
    assert (await hanako.search("Observation", ("_total", "accurate"), ("date", "2027")))["total"] == 0
    for query in ((), (("_total", "none"),)):
        assert "total" not in await hanako.search("Observation", *query)


async def test_a_total_stays_the_same_on_every_page(hanako: Voice) -> None:
    await weighed(hanako, *times(3))
    bundle = await hanako.search("Observation", ("_total", "accurate"), ("_count", "1"))
    second = (await hanako.get((link(bundle, "next") or "").removeprefix(BASE_URL))).json()
    assert second["total"] == 3


async def test_pages_are_filled_with_what_is_permitted(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    shared = []
    for moment in times(3):
        for _ in range(3):
            await hanako.create(made.pressure(hanako.reference, time=moment))
        shared += await weighed(hanako, moment)
    pages = await cast.a.walk(
        "Observation", ("patient", hanako.reference), ("_count", "2"), ("_sort", "date")
    )
    assert pages == [shared[:2], shared[2:]]


async def test_a_search_that_names_no_patient_walks_over_all_who_shared(
    hanako: Voice, taro: Voice, cast: Cast, town: Town
) -> None:
    nobody = await town.resident("見本 三太")
    code = ("http://example.test/walk", "over")
    shared = []
    for voice in (hanako, taro, nobody):
        if voice is not nobody:
            await voice.grant(permit(cast.hospital, codes=[code]))
        for moment in times(3):
            reference = await voice.create(made.observation(voice.reference, code, moment))
            shared += [reference] if voice is not nobody else []
    pages = await cast.a.walk("Observation", ("code", "|".join(code)), ("_count", "2"), ("_sort", "date"))
    assert sorted(chain.from_iterable(pages)) == sorted(shared)
    assert [len(page) for page in pages] == [2, 2, 2]


async def test_a_cursor_opens_for_its_caller_purpose_and_question_alone(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, purposes=["TREAT", "CAREMGT"]), permit(cast.clinic))
    await weighed(hanako, *times(3))
    query = (("patient", hanako.reference), ("_sort", "date"))
    cursor = ("_cursor", await first_cursor(cast.a, *query))
    sized = ("_count", "1")
    assert len(await cast.a.found("Observation", *query, sized, cursor)) == 1
    for voice in (
        cast.b,
        cast.a_at_k,
        hanako,
        cast.town.as_(cast.role_a, "CAREMGT"),
        cast.town.as_(cast.hospital),
    ):
        outcome(await voice.get("Observation", *query, sized, cursor), 400, "invalid")
    for question in (
        (sized,),
        (("patient", hanako.reference), ("_sort", "-date"), sized),
        (("patient", hanako.reference), ("_sort", "date"), ("_count", "2")),
        (*query, WEIGHTS, sized),
    ):
        outcome(await cast.a.get("Observation", *question, cursor), 400, "invalid")
    outcome(await cast.a.get("Condition", *query[:1], sized, cursor), 400, "invalid")


async def test_a_cursor_opens_in_a_later_session_of_the_same_caller(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital))
    written = await weighed(hanako, *times(3))
    query = (("patient", hanako.reference), ("_sort", "date"), ("_count", "1"))
    cursor = await first_cursor(cast.a, *query[:-1])
    cast.town.sessions.clear()
    assert await cast.a.found("Observation", *query, ("_cursor", cursor)) == [written[1]]


async def test_a_cursor_that_was_changed_or_made_up_is_refused(hanako: Voice) -> None:
    await weighed(hanako, *times(3))
    cursor = await first_cursor(hanako)
    flipped = cursor[:40] + ("A" if cursor[40] != "A" else "B") + cursor[41:]
    for text in (
        flipped,
        cursor[:-4],
        cursor + "AAAA",
        cursor[::-1],
        "",
        "x",
        "é",
        "A" * 300,
        "=",
        cursor * 2,
    ):
        answer = await hanako.get(f"Observation?{urlencode({'_count': 1, '_cursor': text})}")
        (issue,) = outcome(answer, 400, "invalid")["issue"]
        assert issue["expression"] == ["_cursor"]


async def test_cursors_are_of_one_length_and_say_nothing(hanako: Voice) -> None:
    await weighed(hanako, None, "2026-10-01", None, "2026-10-02")
    cursors = [
        await first_cursor(hanako, ("_sort", sort))
        for sort in (
            "date",
            "-date",
            "_id",
            "_lastUpdated",
            "date,_id,_lastUpdated",
            "-_lastUpdated,-_id,-date",
        )
    ]
    assert len({len(cursor) for cursor in cursors}) == 1
    assert all(one != other for one, other in pairwise(cursors))
    assert not any("2026" in cursor for cursor in cursors)


async def test_the_same_page_has_the_same_cursor(hanako: Voice) -> None:
    await weighed(hanako, *times(3))
    assert await first_cursor(hanako) == await first_cursor(hanako)


async def test_what_was_withdrawn_between_two_pages_is_not_on_the_second(hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    await weighed(hanako, *times(4))
    bundle = await cast.a.search("Observation", ("patient", hanako.reference), ("_count", "2"))
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    await hanako.replace(consent, hanako.consent(permit(cast.hospital), status="inactive"))
    second = await cast.a.get(further)
    assert second.status_code == 200
    assert "entry" not in second.json()
    assert link(second.json(), "next") is None


async def test_what_was_narrowed_between_two_pages_is_not_on_the_second(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital))
    written = await weighed(hanako, *times(4))
    query = (("patient", hanako.reference), ("_count", "2"), ("_sort", "date"))
    bundle = await cast.a.search("Observation", *query)
    await hanako.grant(deny(data=[("instance", written[2])]))
    second = (await cast.a.get((link(bundle, "next") or "").removeprefix(BASE_URL))).json()
    assert references(second) == [written[3]]
