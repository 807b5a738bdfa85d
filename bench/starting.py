"""How long the embedded PostgreSQL takes until it answers: of an empty folder, and once more.

https://www.postgresql.org/docs/current/app-initdb.html
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.measuring import Bench
from passport.embedded import EmbeddedPostgres

ATTEMPTS: Final = 5


def lines(bench: Bench) -> Iterator[str]:
    """The fastest of some attempts, because whatever else runs makes each slower."""
    cold, warm = [], []
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(dir=bench.settings.state) as state:
            cold.append(_seconds(Path(state)))
            warm.append(_seconds(Path(state)))
    yield f"{min(cold):>12.2f} s  an empty folder"
    yield f"{min(warm):>12.2f} s  a folder that was stopped"


def _seconds(state: Path) -> float:
    begun = time.perf_counter()
    with EmbeddedPostgres.start(state):
        return time.perf_counter() - begun
