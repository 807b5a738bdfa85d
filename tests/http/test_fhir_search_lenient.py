"""What is not known: refused by name, or left out for a caller who prefers that, and the self link shows which.

http://hl7.org/fhir/R4/search.html#errors
"""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests import resources as made
from tests.town import BASE_URL, Voice, link, outcome, references

pytestmark = pytest.mark.anyio

LENIENT = {"Prefer": "handling=lenient"}


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("foo", "1", "foo"),
        ("_text", "x", "_text"),
        ("_content", "x", "_content"),
        ("code:foo", "x", "code"),
        ("date", "zz2026", "date"),
        ("value-quantity", "zz5", "value-quantity"),
        ("_sort", "foo", "_sort"),
        ("_include", "Observation:foo", "_include"),
        ("_revinclude", "Foo:bar", "_revinclude"),
        ("subject:Patient.foo", "x", "foo"),
        ("_has:Foo:bar:code", "x", "_has:Foo:bar:code"),
    ],
)
async def test_what_is_not_known_is_named_or_left_out(
    hanako: Voice, name: str, value: str, place: str
) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    query = [("code", "29463-7"), (name, value), ("_count", "5")]
    told = outcome(await hanako.get("Observation", *query), 400, "invalid")
    assert place in told["issue"][0]["expression"][0] or place in told["issue"][0]["diagnostics"]
    answer = await hanako.get("Observation", *query, **LENIENT)
    assert answer.status_code == 200, answer.text
    assert references(answer.json()) == [reference]
    shown = parse_qsl(urlsplit(link(answer.json(), "self") or "").query)
    assert shown == [("code", "29463-7"), ("_count", "5")]


async def test_what_is_known_and_unreadable_is_refused_all_the_same(hanako: Voice) -> None:
    for query in (("date", "yesterday"), ("_count", "x"), ("_total", "estimate")):
        outcome(await hanako.get("Observation", query, **LENIENT), 400, "invalid")
    outcome(await hanako.get("Observation", ("_count", "1"), ("_count", "2"), **LENIENT), 400, "invalid")


async def test_a_strict_caller_is_answered_as_one_who_says_nothing(hanako: Voice) -> None:
    for wish in ("handling=strict", "return=minimal", "handling=lenient2"):
        outcome(await hanako.get("Observation", ("foo", "1"), Prefer=wish), 400, "invalid")
    for wish in ("return=minimal, handling=lenient", "respond-async; handling=lenient"):
        assert (await hanako.get("Observation", ("foo", "1"), Prefer=wish)).status_code == 200


async def test_the_self_link_keeps_the_order_and_the_next_link_works_by_get(hanako: Voice) -> None:
    written = [
        await hanako.create(made.weight(hanako.reference, time=f"2026-10-0{day}")) for day in (1, 2, 3)
    ]
    form = [("_sort", "date"), ("code", "29463-7"), ("value-quantity", "gt1"), ("_count", "2"), ("foo", "x")]
    answer = await hanako.call(
        "POST",
        "Observation/_search?status=final",
        content=urlencode(form).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", **LENIENT},
    )
    bundle = answer.json()
    assert parse_qsl(urlsplit(link(bundle, "self") or "").query) == [("status", "final"), *form[:-1]]
    further = (link(bundle, "next") or "").removeprefix(BASE_URL)
    second = (await hanako.get(further)).json()
    assert references(bundle) + references(second) == written
