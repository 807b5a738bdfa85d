"""Who lives in the village of the browser tests: residents with a code, an app, a maker of devices and its cuffs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import httpx

from tests import resources as made
from tests.http.device_town import SERIAL, order
from tests.loopback import Served
from tests.unit.passport.devices.signing import es256

MODEL: Final = "hoshi-cuff-1"
CUFF: Final = "星見 上腕血圧計（架空）"
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_OPERATOR: Final = ("operator", "HOPERAT")
_SECOND_OPERATOR: Final = ("operator/second", "HOPERAT")


@dataclass(frozen=True)
class Village:
    """The running service with an organization that makes apps and devices."""

    served: Served
    maker: str

    def call(self, who: tuple[str, str], method: str, path: str, status: int, **sent: Any) -> Any:
        """Ask the service as somebody, and expect this status."""
        with self.served.caller(*who) as client:
            answer = client.request(method, path, **sent)
            assert answer.status_code == status, answer.text
            return answer.json() if answer.content else None

    def resident(self, name: str = "星野 葵（架空）") -> str:
        """A resident, as their reference."""
        return self.served.create(*_OPERATOR, {"resourceType": "Patient", "name": [{"text": name}]})

    def physician(self) -> str:
        """A physician in a role, as the role's reference."""
        doctor = self.served.create(*_OPERATOR, made.practitioner("架空 一郎"))
        return self.served.create(*_OPERATOR, made.role(doctor, self.maker))

    def code(self, subject: str, *purposes: str) -> dict[str, str]:
        """A sign-in code as the city hands it out."""
        handed = self.asked_code(subject, *purposes)
        if "waits_for" in handed:
            path, named = f"/auth/sign-in-codes/{handed['login']}/confirm", {"proposal": handed["proposal"]}
            self.call(_SECOND_OPERATOR, "POST", path, 200, json=named)
        return handed

    def asked_code(self, subject: str, *purposes: str) -> dict[str, str]:
        """What one operator is answered who asks for a code."""
        body = {"login": f"u-{uuid4().hex[:8]}", "subject": subject, "purposes": list(purposes) or ["PATRQT"]}
        handed: dict[str, str] = self.call(_OPERATOR, "POST", "/auth/sign-in-codes", 201, json=body)
        return handed

    def recovery_code(self, patient: str) -> str:
        """The code that two clerks at the desk print for somebody who lost their passkeys."""
        first, second = ("clerk/desk-1", "HOPERAT"), ("clerk/desk-2", "HOPERAT")
        matter = self.call(first, "POST", "/desk/matters", 201, json={"kind": "recovery", "patient": patient})
        code: str = self.call(second, "POST", f"/desk/matters/{matter['id']}/confirm", 200)["code"]
        return code

    def client(self, **members: Any) -> str:
        """An app without a key, that two operators registered; its id."""
        client_id = f"app-{uuid4().hex[:8]}"
        body = {
            "name": "見本アプリ（架空）",
            "subject": self.maker,
            "purposes": ["PATRQT"],
            "token_endpoint_auth_method": "none",
            **members,
        }
        self.served.registered(client_id, body)
        return client_id

    def cuff(self, patient: str) -> str:
        """A cuff that waits for its person's approval."""
        body = order(patient, es256(), MODEL)
        told = self.call((patient, "PATRQT"), "POST", "/devices/enrolments", 201, json=body)
        device: str = told["device"]
        return device

    def claimed(self) -> dict[str, str]:
        """A cuff that shows a code: its claim, as the device learns of it."""
        pen, address = es256(), "devices/claims"
        about = {"model": MODEL, "serial": SERIAL, "jwk": pen.jwk}
        message = pen.stated(f"{self.served.base_url}/{address}", datetime.now(UTC), **about)
        headers = {"Content-Type": "application/jose"}
        answer = httpx.post(f"{self.served.base_url}/{address}", content=message, headers=headers)
        assert answer.status_code == 201, answer.text
        told: dict[str, str] = answer.json()
        return told

    def devices(self, patient: str) -> dict[str, str]:
        """How the devices of a resident stand."""
        listed = self.call((patient, "PATRQT"), "GET", "/devices", 200)
        return {one["device"]: one["status"] for one in listed}

    def pressure(self, patient: str) -> None:
        """A blood pressure that the resident wrote down."""
        self.served.create(patient, "PATRQT", made.pressure(patient))


def village(served: Served) -> Village:
    """Found it."""
    maker = served.create(*_OPERATOR, made.organization("星見計器（架空）"))
    built = Village(served, maker)
    body = {"manufacturer": "星見計器（架空）", "display": CUFF, "readings": ["blood-pressure"]}
    built.call(("approver", "HOPERAT"), "PUT", f"/devices/models/{MODEL}", 201, json=body)
    return built
