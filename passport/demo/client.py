"""An HTTP client that acts as one persona: what every step of the demo goes through.

http://hl7.org/fhir/R4/http.html
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import httpx

from passport.demo.errors import Refused

TokenSource = Callable[[Sequence[tuple[str, str]]], list[str]]
"""Tokens for pairs of reference and purpose of use, in their order."""

TIMEOUT_SECONDS: Final = 30
PAGE_SIZE: Final = 200
POLL_SECONDS: Final = 0.1
TRIES: Final = 3
"""A service that is started again breaks the connections that it had; who asks again loses nothing."""


class Caller:
    """Somebody with a token, or with none."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx.HTTPTransport(retries=TRIES)
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=TIMEOUT_SECONDS, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        """Ask for a path, or for an absolute address such as the next link of a page."""
        return self._http.get(path, params=parameters or None)

    def put(self, path: str, tree: Mapping[str, Any]) -> httpx.Response:
        """Replace what is at a path."""
        return self._http.put(path, json=tree)

    def post(self, path: str, tree: Mapping[str, Any] | None = None, **parameters: str) -> httpx.Response:
        """Post JSON, or nothing."""
        return self._http.post(path, json=tree, params=parameters or None)

    def send(self, path: str, content: bytes, media_type: str, **parameters: str) -> httpx.Response:
        """Post bytes as they are."""
        headers = {"Content-Type": media_type}
        return self._http.post(path, content=content, headers=headers, params=parameters or None)

    def create(self, tree: Mapping[str, Any]) -> str:
        """Create a resource and return its reference.

        Raises:
            Refused: it was not created.
        """
        kind = tree["resourceType"]
        made = granted(self.post(f"/fhir/{kind}", tree))
        location = made.headers["Location"].partition("/_history/")[0]
        return f"{kind}/{location.rpartition('/')[2]}"

    def found(self, kind: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
        """Every resource that a search finds, page after page.

        Raises:
            Refused: a page was not answered.
        """
        page = self.get(f"/fhir/{kind}", _count=PAGE_SIZE, **parameters)
        while True:
            bundle = granted(page).json()
            for entry in bundle.get("entry", ()):
                yield entry["resource"]
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            if "next" not in links:
                return
            page = self.get(links["next"])


def granted(response: httpx.Response) -> httpx.Response:
    """The response, if it is a success.

    Raises:
        Refused: it is none.
    """
    if not response.is_success:
        asked = f"{response.request.method} {response.request.url.path}"
        raise Refused(response.status_code, asked, _said(response))
    return response


def until(seconds: float) -> Iterator[None]:
    """Yield again and again until the time is over; the caller leaves when it has what it waits for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(POLL_SECONDS)


def _said(response: httpx.Response) -> str:
    try:
        issues = response.json()["issue"]
        return "; ".join(issue.get("diagnostics", issue["code"]) for issue in issues)
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
