"""Histories of records, of types and of all: pages, since when, as of when, and what is permitted of them.

http://hl7.org/fhir/R4/http.html#history
"""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.labelled import take_labels
from tests.town import BASE_URL, Town, Voice, link, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio


def told(bundle: Json) -> list[tuple[str, str]]:
    """The reference, and the version as its ETag tells it."""
    base = f"{BASE_URL}/fhir/"
    return [
        (entry["fullUrl"].removeprefix(base), entry["response"]["etag"].strip('W/"'))
        for entry in bundle.get("entry", [])
    ]


async def pages(voice: Voice, address: str) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    further: str | None = address
    while further is not None:
        answer = await voice.get(further)
        assert answer.status_code == 200, answer.text
        found.append(told(answer.json()))
        following = link(answer.json(), "next")
        further = following and following.removeprefix(BASE_URL)
    return found


async def test_a_type_has_a_history(hanako: Voice) -> None:
    first = await hanako.create(made.weight(hanako.reference, 60.0))
    second = await hanako.create(made.weight(hanako.reference, 61.0))
    await hanako.create(made.condition(hanako.reference))
    await hanako.replace(first, made.weight(hanako.reference, 62.0))
    await hanako.remove(second)
    expected = [(second, "2"), (first, "2"), (second, "1"), (first, "1")]
    for size in (1, 3, 4, 50):
        listed = await pages(hanako, f"Observation/_history?_count={size}")
        assert [one for page in listed for one in page] == expected
    bundle = (await hanako.get("Observation/_history")).json()
    assert bundle["type"] == "history"
    assert [entry["request"]["method"] for entry in bundle["entry"]] == ["DELETE", "PUT", "POST", "POST"]
    assert "resource" not in bundle["entry"][0]


async def test_all_types_have_one_history(hanako: Voice) -> None:
    weight = await hanako.create(made.weight(hanako.reference))
    condition = await hanako.create(made.condition(hanako.reference))
    listed = [one for page in await pages(hanako, "_history?_count=2") for one in page]
    mine = [one for one in listed if one[0] in (weight, condition, hanako.reference)]
    assert mine == [(condition, "1"), (weight, "1"), (hanako.reference, "1")]


async def test_a_history_is_told_since_an_instant_and_as_of_one(hanako: Voice, town: Town) -> None:
    reference = await hanako.create(made.weight(hanako.reference, 60.0))
    with town.later(timedelta(hours=10)):
        between = (town.clock() - timedelta(hours=5)).isoformat()
        await hanako.replace(reference, made.weight(hanako.reference, 61.0))
        after = (town.clock() + timedelta(hours=1)).isoformat()
    for address in (reference, "Observation"):
        for query, expected in (
            (f"_since={quote(between)}", [(reference, "2")]),
            (f"_since={quote(after)}", []),
            (f"_at={quote(between)}", [(reference, "1")]),
            (f"_at={quote(after)}", [(reference, "2")]),
            ("_at=2000", []),
            (f"_since={quote(between)}&_at={quote(after)}", [(reference, "2")]),
        ):
            answer = await hanako.get(f"{address}/_history?{query}")
            assert answer.status_code == 200
            assert told(answer.json()) == expected, (address, query)


async def test_a_history_shows_what_is_permitted_as_it_was_and_as_it_is(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT], labels=["N"]))
    normal: Any = made.labelled("N")
    restricted: Any = made.labelled("R")
    shown = await hanako.create(made.weight(hanako.reference, meta=normal))
    once = await hanako.create(made.weight(hanako.reference, meta=normal))
    await hanako.replace(once, made.weight(hanako.reference, meta=restricted))
    late = await hanako.create(made.weight(hanako.reference, meta=restricted))
    await take_labels(hanako, late, "R")
    await hanako.create(made.pressure(hanako.reference, meta=normal))
    found = [one for page in await pages(cast.a, "Observation/_history?_count=1") for one in page]
    assert [one for one in found if one[0] in (shown, once, late)] == [(late, "2"), (shown, "1")]
    assert told((await cast.a.get(f"{late}/_history")).json()) == [(late, "2")]
    outcome(await cast.a.get(f"{once}/_history"), 404, "not-found")
    outcome(await cast.a.get(f"{once}/_history?_since=2000"), 404, "not-found")
    everything = [one for page in await pages(cast.a, "_history?_count=100") for one in page]
    assert {one[0] for one in everything} & {shown, once, late} == {shown, late}


async def test_a_cursor_of_a_history_opens_for_its_caller_and_question_alone(
    hanako: Voice, taro: Voice
) -> None:
    for _ in range(3):
        await hanako.create(made.weight(hanako.reference))
    bundle = (await hanako.get("Observation/_history?_count=1")).json()
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    outcome(await taro.get(further), 400, "invalid")
    outcome(await hanako.get(further.replace("_count=1", "_count=2")), 400, "invalid")
    outcome(await hanako.get(further.replace("Observation", "Condition")), 400, "invalid")


async def test_the_log_has_no_versions(hanako: Voice) -> None:
    outcome(await hanako.get("AuditEvent/_history"), 405)


async def test_a_look_at_a_history_is_told_to_its_patients(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital))
    await hanako.create(made.weight(hanako.reference))
    await cast.a.get("Observation/_history")
    answer = await hanako.call("GET", f"/audit/accesses?patient={hanako.reference}")
    assert any(row["query"].startswith("GET Observation/_history") for row in answer.json())
