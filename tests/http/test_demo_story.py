"""The demo as whoever starts it meets it: the story holds, the personas hold what they should, nothing is left.

One small town is started for the module, by the command's own function in a process of its own.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, Final
from uuid import uuid4

import httpx
import orjson
import pytest
from click.testing import CliRunner
from joserfc import jwt

from passport.cli import main
from passport.demo.devices import key_of, message
from passport.demo.expectations import EXPECTATIONS
from passport.demo.personas import NAMES
from tests.unit.house.source import ROOT

BLOOD_PRESSURE: Final = "http://loinc.org|85354-9"
SERVING_SECONDS: Final = 240
ENDED_SECONDS: Final = 40

_SCRIPT: Final = """
import sys
from pathlib import Path
from passport.demo.loading import Size
from passport.demo.running import demo
try:
    demo(Path(sys.argv[1]), port=0, json_file=Path(sys.argv[2]), sandbox=True, size=Size(residents=5, days=6))
except KeyboardInterrupt:
    pass
"""


@dataclass(frozen=True, slots=True)
class Town:
    """A started demo: its process, what it printed, and its persona file."""

    process: subprocess.Popen[bytes]
    state: Path
    output: Path
    people: dict[str, Any]

    @property
    def text(self) -> str:
        return self.output.read_text("utf-8")

    def persona(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.people["personas"][name]
        return found

    def client(self, name: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.persona(name)['token']}"}
        return httpx.Client(base_url=self.people["base_url"], headers=headers, timeout=30)

    def ids(self, name: str, kind: str, code: str | None = None) -> set[str]:
        """What a persona finds of the resident's records of one type."""
        wanted: dict[str, str | int] = {"patient": self.persona("resident")["patient"], "_count": 1_000}
        with self.client(name) as client:
            answer = client.get(f"/fhir/{kind}", params=wanted | ({"code": code} if code else {}))
        assert answer.status_code == 200
        return {entry["resource"]["id"] for entry in answer.json().get("entry", ())}


def _start(state: Path) -> Town:
    output, personas = state.with_suffix(".out"), state.with_suffix(".json")
    personas.unlink(missing_ok=True)
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, str(state), str(personas)], stdout=file, stderr=subprocess.STDOUT
        )
    _until(lambda: personas.exists() or process.poll() is not None, SERVING_SECONDS)
    if not personas.exists():
        process.kill()
        process.wait()
        pytest.fail(output.read_text("utf-8"))
    return Town(process, state, output, orjson.loads(personas.read_bytes()))


def _until(true: Callable[[], bool], seconds: float) -> None:
    """Look again and again until it is true or the time is over."""
    end, pause = time.monotonic() + seconds, Event()
    while not true() and time.monotonic() < end:
        pause.wait(0.1)


def _end(town: Town) -> None:
    """Stop a demo as Ctrl-C does."""
    town.process.send_signal(signal.SIGINT)
    town.process.wait(ENDED_SECONDS)


def _running(state: Path) -> dict[int, str]:
    """Every process that works for an installation: its number and its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                folder = str((entry / "cwd").readlink())
            except OSError:
                continue
            if f"{state} " in f"{command} " or folder.startswith(f"{state}/"):
                found[int(entry.name)] = command
    return found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    started = _start(tmp_path_factory.mktemp("demo") / "state")
    yield started
    _end(started)


def test_every_step_of_the_story_went_as_expected(town: Town) -> None:
    assert f"{len(EXPECTATIONS)} of {len(EXPECTATIONS)} steps went as expected" in town.text


def test_the_persona_file_holds_who_is_who(town: Town) -> None:
    assert town.people.keys() == {"base_url", "fhir_url", "personas"}
    assert town.people["fhir_url"] == f"{town.people['base_url']}/fhir"
    assert set(town.people["personas"]) == {*NAMES, "sandbox"}
    for persona in town.people["personas"].values():
        assert {"token", "reference", "patient", "purpose"} <= persona.keys()
    assert {name for name in NAMES if "jwk" in town.persona(name)} == {"device", "pharmacy"}
    assert "d" in town.persona("device")["jwk"]


def test_the_physician_sees_blood_pressure_and_medicines_and_nothing_else(town: Town) -> None:
    pressures = town.ids("resident", "Observation", BLOOD_PRESSURE)
    assert pressures
    assert town.ids("physician", "Observation") == pressures
    dispensed = town.ids("resident", "MedicationDispense")
    assert dispensed
    assert town.ids("physician", "MedicationDispense") == dispensed
    assert town.ids("physician", "AllergyIntolerance") == set()


def test_telemedicine_sees_blood_pressure_alone(town: Town) -> None:
    assert town.ids("telemedicine", "Observation") == town.ids("resident", "Observation", BLOOD_PRESSURE)
    assert town.ids("telemedicine", "MedicationDispense") == set()


def test_the_physician_elsewhere_sees_nothing(town: Town) -> None:
    for kind in ("Observation", "MedicationDispense", "MedicationRequest", "AllergyIntolerance", "Consent"):
        assert town.ids("physician_elsewhere", kind) == set()


def test_the_proxy_sees_everything(town: Town) -> None:
    for kind in ("Observation", "MedicationDispense", "AllergyIntolerance", "Consent", "Device"):
        own = town.ids("resident", kind)
        assert own
        assert town.ids("proxy", kind) == own


def test_the_grant_of_the_physician_ends_after_three_months(town: Town) -> None:
    with town.client("resident") as client:
        found = client.get("/fhir/Consent", params={"patient": town.persona("resident")["patient"]}).json()
    actor = town.persona("physician")["reference"]
    granted = [entry["resource"]["provision"] for entry in found["entry"]]
    (ends,) = [each["period"]["end"] for each in granted if actor in str(each["actor"])]
    days = (datetime.fromisoformat(ends).replace(tzinfo=UTC) - datetime.now(UTC)).days
    assert 89 <= days <= 92


def test_the_device_signs_on_with_its_key_and_counter(town: Town) -> None:
    device = town.persona("device")
    taken = {
        "type": "blood-pressure",
        "time": datetime.now(UTC).isoformat(),
        "systolic": 131,
        "diastolic": 83,
    }
    address = f"{town.people['base_url']}/{device['reference'].replace('Device', 'devices')}/readings"
    signed = message(key_of(device["jwk"]), device["jwk"]["kid"], device["next_counter"], [taken])
    answer = httpx.post(address, content=signed, headers={"Content-Type": "application/jose"})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["status"] == "stored"


def test_the_pharmacy_gets_a_token_of_its_own_by_its_key(town: Town) -> None:
    pharmacy, endpoint = town.persona("pharmacy"), f"{town.people['base_url']}/auth/token"
    client_id, now = pharmacy["client_id"], datetime.now(UTC)
    claims = {"iss": client_id, "sub": client_id, "aud": endpoint, "jti": str(uuid4())}
    claims["exp"] = now + timedelta(minutes=2)
    header = {"alg": "ES256", "kid": pharmacy["jwk"]["kid"]}
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(header, claims, key_of(pharmacy["jwk"]), algorithms=["ES256"]),
        "purpose_of_use": "TREAT",
    }
    answer = httpx.post(endpoint, data=form)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "Bearer"


def test_the_sandbox_reads_and_writes_whatever_it_likes(town: Town) -> None:
    sandbox = town.persona("sandbox")
    tree = {
        "resourceType": "Condition",
        "subject": {"reference": sandbox["patient"]},
        "code": {"text": "試験"},
    }
    with town.client("sandbox") as client:
        created = client.post("/fhir/Condition", json=tree)
        assert created.status_code == 201, created.text
        again = client.put(
            f"/fhir/Condition/{created.json()['id']}", json={**created.json(), "code": {"text": "二"}}
        )
        assert again.status_code == 200, again.text
        assert client.get(f"/fhir/Condition/{created.json()['id']}").json()["code"]["text"] == "二"
        assert client.put("/fhir/Condition/of-my-own", json={**tree, "id": "of-my-own"}).status_code == 201
        assert client.get("/fhir/Observation", params={"_count": 5}).json()["entry"]
        wish = {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "試験",
            "criteria": f"Observation?patient={sandbox['patient']}",
            "channel": {"type": "rest-hook", "endpoint": "https://suite.example/told"},
        }
        wished = client.post("/fhir/Subscription", json=wish)
        assert wished.status_code == 201, wished.text
        assert client.get(f"/fhir/Subscription/{wished.json()['id']}").json()["criteria"] == wish["criteria"]


def test_the_printed_commands_work_as_they_are_copied(town: Town) -> None:
    lines = [line for line in town.text.splitlines() if line.startswith("curl ")]
    assert len(lines) >= 4
    for line in lines:
        *_, header, address = shlex.split(line)
        name, _, value = header.partition(": ")
        assert httpx.get(address, headers={name: value}, timeout=30).status_code == 200


def _copied(page: str, town: Town, folder: Path) -> tuple[str, list[str]]:
    """What the shell blocks of a page print, run one after the other, and its Python blocks."""
    for name, target in ((".state", town.state), (".venv", Path(sys.prefix)), ("docs", ROOT / "docs")):
        (folder / name).symlink_to(target)
    text = (ROOT / page).read_text("utf-8")
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    told = _run(["bash", "-euo", "pipefail", "-c", shell], folder)
    assert "OperationOutcome" not in told
    return told, re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_page_on_using_it_runs_as_it_is_copied(town: Town, tmp_path: Path) -> None:
    told, python = _copied("docs/using.md", town, tmp_path)
    assert re.findall(r"^(?:in)?active$", told, re.MULTILINE) == ["inactive", "active", "inactive"]
    assert "202 Accepted" in told
    assert '"emergency-opened"' in told
    device, *libraries = [_run([".venv/bin/python", "-c", block], tmp_path) for block in python]
    assert device.count("'status': 'stored'") == 2
    assert [int(found) > 0 for found in libraries] == [True, True]


def test_the_page_on_the_desk_runs_as_it_is_copied(town: Town, tmp_path: Path) -> None:
    told, _ = _copied("docs/desk.md", town, tmp_path)
    # An opening that was ended; the clerk who entered; the operator who proposed, another one, and the end.
    assert re.findall(r"^[2-5]\d\d$", told, re.MULTILINE) == ["401", "403", "403", "200", "200"]
    assert re.findall(r"^(?:justified|inactive|confirmed)$", told, re.MULTILINE) == [
        "justified",
        "inactive",
        "confirmed",
    ]
    assert re.findall(r"^RelatedPerson/|^DocumentReference/|^Patient/", told, re.MULTILINE) == [
        "Patient/",
        "RelatedPerson/",
        "DocumentReference/",
    ]
    receipt = (tmp_path / "receipt.html").read_text("utf-8")
    assert "同意の控え" in receipt
    assert "<svg" in receipt


def test_the_page_on_sharing_runs_as_it_is_copied(town: Town, tmp_path: Path) -> None:
    told, _ = _copied("docs/sharing.md", town, tmp_path)
    computed, named = re.findall(r"^([0-9a-f]{64})\b", told, re.MULTILINE)
    assert computed == named
    assert told.count("202 Accepted") == 2
    said = "may see vital signs (blood pressure, weight and others) (except those marked for special"
    assert told.count(f"{said} care, and those of which that is not known) for treatment, until") == 2
    assert "\ntaken-back\n" in told
    assert "may see personal details (name, birth date, contact) and vital signs" in told
    assert f"\n{town.persona('resident')['patient']}\n" in told
    assert "\n404\n" in told
    assert re.findall(r"^(declined|withdrawn)$", told, re.MULTILINE) == ["declined"] * 2 + ["withdrawn"] * 3
    assert town.ids("physician_elsewhere", "Observation") == set()


def test_the_page_on_explaining_runs_as_it_is_copied(town: Town, tmp_path: Path) -> None:
    told, _ = _copied("docs/explaining.md", town, tmp_path)
    doctor = town.persona("physician_elsewhere")["reference"]
    pressures = len(town.ids("resident", "Observation", BLOOD_PRESSURE))
    assert "\nConsent.provision.provision[1]\nThis exception never meets" in told
    assert f"\ndrafts[0]\n{doctor}\nObservation\n{pressures}\n" in told
    assert '"seenBy":[' in told
    assert f"404\n{doctor} not-found Observation/" in told
    for state in ("then", "now"):
        assert (
            f"{state} permit Consent.provision.provision[0] provision This exception takes it away." in told
        )
    assert told.endswith("inactive\n")
    assert town.ids("physician_elsewhere", "Observation") == set()


def test_the_page_on_receipts_runs_as_it_is_copied(town: Town, tmp_path: Path) -> None:
    told, _ = _copied("docs/receipts.md", town, tmp_path)
    states = re.findall(r"^https://w3id\.org/dpv#(\w+)$", told, re.MULTILINE)
    assert states == ["ConsentGiven", "ConsentWithdrawn"]
    assert "\nhttp://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT\nrefused: 1\n" in told
    assert "\ninactive\n" in told
    assert "\nthe same\n" in told
    assert "shown; the reference permits" in told
    assert told.endswith("the reference agrees with what was done\n")
    assert (tmp_path / "receipt.jws").read_bytes().count(b".") == 2


@pytest.mark.parametrize("writer", ["Device/", "Organization/"])
def test_what_devices_and_a_pharmacy_wrote_is_decided_again(town: Town, tmp_path: Path, writer: str) -> None:
    with town.client("auditor") as client:
        listed = client.get("/fhir/AuditEvent", params={"_count": 1_000}).json()["entry"]
    written = (event for event in (entry["resource"] for entry in listed) if event["action"] == "C")
    permitted = (event for event in written if "the consent that permitted this" in str(event.get("entity")))
    event = next(one for one in permitted if writer in one["agent"][0]["who"].get("reference", ""))
    replay = [".venv/bin/passport", "consent", "replay", event["id"], "--state", str(town.state)]
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    told = _run(replay, tmp_path)
    assert "written; the reference permits (Consent/" in told
    assert told.endswith("the reference agrees with what was done\n")


def _run(command: list[str], folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_token_is_printed_alone_and_only_for_somebody_who_is_there(town: Town) -> None:
    command = ["token", "--state", str(town.state), "--purpose", "TREAT", "--ttl", "1m", "--as"]
    printed = CliRunner().invoke(main, [*command, town.persona("physician")["reference"]])
    assert printed.exit_code == 0
    assert re.fullmatch(r"[\w-]{40,}\n", printed.stdout)
    headers = {"Authorization": f"Bearer {printed.stdout.strip()}"}
    assert httpx.get(f"{town.people['fhir_url']}/Practitioner", headers=headers).status_code == 200
    unknown = CliRunner().invoke(main, [*command, "Practitioner/nobody"])
    assert (unknown.exit_code, unknown.stdout) == (1, "")


def test_production_refuses_the_folder_of_a_demo(town: Town) -> None:
    refused = CliRunner().invoke(main, ["serve", "--state", str(town.state)])
    assert refused.exit_code == 1
    assert "passport demo" in refused.stderr


def test_the_check_tells_the_story_and_ends_with_its_result() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "passport.cli", "demo", "--check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "expected" in told.stdout
    assert "got" in told.stdout


def test_a_killed_service_comes_back_and_a_killed_demo_leaves_nothing_and_goes_on_where_it_was(
    town: Town,
) -> None:
    seen = town.ids("physician", "Observation")
    (service,) = [pid for pid, command in _running(town.state).items() if "passport.serving" in command]
    os.kill(service, signal.SIGKILL)
    assert town.ids("physician", "Observation") == seen

    town.process.kill()
    town.process.wait(ENDED_SECONDS)
    _until(lambda: not _running(town.state), ENDED_SECONDS)
    assert _running(town.state) == {}

    again = _start(town.state)
    assert "Residents register" not in again.text
    for name in NAMES:
        assert again.persona(name)["reference"] == town.persona(name)["reference"]
        assert again.persona(name)["token"] != town.persona(name)["token"]
    assert again.persona("device")["next_counter"] > town.persona("device")["next_counter"]
    assert again.ids("physician", "Observation") == seen
    _end(again)
    assert _running(again.state) == {}
