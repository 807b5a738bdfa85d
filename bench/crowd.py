"""A physician whom a few of very many residents share with: finding, counting, losing sight, and not being told.

http://hl7.org/fhir/R4/http.html#search
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import quantiles
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import httpx

from bench import floor, load
from bench.bare import CODE
from bench.filling import BLOOD_PRESSURE, LOINC, SEED, Filled, filling
from bench.measuring import OBSERVATION, PAGE_ENTRIES, Bench, bearer, request
from bench.pace import CONNECTIONS, Counted
from bench.residents import observations
from bench.town import SERVICE, serving, tokens_for
from passport.demo.consents import Tree, consent, permit

SHARING: Final = 500
READINGS: Final = 20
"""Of each resident who shares; together they are the rows of the accurate total."""

OTHERS: Final = {False: 9_500, True: 99_500}
"""Residents who share with somebody else, in a small run and in a full one."""

WITHDRAWALS: Final = 20
LOOKS: Final = 1_000
"""Reads of what is denied, and as many of what is not there."""

_OTHER_CODE: Final = "bench-other"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who shares with the measured physician, and ids of what nobody shares with them."""

    sharing: Filled
    denied: tuple[str, ...]


def lines(bench: Bench) -> Iterator[str]:
    """A line for each thing that is measured."""
    crowd = asyncio.run(_fill(bench))
    residents = SHARING + OTHERS[bench.full]
    yield f"  {SHARING:,} of {residents:,} residents share, {SHARING * READINGS:,} Observations together"
    (token,) = tokens_for(bench.settings, [bench.physician], "TREAT")
    asked = {"code": f"{LOINC}|{BLOOD_PRESSURE}"}
    with serving(bench.settings, SERVICE, 1) as (port,):
        page = _answered(bench, port, token, {**asked, "_sort": "-date", "_count": str(PAGE_ENTRIES)})
        yield f"{page.p50_ms:>12.1f} ms  p50 of a page of {PAGE_ENTRIES} over all who share ({page.rate:,.0f}/s)"
        total = _answered(bench, port, token, {**asked, "_summary": "count"})
        plan = {"parameter": CODE, "code": bench.keys.code(LOINC, BLOOD_PRESSURE), "type": OBSERVATION}
        plain = floor.measure(
            floor.Plan("TOTAL", str(bench.settings.state), bench.superuser_url, bench.seconds, [plan])
        )
        yield f"{total.p50_ms:>12.1f} ms  p50 of their accurate total, {plain.rate / total.rate:.2f} of the bare count"
        yield from _withdrawn(bench, port, token, crowd.sharing.patients[:WITHDRAWALS])
        yield from _looked_for(port, token, crowd.denied)


def _answered(bench: Bench, port: int, token: str, asked: Mapping[str, str]) -> Counted:
    one = request("GET", f"/fhir/Observation?{urlencode(asked)}", b"", bearer(token))
    return load.generate(load.Plan([port], bench.seconds, [[one]] * CONNECTIONS))


def _withdrawn(bench: Bench, port: int, token: str, patients: Sequence[str]) -> Iterator[str]:
    """How long a withdrawal takes, and whether anything is seen by what begins after its answer."""
    taken, seen = [], 0
    tokens = tokens_for(bench.settings, patients, "PATRQT")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/fhir") as http:
        for patient, own in zip(patients, tokens, strict=True):
            found = http.get("/Consent", params={"patient": patient, "status": "active"}, headers=bearer(own))
            for entry in found.json()["entry"]:
                tree = {**entry["resource"], "status": "inactive"}
                begun = time.perf_counter()
                answer = http.put(f"/Consent/{tree['id']}", json=tree, headers=bearer(own))
                taken.append(time.perf_counter() - begun)
                answer.raise_for_status()
            after = http.get("/Observation", params={"patient": patient}, headers=bearer(token))
            seen += "entry" in after.json()
    after_all = f"of {len(patients)} requests begun after one, {seen} saw anything"
    yield f"{_p50(taken):>12.1f} ms  p50 of a withdrawal; {after_all}"


def _looked_for(port: int, token: str, denied: Sequence[str]) -> Iterator[str]:
    """What is denied and what is not there, by turns, on one connection."""
    chance = Random(SEED)
    absent = [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(LOOKS)]
    taken: dict[str, list[float]] = {"denied": [], "absent": []}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/fhir/Observation", headers=bearer(token)) as http:
        for pair in zip(denied[:LOOKS], absent, strict=False):
            for what, id_ in zip(taken, pair, strict=True):
                begun = time.perf_counter()
                answer = http.get(f"/{id_}")
                taken[what].append(time.perf_counter() - begun)
                assert answer.status_code == httpx.codes.NOT_FOUND, answer.text
    times = {what: _p50(each) for what, each in taken.items()}
    yield f"{times['denied']:>12.2f} ms  p50 of a read of what is denied, {times['absent']:.2f} ms of what is not there"


def _p50(seconds: Sequence[float]) -> float:
    return 1_000 * quantiles(seconds, n=2)[0]


async def _fill(bench: Bench) -> Crowd:
    chance = Random(SEED)

    def shared(patient: str) -> Iterator[Tree]:
        yield consent(permit([bench.institution], "TREAT"), patient)

    def elsewhere(patient: str) -> Iterator[Tree]:
        yield consent(permit(["Organization/elsewhere"], "TREAT"), patient)

    def pressures(patient: str) -> Iterator[Tree]:
        # The generator's kinds go around: two in five are blood pressures, and the first of each five is.
        for number, tree in enumerate(observations(patient, READINGS * 5, chance)):
            if number % 5 == 0:
                yield tree

    def other(patient: str) -> Iterator[dict[str, Any]]:
        for tree in observations(patient, 1, chance):
            yield {**tree, "code": {"coding": [{"system": LOINC, "code": _OTHER_CODE}]}}

    async with filling(bench.settings, bench.superuser_url) as under_way:
        sharing = await under_way.fill(SHARING, pressures, shared)
        others = await under_way.fill(
            OTHERS[bench.full], other, elsewhere, sample=bench.keys.code(LOINC, _OTHER_CODE)
        )
    return Crowd(sharing, others.observation_ids)
