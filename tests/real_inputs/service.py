"""A started service with an operator, for people who are registered as the files name them.

http://hl7.org/fhir/R4/patient.html
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from passport.demo.client import Caller, TokenSource
from passport.demo.running import started


@dataclass(frozen=True, slots=True)
class Service:
    """Where it is, its operator, and tokens for whoever was registered."""

    base_url: str
    operator: Caller
    tokens: TokenSource

    def register(self, person: Mapping[str, Any]) -> tuple[str, Caller]:
        """Register a Patient as the operator; returns the reference, and a caller who is that person."""
        patient = self.operator.create(person)
        return patient, Caller(self.base_url, *self.tokens([(patient, "PATRQT")]))


@contextmanager
def running_service(console: Console) -> Iterator[Service]:
    """Run the service with its workers on a temporary database and a free port."""
    with (
        tempfile.TemporaryDirectory(prefix="passport-real-inputs-") as folder,
        started(Path(folder) / "state", 0, console, sandbox=False) as stage,
        Caller(stage.settings.base_url, *stage.tokens([("operator", "HOPERAT")])) as operator,
    ):
        yield Service(stage.settings.base_url, operator, stage.tokens)
