"""The document Bundle of a summary: the Composition, the Patient, and everything that they name.

http://hl7.org/fhir/uv/ips/STU2/StructureDefinition-Bundle-uv-ips.html
http://hl7.org/fhir/R4/documents.html

A section without records says that no information is available, and never that there is nothing: whether there is
nothing, nothing was recorded, or nothing is for this reader cannot be told apart.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fhirmap.ips.narrative import NO_INFORMATION, paragraph, table
from fhirmap.ips.sections import MEDICINES, SECTIONS, Section, belongs
from fhirmap.jsonformat import Json

_PROFILES: Final = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
BUNDLE_PROFILE: Final = f"{_PROFILES}Bundle-uv-ips"
TITLE: Final = "患者サマリー / International Patient Summary"
LOINC: Final = "http://loinc.org"
_EMPTY: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
            "code": "unavailable",
            "display": "Unavailable",
        }
    ],
    "text": NO_INFORMATION,
}


def compose(
    patient: Json,
    records: Sequence[Json],
    others: Sequence[Json],
    *,
    base_url: str,
    author: str,
    now: datetime,
    new_id: Callable[[], str],
) -> Json:
    """Return the summary of a patient.

    Args:
        patient: the Patient.
        records: what may go into the sections, in the order in which each shows it.
        others: what the records may refer to; what they do not is left out.
        base_url: where these resources are, without a slash at the end.
        author: the name of the service.
        now: when it is composed.
        new_id: gives the ids of what is made here.

    Returns:
        A Bundle of type document, the resources in it as they were given.
    """
    named = {_reference(each): each for each in (*records, *others)}
    held = {section.code: _held(section, records, base_url) for section in SECTIONS}
    shown = [patient, *(each for listed in held.values() for each in listed)]
    shown += _reached(shown, {_reference(each): each for each in others}, base_url)
    bundle_id, composition_id, device_id = new_id(), new_id(), new_id()
    device = _device(device_id, author)
    composition: Json = {
        "resourceType": "Composition",
        "id": composition_id,
        "meta": {"profile": [f"{_PROFILES}Composition-uv-ips"]},
        "language": "ja",
        "text": paragraph(TITLE),
        "status": "final",
        "type": _loinc("60591-5", "Patient summary Document"),
        "subject": {"reference": f"{base_url}/{_reference(patient)}"},
        "date": _instant(now),
        "author": [{"reference": f"urn:uuid:{device_id}"}],
        "title": TITLE,
        "section": [_section(section, held[section.code], named, base_url) for section in SECTIONS],
    }
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "meta": {"profile": [BUNDLE_PROFILE]},
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{bundle_id}"},
        "type": "document",
        "timestamp": _instant(now),
        "entry": [
            {"fullUrl": f"urn:uuid:{composition_id}", "resource": composition},
            *({"fullUrl": f"{base_url}/{_reference(each)}", "resource": each} for each in shown),
            {"fullUrl": f"urn:uuid:{device_id}", "resource": device},
        ],
    }


def _held(section: Section, records: Sequence[Json], base_url: str) -> list[Json]:
    found = [each for each in records if each["resourceType"] in section.types and belongs(each)]
    if section.types != MEDICINES:
        return found
    # One medicine, one entry: what was handed over stands for the prescription that it carries out.
    dispensed = [each for each in found if each["resourceType"] == "MedicationDispense"]
    carried_out = {named for each in dispensed for named in _references(each, base_url)}
    return [each for each in found if _reference(each) not in carried_out]


def _section(section: Section, held: Sequence[Json], named: Mapping[str, Json], base_url: str) -> Json:
    head: Json = {"title": section.title, "code": _loinc(section.code, section.display)}
    if not held:
        return {**head, "text": paragraph(NO_INFORMATION), "emptyReason": _EMPTY}
    return {
        **head,
        "text": table(section.columns, [section.row(each, named) for each in held]),
        "entry": [{"reference": f"{base_url}/{_reference(each)}"} for each in held],
    }


def _reached(shown: Iterable[Json], others: Mapping[str, Json], base_url: str) -> list[Json]:
    """Those of `others` that are referred to, directly or by one of them; each once."""
    found: dict[str, Json] = {}
    waiting = list(shown)
    while waiting:
        for reference in _references(waiting.pop(0), base_url):
            if reference in others and reference not in found:
                found[reference] = others[reference]
                waiting.append(others[reference])
    return list(found.values())


def _references(node: Any, base_url: str) -> Iterator[str]:
    """Every literal reference, as it stands below the base and without a version."""
    if isinstance(node, Mapping) and isinstance(named := node.get("reference"), str):
        yield named.removeprefix(f"{base_url}/").partition("/_history/")[0]
    for value in node.values() if isinstance(node, Mapping) else node:
        if isinstance(value, Mapping | list):
            yield from _references(value, base_url)


def _reference(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _device(id_: str, name: str) -> Json:
    return {
        "resourceType": "Device",
        "id": id_,
        "deviceName": [{"name": name, "type": "user-friendly-name"}],
        "type": {"text": "Software"},
    }


def _loinc(code: str, display: str) -> Json:
    return {"coding": [{"system": LOINC, "code": code, "display": display}]}


def _instant(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
