"""What a caller may name in a request: records that are shown, hidden, absent or their own, people, days, codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

import orjson
from httpx import Response

from tests.town import BASE_URL, FHIR_JSON, link
from tests.unit.consent.words import Json
from tests.unit.passport.devices.signing import DevicePen

DAYS: Final = tuple(f"2026-10-{day:02d}" for day in range(1, 8))
NOBODY: Final = "Patient/nobody"
NEVER: Final = str(uuid5(NAMESPACE_URL, "never given"))
"""An id that nothing ever had."""

MOST_REMEMBERED: Final = 40


@dataclass(frozen=True)
class Asked:
    """One request, the same in both worlds; `path` begins with a slash and carries its query."""

    method: str
    path: str
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = False
    """Whether the body bears its own proof, in place of a token."""

    @classmethod
    def of(cls, method: str, path: str, tree: Any = None, *pairs: tuple[str, str], **headers: str) -> "Asked":
        """A request with a JSON body, if it has one; a header is named with underscores."""
        content = None if tree is None else orjson.dumps(tree)
        kind = {} if tree is None else {"Content-Type": FHIR_JSON}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        address = f"{path}?{urlencode(pairs, safe='/:|,$')}" if pairs else path
        return cls(method, address, content, {**kind, **named})


@dataclass
class Scene:
    """What there is to ask about; grows with what the answers tell.

    `people` are Patients whom both worlds know, `ghost` is one whom only the fuller one does. `devices` and
    `imports` are ids: one that both know, one that is hidden, one that was never given. `pen` signs for the
    device that both know. `requests` are those that callers put, to whomever.
    """

    shown: tuple[str, ...]
    hidden: tuple[str, ...]
    people: tuple[str, ...]
    ghost: str
    consents: tuple[str, ...]
    directory: tuple[str, ...]
    devices: tuple[str, ...]
    imports: tuple[str, ...]
    pen: DevicePen
    readings: int = 0
    written: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of what is hidden, and those that are asked about most."""
        return tuple(dict.fromkeys(("Observation", *(name.partition("/")[0] for name in self.hidden))))

    def patient(self, draw: Random) -> str:
        """Somebody: most often the first, whose records are shown in part."""
        return draw.choice((*self.people[:1] * 4, *self.people, self.ghost, NOBODY))

    def record(self, draw: Random, type_name: str | None = None) -> str:
        """A record that is shown, hidden or absent, or that the sequence wrote."""
        group = draw.choice(
            (self.shown, self.hidden, self.hidden, ("",), self.written[-6:], self.consents, self.people)
        )
        held = [name for name in group if type_name is None or name.startswith(f"{type_name}/")]
        if not held or held == [""]:
            return f"{type_name or draw.choice(self.types)}/{NEVER}"
        return draw.choice(held)

    def learn(self, asked: Asked, answer: Response) -> None:
        """Keep what an answer leads to."""
        if answer.status_code == 201 and "location" in answer.headers:
            self._wrote(answer.headers["location"])
        if answer.status_code == 202 and asked.path == "/sharing/requests":
            self.requests = [*self.requests[-MOST_REMEMBERED:], answer.json()["id"]]
        if not answer.content or b'"Bundle"' not in answer.content[:40]:
            return
        bundle: Json = answer.json()
        for entry in bundle.get("entry", ()) if asked.method == "POST" else ():
            if entry.get("response", {}).get("status", "").startswith("201"):
                self._wrote(entry["response"]["location"])
        further = link(bundle, "next") if "link" in bundle else None
        if further is not None:
            self.links = [*self.links[-MOST_REMEMBERED:], further.removeprefix(BASE_URL)]

    def _wrote(self, location: str) -> None:
        reference = location.removeprefix(f"{BASE_URL}/fhir/").partition("/_history")[0]
        self.written = [*self.written[-MOST_REMEMBERED:], reference]
