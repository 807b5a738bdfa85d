"""A started service with an operator, for people who are registered as the files name them.

http://hl7.org/fhir/R4/patient.html
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from passport.demo import policies
from passport.demo.client import Caller, TokenSource
from passport.demo.personas import SANDBOX
from passport.demo.running import started


@dataclass(frozen=True, slots=True)
class Service:
    """Where it is, its operator, who may write everything, and tokens for whoever was registered."""

    base_url: str
    operator: Caller
    suite: httpx.Client
    tokens: TokenSource

    def register(self, person: Mapping[str, Any]) -> tuple[str, Caller]:
        """Register a Patient as the operator; returns the reference, and a caller who is that person."""
        patient = self.operator.create(person)
        return patient, Caller(self.base_url, *self.tokens([(patient, "PATRQT")]))


@contextmanager
def running_service(console: Console) -> Iterator[Service]:
    """Run the service with its workers on a temporary database and a free port, as a sandbox."""
    with (
        tempfile.TemporaryDirectory(prefix="passport-real-inputs-") as folder,
        started(Path(folder) / "state", 0, console, sandbox=True) as stage,
        Caller(stage.settings.base_url, *stage.tokens([("operator", "HOPERAT")])) as operator,
    ):
        policies.open_sandbox(stage.settings.base_url, stage.tokens, stage.books)
        (token,) = stage.tokens([(stage.books.references[SANDBOX], "TREAT")])
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        with httpx.Client(base_url=stage.settings.base_url, headers=headers, timeout=30) as suite:
            yield Service(stage.settings.base_url, operator, suite, stage.tokens)
