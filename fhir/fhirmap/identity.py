"""Names for imported records that are the same each time the same source says the same.

https://hl7.org/fhir/R4/resource.html#identifiers, https://www.rfc-editor.org/rfc/rfc9562#section-5.5
"""

import hashlib
from collections import Counter
from uuid import NAMESPACE_URL, uuid5

from fhirmap.jsonformat import Json

RECORD_IDENTIFIER_SYSTEM = "urn:healthcare-passport:imported-record"
_FULL_URLS = uuid5(NAMESPACE_URL, RECORD_IDENTIFIER_SYSTEM)
_SEPARATOR = "\x1f"  # the decoder leaves no control character in any content


class Stamp:
    """Gives identifiers within one import.

    An identifier is a hash over patient, source, resource type and what identifies the content, so that
    it says nothing by itself and is never shared by two patients or two sources. The same content twice
    in one import is told apart by its count, which a second import of the file repeats.
    """

    def __init__(self, patient: str, source: str) -> None:
        """Stamp records of `patient` that `source` (the reference of who hands them in) states."""
        self._origin = (patient, source)
        self._seen: Counter[str] = Counter()

    def identifier(self, resource_type: str, *content: object) -> Json:
        """Return the identifier of the next record with this content; None counts as empty."""
        parts = (*self._origin, resource_type, *("" if each is None else str(each) for each in content))
        text = _SEPARATOR.join(parts)
        self._seen[text] += 1
        digest = hashlib.sha256(f"{text}{_SEPARATOR}{self._seen[text]}".encode())
        return {"system": RECORD_IDENTIFIER_SYSTEM, "value": digest.hexdigest()}


def record_identifier(resource: Json) -> str | None:
    """Return the value of the identifier that a `Stamp` gave, None for a resource without one."""
    identifiers = resource.get("identifier", ())
    return next((each["value"] for each in identifiers if each["system"] == RECORD_IDENTIFIER_SYSTEM), None)


def full_url(resource_type: str, identifier: str) -> str:
    """Return the temporary `urn:uuid:` by which the resources of one import refer to each other."""
    return f"urn:uuid:{uuid5(_FULL_URLS, f'{resource_type}|{identifier}')}"
