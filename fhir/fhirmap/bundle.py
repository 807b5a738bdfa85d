"""Mapped resources as one transaction, and their references once the store has named them.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fhirmap.identity import RECORD_IDENTIFIER_SYSTEM, full_url, record_identifier
from fhirmap.jsonformat import Json, present


def url_of(resource: Json) -> str | None:
    """Return the temporary `urn:uuid:` of a stamped resource."""
    identifier = record_identifier(resource)
    return identifier and full_url(resource["resourceType"], identifier)


def bundle(resources: Sequence[Json]) -> Json:
    """Return a transaction Bundle that creates each resource, stamped ones unless they exist."""
    entries = [_entry(each) for each in resources]
    return present({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _entry(resource: Json) -> Json:
    identifier = record_identifier(resource)
    condition = identifier and f"identifier={RECORD_IDENTIFIER_SYSTEM}|{identifier}"
    request = present({"method": "POST", "url": resource["resourceType"], "ifNoneExist": condition})
    return present({"fullUrl": url_of(resource), "resource": resource, "request": request})


def resolved(value: Any, references: Mapping[str, str]) -> Any:
    """Return a copy of a resource in which each reference named in `references` is replaced."""
    if isinstance(value, list):
        return [resolved(each, references) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: references.get(member, member)
        if name == "reference" and isinstance(member, str)
        else resolved(member, references)
        for name, member in value.items()
    }
