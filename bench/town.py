"""The measured installation: a running service, its directory, its physician, and devices that sign.

https://www.uvicorn.org/
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Final

import httpx

from bench.residents import FIRST_MORNING, INSTITUTIONS, reading
from passport.demo.devices import message, new_key, public_jwk
from passport.installation.tokens import Wanted, hand_out
from passport.serving import GRACE_SECONDS
from passport.settings import Settings

SERVICE: Final = "passport.serving"
MODEL: Final = "bench-cuff"
READY_SECONDS: Final = 30
_TOKENS: Final = timedelta(hours=2)


@contextmanager
def serving(settings: Settings, module: str, processes: int) -> Iterator[tuple[int, ...]]:
    """Run `module` in so many processes, each at a port of its own; yields the ports when all of them answer.

    Connections that arrive together at one socket are most often taken by one process, whoever else listens.
    """
    environment = {**os.environ, "PASSPORT_DATABASE_URL": settings.database_url}
    with ExitStack() as started:
        ports = []
        for _ in range(processes):
            bound = started.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
            arguments = ("--state", str(settings.state), "--socket", str(bound.fileno()))
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], env=environment, pass_fds=(bound.fileno(),)
            )
            started.callback(process.wait, GRACE_SECONDS * 2)
            started.callback(process.terminate)
            ports.append(int(bound.getsockname()[1]))
        for port in ports:
            _await(f"http://127.0.0.1:{port}/openapi.json")
        yield tuple(ports)


def _await(url: str) -> None:
    """Wait until the socket is answered."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=READY_SECONDS).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url} after {READY_SECONDS} s")


def tokens_for(settings: Settings, references: Sequence[str], purpose: str) -> list[str]:
    """A token to act as each of these."""
    return hand_out(settings, [Wanted(each, purpose, lifetime=_TOKENS) for each in references])


@dataclass(frozen=True, slots=True)
class Directory:
    """References that the measurement needs."""

    institutions: tuple[str, ...]
    physician: str


class Office:
    """The operator and the residents, who set the stage over HTTP."""

    def __init__(self, settings: Settings, port: int) -> None:
        self._settings = settings
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        self._operator, self._approver = tokens_for(settings, ["operator", "approver"], "HOPERAT")

    def directory(self) -> Directory:
        """Institutions, and a physician of the first one."""
        institutions = [
            self._create({"resourceType": "Organization", "name": f"計測病院 {number}", "active": True})
            for number in range(INSTITUTIONS)
        ]
        person = self._create({"resourceType": "Practitioner", "name": [{"text": "計測 一郎"}]})
        role = {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": {"reference": person},
            "organization": {"reference": institutions[0]},
        }
        return Directory(tuple(institutions), self._create(role))

    def devices(self, patients: Sequence[str]) -> "list[Cuff]":
        """An approved blood-pressure cuff for each of these patients."""
        model = {"manufacturer": "計測計器（架空）", "display": MODEL, "readings": ["blood-pressure"]}
        self._send("PUT", f"/devices/models/{MODEL}", self._approver, model)
        owners = zip(patients, tokens_for(self._settings, patients, "PATRQT"), strict=True)
        return [self._cuff(patient, token) for patient, token in owners]

    def _cuff(self, patient: str, token: str) -> "Cuff":
        key = new_key("P-256")
        order = {"patient": patient, "model": MODEL, "serial": "BENCH-1", "jwk": public_jwk(key)}
        enrolled = self._send("POST", "/devices/enrolments", token, order)
        device = str(enrolled["device"])
        self._send("POST", f"/devices/{device.partition('/')[2]}/approve", token, None)
        return Cuff(f"/devices/{device.partition('/')[2]}", key, str(enrolled["kid"]))

    def _create(self, tree: dict[str, Any]) -> str:
        made = self._send("POST", f"/fhir/{tree['resourceType']}", self._operator, tree)
        return f"{tree['resourceType']}/{made['id']}"

    def _send(self, method: str, path: str, token: str, body: object) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        if not answer.is_success:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        told: dict[str, Any] = answer.json()
        return told


@dataclass(frozen=True, slots=True)
class Cuff:
    """An approved device: its address, its key, and what the enrolment called that."""

    path: str
    key: Any
    kid: str

    def batches(self, count: int, readings: int, chance: Random) -> list[bytes]:
        """So many signed messages; no reading comes twice."""
        minute = timedelta(minutes=1)
        return [
            message(
                self.key,
                self.kid,
                number + 1,
                [
                    reading("blood-pressure", FIRST_MORNING + minute * (number * readings + at), chance)
                    for at in range(readings)
                ],
            )
            for number in range(count)
        ]
