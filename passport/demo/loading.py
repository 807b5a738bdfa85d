"""Loads the town over HTTP: the operator registers, residents approve, devices and pharmacy deliver.

http://hl7.org/fhir/R4/http.html#create
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from rich.progress import Progress

from passport.demo import consents, directory, town
from passport.demo.books import Books, DeviceEntry
from passport.demo.client import Caller, TokenSource, granted, until
from passport.demo.devices import SimulatedDevice, models_of
from passport.demo.errors import NotLoaded
from passport.demo.prescriptions import handbook
from passport.demo.readings import readings
from passport.demo.residents import RESIDENTS, Kind, Resident

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE: Final = 4
"""Requests under way at a time: one service process and its database have enough to do with these."""

IMPORT_SECONDS: Final = 60
WAITING: Final = frozenset({"received", "running"})
JOSE: Final = "application/jose"
OCTETS: Final = "application/octet-stream"
OPERATING, OWN, TREATMENT = "HOPERAT", "PATRQT", "TREAT"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of the town is built."""

    residents: int
    days: int


WHOLE: Final = Size(residents=len(RESIDENTS), days=90)
SMALL: Final = Size(residents=6, days=14)
"""For `passport demo --check`: the first of the residents, with two weeks of readings."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Builds a town of some size on a service; `books` remember what became of whom.

    `now` carries the time zone that the town lives in.
    """

    base_url: str
    tokens: TokenSource
    books: Books
    progress: Progress
    now: datetime
    size: Size

    @property
    def residents(self) -> tuple[Resident, ...]:
        """The residents of a town of this size."""
        return RESIDENTS[: self.size.residents]

    def load(self) -> None:
        """Build the town.

        Raises:
            Refused: the service answered otherwise than a town needs.
            NotLoaded: an import did not end well.
        """
        with (
            self._caller("operator", OPERATING) as operator,
            self._caller("operator/second", OPERATING) as second,
            self._caller("approver", OPERATING) as approver,
        ):
            total = directory.SIZE
            for _ in self.progress.track(
                directory.entries(operator, second, approver, self.books), total, description="Directory"
            ):
                pass
            self._each(
                "Residents register", tuple(enumerate(self.residents, 1)), partial(self._register, operator)
            )
        people = [(self._reference(resident), OWN) for resident in self.residents]
        settlers = tuple(zip(self.residents, self.tokens(people), strict=True))
        self._each("Residents approve their devices", settlers, self._settle)
        self._each("Devices deliver their readings", tuple(self._messages()), self._deliver)
        with self._caller(self.books.references["pharmacy"], TREATMENT) as pharmacy:
            treated = tuple(resident for resident in self.residents if resident.medicines)
            jobs = self._each(
                "Pharmacy hands over prescriptions", treated, partial(self._hand_over, pharmacy)
            )
            self._each("Workers import them", jobs, partial(_await_import, pharmacy))

    def _caller(self, reference: str, purpose: str) -> Caller:
        return Caller(self.base_url, *self.tokens([(reference, purpose)]))

    def _each(self, title: str, items: Sequence[T], work: Callable[[T], R]) -> list[R]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = pool.map(work, items)
            return list(self.progress.track(done, total=len(items), description=title))

    def _reference(self, resident: Resident) -> str:
        return self.books.references[resident.key]

    def _register(self, operator: Caller, numbered: tuple[int, Resident]) -> None:
        number, resident = numbered
        self.books.references[resident.key] = operator.create(town.patient(resident, number))

    def _settle(self, settler: tuple[Resident, str]) -> None:
        """A resident enrols and approves each device, and lets the pharmacy hand over."""
        resident, token = settler
        with Caller(self.base_url, token) as patient:
            for kind in resident.health.devices:
                self._enrol(patient, resident, kind)
            if resident.medicines:
                grant = consents.handing_over(self._reference(resident), self.books.references["pharmacy"])
                patient.create(grant)

    def _enrol(self, patient: Caller, resident: Resident, kind: Kind) -> None:
        alike = models_of(kind)
        model = alike[self.residents.index(resident) % len(alike)]
        device = SimulatedDevice.made(model, serial=f"{model.name}-{resident.key}")
        asked = granted(
            patient.post("/devices/enrolments", device.enrolment(self._reference(resident)))
        ).json()
        device.kid = asked["kid"]
        granted(patient.post(f"/devices/{_id(asked['device'])}/approve"))
        self.books.devices[f"{resident.key}/{kind}"] = DeviceEntry(
            f"Device/{_id(asked['device'])}", model.name, device.private_jwk, next_counter=1
        )

    def _messages(self) -> Iterator[tuple[str, bytes]]:
        """Every signed message of every device, with the device that sends it."""
        for resident in self.residents:
            for kind in resident.health.devices:
                entry = self.books.devices[f"{resident.key}/{kind}"]
                device = SimulatedDevice.known(entry.model, entry.jwk, entry.next_counter)
                taken = readings(resident, kind, self.now, self.size.days)
                messages = list(device.batches(taken))
                entry.next_counter = device.next_counter
                yield from ((entry.reference, message) for message in messages)

    def _deliver(self, sent: tuple[str, bytes]) -> None:
        device, message = sent
        with Caller(self.base_url) as gateway:
            granted(gateway.send(f"/devices/{_id(device)}/readings", message, JOSE))

    def _hand_over(self, pharmacy: Caller, resident: Resident) -> str:
        book = handbook(resident, self.now.date(), self.size.days)
        patient = self._reference(resident)
        taken = pharmacy.send("/imports", book, OCTETS, patient=patient, format="jahis")
        return granted(taken).headers["Location"]


def _id(reference: str) -> str:
    return reference.removeprefix("Device/")


def _await_import(pharmacy: Caller, location: str) -> None:
    for _ in until(IMPORT_SECONDS):
        status = granted(pharmacy.get(location)).json()["status"]
        if status == "finished":
            return
        if status not in WAITING:
            raise NotLoaded(f"an import ended as `{status}`")
    raise NotLoaded(f"an import was not done after {IMPORT_SECONDS} s")
