"""Bluetooth payloads: each is signed by an approved device, stored, and read back by its person.

https://www.bluetooth.com/specifications/gss/
"""

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
from click.testing import CliRunner

from passport.cli import main
from passport.demo.client import Caller, granted
from passport.demo.devices import message, new_key, public_jwk
from tests.real_inputs.findings import Finding
from tests.real_inputs.service import Service

MODEL: Final = "published-vectors"
READINGS: Final = ("blood-pressure", "heart-rate", "oxygen-saturation", "body-weight", "body-temperature")
PERSON: Final = {"resourceType": "Patient", "name": [{"text": "見本 計測"}]}
JOSE: Final = "application/jose"

# What the vectors call a value -> the LOINC code under which it must be found.
CODES: Final = {
    "sys": "8480-6",
    "dia": "8462-4",
    "map": "8478-0",
    "pulse": "8867-4",
    "hr": "8867-4",
    "spo2": "59408-5",
    "kg": "29463-7",
}
# What a payload says beside its values: its own clock, user and circumstances.
BESIDE: Final = frozenset({"ts", "user", "status", "rr_s"})


def findings(service: Service, file: Path, name: str) -> Iterator[Finding]:
    """Send every vector of a file; `sfloat_table` goes through `passport map`, being no payloads."""
    content = orjson.loads(file.read_bytes())
    device = _Device(service)
    with device.person:
        for number, vector in enumerate(content["vectors"]):
            yield device.sent(f"{name}: {vector['name']}", vector, number)
    for written, value in content.get("sfloat_table", ()):
        yield _sfloat(f"{name}: SFLOAT {written}", int(written, 16), Decimal(str(value)))


class _Device:
    """A device of one person, for whatever the vectors measure."""

    def __init__(self, service: Service) -> None:
        model = {"manufacturer": "—", "display": "published vectors", "readings": list(READINGS)}
        with Caller(service.base_url, *service.tokens([("approver", "HOPERAT")])) as approver:
            granted(approver.put(f"/devices/models/{MODEL}", model))
        self.patient, self.person = service.register(PERSON)
        self.key, self.gateway = new_key("Ed25519"), Caller(service.base_url)
        asked = {"patient": self.patient, "model": MODEL, "serial": "1", "jwk": public_jwk(self.key)}
        enrolled = granted(self.person.post("/devices/enrolments", asked)).json()
        self.kid = enrolled["kid"]
        self.path = f"/devices/{enrolled['device'].removeprefix('Device/')}"
        granted(self.person.post(f"{self.path}/approve"))
        self.began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    def sent(self, name: str, vector: Mapping[str, Any], number: int) -> Finding:
        """Sign and send one vector, and compare what is then read with what the vector says."""
        time = (self.began + timedelta(minutes=number)).isoformat()
        reading = {"gatt": vector["uuid"], "hex": vector["hex"], "time": time}
        signed = message(self.key, self.kid, number + 1, [reading])
        answer = self.gateway.send(f"{self.path}/readings", signed, JOSE)
        (result,) = granted(answer).json()["results"]
        wanted = {key: value for key, value in vector["expect"].items() if key not in BESIDE}
        beside = sorted(BESIDE & vector["expect"].keys())
        note = f"not compared: {', '.join(beside)}" if beside else ""
        return Finding(
            name, f"stored {_told(wanted)}", f"{result['status']} {_told(self._read(time, wanted))}", note
        )

    def _read(self, time: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What the person reads of that instant, under the names of the vectors."""
        found: dict[str, Any] = {}
        for observation in self.person.found("Observation", patient=self.patient):
            if datetime.fromisoformat(observation["effectiveDateTime"]) != datetime.fromisoformat(time):
                continue
            for part in (observation, *observation.get("component", ())):
                codes = {coding["code"] for coding in part["code"]["coding"]}
                for name in wanted:
                    if CODES.get(name) in codes and "valueQuantity" in part:
                        found[name] = part["valueQuantity"]["value"]
                if "dataAbsentReason" in part:
                    found["dataAbsentReason"] = part["dataAbsentReason"]["coding"][0]["code"]
        return found


def _told(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in sorted(values.items()))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else format(Decimal(str(value)).normalize(), "f")


def _sfloat(name: str, raw: int, value: Decimal) -> Finding:
    """Decode one SFLOAT as the saturation of an oximeter's payload; nothing is stored."""
    payload = b"\x00" + raw.to_bytes(2, "little") + (66).to_bytes(2, "little")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(orjson.dumps([{"gatt": "2A5E", "hex": payload.hex()}]))
        file.flush()
        mapped = CliRunner().invoke(main, ["map", "gatt", file.name])
    observations = (entry["resource"] for entry in orjson.loads(mapped.stdout_bytes)["entry"])
    (decoded,) = (
        each["valueQuantity"]["value"]
        for each in observations
        if each["resourceType"] == "Observation" and each["valueQuantity"]["unit"] == "%"
    )
    return Finding(name, _plain(value), _plain(decoded), "through `passport map gatt`")
