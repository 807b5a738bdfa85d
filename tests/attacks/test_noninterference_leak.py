"""Noninterference: whatever a caller does, hidden records change no byte of any answer.

http://hl7.org/fhir/R4/security.html
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pytest
from httpx import Response

from tests import resources as made
from tests.attacks.worlds import DAYS, World, world
from tests.databases import Server
from tests.town import BASE_URL, Voice, link
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

STEPS: Final = 80


@dataclass(frozen=True)
class Asked:
    """One request of a sequence, the same in both worlds."""

    who: str
    method: str
    path: str
    tree: Json | None = None
    if_match: str | None = None


@pytest.fixture(scope="module")
async def worlds(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, World]]:
    """With what is hidden, and without; under the same keys."""
    state = tmp_path_factory.mktemp("installation")
    with server.database() as full, server.database() as bare:
        async with AsyncExitStack() as running:
            yield (
                await running.enter_async_context(world(full, state, hides=True)),
                await running.enter_async_context(world(bare, state, hides=False)),
            )


def voice_of(told: World, who: str) -> Voice:
    return {
        "a": told.cast.a,
        "b": told.cast.b,
        "k": told.cast.a_at_k,
        "research": told.town.as_(told.cast.role_a, "HRESCH"),
        "pharmacy": told.town.as_(told.cast.pharmacy),
    }[who]


async def send(told: World, asked: Asked) -> Response:
    content = None if asked.tree is None else orjson.dumps(asked.tree)
    headers = {} if asked.if_match is None else {"If-Match": asked.if_match}
    return await voice_of(told, asked.who).call(asked.method, asked.path, content=content, headers=headers)


def told_by(answer: Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content


class Sequence:
    """Draws requests; follows links and ids that the answers gave."""

    def __init__(self, told: World, seed: int) -> None:
        self.draw = random.Random(seed)
        self.hanako, self.taro = told.hanako.reference, told.taro.reference
        self.links: list[str] = []
        self.written: list[str] = []

    def next(self) -> Asked:
        who = self.draw.choice(("a", "a", "a", "a", "b", "research", "pharmacy"))
        kinds: tuple[Callable[[str], Asked], ...] = (
            self._read, self._read, self._version, self._search, self._search, self._search, self._follow,
            self._history, self._compartment, self._write, self._replace, self._delete, self._propose,
        )  # fmt: skip
        return self.draw.choice(kinds)(who)

    def learn(self, asked: Asked, answer: Response) -> None:
        """Keep what the answer leads to."""
        if answer.status_code == 201:
            self.written.append(
                answer.headers["location"].removeprefix(f"{BASE_URL}/fhir/").partition("/_")[0]
            )
        if answer.content:
            tree = answer.json()
            further = link(tree, "next") if tree["resourceType"] == "Bundle" else None
            self.links += [further.removeprefix(BASE_URL)] if further else []

    def _target(self) -> str:
        named = [
            f"Observation/{part}-{self.draw.randint(1, 40):04d}" for part in ("shown", "hidden", "never")
        ]
        medicine = f"MedicationRequest/hidden-{self.draw.randint(1, 40):04d}"
        others = [medicine, self.hanako, self.taro, "Patient/nobody", "Consent/consents-0001"]
        return self.draw.choice([*named, *named, *named, *others, *self.written[-3:]])

    def _read(self, who: str) -> Asked:
        return Asked(who, "GET", self._target())

    def _version(self, who: str) -> Asked:
        return Asked(
            who, "GET", f"{self._target()}/{self.draw.choice(('_history', '_history/1', '_history/2'))}"
        )

    def _search(self, who: str) -> Asked:
        type_name = self.draw.choice(
            ("Observation", "Observation", "MedicationRequest", "Consent", "Provenance")
        )
        params = [
            (
                "patient",
                self.draw.choice((self.hanako, self.taro, "Patient/nobody", f"{self.hanako},{self.taro}")),
            ),
            ("_count", self.draw.choice(("1", "2", "3", "50", "0"))),
            ("_total", self.draw.choice(("accurate", "none"))),
            ("_lastUpdated", self.draw.choice(("gt2026-11-01", "lt2026-11-01T00:10:00Z"))),
            ("_sort", self.draw.choice(("_lastUpdated", "-_lastUpdated", "_id", "-_id"))),
            ("_summary", "count"),
        ]
        if type_name == "Observation":
            params += [
                ("code", self.draw.choice(("29463-7", "85354-9", "http://loinc.org|29463-7"))),
                ("date", self.draw.choice(("", "ge", "lt", "ne")) + self.draw.choice(DAYS)),
                ("identifier", f"http://example.test/weights|{self.draw.choice(DAYS)}"),
                ("category", "vital-signs"),
                ("status", "final"),
                ("_id", ",".join(self._target().partition("/")[2] for _ in range(5))),
                ("value-quantity", self.draw.choice(("gt1", "62.5", "lt1"))),
                ("code:not", self.draw.choice(("29463-7", "85354-9"))),
                ("based-on:missing", self.draw.choice(("true", "false"))),
                ("based-on", self._target()),
                ("subject:Patient._id", self.draw.choice((self.hanako, self.taro)).partition("/")[2]),
                ("_has:Provenance:target:recorded", "gt2020"),
                ("_include", self.draw.choice(("*", "Observation:subject", "Observation:based-on"))),
                ("_revinclude", self.draw.choice(("*", "Provenance:target"))),
            ]
            if self.draw.random() < 0.2:
                params[4] = ("_sort", self.draw.choice(("value-quantity", "-code,_id", "category,-date")))
        chosen = self.draw.sample(params, self.draw.randint(0, 4))
        return Asked(who, "GET", f"{type_name}?{'&'.join(f'{name}={value}' for name, value in chosen)}")

    def _history(self, who: str) -> Asked:
        where = self.draw.choice(("Observation/_history", "_history", "MedicationRequest/_history"))
        params = [
            ("_count", self.draw.choice(("1", "2", "7"))),
            ("_since", self.draw.choice(("2026-11-01", "2026-11-01T00:10:00Z"))),
            ("_at", self.draw.choice(("2026-11-01", "2026-11-01T00:02:00Z"))),
        ]
        chosen = self.draw.sample(params, self.draw.randint(0, 3))
        return Asked(who, "GET", f"{where}?{'&'.join(f'{name}={value}' for name, value in chosen)}")

    def _compartment(self, who: str) -> Asked:
        patient = self.draw.choice((self.hanako, self.taro, "Patient/nobody"))
        query = self.draw.choice(("", "?code=29463-7", "?_total=accurate&_count=2", "?value-quantity=gt1"))
        return Asked(who, "GET", f"{patient}/Observation{query}")

    def _follow(self, who: str) -> Asked:
        return Asked(who, "GET", self.draw.choice(self.links)) if self.links else self._search(who)

    def _tree(self) -> Json:
        patient = self.draw.choice((self.hanako, self.hanako, self.hanako, self.taro, "Patient/nobody"))
        build = self.draw.choice((made.weight, made.weight, made.weight, made.pressure))
        label = made.labelled(self.draw.choice(("N", "N", "N", "R")))
        return build(patient, time=self.draw.choice(DAYS), meta=label)

    def _write(self, who: str) -> Asked:
        tree = self._tree()
        if self.draw.random() < 0.3:
            target = self._target()
            tree = made.provenance(target, agent="Practitioner/directory-0006")
        return Asked(who, "POST", tree["resourceType"], tree)

    def _replace(self, who: str) -> Asked:
        target = self._target()
        tree = {**self._tree(), "id": target.partition("/")[2]}
        if not target.startswith("Observation/"):
            return self._write(who)
        return Asked(who, "PUT", target, tree, self.draw.choice((None, None, 'W/"1"', 'W/"2"')))

    def _delete(self, who: str) -> Asked:
        return Asked(who, "DELETE", self._target(), None, self.draw.choice((None, 'W/"1"', 'W/"7"')))

    def _propose(self, who: str) -> Asked:
        patient = self.draw.choice((self.hanako, self.taro, "Patient/nobody"))
        tree: Any = {
            "resourceType": "Consent",
            "status": "proposed",
            "scope": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                        "code": "patient-privacy",
                    }
                ]
            },
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": made.reference(patient),
            "provision": permit("Organization/directory-0001"),
        }
        return Asked(who, "POST", "Consent", tree)


@pytest.mark.parametrize("seed", [1, 2])
async def test_hidden_records_change_no_byte_of_any_answer(worlds: tuple[World, World], seed: int) -> None:
    sequence = Sequence(worlds[0], seed)
    statuses = set()
    for step in range(STEPS):
        asked = sequence.next()
        answers = []
        for told in worlds:
            told.names.part = f"sequence-{seed}"
            told.clock.step = 1_000 + seed * STEPS + step
            answers.append(await send(told, asked))
        assert told_by(answers[0]) == told_by(answers[1]), asked
        sequence.learn(asked, answers[0])
        statuses.add(answers[0].status_code)
    assert {200, 201, 403, 404, 405} <= statuses


async def test_the_two_worlds_differ_in_what_they_hold(worlds: tuple[World, World]) -> None:
    held = [
        told.town.rows("SELECT count(*) FROM resource WHERE id LIKE 'hidden-%%'")[0][0] for told in worlds
    ]
    assert held[0] > 30
    assert held[1] == 0
    found = [len(await told.hanako.found("Observation", ("_count", "100"))) for told in worlds]
    assert found[0] > found[1]
