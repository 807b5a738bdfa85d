"""A page under watch: what it asks for, what it is forbidden, and whether everybody can use it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

# Which rules axe is asked: WCAG 2.2 A and AA, and what it holds for good practice.
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_STOPS_MAX: Final = 40


@dataclass
class Watched:
    """A person's page; `allowed` are the origins that it may ask."""

    page: Page
    base_url: str
    axe: str
    allowed: set[str]
    origins: set[str] = field(default_factory=set)
    forbidden: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.failed.append(str(error)))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base_url}{path}")

    def heading(self, text: str) -> None:
        """Wait until the page with this heading is shown."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def tab_to(self, target: Locator) -> None:
        """Get to something by the tab key alone."""
        target.wait_for()
        for _ in range(_STOPS_MAX):
            if target.evaluate("each => each === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError("the tab key does not get there")

    def sign_in(
        self, code: dict[str, str], *, texts: Sequence[str] = ("ログイン名", "コード", "サインイン")
    ) -> None:
        login, secret, button = texts
        self.page.get_by_label(login, exact=True).fill(code["login"])
        self.page.get_by_label(secret, exact=True).fill(code["code"])
        self.press(button)

    def accessible(self) -> None:
        """Nothing that axe finds stands in anybody's way."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(self.axe)
        ask = (
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})"
        )
        found: dict[str, Any] = self.page.evaluate(ask, _RULES)
        told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]
        assert told == []

    def fits(self) -> None:
        """Nobody has to scroll sideways."""
        width, room = self.page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert width <= room

    def clean(self) -> None:
        """The page asked nobody else, was forbidden nothing by its policy, and raised no error."""
        assert self.origins <= self.allowed
        assert self.forbidden == []
        assert self.failed == []

    def _requested(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"}:
            self.origins.add(f"{parts.scheme}://{parts.netloc}")

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.forbidden.append(message.text)
