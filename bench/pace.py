"""Keeping several lanes busy for a while, and counting what they did.

A lane is an asynchronous generator: each step is one request and yields the bytes of its answer. All lanes run
in one event loop; a lane that ends early was given too little to do, and its time does not count.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

CONNECTIONS: Final = 8
WARM_SECONDS: Final = 1.5
"""Long enough for every connection to have its statements prepared."""

Lane = AsyncGenerator[int, None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was done after the warm-up."""

    rounds: int
    seconds: float
    p50_ms: float
    p99_ms: float
    mean_bytes: float

    @property
    def rate(self) -> float:
        """Rounds per second."""
        return self.rounds / self.seconds


async def keep_busy(lanes: Sequence[Lane], seconds: float, warm_seconds: float = WARM_SECONDS) -> Counted:
    """Run the lanes side by side, first to warm up, then for so long."""
    start = time.perf_counter() + warm_seconds
    steps: list[tuple[float, int]] = []
    ends = await asyncio.gather(*(_drive(lane, start, start + seconds, steps) for lane in lanes))
    times = sorted(step for step, _ in steps)
    return Counted(
        rounds=len(times),
        seconds=min(seconds, *(end - start for end in ends)),
        p50_ms=1_000 * times[len(times) // 2],
        p99_ms=1_000 * times[len(times) * 99 // 100],
        mean_bytes=sum(size for _, size in steps) / len(steps),
    )


async def _drive(lane: Lane, start: float, end: float, steps: list[tuple[float, int]]) -> float:
    """Advance one lane until the end; returns when it stopped."""
    while (begun := time.perf_counter()) < end:
        size = await anext(lane, None)
        if size is None:
            return begun
        if begun >= start:
            steps.append((time.perf_counter() - begun, size))
    return end


def in_own_process(module: str, plan: object) -> Counted:
    """Hand a plan, a dataclass, to a module that reads it on stdin and answers with what it counted."""
    command = [sys.executable, "-m", module]
    text = json.dumps(_plain(plan)).encode()
    ended = subprocess.run(command, input=text, capture_output=True, check=False)
    if ended.returncode:
        raise SystemExit(f"`{module}` failed: {ended.stderr.decode()[-1_500:]}")
    return Counted(**json.loads(ended.stdout))


def answer(counted: Counted) -> None:
    """Tell the process that asked what was counted."""
    json.dump(asdict(counted), sys.stdout)


def _plain(plan: Any) -> dict[str, Any]:
    return asdict(plan)
