"""Medication handbooks: each file is handed over twice by the person whom it names.

https://www.jahis.jp/ (電子版お薬手帳データフォーマット仕様書)

What must come of a file is counted in its own lines: each record 201 is a dispensed medicine, or a stated one
where the patient noted it; each record 3 a stated one.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
from click.testing import CliRunner

from passport.cli import main
from passport.demo.client import Caller, granted, until
from tests.real_inputs.findings import Finding
from tests.real_inputs.service import Service

HEADER: Final = b"JAHISTC"
DONE_SECONDS: Final = 60
OCTETS: Final = "application/octet-stream"
MEDICINES: Final = frozenset({"MedicationDispense", "MedicationStatement"})


def findings(service: Service, file: Path, name: str) -> Iterator[Finding]:
    """Hand a file over, and once more; look at what the person then has."""
    data = file.read_bytes()
    if not data.startswith(HEADER):
        yield Finding(name, "no handbook", "no handbook", "not handed over: it does not begin with JAHISTC")
        return
    mapped = CliRunner().invoke(main, ["map", "jahis", str(file)])
    if mapped.exit_code:
        yield Finding(name, "a Bundle", f"refused by `passport map`: {mapped.stderr.strip()}")
        return
    person, expected = _person(mapped.stdout_bytes), _medicines(data)
    patient, caller = service.register(person)
    with caller:
        first = _handed_over(caller, patient, data)
        created = Counter(reference.partition("/")[0] for reference in first["created"])
        got = sum(created[kind] for kind in MEDICINES)
        note = ", ".join(f"{count} {kind}" for kind, count in sorted(created.items()))
        note += f"; {len(first['deviations'])} deviations"
        yield Finding(name, f"finished, {expected} medicines", f"{first['status']}, {got} medicines", note)
        readable = sum(caller.get(f"/fhir/{reference}").is_success for reference in first["created"])
        stored = f"{len(first['created'])} readable"
        yield Finding(f"{name}, read back", stored, f"{readable} readable")
        before = _count(caller, patient)
        _handed_over(caller, patient, data)
        yield Finding(f"{name}, once more", f"{before} records", f"{_count(caller, patient)} records")


def _person(bundle: bytes) -> dict[str, Any]:
    entries = orjson.loads(bundle)["entry"]
    return next(each["resource"] for each in entries if each["resource"]["resourceType"] == "Patient")


def _medicines(data: bytes) -> int:
    """Count the lines that name a medicine, whatever the encoding of the rest of them."""
    return sum(line.startswith((b"201,", b"3,")) for line in data.splitlines())


def _handed_over(caller: Caller, patient: str, data: bytes) -> dict[str, Any]:
    taken = granted(caller.send("/imports", data, OCTETS, patient=patient, format="jahis"))
    told: dict[str, Any] = {"status": "not done", "created": [], "deviations": []}
    for _ in until(DONE_SECONDS):
        told = granted(caller.get(taken.headers["Location"])).json()
        if told["status"] != "received":
            break
    return told


def _count(caller: Caller, patient: str) -> int:
    kinds = (*sorted(MEDICINES), "MedicationRequest", "AllergyIntolerance", "Condition")
    return sum(len(list(caller.found(kind, patient=patient))) for kind in kinds)
