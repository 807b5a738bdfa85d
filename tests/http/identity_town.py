"""A served passport for the tests of identity and audit: whom its people are, and what its database holds."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from httpx import AsyncClient, Response
from psycopg.rows import dict_row

from passport.demo.consents import consent, permit
from passport.identity.installation import issue_for
from passport.runtime import Runtime
from tests.databases import Database
from tests.town import BASE_URL, Clock, served

__all__ = ["BASE_URL", "BLOOD_PRESSURE", "City", "city"]

BLOOD_PRESSURE: Final = "http://loinc.org|85354-9"


@dataclass
class City:
    """The served passport, called over HTTP; whoever calls is a reference, or a token's text."""

    runtime: Runtime
    http: AsyncClient
    database: Database
    clock: Clock
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    async def call(
        self, who: str | None, method: str, path: str, *, purpose: str = "TREAT", **request: Any
    ) -> Response:
        headers = dict(request.pop("headers", {}))
        if who is not None:
            is_reference = "/" in who or who in {"operator", "auditor", "clerk", "approver"}
            token = await self.token(who, purpose) if is_reference else who
            headers["Authorization"] = f"Bearer {token}"
        return await self.http.request(method, path, headers=headers, **request)

    async def token(self, reference: str, purpose: str = "TREAT", **options: Any) -> str:
        key = (reference, purpose)
        if options or key not in self.tokens:
            lifetime = options.pop("lifetime", timedelta(hours=12))
            issued = await issue_for(self.runtime, reference, purpose=purpose, lifetime=lifetime, **options)
            if options:
                return issued.text
            self.tokens[key] = issued.text
        return self.tokens[key]

    async def create(self, who: str, tree: dict[str, Any]) -> str:
        answer = await self.call(who, "POST", f"/fhir/{tree['resourceType']}", json=tree)
        assert answer.status_code == 201, answer.text
        return f"{tree['resourceType']}/{answer.json()['id']}"

    async def registered(self, client_id: str, body: dict[str, Any]) -> Response:
        """What one operator registers and another one approves, or the refusal of the first."""
        path = f"/auth/clients/{client_id}"
        answer = await self.call("operator", "PUT", path, json=body)
        if answer.status_code != 202:
            return answer
        named = {"proposal": answer.json()["proposed"]["proposal"]}
        return await self.call("operator/second", "POST", f"{path}/approve", json=named)

    async def confirmed(self, code: dict[str, str]) -> Response:
        """A sign-in code that waits, once another operator has read it."""
        named = {"proposal": code["proposal"]}
        return await self.call(
            "operator/second", "POST", f"/auth/sign-in-codes/{code['login']}/confirm", json=named
        )

    async def handed(self, subject: str, purposes: Iterable[str], **more: Any) -> dict[str, str]:
        """A sign-in code that is good, by as many operators as it takes."""
        body = {"login": f"u-{uuid4().hex[:12]}", "subject": subject, "purposes": list(purposes), **more}
        answer = await self.call("operator", "POST", "/auth/sign-in-codes", json=body)
        assert answer.status_code == 201, answer.text
        code: dict[str, str] = answer.json()
        if "waits_for" in code:
            confirmed = await self.confirmed(code)
            assert confirmed.status_code == 200, confirmed.text
        return {"login": code["login"], "code": code["code"]}

    def vouch_for(self, subject: str) -> None:
        """Let their codes be as if the desk had handed them out, and no operator alone."""
        assert self.rows("UPDATE sign_in_code SET vouched = true WHERE subject = %s RETURNING login", subject)

    async def resident(self, name: str = "星野 葵（架空）") -> str:
        return await self.create("operator", {"resourceType": "Patient", "name": [{"text": name}]})

    async def organization(self, name: str = "星見総合病院（架空）") -> str:
        return await self.create("operator", {"resourceType": "Organization", "name": name})

    async def practitioner(self, name: str = "架空 医師") -> str:
        return await self.create("operator", {"resourceType": "Practitioner", "name": [{"text": name}]})

    async def role(self, practitioner: str, organization: str) -> str:
        tree = {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": {"reference": practitioner},
            "organization": {"reference": organization},
        }
        return await self.create("operator", tree)

    async def relative(self, patient: str) -> str:
        tree = {"resourceType": "RelatedPerson", "active": True, "patient": {"reference": patient}}
        return await self.create(patient, tree)

    async def blood_pressure(self, patient: str, systolic: int = 128, day: int = 1) -> str:
        return await self.create(
            patient,
            {
                "resourceType": "Observation",
                "status": "final",
                "subject": {"reference": patient},
                "effectiveDateTime": f"2026-10-{day:02d}T07:00:00+09:00",
                "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
                "component": [
                    {
                        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
                        "valueQuantity": {
                            "value": systolic,
                            "unit": "mmHg",
                            "system": "http://unitsofmeasure.org",
                            "code": "mm[Hg]",
                        },
                    }
                ],
            },
        )

    async def share(self, patient: str, actor: str, purpose: str = "TREAT", **provision: Any) -> str:
        """A consent of the patient's own, as `Consent/id/_history/1`."""
        tree = consent(permit([actor], purpose, **provision), patient)
        return f"{await self.create(patient, tree)}/_history/1"

    async def policy(self, actor: str, purpose: str, **provision: Any) -> str:
        tree = consent(permit([actor], purpose, **provision))
        reference = await self.create("operator", {**tree, "status": "proposed"})
        active = {**tree, "id": reference.partition("/")[2]}
        answer = await self.call("operator/second", "PUT", f"/fhir/{reference}", json=active)
        assert answer.status_code == 200, answer.text
        return f"{reference}/_history/2"

    @contextmanager
    def looked_into(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        with psycopg.connect(
            self.database.superuser_url, row_factory=dict_row, autocommit=True
        ) as connection:
            yield connection

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with self.looked_into() as connection:
            return connection.execute(query, values).fetchall()

    def audited(self, action: str, since: datetime | None = None) -> list[dict[str, Any]]:
        """The rows of an action, oldest first."""
        query = (
            "SELECT * FROM audit_event WHERE action = %s AND recorded BETWEEN %s AND %s "
            "ORDER BY recorded, audit_id"
        )
        return self.rows(query, action, since or datetime.min.replace(tzinfo=UTC), self.clock())


@asynccontextmanager
async def city(database: Database, state: Path) -> AsyncIterator[City]:
    """A running application on a migrated database."""
    async with served(database, state) as town:
        yield City(town.runtime, town.http, database, town.clock)
