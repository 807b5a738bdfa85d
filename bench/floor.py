"""The floor: bare SQL from as many connections, in a process of its own, without HTTP.

https://www.psycopg.org/psycopg3/docs/advanced/async.html
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from random import Random
from secrets import randbits
from typing import Any, Final

import uvloop

from bench.filling import SEED, record_row
from bench.pace import CONNECTIONS, Counted, Lane, answer, in_own_process, keep_busy
from bench.residents import observations
from bench.statements import COMPARTMENT, INSERT, PAGE, READ, TOTAL
from fhirstore.keys import KeyMaker
from fhirstore.rows import record_arrays
from passport.database import Pool, open_pool
from passport.dictionaries import open_dictionaries
from passport.keys import KeyRing
from passport.records import Owner
from passport.runtime import Runtime
from passport.settings import Settings
from passport.sql import Prepared, Row, fetch

MODULE: Final = "bench.floor"
Params = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Plan:
    """One statement, its parameters in JSON, and for how long; `INSERT` makes `rows` rows of its own."""

    statement: str
    state: str
    database_url: str
    seconds: float
    params: Sequence[Mapping[str, Any]] = ()
    rows: int = 0
    connections: int = CONNECTIONS


def measure(plan: Plan) -> Counted:
    """Carry a plan out."""
    return in_own_process(MODULE, plan)


_STATEMENTS: Final = {
    "PAGE": PAGE,
    "COMPARTMENT": COMPARTMENT,
    "READ": READ,
    "TOTAL": TOTAL,
    "INSERT": INSERT,
}


async def _lane(pool: Pool, prepared: Prepared, params: Iterator[Params]) -> Lane:
    async with pool.connection() as connection:
        for values in params:
            rows = await fetch(connection, prepared, values)
            yield sum(_size(row) for row in rows)


def _size(row: Row) -> int:
    return len(getattr(row, "body", b""))


def _made(runtime: Runtime, rows: int, lane: int) -> Iterator[Params]:
    """The same sealed rows again and again, under new record keys."""
    owner = Owner(lane + 1, runtime.ring.random(32))
    trees = observations("Patient/bench", rows, Random(SEED))
    arrays = record_arrays([record_row(runtime, tree, owner) for tree in trees])
    while True:
        # Record keys are hashes: they fall anywhere in the index.
        yield {**arrays, "record_key": [randbits(62) for _ in range(rows)]}


def _given(plan: Plan, lane: int) -> Iterator[Params]:
    """The plan's parameters around and around, each lane from another place."""
    read = [
        {name: datetime.fromisoformat(value) if name == "since" else value for name, value in each.items()}
        for each in plan.params
    ]
    return cycle(read[lane:] + read[:lane])


async def _carry_out(plan: Plan) -> Counted:
    settings = Settings.load(Path(plan.state))
    ring = KeyRing.load(settings.key_file)
    async with open_pool(plan.database_url, size=plan.connections) as pool:
        runtime = Runtime(settings, pool, ring, KeyMaker(ring.index_secret))
        await open_dictionaries(runtime)
        params = [
            _made(runtime, plan.rows, lane) if plan.rows else _given(plan, lane)
            for lane in range(plan.connections)
        ]
        lanes = [_lane(pool, _STATEMENTS[plan.statement], values) for values in params]
        counted = await keep_busy(lanes, plan.seconds)
        for lane in lanes:
            await lane.aclose()
        return counted


if __name__ == "__main__":
    answer(uvloop.run(_carry_out(Plan(**json.load(sys.stdin)))))
