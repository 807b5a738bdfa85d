"""Reference parameters: here the patient who owns the record.

http://hl7.org/fhir/R4/search.html#reference
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

from fhirstore.search.test import BadValue

_ID: Final = r"[A-Za-z0-9\-.]{1,64}"
_PATIENT: Final = re.compile(rf"(?:Patient/)?({_ID})")


class Unnamed(BadValue):
    """The value names no patient of this passport."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "`Patient/id` or an id")


def patient_references(name: str, values: Sequence[str], base_urls: Collection[str]) -> list[str]:
    """Return the values as `Patient/id`, whether they were written so, as an id, or as our absolute URL.

    Raises:
        Unnamed: a value that names no patient of this passport.
    """
    found = []
    for value in values:
        local = next(
            (value.removeprefix(f"{url}/") for url in base_urls if value.startswith(f"{url}/")), value
        )
        match = _PATIENT.fullmatch(local)
        if match is None:
            raise Unnamed(name)
        found.append(f"Patient/{match[1]}")
    return found
