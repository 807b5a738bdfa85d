"""The mock provider beside the demo: a process of its own, approved by two operators, with one resident's account.

https://openid.net/specs/openid-connect-core-1_0.html

It is a mock in name and page. A production installation takes no provider that is reached by plain HTTP.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from joserfc.jwk import ECKey

from passport.demo.client import TIMEOUT_SECONDS, Caller, TokenSource, granted, until
from passport.demo.errors import NotServing
from passport.demo.policies import OPERATOR, SECOND_OPERATOR
from passport.demo.processes import READY_SECONDS, STOP_SECONDS, Part, listening
from passport.environment import handed_on
from passport.settings import Settings

PROVIDER: Final = "mock"
NAME: Final = "模擬サインイン（架空） / Mock sign-in"
PERSON: Final = "hanako"
"""Whom the mock calls so is the resident of the persona file here."""

_CLIENT: Final = "passport-demo"
_FOLDER: Final = "federation"
_KEY_FILE: Final = "mock.pem"
_LOGIN: Final = "hanako-mock"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A running mock, and the passport that is to know it."""

    base_url: str
    issuer: str
    part: Part

    @property
    def start(self) -> str:
        """Where a browser begins to sign in by it."""
        return f"{self.base_url}/auth/federation/{PROVIDER}/start"

    def introduce(self, tokens: TokenSource, resident: str) -> None:
        """Let two operators register the mock, and let one of its people be a resident; what is there stays.

        Raises:
            Refused: the passport did not take it.
            NotServing: the mock does not answer.
        """
        self._await_ready()
        proposing, confirming = tokens([OPERATOR, SECOND_OPERATOR])
        with Caller(self.base_url, proposing) as first, Caller(self.base_url, confirming) as second:
            known = granted(first.get("/auth/providers")).json()["providers"]
            if not any(self._is_this(each) for each in known):
                proposed = granted(first.put(f"/auth/providers/{PROVIDER}", self._registration)).json()
                named = {"proposal": proposed["proposal"]}
                granted(second.post(f"/auth/providers/{PROVIDER}/approve", named))
            self._link(first, second, resident)

    @property
    def _registration(self) -> dict[str, str]:
        return {
            "name": NAME,
            "profile": "digital-agency",
            "issuer": self.issuer,
            "client_id": _CLIENT,
            "key_file": _KEY_FILE,
        }

    def _is_this(self, known: dict[str, Any]) -> bool:
        return (known["id"], known["issuer"], known["state"]) == (PROVIDER, self.issuer, "active")

    def _link(self, operator: Caller, another: Caller, resident: str) -> None:
        """Sign in as a browser does; the first time at this provider with the resident's code."""
        with httpx.Client(base_url=self.base_url, timeout=TIMEOUT_SECONDS) as browser:
            there = browser.get(self.start).headers["location"]
            back = browser.get(f"{there}&person={PERSON}").headers["location"]
            if not browser.get(back).headers["location"].endswith("/waiting"):
                return
            order = {"login": _LOGIN, "subject": resident, "purposes": ["PATRQT"]}
            code = granted(operator.post("/auth/sign-in-codes", order)).json()
            if "proposal" in code:
                named = {"proposal": code["proposal"]}
                granted(another.post(f"/auth/sign-in-codes/{_LOGIN}/confirm", named))
            told = {"login": code["login"], "code": code["code"]}
            headers = {"Origin": self.base_url, "Accept": "application/json"}
            granted(browser.post("/auth/federation/link", json=told, headers=headers))

    def _await_ready(self) -> None:
        for _ in until(READY_SECONDS):
            try:
                if httpx.get(f"{self.issuer}/jwks", timeout=2).is_success:
                    return
            except httpx.TransportError:
                pass
        raise NotServing(f"the mock provider is not ready, see `{self.part.log}`")


@contextmanager
def elsewhere(settings: Settings) -> Iterator[Elsewhere]:
    """Run the mock while the block runs: at the port after the service's, or at a free one."""
    with _bound(settings) as bound:
        issuer = f"http://127.0.0.1:{bound.getsockname()[1]}"
        part = _part(settings, issuer, bound)
        part.start()
        try:
            yield Elsewhere(settings.base_url, issuer, part)
        finally:
            part.ask_to_end()
            part.end(time.monotonic() + STOP_SECONDS)


def _bound(settings: Settings) -> socket.socket:
    try:
        return listening("127.0.0.1", settings.port + 1)
    except (NotServing, OverflowError):
        return listening("127.0.0.1", 0)


def _part(settings: Settings, issuer: str, bound: socket.socket) -> Part:
    folder = settings.state / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    client = {
        "client_id": _CLIENT,
        "redirect_uri": f"{settings.base_url}/auth/federation/{PROVIDER}/back",
        "jwk": _key(folder / _KEY_FILE).as_dict(private=False),
    }
    (folder / "mock.json").write_bytes(orjson.dumps(client))
    command = (
        "passport.demo.provider",
        *("--issuer", issuer),
        *("--client", str(folder / "mock.json")),
        *("--socket", str(bound.fileno())),
    )
    log = settings.state / "logs" / "provider.log"
    return Part(command, handed_on(os.environ, {}), log, (bound.fileno(),))


def _key(path: Path) -> ECKey:
    """The key by which the passport proves itself to the mock, made once."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    return ECKey.import_key(path.read_bytes())
