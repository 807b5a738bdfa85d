"""The stage of the story: who is on it, and the answers in the words of the expectations."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx

from passport.demo.client import Caller, granted
from passport.demo.personas import Persona, PersonaFile
from passport.demo.readings import Reading

BLOOD_PRESSURE: Final = "http://loinc.org|85354-9"
HEART_RATE: Final = "http://loinc.org|8867-4"
BODY_WEIGHT: Final = "http://loinc.org|29463-7"

NOTHING: Final = "nothing"
ALL: Final = "all that the resident has"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class Got:
    """What came back: the status, what the answer shows, and of how many records where it shows any."""

    status: int
    finding: str
    count: int | None = None


@dataclass(slots=True)
class Scene:
    """The personas, a client for each, and what the steps so far left behind.

    `began` is when the story began; `reading` what the device measures in it; `neighbour` another resident.
    """

    people: PersonaFile
    callers: Mapping[str, Caller]
    began: datetime
    reading: Reading
    neighbour: str
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def patient(self) -> str:
        """The resident whom the story is about."""
        return self.persona("resident").reference

    def persona(self, name: str) -> Persona:
        """The persona of that name."""
        return self.people.personas[name]

    def ids(
        self, who: str, kind: str, code: str | None = None, *, patient: str | None = None
    ) -> frozenset[str]:
        """The ids of all that a search of somebody's finds."""
        parameters = {"patient": patient or self.patient} | ({} if code is None else {"code": code})
        return frozenset(resource["id"] for resource in self.callers[who].found(kind, **parameters))

    def search(self, who: str, kind: str, code: str | None = None) -> Got:
        """Search as somebody; the finding says how much of what the resident has came back."""
        seen, own = self.ids(who, kind, code), self.ids("resident", kind, code)
        if not seen:
            return Got(200, NOTHING)
        return shown(seen, own)


Step = Callable[[Scene], Got]


@contextmanager
def staged(people: PersonaFile, began: datetime, reading: Reading, neighbour: str) -> Iterator[Scene]:
    """A scene with a client for each persona of the file, and one for nobody, without a token."""
    with ExitStack() as stack:
        callers = {
            name: stack.enter_context(Caller(people.base_url, persona.token))
            for name, persona in people.personas.items()
        }
        callers["nobody"] = stack.enter_context(Caller(people.base_url))
        yield Scene(people, callers, began, reading, neighbour)


def shown(seen: frozenset[str], own: frozenset[str]) -> Got:
    """How much of what the resident has somebody sees."""
    if seen and seen == own:
        return Got(200, ALL, len(own))
    return Got(200, f"{len(seen)}, and the resident has {len(own)}")


def pressures(who: str) -> Step:
    """Somebody searches the resident's blood pressures."""
    return lambda scene: scene.search(who, "Observation", BLOOD_PRESSURE)


def medicines(who: str) -> Step:
    """Somebody searches the resident's dispensed medicines."""
    return lambda scene: scene.search(who, "MedicationDispense")


def refused(answer: httpx.Response) -> Got:
    """What came of something that must not succeed."""
    return Got(answer.status_code, "taken" if answer.is_success else REFUSED)


def notified(kind: str) -> Step:
    """The resident reads the notifications, and there is one of this kind."""

    def step(scene: Scene) -> Got:
        told = granted(scene.callers["resident"].get("/notifications")).json()
        if any(note["kind"] == kind and since(scene, note["time"]) for note in told):
            return Got(200, kind)
        return Got(200, NOTHING)

    return step


def since(scene: Scene, time: str) -> bool:
    """Whether an instant, RFC 3339, lies within the story."""
    return datetime.fromisoformat(time) >= scene.began
