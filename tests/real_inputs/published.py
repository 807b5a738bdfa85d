"""Published FHIR examples: each is put in under its own id and read back, element by element.

https://jpfhir.jp/fhir/clins/igv1/
https://jpfhir.jp/fhir/ePrescription/

Whether a file must be taken is looked up in `WRONG`: what its publisher meant to be wrong, and what is wrong by
R4 as published, with the place that the refusal must name. All others must come back with every element and every
number as it was written; `meta` has a version, a time and labels of the service's own.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from fhirstore.elements import reference_elements
from fhirstore.parse import Number, parse
from tests.real_inputs.findings import Finding
from tests.real_inputs.service import Service

# File name -> the place that is wrong, as the refusal must name it.
WRONG: Final = {
    "Bundle-JP-MedReq-ePreData-Example-bunkatsu.json": "Bundle.entry[0].resource.identifier",
    "MedicationRequest-JP-MedReq-ePreData-Example-naihuku.json": "MedicationRequest.note",
    "MedicationRequest-JP-MedReq-ePreData-Example-zenzou01per03.json": "MedicationRequest.text.div",
    "MedicationRequest-JP-MedReq-ePreData-Example-zenzou03per03.json": "MedicationRequest.text.div",
    "Organization-JP-Organization-ePreData-departmentOfIssuer-Example.json": "Organization.type[0].coding",
    "Observation-ErrorExample-ObsLabo-eGFR.json": "Observation.code.coding",
}
BEYOND: Final = {
    "MedicationRequest-ErrorExample-JP-MedReq-PO-SID-28days.json": (
        "meant to be wrong in a code that only the master of generic names tells"
    )
}
OWN_META: Final = frozenset({"versionId", "lastUpdated", "security"})


def findings(service: Service, file: Path, name: str) -> Iterator[Finding]:
    """Put a file in, and compare what is then read with what it says."""
    content = file.read_bytes()
    tree = parse(content)
    _register(service.suite, tree)
    path = f"/fhir/{tree['resourceType']}/{tree['id']}"
    answer = service.suite.put(path, content=content)
    if file.name in WRONG:
        told = {each for issue in answer.json().get("issue", ()) for each in issue.get("expression", ())}
        got = "refused" if answer.status_code in (400, 422) and WRONG[file.name] in told else _said(answer)
        yield Finding(name, "refused", got, f"{WRONG[file.name]} is wrong")
        return
    if not answer.is_success:
        yield Finding(name, "equal", _said(answer), "refused")
        return
    different = sorted(differences(tree, parse(service.suite.get(path).content)))
    yield Finding(
        name,
        "equal",
        f"other at {', '.join(different[:3])}" if different else "equal",
        BEYOND.get(file.name, ""),
    )


def _register(suite: httpx.Client, tree: Mapping[str, Any]) -> None:
    """Whom a file refers to by an address of the service is there before it, if only by id."""
    named = {each["reference"] for each in reference_elements(tree)}
    for reference in sorted(each for each in named if each.startswith("Patient/")):
        if suite.get(f"/fhir/{reference}").status_code == 404:
            id_ = reference.partition("/")[2]
            suite.put(f"/fhir/{reference}", json={"resourceType": "Patient", "id": id_})


def _said(answer: httpx.Response) -> str:
    issues = answer.json().get("issue", ())
    return f"{answer.status_code} " + "; ".join(
        f"{', '.join(issue.get('expression', ()))} {issue.get('diagnostics', '')}" for issue in issues
    )


def differences(sent: Any, read: Any, path: str = "") -> Iterator[str]:
    """Yield where two trees differ, numbers by how they are written; the service's own meta aside."""
    if isinstance(sent, dict) and isinstance(read, dict):
        for name in sent.keys() | read.keys():
            if path == "meta" and name in OWN_META:
                continue
            if name == "meta" and not path and not sent.get("meta", {}).keys() - OWN_META:
                continue
            yield from differences(sent.get(name), read.get(name), f"{path}.{name}" if path else name)
    elif isinstance(sent, list) and isinstance(read, list) and len(sent) == len(read):
        for index, (one, other) in enumerate(zip(sent, read, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif _written(sent) != _written(read):
        yield path


def _written(value: Any) -> tuple[type, Any]:
    return type(value), value.lexeme if isinstance(value, Number) else value
