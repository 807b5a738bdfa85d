"""Apps and browsers as the tests of the authorization server use them: what they send, letter by letter."""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from httpx import Response

from tests.http.identity_town import BASE_URL, City
from tests.unit.passport.identity.assertions import Signer

REDIRECT: Final = "https://app.example.jp/callback"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
OWN_PAGE: Final = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}
JSON: Final = {"Accept": "application/json"}
EVERYTHING: Final = "openid fhirUser launch/patient offline_access patient/*.rs"


@dataclass
class Browser:
    """A person's browser, which keeps the cookies that it was given: of its session, and that it is known."""

    town: City
    cookie: str = ""
    known: str = ""

    async def get(self, path: str, **headers: str) -> Response:
        return await self.town.http.get(path, headers={**self._cookie, **headers})

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> Response:
        sent = {**self._cookie, **OWN_PAGE, **JSON, **headers}
        answer = await self.town.http.post(path, json=body, headers=sent)
        self.keep(answer)
        return answer

    def keep(self, answer: Response) -> None:
        for given in answer.headers.get_list("set-cookie"):
            cookie = given.partition(";")[0]
            if cookie.partition("=")[0].endswith("-known"):
                self.known = cookie
            else:
                self.cookie = cookie
        self.town.http.cookies.clear()

    async def sign_in(self, code: dict[str, str]) -> Response:
        return await self.post("/auth/login", {"login": code["login"], "code": code["code"]})

    async def csrf(self) -> str:
        told: str = (await self.get("/auth/login", **JSON)).json()["csrf"]
        return told

    @property
    def _cookie(self) -> dict[str, str]:
        kept = "; ".join(filter(None, (self.cookie, self.known)))
        return {"Cookie": kept} if kept else {}


@dataclass
class App:
    """A registered client; without a signer it has no key of its own."""

    town: City
    client_id: str
    signer: Signer | None = None
    audience: str = f"{BASE_URL}/auth/token"
    verifier: str = field(default_factory=lambda: uuid4().hex * 2)

    @property
    def challenge(self) -> str:
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).decode().rstrip("=")

    def request(self, **changes: Any) -> dict[str, str]:
        """What it asks a person for; a change to None leaves the parameter out."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": EVERYTHING,
            "state": "s-4711",
            "aud": f"{BASE_URL}/fhir",
            "nonce": "n-0815",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def query(self, **changes: Any) -> str:
        return urlencode(self.request(**changes))

    async def allowed(
        self, browser: Browser, *, query: str = "", purpose: str = "PATRQT", **choice: Any
    ) -> Response:
        body = {
            "request": query or self.query(),
            "csrf": await browser.csrf(),
            "decision": "allow",
            "purpose": purpose,
            **choice,
        }
        return await browser.post("/auth/authorize/decision", body)

    async def code(self, browser: Browser, **options: Any) -> str:
        answer = await self.allowed(browser, **options)
        assert answer.status_code == 200, answer.text
        return answer_of(answer.json()["redirect_to"])["code"]

    def proof(self) -> dict[str, str]:
        """How it proves who it is at the token endpoint."""
        if self.signer is None:
            return {"client_id": self.client_id}
        assertion = self.signer.assertion(self.client_id, self.town.clock(), aud=self.audience)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}

    async def ask(self, headers: dict[str, str] | None = None, **fields: Any) -> Response:
        sent = {name: value for name, value in {**self.proof(), **fields}.items() if value is not None}
        return await self.town.http.post("/auth/token", data=sent, headers=headers)

    async def redeem(self, code: str, headers: dict[str, str] | None = None, **changes: Any) -> Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
            **changes,
        }
        return await self.ask(headers, **fields)

    async def refresh(self, token: str, headers: dict[str, str] | None = None, **fields: Any) -> Response:
        return await self.ask(headers, grant_type="refresh_token", refresh_token=token, **fields)


async def app(town: City, subject: str, signer: Signer | None = None, **members: Any) -> App:
    """An app that two operators registered."""
    client_id = f"app-{uuid4().hex[:12]}"
    proof = {"token_endpoint_auth_method": "none"} if signer is None else {"jwks": {"keys": [signer.jwk]}}
    body = {
        "name": "見本アプリ（架空）",
        "subject": subject,
        "purposes": ["PATRQT", "FAMRQT", "TREAT"],
        "redirect_uris": [REDIRECT],
        **proof,
        **members,
    }
    answer = await town.registered(client_id, body)
    assert answer.status_code == 200, answer.text
    audience = BASE_URL if members.get("profile") == "fapi2" else f"{BASE_URL}/auth/token"
    return App(town, client_id, signer, audience)


async def handed(town: City, subject: str, *purposes: str, **more: Any) -> dict[str, str]:
    """A sign-in code as operators hand it out."""
    return await town.handed(subject, purposes, **more)


async def signed_in(town: City, subject: str, *purposes: str, **more: Any) -> Browser:
    """A browser at which somebody has signed in."""
    browser = Browser(town)
    answer = await browser.sign_in(await handed(town, subject, *(purposes or ("PATRQT",)), **more))
    assert answer.status_code == 200, answer.text
    return browser


def answer_of(address: str) -> dict[str, str]:
    """The parameters of an address that somebody is sent to, each of which stands there once."""
    found = parse_qs(urlsplit(address).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


def hidden(page: str, name: str) -> str:
    """A hidden field of a page's form."""
    match = re.search(rf"<input type=hidden name={name} value='([^']*)'>", page)
    assert match is not None
    return match[1]


async def seen(browser: Browser) -> dict[str, Any]:
    """Where its person is signed in, and which apps act for them."""
    answer = await browser.get("/auth/sessions", **JSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


async def ended(browser: Browser, id_: str) -> int:
    """Ask to end one of these; the status of the answer."""
    answer = await browser.post(f"/auth/sessions/{id_}/end", {"csrf": await browser.csrf()})
    return answer.status_code
