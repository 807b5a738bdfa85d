"""Passkeys as a person's browser and device use them, for the tests of what the service makes of it."""

from dataclasses import dataclass, field
from typing import Any

from httpx import Response

from tests.authenticator import Authenticator
from tests.http.apps import Browser, signed_in
from tests.http.identity_town import BASE_URL, City

Json = dict[str, Any]


@dataclass
class Person:
    """Somebody with a browser and a device."""

    browser: Browser
    device: Authenticator = field(default_factory=lambda: Authenticator.at(BASE_URL))

    @property
    def town(self) -> City:
        return self.browser.town

    async def options(self) -> Response:
        return await self.browser.post("/auth/passkeys/options", {"csrf": await self.browser.csrf()})

    async def made(self, device: Authenticator | None = None) -> Json:
        """A credential that the device made for this session."""
        answer = await self.options()
        assert answer.status_code == 200, answer.text
        return (device or self.device).create(answer.json()["publicKey"])

    async def send(self, credential: Json, **more: Any) -> Response:
        body = {"csrf": await self.browser.csrf(), "credential": credential, "name": "電話", **more}
        return await self.browser.post("/auth/passkeys", body)

    async def registers(self, device: Authenticator | None = None, **more: Any) -> Response:
        return await self.send(await self.made(device), **more)

    async def listed(self) -> Json:
        answer = await self.browser.get("/auth/passkeys")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        told: Json = answer.json()
        return told

    async def removes(self, id_: str, **more: Any) -> Response:
        body = {"csrf": await self.browser.csrf(), **more}
        return await self.browser.post(f"/auth/passkeys/{id_}/remove", body)

    async def renames(self, id_: str, name: object) -> Response:
        body = {"csrf": await self.browser.csrf(), "name": name}
        return await self.browser.post(f"/auth/passkeys/{id_}/rename", body)


async def challenge(browser: Browser) -> Json:
    answer = await browser.post("/auth/passkeys/challenge", {})
    assert answer.status_code == 200, answer.text
    asked: Json = answer.json()["publicKey"]
    return asked


async def signs_in(browser: Browser, device: Authenticator) -> Response:
    return await browser.post("/auth/passkeys/sign-in", {"credential": device.get(await challenge(browser))})


async def person(town: City, subject: str, *purposes: str) -> Person:
    """Somebody who signed in by a code."""
    return Person(await signed_in(town, subject, *purposes))


async def with_passkey(town: City, subject: str, *purposes: str) -> Person:
    """Somebody who registered a passkey and signed in by it, in the browser in which they are."""
    one = await person(town, subject, *purposes)
    assert (await one.registers()).status_code == 201
    assert (await signs_in(one.browser, one.device)).status_code == 200
    return one
