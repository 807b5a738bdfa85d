"""A pharmacy's counter, with the worker's attempts made in the test's own process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from httpx import Response

from tests.databases import Database
from tests.http.device_town import Town
from workers.attempt import attempt
from workers.tasks import HANDLERS

OCTETS = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class Counter:
    """Files handed over by a pharmacy for one resident, and what became of them; both are references."""

    town: Town
    database: Database
    patient: str
    pharmacy: str

    async def hand_over(
        self, data: bytes, *, who: str | None = None, format: str = "jahis", patient: str | None = None
    ) -> Response:
        params = {"patient": patient or self.patient, "format": format}
        who = who or self.pharmacy
        return await self.town.call(who, "POST", "/imports", params=params, content=data, headers=OCTETS)

    async def status(self, location: str, *, who: str | None = None) -> Response:
        return await self.town.call(who or self.pharmacy, "GET", location)

    async def imported(self, data: bytes, *, who: str | None = None) -> dict[str, Any]:
        """Hand over, let a worker work, and ask what became of it."""
        answer = await self.hand_over(data, who=who)
        assert answer.status_code == 202, answer.text
        await self.work()
        status = await self.status(answer.headers["Location"], who=who)
        assert status.status_code == 200, status.text
        found: dict[str, Any] = status.json()
        return found

    async def work(self) -> None:
        """Do what a worker does with every row that is not done."""
        for patient_key, outbox_id in self.waiting():
            await attempt(self.town.runtime, HANDLERS, patient_key, outbox_id, limit_seconds=20)

    def waiting(self) -> list[tuple[int, UUID]]:
        """The keys of the rows that are not done."""
        with psycopg.connect(self.database.superuser_url) as connection:
            return connection.execute(
                "SELECT patient_key, outbox_id FROM outbox WHERE done_at IS NULL"
            ).fetchall()

    async def consent(self, *, types: Sequence[str] = (), action: str = "collect") -> str:
        """The resident lets the pharmacy hand over records, of `types` or of any; or read them."""
        role = {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
            "code": "AUT" if action == "collect" else "IRCP",
        }
        what = {"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": action}
        reason = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}
        scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
        provision: dict[str, Any] = {
            "type": "permit",
            "actor": [{"role": {"coding": [role]}, "reference": {"reference": self.pharmacy}}],
            "action": [{"coding": [what]}],
            "purpose": [reason],
        }
        if types:
            system = "http://hl7.org/fhir/resource-types"
            provision["class"] = [{"system": system, "code": name} for name in types]
        tree = {
            "resourceType": "Consent",
            "status": "active",
            "scope": {"coding": [scope]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": self.patient},
            "policyRule": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]
            },
            "provision": provision,
        }
        return await self.town.create(self.patient, tree)

    async def withdraw(self, consent: str) -> None:
        tree = (await self.town.call(self.patient, "GET", f"/fhir/{consent}")).json()
        tree["status"] = "inactive"
        answer = await self.town.call(self.patient, "PUT", f"/fhir/{consent}", json=tree)
        assert answer.status_code == 200, answer.text

    async def stored(self, name: str) -> list[dict[str, Any]]:
        """The resident's records of a type, as the resident reads them."""
        answer = await self.town.call(self.patient, "GET", f"/fhir/{name}", params={"patient": self.patient})
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    async def told(self) -> list[dict[str, Any]]:
        answer = await self.town.call(self.patient, "GET", "/notifications")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found
