"""A search answers what filtering every permitted record one by one would answer: drawn at random, on PostgreSQL.

http://hl7.org/fhir/R4/search.html
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from fhirstore.matching import Context, matcher, references, sort_value
from fhirstore.parameters import parameters_of
from tests import resources as made
from tests.cast import Cast
from tests.town import BASE_URL, Town, Voice
from tests.unit.consent.words import concept, permit

pytestmark = pytest.mark.anyio

SEARCHES: Final = 150
RECORDS: Final = 40
CODES: Final = (made.BODY_WEIGHT, made.BLOOD_PRESSURE, made.HEART_RATE, ("http://example.test/own", "x-1"))
DAYS: Final = ("2026-09", "2026-09-30", "2026-10-01", "2026-10-01T10:00:00+09:00", "2026-10-02", "2026")
STATUSES: Final = ("final", "amended", "preliminary")
CONTEXT: Final = Context(ZoneInfo("Asia/Tokyo"), (f"{BASE_URL}/fhir",))
PARAMETERS: Final = parameters_of("Observation")

Pair = tuple[str, str]
Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Filled:
    """What a physician may see of two patients' records: the trees by their references."""

    physician: Voice
    trees: Mapping[str, Tree]
    performers: Sequence[str]


@pytest.fixture(scope="module")
async def filled(town: Town, cast: Cast) -> Filled:
    draw = random.Random(20261122)
    written: list[str] = []
    for name in ("見本 花子", "見本 太郎"):
        patient = await town.resident(name)
        await patient.grant(
            permit(cast.hospital, codes=list(CODES[:2]), labels=["N"]),
            permit(cast.hospital, codes=[CODES[3]], labels=["R"]),
        )
        for _ in range(RECORDS):
            written.append(await patient.create(_drawn(draw, patient.reference, written, cast)))
    trees = {}
    for reference in written:
        answer = await cast.a.get(reference)
        if answer.status_code == 200:
            trees[reference] = json.loads(answer.content, parse_float=Decimal)
    assert len(written) * 0.2 < len(trees) < len(written) * 0.8
    return Filled(cast.a, trees, (cast.role_a, cast.hospital))


def _drawn(draw: random.Random, patient: str, written: Sequence[str], cast: Cast) -> Tree:
    tree: dict[str, Any] = {
        "resourceType": "Observation",
        "status": draw.choice(STATUSES),
        "code": concept(*draw.sample(CODES, draw.choice((1, 1, 1, 2)))),
        "subject": made.reference(patient),
        "meta": {**made.labelled(draw.choice(("N", "N", "R")))},
    }
    optional: dict[str, Any] = {
        "effectiveDateTime": draw.choice(DAYS),
        "valueQuantity": {
            "value": draw.choice((1, 2.5, 62.5)),
            "system": made.UCUM,
            "code": draw.choice(("kg", "g")),
        },
        "category": [concept((made.OBSERVATION_CATEGORY, draw.choice(("vital-signs", "laboratory"))))],
        "performer": [made.reference(draw.choice((cast.role_a, cast.hospital)))],
        "method": {"text": draw.choice(("By Hand", "by machine"))},
        "derivedFrom": [made.reference(draw.choice([*written, "Observation/nobody"]))],
        "identifier": made.identifiers(("http://example.test/drawn", str(draw.randint(1, 3)))),
    }
    return tree | {name: value for name, value in optional.items() if draw.random() < 0.6}


def _condition(draw: random.Random, performers: Sequence[str]) -> Pair:
    code = draw.choice(CODES)
    token = draw.choice(("|".join(code), code[1], f"{code[0]}|", "http://example.test/other|x-1"))
    amount = draw.choice(("", "gt", "le", "ne", "sa")) + draw.choice(
        ("2.5", "1", "1||g", "0.0025|http://unitsofmeasure.org|kg")
    )
    day = draw.choice(("", "ge", "lt", "ne", "sa", "eb", "le", "gt")) + draw.choice(DAYS).replace("+", "%2B")
    pairs = (
        ("code", token), ("code", f"{token},85354-9"), ("code:not", token), ("status", draw.choice(STATUSES)),
        ("status:not", "final,amended"), ("date", day), ("date:missing", draw.choice(("true", "false"))),
        ("category", "vital-signs"), ("category:not", "laboratory"), ("category:missing", "true"),
        ("value-quantity", amount), ("value-quantity:missing", "false"), ("performer", draw.choice(performers)),
        ("performer:missing", "true"), ("method:text", "by"), ("identifier", "http://example.test/drawn|1"),
        ("identifier", "2"), ("identifier:not", "2"), ("derived-from:missing", "false"),
        ("derived-from:Observation.code", token), ("derived-from:Observation.value-quantity", amount),
        ("derived-from:Observation.status:not", "final"),
        ("_has:Observation:derived-from:status", draw.choice(STATUSES)),
        ("_has:Observation:derived-from:value-quantity", amount),
        ("_has:Observation:derived-from:derived-from:Observation.code", token),
    )  # fmt: skip
    return draw.choice(pairs)


def _matching(filled: Filled, name: str, value: str) -> set[str]:
    """The references of what one parameter finds, without any SQL."""
    if name.startswith("_has:"):
        _, _, reference, rest = name.split(":", 3)
        found = _matching(filled, rest, value)
        targets = [references(PARAMETERS[reference], filled.trees[one], CONTEXT) for one in found]
        return set(chain.from_iterable(targets)) & set(filled.trees)
    head, dot, rest = name.partition(".")
    if dot:
        wanted = _matching(filled, rest, value)
        parameter = PARAMETERS[head.partition(":")[0]]
        return {
            one for one, tree in filled.trees.items() if wanted & set(references(parameter, tree, CONTEXT))
        }
    bare, _, modifier = name.partition(":")
    matches = matcher(PARAMETERS[bare], modifier or None, value.replace("%2B", "+").split(","), CONTEXT)
    return {one for one, tree in filled.trees.items() if matches(tree)}


def _weights(filled: Filled, key: str, listed: Sequence[str]) -> list[Any]:
    parameter, down = PARAMETERS[key.removeprefix("-")], key.startswith("-")
    return [sort_value(parameter, filled.trees[one], CONTEXT, descending=down) for one in listed]


@pytest.mark.parametrize("seed", range(3))
async def test_a_search_finds_what_looking_at_each_record_finds(filled: Filled, seed: int) -> None:
    draw = random.Random(seed)
    found_any = 0
    for _ in range(SEARCHES // 3):
        asked = [_condition(draw, filled.performers) for _ in range(draw.choice((1, 1, 2, 3)))]
        expected = set(filled.trees)
        for name, value in asked:
            expected &= _matching(filled, name, value)
        query = "&".join(f"{name}={value}" for name, value in asked)
        answer = await filled.physician.get(f"Observation?{query}&_count=200&_total=accurate")
        assert answer.status_code == 200, (query, answer.text)
        bundle = answer.json()
        found = [f"Observation/{entry['resource']['id']}" for entry in bundle.get("entry", [])]
        assert (set(found), len(found), bundle["total"]) == (expected, len(expected), len(expected)), query
        found_any += bool(found)
    assert found_any > SEARCHES / 12


@pytest.mark.parametrize(
    "key", ["value-quantity", "-value-quantity", "code", "-status", "method", "-category", "identifier"]
)
async def test_an_order_is_that_of_the_elements(filled: Filled, key: str) -> None:
    whole = await filled.physician.found("Observation", ("_sort", key), ("_count", "200"))
    assert set(whole) == set(filled.trees)
    weights = _weights(filled, key, whole)
    there = [weight for weight in weights if weight is not None]
    assert weights == there + [None] * (len(weights) - len(there))
    assert there == sorted(there, reverse=key.startswith("-"))
    for size in ("1", "7"):
        pages = await filled.physician.walk("Observation", ("_sort", key), ("_count", size))
        assert list(chain.from_iterable(pages)) == whole
