"""A small served passport for tests: the application on a real database, and callers who speak HTTP to it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, QueryParams, Response

from passport.identity.installation import issue_for
from passport.installation import initialise, prepare
from passport.main import create_app
from passport.runtime import Runtime, utc_now
from passport.settings import NO_KIND, STEP_UP_MINUTES, Mode
from tests.databases import Database
from tests.unit.consent.words import Json, consent_json

BASE_URL: Final = "http://passport.test"
FHIR_JSON: Final = "application/fhir+json"
OPERATOR: Final = "operator"
SECOND_OPERATOR: Final = "operator/second"
AUDITOR: Final = "auditor"
APPROVER: Final = "approver"
CLERK: Final = "clerk/ichikawa"
SECOND_CLERK: Final = "clerk/niwa"

_PURPOSES: Final = {
    "Patient": "PATRQT",
    "RelatedPerson": "FAMRQT",
    **dict.fromkeys((OPERATOR, AUDITOR, APPROVER, "clerk"), "HOPERAT"),
}


class Clock:
    """The service's time: it goes on by itself, and further when a test says so."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Town:
    """The served passport. `clock` may be moved; `sessions` keeps a token for each caller."""

    app: FastAPI
    runtime: Runtime
    http: AsyncClient
    database: Database
    clock: Clock
    sessions: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def as_(self, reference: str, purpose: str | None = None, scope: str = "") -> "Voice":
        """Somebody who is signed in, for treatment unless who they are says otherwise."""
        return Voice(self, reference, purpose or _PURPOSES.get(reference.partition("/")[0], "TREAT"), scope)

    @property
    def operator(self) -> "Voice":
        return self.as_(OPERATOR)

    @property
    def second_operator(self) -> "Voice":
        """Another person in the same office."""
        return self.as_(SECOND_OPERATOR)

    async def policy(self, tree: Json) -> str:
        """Put a policy into force: one operator proposes it, another one agrees."""
        reference = await self.operator.create({**tree, "status": "proposed"})
        await self.second_operator.replace(reference, {**tree, "status": "active"})
        return reference

    @property
    def stranger(self) -> "Voice":
        """Somebody without a token."""
        return Voice(self, "", "", "")

    async def token(self, reference: str, purpose: str, scope: str = "") -> str:
        session = (reference, purpose, scope)
        if session not in self.sessions:
            issued = await issue_for(
                self.runtime, reference, purpose=purpose, scope=scope, lifetime=timedelta(hours=12)
            )
            self.sessions[session] = issued.text
        return self.sessions[session]

    async def resident(self, name: str = "見本 一葉", **elements: Any) -> "Voice":
        """Somebody who was given a passport just now."""
        reference = await self.operator.create(
            {"resourceType": "Patient", "name": [{"text": f"{name}（架空）"}], **elements}
        )
        return self.as_(reference)

    def rows(self, statement: str, *values: object) -> list[Any]:
        """What lies in the database, whoever may see it."""
        with psycopg.connect(self.database.superuser_url) as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def later(self, ahead: timedelta) -> Iterator[None]:
        """Let the service's clock be ahead while the block runs."""
        before, self.clock.ahead = self.clock.ahead, ahead
        try:
            yield
        finally:
            self.clock.ahead = before

    @contextmanager
    def much_later(self, ahead: timedelta) -> Iterator[None]:
        """The same, with new tokens for everybody: those of before are over."""
        kept, self.sessions = self.sessions, {}
        try:
            with self.later(ahead):
                yield
        finally:
            self.sessions = kept


@dataclass(frozen=True)
class Voice:
    """A caller of the passport; `bearer` replaces the token that the caller's name gives."""

    town: Town
    reference: str
    purpose: str
    scope: str
    bearer: str = ""

    async def call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
    ) -> Response:
        sent = {"Content-Type": FHIR_JSON} if content is not None else {}
        token = self.bearer
        if not token and self.reference:
            token = await self.town.token(self.reference, self.purpose, self.scope)
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent |= headers or {}
        address = path if path.startswith("/") else f"/fhir/{path}"
        asked = QueryParams(tuple(params)) if params else None
        return await self.town.http.request(method, address, content=content, headers=sent, params=asked)

    async def get(self, path: str, *params: tuple[str, str], **headers: str) -> Response:
        return await self.call("GET", path, params=params, headers=headers)

    async def post(self, tree: Mapping[str, Any], **headers: str) -> Response:
        return await self.call("POST", tree["resourceType"], content=orjson.dumps(tree), headers=headers)

    async def put(self, reference: str, tree: Mapping[str, Any], *, if_match: str | None = None) -> Response:
        named = {**tree, "id": reference.partition("/")[2]}
        headers = {} if if_match is None else {"If-Match": if_match}
        return await self.call("PUT", reference, content=orjson.dumps(named), headers=headers)

    async def delete(self, reference: str, *, if_match: str | None = None) -> Response:
        headers = {} if if_match is None else {"If-Match": if_match}
        return await self.call("DELETE", reference, headers=headers)

    async def create(self, tree: Mapping[str, Any]) -> str:
        """Write a record and return its reference."""
        answer = await self.post(tree)
        assert answer.status_code == 201, answer.text
        return f"{tree['resourceType']}/{answer.json()['id']}"

    async def replace(self, reference: str, tree: Mapping[str, Any]) -> Response:
        answer = await self.put(reference, tree)
        assert answer.status_code == 200, answer.text
        return answer

    async def remove(self, reference: str) -> None:
        answer = await self.delete(reference)
        assert answer.status_code == 204, answer.text

    async def read(self, reference: str) -> Json:
        answer = await self.get(reference)
        assert answer.status_code == 200, answer.text
        tree: Json = answer.json()
        return tree

    async def search(self, type_name: str, *params: tuple[str, str]) -> Json:
        answer = await self.get(type_name, *params)
        assert answer.status_code == 200, answer.text
        bundle: Json = answer.json()
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
        return bundle

    async def found(self, type_name: str, *params: tuple[str, str]) -> list[str]:
        """The references that a search finds, in their order."""
        return references(await self.search(type_name, *params))

    async def walk(self, type_name: str, *params: tuple[str, str]) -> list[list[str]]:
        """Every page of a search, by its `next` links."""
        bundle = await self.search(type_name, *params)
        pages = [references(bundle)]
        while (further := link(bundle, "next")) is not None:
            answer = await self.get(further.removeprefix(BASE_URL))
            assert answer.status_code == 200, answer.text
            bundle = answer.json()
            pages.append(references(bundle))
        return pages

    async def grant(self, *roots: Json, status: str = "active") -> list[str]:
        """Consents of this patient with these root provisions."""
        return [await self.create(self.consent(root, status=status)) for root in roots]

    def consent(self, root: Json, **elements: Any) -> Json:
        return consent_json(root, self.reference, **elements)

    async def sees(self, reference: str) -> bool:
        """Whether reading and searching show the record; they must agree."""
        answer = await self.get(reference)
        assert answer.status_code in (200, 404), answer.text
        type_name, _, id_ = reference.partition("/")
        listed = await self.search(type_name, ("_id", id_), ("_total", "accurate"))
        shown = answer.status_code == 200
        assert references(listed) == ([reference] if shown else [])
        assert listed["total"] == int(shown)
        return shown


@asynccontextmanager
async def served(
    database: Database, state: Path, *, mode: Mode = "demo", **parts: Any
) -> AsyncIterator[Town]:
    """A running application on a migrated database; `parts` replace those of the runtime."""
    settings = initialise(state, mode).at(
        database_url=database.service_url, migration_url=database.owner_url, base_url=BASE_URL
    )
    prepare(settings, utc_now())
    clock = parts.pop("clock", None) or Clock()
    app = create_app(settings, clock=clock, **parts)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app, raise_app_exceptions=False), base_url=BASE_URL) as http,
    ):
        yield Town(app, app.state.runtime, http, database, clock)


def references(bundle: Json) -> list[str]:
    """`Type/id` of each entry."""
    entries = bundle.get("entry", [])
    assert all(entry["fullUrl"].startswith(f"{BASE_URL}/fhir/") for entry in entries)
    return [entry["fullUrl"].removeprefix(f"{BASE_URL}/fhir/") for entry in entries]


def link(bundle: Json, relation: str) -> str | None:
    """The address of a link, None where the Bundle has none."""
    return next((str(one["url"]) for one in bundle["link"] if one["relation"] == relation), None)


def outcome(answer: Response, status: int, code: str | None = None) -> Json:
    """The OperationOutcome of a refusal with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith(FHIR_JSON)
    assert answer.headers["cache-control"] == "no-store"
    tree: Json = answer.json()
    assert tree["resourceType"] == "OperationOutcome"
    assert tree["issue"]
    assert all(issue["severity"] in ("error", "fatal") for issue in tree["issue"])
    if code is not None:
        assert {issue["code"] for issue in tree["issue"]} == {code}
    return tree


def answered(answer: Response) -> tuple[int, dict[str, str], bytes]:
    """All that a caller can tell of an answer."""
    return answer.status_code, dict(answer.headers), answer.content


@contextmanager
def as_in_production(town: Town, *kinds: str) -> Iterator[None]:
    """Ask for a sign-in of the last minutes while the block runs, and for two factors of people of these kinds."""
    before, runtime = town.app.state.runtime, town.runtime
    strict = replace(
        runtime.settings, step_up_minutes=STEP_UP_MINUTES, second_factor=",".join(kinds) or NO_KIND
    )
    town.app.state.runtime = replace(runtime, settings=strict)
    try:
        yield
    finally:
        town.app.state.runtime = before
