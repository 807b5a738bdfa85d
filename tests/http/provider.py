"""Providers for tests: the mock of the demo on a port of this machine, and one that lies where a test tells it to."""

import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import uvicorn
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from httpx import AsyncClient, Response
from joserfc.jwk import ECKey
from starlette.types import ASGIApp

from passport.demo.provider.app import provider as application
from passport.demo.provider.keeping import Client, Code, Mock
from passport.identity.federation.credentials import FOLDER
from tests.http.apps import Browser
from tests.http.identity_town import BASE_URL, City

RESIDENTS: Final = "city-portal"
CLINICIANS: Final = "hospital"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serving.set()


@contextmanager
def serving(make: Callable[[str], ASGIApp]) -> Iterator[str]:
    """Serve what `make` makes for its address, until the block ends; the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = _Server(uvicorn.Config(make(address), log_config=None, timeout_graceful_shutdown=5))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert server.serving.wait(timeout=60)
            yield address
        finally:
            server.should_exit = True
            thread.join(timeout=30)


Tree = dict[str, Any]


@dataclass
class Liar(Mock):
    """A mock that changes what it says, each by its name: `document`, `jwks`, `claims`, `signed`, `user_info`."""

    lies: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    keys_asked: int = 0
    document_asked: int = 0

    def _told(self, what: str, truth: Any) -> Any:
        return self.lies.get(what, lambda said: said)(truth)

    @property
    def document(self) -> Tree:
        self.document_asked += 1
        told: Tree = self._told("document", super().document)
        return told

    @property
    def jwks(self) -> Tree:
        self.keys_asked += 1
        told: Tree = self._told("jwks", super().jwks)
        return told

    def claims(self, client: Client, code: Code, token: str) -> Tree:
        told: Tree = self._told("claims", super().claims(client, code, token))
        return {name: value for name, value in told.items() if value is not None}

    def signed(self, claims: Any) -> str:
        if "signed" in self.lies:
            lie: str = self.lies["signed"](claims)
            return lie
        return super().signed(claims)

    def user_info(self, token: str) -> Tree:
        told: Tree = self._told("user_info", super().user_info(token))
        return told


@dataclass
class Elsewhere:
    """A provider as a passport knows it, and the browsers of those who sign in there."""

    town: City
    mock: Liar
    provider_id: str

    async def went(self, browser: Browser, **query: str) -> tuple[str, dict[str, str]]:
        """Where a browser is sent, and what it is sent with."""
        answer = await browser.get(f"/auth/federation/{self.provider_id}/start", **query)
        assert answer.status_code == 303, answer.text
        carried(browser, answer)
        return answer.headers["location"], asked(answer.headers["location"])

    async def chosen(self, browser: Browser, person: str = "hanako") -> str:
        """The address to which the provider sends a browser back."""
        location, _ = await self.went(browser)
        return await self.back_from(location, person)

    async def back_from(self, location: str, person: str = "hanako") -> str:
        async with AsyncClient() as http:
            shown = await http.get(location)
            assert shown.status_code == 200, shown.text
            answer = await http.get(f"{location}&person={person}")
        assert answer.status_code == 303, answer.text
        address: str = answer.headers["location"]
        return address

    async def returned(self, browser: Browser, address: str, **headers: str) -> Response:
        """What the passport answers to a browser that was sent back."""
        answer = await browser.get(address.removeprefix(BASE_URL), **headers)
        carried(browser, answer)
        return answer

    async def signed_in(self, browser: Browser, person: str = "hanako") -> Response:
        return await self.returned(browser, await self.chosen(browser, person), Accept="application/json")

    async def linked(self, browser: Browser, code: dict[str, str], person: str = "hanako") -> Response:
        """Sign in there for the first time, and say here who it is."""
        answer = await self.signed_in(browser, person)
        assert answer.json() == {"signed_in": False}, answer.text
        told = {"login": code["login"], "code": code["code"]}
        answer = await browser.post("/auth/federation/link", told)
        carried(browser, answer)
        return answer


class Jar(Browser):
    """A browser that keeps several cookies, as a browser does."""

    @property
    def jar(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.cookie.split("; ") if pair)

    def keep(self, answer: Response) -> None:
        kept = self.jar
        for given in answer.headers.get_list("set-cookie"):
            name, _, value = given.partition(";")[0].partition("=")
            if value in {"", '""'}:
                kept.pop(name, None)
            else:
                kept[name] = value
        self.cookie = "; ".join(f"{name}={value}" for name, value in kept.items())
        self.town.http.cookies.clear()


def carried(browser: Browser, answer: Response) -> None:
    """Let a browser keep the cookies of an answer."""
    browser.keep(answer)


def asked(address: str) -> dict[str, str]:
    """The parameters of an address, each of which stands there once."""
    found = parse_qs(urlsplit(address).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def key_file(town: City, name: str) -> ECKey:
    """A key of the passport's own for a provider, as an operator puts it into the folder."""
    key = ECKey.generate_key("P-256")
    private = key.private_key
    assert private is not None
    put(town, name, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def put(town: City, name: str, content: bytes) -> None:
    """A file in the folder of the passport's credentials at providers."""
    folder = town.runtime.settings.state / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / name).chmod(stat.S_IRUSR | stat.S_IWUSR)


async def registered(town: City, mock: Liar, profile: str, **members: Any) -> Elsewhere:
    """A provider that one operator proposed and another approved."""
    provider_id = f"{profile}-{uuid4().hex[:8]}"
    name = f"{provider_id}.pem"
    if "key_file" not in members:
        key_file(town, name)
    body = {
        "name": "模擬の市ポータル（架空）",
        "profile": profile,
        "issuer": mock.issuer,
        "client_id": f"passport-{provider_id}",
        "key_file": name,
        **members,
    }
    answer = await town.call("operator", "PUT", f"/auth/providers/{provider_id}", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    mock.clients[body["client_id"]] = Client(
        body["client_id"], told["redirect_uri"], told["public_key"], members.get("secret", "")
    )
    path, named = f"/auth/providers/{provider_id}/approve", {"proposal": told["proposal"]}
    approved = await town.call("operator/second", "POST", path, json=named)
    assert approved.status_code == 200, approved.text
    return Elsewhere(town, mock, provider_id)


@contextmanager
def liar(town: City) -> Iterator[Liar]:
    """A running provider that lies where it is told to."""
    found: list[Liar] = []

    def made(address: str) -> ASGIApp:
        found.append(Liar(issuer=address, clock=lambda: town.clock().timestamp()))
        return application(found[0])

    with serving(made):
        yield found[0]
