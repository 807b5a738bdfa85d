"""The measurements: of the service, of HTTP without consent and audit, and of the bare SQL, one after the other.

http://hl7.org/fhir/R4/http.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal
from urllib.parse import urlencode

from bench import bare, floor, load
from bench.filling import BLOOD_PRESSURE, LOINC, SEED, Filled
from bench.pace import CONNECTIONS, Counted
from bench.residents import FIRST_MORNING, observations
from bench.town import SERVICE, Office, serving, tokens_for
from fhirstore.keys import KeyMaker
from fhirstore.parse import serialise
from fhirstore.types import TYPES
from passport.settings import Settings

PAGE_ENTRIES: Final = 50

BATCH: Final = 100
"""Readings of one signed message."""

BATCHES: Final = 60
"""Messages that each device has signed beforehand: more than it gets to send."""

OBSERVATION: Final = int(TYPES["Observation"].number)
_FHIR: Final = {"Content-Type": "application/fhir+json"}
_JOSE: Final = {"Content-Type": "application/jose"}

Way = Literal["bare SQL", "bare HTTP", "service"]


class NotMeasured(Exception):
    """A chapter that the service as it is has no part in; the message says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How fast one thing was done in one way; a round holds `per_round` of what is counted."""

    way: Way
    processes: int
    counted: Counted
    per_round: int = 1

    @property
    def rate(self) -> float:
        """What is counted, per second."""
        return self.counted.rate * self.per_round


@dataclass(frozen=True, slots=True)
class Bench:
    """A filled installation, its physician, and for how many seconds each figure is measured."""

    settings: Settings
    superuser_url: str
    keys: KeyMaker
    filled: Filled
    physician: str
    institution: str
    seconds: float
    full: bool = False

    def search(self, processes: Sequence[int]) -> Iterator[Figure]:
        """Pages of 50 blood pressures of one patient, by patient, code and date."""
        asked = {"code": f"{LOINC}|{BLOOD_PRESSURE}", "date": f"ge{FIRST_MORNING:%Y-%m-%d}"}
        paths = [
            f"/fhir/Observation?{urlencode({'patient': name, **asked, '_count': PAGE_ENTRIES})}"
            for name in self.filled.patients
        ]
        bound = {**self._code(), "since": FIRST_MORNING.isoformat(), "limit": PAGE_ENTRIES + 1}
        yield self._sql(
            "PAGE", [{**bound, "patient": self.keys.reference(name)} for name in self.filled.patients]
        )
        yield from self._gets(paths, processes)

    def compartment(self, processes: Sequence[int]) -> Iterator[Figure]:
        """Pages of 50 Observations of one patient, whatever they measure."""
        names = self.filled.patients
        bound = {"type": OBSERVATION, "limit": PAGE_ENTRIES + 1}
        yield self._sql("COMPARTMENT", [{**bound, "patient": self.keys.reference(name)} for name in names])
        paths = [f"/fhir/{name}/Observation?_count={PAGE_ENTRIES}" for name in names]
        for number in processes:
            with serving(self.settings, SERVICE, number) as ports:
                yield self._answered("service", ports, paths, number)

    def read(self, processes: Sequence[int]) -> Iterator[Figure]:
        """One Observation by its id."""
        ids = self.filled.observation_ids
        yield self._sql("READ", [{"record": self.keys.reference(f"Observation/{id_}")} for id_ in ids])
        yield from self._gets([f"/fhir/Observation/{id_}" for id_ in ids], processes)

    def total(self) -> Iterator[Figure]:
        """An accurate total of the blood pressures of everybody who shares them."""
        asked = urlencode({"code": f"{LOINC}|{BLOOD_PRESSURE}", "_summary": "count"})
        yield self._sql("TOTAL", [{**self._code(), "type": OBSERVATION}])
        with serving(self.settings, SERVICE, 1) as ports:
            yield self._answered("service", ports, [f"/fhir/Observation?{asked}"])

    def create(self, processes: Sequence[int]) -> Iterator[Figure]:
        """One blood pressure at a time, written by its own patient."""
        patients = self.filled.patients[:CONNECTIONS]
        tokens = tokens_for(self.settings, patients, "PATRQT")
        lanes = [
            [
                request("POST", "/fhir/Observation", serialise(tree), {**bearer(token), **_FHIR})
                for tree in observations(patient, 20, Random(SEED))
            ]
            for patient, token in zip(patients, tokens, strict=True)
        ]
        yield self._inserts(1)
        yield from self._sent(lanes, processes, 1)

    def batch(self, processes: Sequence[int]) -> Iterator[Figure]:
        """Observations in transactions of a hundred, each written by its own patient.

        Raises:
            NotMeasured: the service takes no transactions.
        """
        patients = self.filled.patients[:CONNECTIONS]
        tokens = tokens_for(self.settings, patients, "PATRQT")
        lanes = [
            [request("POST", "/fhir", _transaction(patient), {**bearer(token), **_FHIR})]
            for patient, token in zip(patients, tokens, strict=True)
        ]
        with serving(self.settings, SERVICE, 1) as ports:
            if not load.succeeds(ports[0], lanes[0][0]):
                raise NotMeasured("the service does not take `POST [base]`")
        yield self._inserts(BATCH)
        yield from self._sent(lanes, processes, BATCH)

    def devices(self, processes: Sequence[int]) -> Iterator[Figure]:
        """Readings in signed messages of a hundred, by approved blood-pressure cuffs."""
        yield self._inserts(BATCH)
        for number in processes:
            with serving(self.settings, SERVICE, number) as ports:
                lanes = [
                    [
                        request("POST", f"{cuff.path}/readings", signed, _JOSE)
                        for signed in cuff.batches(BATCHES, BATCH, Random(SEED))
                    ]
                    for cuff in Office(self.settings, ports[0]).devices(self.filled.patients[:CONNECTIONS])
                ]
                counted = load.generate(load.Plan(ports, self.seconds, lanes, repeat=False))
                yield Figure("service", number, counted, BATCH)

    def _sent(
        self, lanes: Sequence[Sequence[str]], processes: Sequence[int], per_round: int
    ) -> Iterator[Figure]:
        for number in processes:
            with serving(self.settings, SERVICE, number) as ports:
                counted = load.generate(load.Plan(ports, self.seconds, lanes))
                yield Figure("service", number, counted, per_round)

    def _code(self) -> Mapping[str, int]:
        return {"parameter": bare.CODE, "code": self.keys.code(LOINC, BLOOD_PRESSURE)}

    def _sql(self, statement: str, params: Sequence[Mapping[str, Any]]) -> Figure:
        plan = floor.Plan(statement, str(self.settings.state), self.superuser_url, self.seconds, params)
        return Figure("bare SQL", 1, floor.measure(plan))

    def _inserts(self, rows: int) -> Figure:
        state = str(self.settings.state)
        plan = floor.Plan("INSERT", state, self.superuser_url, self.seconds, rows=rows)
        return Figure("bare SQL", 1, floor.measure(plan), rows)

    def _gets(self, paths: Sequence[str], processes: Sequence[int]) -> Iterator[Figure]:
        ways: tuple[tuple[Way, str], ...] = (("bare HTTP", bare.MODULE), ("service", SERVICE))
        for number in processes:
            for way, module in ways:
                # The wall would show the plain application nothing: it reads as the owner of it all does.
                bare_settings = self.settings.at(database_url=self.superuser_url)
                settings = bare_settings if way == "bare HTTP" else self.settings
                with serving(settings, module, number) as ports:
                    yield self._answered(way, ports, paths, number)

    def _answered(self, way: Way, ports: Sequence[int], paths: Sequence[str], processes: int = 1) -> Figure:
        (token,) = tokens_for(self.settings, [self.physician], "TREAT")
        requests = [request("GET", path, b"", bearer(token)) for path in paths]
        lanes = [requests[lane:] + requests[:lane] for lane in range(CONNECTIONS)]
        return Figure(way, processes, load.generate(load.Plan(ports, self.seconds, lanes)))


def _transaction(patient: str) -> bytes:
    """A hundred Observations of one patient, to be stored all or none."""
    entries = [
        {"resource": tree, "request": {"method": "POST", "url": "Observation"}}
        for tree in observations(patient, BATCH, Random(SEED))
    ]
    return serialise({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def bearer(token: str) -> dict[str, str]:
    """The headers of whoever has this token."""
    return {"Authorization": f"Bearer {token}"}


def request(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> str:
    """A whole request, as it is sent."""
    length = {"Content-Length": str(len(body))} if body else {}
    lines = [f"{name}: {value}" for name, value in {"Host": "bench", **headers, **length}.items()]
    return "\r\n".join((f"{method} {path} HTTP/1.1", *lines, "", body.decode("latin-1")))
