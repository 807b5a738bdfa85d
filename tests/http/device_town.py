"""A small town for the tests of devices: a served passport, its operator, residents, a doctor and cuffs."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from psycopg.pq import Trace

from passport.identity.installation import issue_for
from passport.installation import initialise, prepare
from passport.main import create_app
from passport.runtime import Runtime, utc_now
from tests.databases import Database
from tests.unit.passport.devices.signing import DevicePen, es256

BASE_URL: Final = "http://passport.test"
CUFF: Final = "hoshi-cuff-1"
SERIAL: Final = "HB-000117"
JOSE: Final = {"Content-Type": "application/jose"}
MODELS: Final = {
    CUFF: ["blood-pressure"],
    "hoshi-hub-1": ["body-weight", "body-temperature", "oxygen-saturation"],
}


@dataclass
class Cuff:
    """An enrolled device with its key and its next counter."""

    reference: str
    pen: DevicePen
    counter: int = 0

    @property
    def path(self) -> str:
        return f"/devices/{self.reference.partition('/')[2]}"

    def batch(self, *readings: dict[str, Any]) -> bytes:
        self.counter += 1
        return self.pen.batch(self.counter, *readings)


@dataclass
class Town:
    """The served passport, called over HTTP; `tokens` by reference."""

    runtime: Runtime
    http: AsyncClient
    app: FastAPI
    tokens: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def with_runtime(self, **changes: Any) -> Iterator[None]:
        """Serve with another clock, or other settings, for a while."""
        before = self.app.state.runtime
        self.app.state.runtime = replace(before, **changes)
        try:
            yield
        finally:
            self.app.state.runtime = before

    async def call(self, who: str | None, method: str, path: str, **request: Any) -> Response:
        headers = dict(request.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {await self.token(who)}"
        return await self.http.request(method, path, headers=headers, **request)

    async def token(self, reference: str) -> str:
        if reference not in self.tokens:
            purpose = {"Patient": "PATRQT", "Device": "PATRQT", "RelatedPerson": "FAMRQT"}.get(
                reference.partition("/")[0], "TREAT"
            )
            issued = await issue_for(self.runtime, reference, purpose=purpose, lifetime=timedelta(hours=1))
            self.tokens[reference] = issued.text
        return self.tokens[reference]

    async def create(self, who: str, tree: dict[str, Any]) -> str:
        answer = await self.call(who, "POST", f"/fhir/{tree['resourceType']}", json=tree)
        assert answer.status_code == 201, answer.text
        return f"{tree['resourceType']}/{answer.json()['id']}"

    async def resident(self, name: str) -> str:
        return await self.create(
            "operator", {"resourceType": "Patient", "name": [{"text": name}], "gender": "unknown"}
        )

    async def merged(self, survivor: str, duplicate: str) -> str:
        """Let one registration take another one's place; the address of the merge."""
        tree = {"survivor": survivor, "duplicate": duplicate, "reason": "本人が二つの登録を申し出た"}
        answer = await self.call("operator", "POST", "/identity/merges", json=tree)
        assert answer.status_code == 201, answer.text
        address = f"/identity/merges/{answer.json()['id']}"
        answer = await self.call("operator/second", "POST", f"{address}/confirm")
        assert answer.status_code == 200, answer.text
        return address

    async def enrolled(self, patient: str, *, model: str = CUFF, pen: DevicePen | None = None) -> Cuff:
        pen = pen or es256()
        answer = await self.call(patient, "POST", "/devices/enrolments", json=order(patient, pen, model))
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert told == {"device": told["device"], "kid": told["kid"], "status": "pending"}
        return Cuff(told["device"], pen.enrolled(told["kid"]))

    async def approved(self, patient: str, *, model: str = CUFF, pen: DevicePen | None = None) -> Cuff:
        cuff = await self.enrolled(patient, model=model, pen=pen)
        answer = await self.decide(patient, cuff, "approve")
        assert answer.status_code == 200, answer.text
        return cuff

    async def decide(self, who: str, cuff: Cuff, verb: str) -> Response:
        return await self.call(who, "POST", f"{cuff.path}/{verb}")

    async def send(self, cuff: Cuff, message: bytes) -> Response:
        return await self.call(None, "POST", f"{cuff.path}/readings", content=message, headers=JOSE)

    async def observations(self, patient: str, code: str = "85354-9") -> list[dict[str, Any]]:
        answer = await self.call(
            patient, "GET", "/fhir/Observation", params={"patient": patient, "code": code, "_count": "100"}
        )
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]


def order(patient: str, pen: DevicePen, model: str = CUFF) -> dict[str, Any]:
    """The body of an enrolment."""
    return {"patient": patient, "model": model, "serial": SERIAL, "jwk": pen.jwk}


def pressure(minute: int = 0, systolic: int = 128, diastolic: int = 82, **more: Any) -> dict[str, Any]:
    """A blood pressure of one October morning."""
    time = f"2026-10-01T07:{minute:02d}:00+09:00"
    return {"type": "blood-pressure", "time": time, "systolic": systolic, "diastolic": diastolic, **more}


async def statements(
    town: Town, cuff: Cuff, message: bytes, trace: Path, path: str = "readings"
) -> tuple[Response, int]:
    """Send a message to one of the device's addresses; return the answer and how many statements it cost.

    `trace` is a file for what libpq says to the server: every statement is a Bind or a Query.
    """
    pool = town.runtime.pool
    async with AsyncExitStack() as held:
        connections = [await held.enter_async_context(pool.connection()) for _ in range(pool.max_size)]
    with trace.open("wb") as file:
        for connection in connections:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        address = f"{cuff.path}/{path}"
        answer = await town.call(None, "POST", address, content=message, headers=JOSE)
        for connection in connections:
            connection.pgconn.untrace()
    return answer, _sent(trace)


def _sent(trace: Path) -> int:
    lines = [line.split("\t") for line in trace.read_text(errors="replace").splitlines()]
    return sum(1 for line in lines if line[0] == "F" and line[2] in {"Bind", "Query"})


@asynccontextmanager
async def served(database: Database, state: Path) -> AsyncIterator[Town]:
    """A running application on a migrated database, its registry of models filled."""
    settings = initialise(state, "demo").at(
        database_url=database.service_url, migration_url=database.owner_url, base_url=BASE_URL
    )
    prepare(settings, utc_now())
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url=BASE_URL) as http,
    ):
        town = Town(app.state.runtime, http, app)
        for model, readings in MODELS.items():
            body = {"manufacturer": "星見計器（架空）", "display": model, "readings": readings}
            await town.call("approver", "PUT", f"/devices/models/{model}", json=body)
        yield town
