"""What consent costs: the condition and the wall on a whole search, by consents per patient and permitted share.

http://hl7.org/fhir/R4/consent.html

Each search is asked of the service, and of the same service without its condition and its wall (`bench.unguarded`),
in turns, so that both meet the same machine. *Asked for*: the search names the codes that are permitted, so both
answer the same page. *All*: it names none, so the guarded one looks past what it may not show.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

from bench import load, unguarded
from bench.filling import LOINC, SEED, filling
from bench.measuring import PAGE_ENTRIES, Bench, bearer, request
from bench.pace import CONNECTIONS, Counted
from bench.residents import observations
from bench.town import SERVICE, serving, tokens_for
from passport.demo.consents import Tree, consent, permit

CONSENTS: Final = (1, 10, 100, 1_000)
SHARES: Final = (0.001, 0.01, 0.1, 0.5, 1.0)
RECORDS: Final = 1_000
"""Observations of one patient: the smallest share is one of them."""

PATIENTS: Final = 4
"""Patients of each number of consents and each share."""

_CODES: Final = tuple(f"bench-{share}" for share in SHARES)
_WARM_SECONDS: Final = 0.5


def lines(bench: Bench) -> Iterator[str]:
    """A line for each number of consents and each share."""
    asked = {
        (count, at): asyncio.run(_fill(bench, count, at)) for count in CONSENTS for at in range(len(SHARES))
    }
    yield f"{'consents':>12}{'share':>8}{'p50 ms':>10}{'asked for':>14}{'all':>14}"
    with ExitStack() as started:
        bare = bench.settings.at(database_url=bench.superuser_url)
        ports = (
            started.enter_context(serving(bench.settings, SERVICE, 1))[0],
            started.enter_context(serving(bare, unguarded.MODULE, 1))[0],
        )
        (token,) = tokens_for(bench.settings, [bench.physician], "TREAT")
        for (count, at), patients in asked.items():
            named = {"code": ",".join(f"{LOINC}|{code}" for code in _CODES[: at + 1])}
            guarded, ratio = _compared(bench, ports, token, patients, named)
            _, looking_past = _compared(bench, ports, token, patients, {})
            share = f"{SHARES[at]:.1%}"
            yield f"{count:>12,}{share:>8}{guarded.p50_ms:>10.1f}{ratio:>14.2f}{looking_past:>14.2f}"


def _compared(
    bench: Bench, ports: tuple[int, int], token: str, patients: tuple[str, ...], asked: dict[str, str]
) -> tuple[Counted, float]:
    """How fast the guarded one is, and how many times the time of the unguarded one it takes."""
    requests = [
        request("GET", f"/fhir/Observation?{urlencode(parameters)}", b"", bearer(token))
        for name in patients
        for parameters in [{"patient": name, **asked, "_count": PAGE_ENTRIES}]
    ]
    lanes = [list(islice(cycle(requests), lane, lane + len(requests))) for lane in range(CONNECTIONS)]
    turns = [
        [
            load.generate(load.Plan([port], bench.seconds / 4, lanes, warm_seconds=_WARM_SECONDS))
            for port in ports
        ]
        for _ in range(2)
    ]
    guarded, plain = (sum(turn[at].rate for turn in turns) for at in (0, 1))
    return turns[0][0], plain / guarded


async def _fill(bench: Bench, count: int, at: int) -> tuple[str, ...]:
    """Patients with so many consents, of which the first shares so much with the measured physician."""

    def consents(patient: str) -> Iterator[Tree]:
        provision = permit([bench.institution], "TREAT", classes=("Observation",))
        provision["code"] = [{"coding": [{"system": LOINC, "code": code}]} for code in _CODES[: at + 1]]
        yield consent(provision, patient)
        for number in range(1, count):
            yield consent(permit([f"Organization/elsewhere-{number}"], "TREAT"), patient)

    async with filling(bench.settings, bench.superuser_url) as under_way:
        filled = await under_way.fill(PATIENTS, _records, consents)
    return filled.patients


def _records(patient: str) -> Iterator[dict[str, Any]]:
    """Observations whose code tells from which share on they are permitted."""
    places = list(range(RECORDS))
    Random(SEED).shuffle(places)
    for place, tree in zip(places, observations(patient, RECORDS, Random(SEED)), strict=True):
        code = next(code for code, share in zip(_CODES, SHARES, strict=True) if place < share * RECORDS)
        yield {**tree, "code": {"coding": [{"system": LOINC, "code": code}]}}
