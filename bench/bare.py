"""The same answers without a token, a consent or an audit row: what HTTP, SQL and decryption cost by themselves.

http://hl7.org/fhir/R4/http.html#search

An application of its own on the same database, which only the measurement starts. It reads the same search, runs
the plainest statement that finds the same rows, opens the same bodies and splices the same Bundle.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import click
import uvicorn
from fastapi import FastAPI, Request, Response

from bench.statements import PAGE, READ
from fhirstore.keys import KeyMaker
from fhirstore.parameters import parameters_of
from fhirstore.search.query import parse_query
from fhirstore.trained.store import look_up
from fhirstore.types import TYPES
from passport.bundles import Entry, Links, searchset
from passport.database import Pool, open_pool
from passport.keys import KeyRing
from passport.main import POOL_SIZE
from passport.records import BODIES, opened_body
from passport.routes.messages import fhir_response
from passport.settings import Settings
from passport.sql import Row, fetch

MODULE: Final = "bench.bare"
OBSERVATION: Final = TYPES["Observation"]
CODE: Final = int(parameters_of("Observation")["code"].number)


class _Bare:
    """What the two routes need."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._ring = KeyRing.load(settings.key_file)
        self._keys = KeyMaker(self._ring.index_secret)

    async def search(self, request: Request) -> Response:
        base, pairs = self._settings.fhir_url, request.query_params.multi_items()
        query = parse_query((OBSERVATION,), pairs, keys=self._keys, zone=self._settings.zone)
        values = [value for test in query.tests for value in test.params.values()]
        patient = self._keys.reference(query.patients[0]) if query.patients else 0
        params = {"patient": patient, "parameter": CODE, "code": values[0], "since": values[1]}
        async with self._pool.connection() as connection:
            rows = await fetch(connection, PAGE, {**params, "limit": query.count + 1})
        entries = [Entry(f"Observation/{row.id}", self._body(row)) for row in rows[: query.count]]
        return fhir_response(searchset(base, entries, Links(f"{base}?{urlencode(query.echo)}"), None))

    async def read(self, id_: str) -> Response:
        record = self._keys.reference(f"Observation/{id_}")
        async with self._pool.connection() as connection:
            rows = await fetch(connection, READ, {"record": record})
        return fhir_response(self._body(rows[0]))

    def _body(self, row: Row) -> bytes:
        key = self._ring.unwrap(row.patient_key, row.wrapped_key)
        return opened_body(row, key, OBSERVATION.number)


def create_app(settings: Settings) -> FastAPI:
    """The application; it is served on the same kind of socket and loop as the service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_pool(settings.database_url, size=POOL_SIZE) as pool:
            BODIES.ask(partial(look_up, settings.database_url))
            app.state.bare = _Bare(settings, pool)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/fhir/Observation")
    async def search(request: Request) -> Response:
        bare: _Bare = request.app.state.bare
        return await bare.search(request)

    @app.get("/fhir/Observation/{id_}")
    async def read(request: Request, id_: str) -> Response:
        bare: _Bare = request.app.state.bare
        return await bare.read(id_)

    return app


@click.command()
@click.option("--state", type=click.Path(path_type=Path), required=True)
@click.option("--socket", "descriptor", type=int, required=True)
def main(state: Path, descriptor: int) -> None:
    """Serve on a socket handed down by the parent process."""
    config = uvicorn.Config(
        create_app(Settings.load(state)),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main()
