"""The formats that a file may come in, by the word in the request.

https://www.jahis.jp/standard/contents_type=33
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, Protocol

from fhirmap.jahis.to_fhir import Imported, import_jahis


class Mapper(Protocol):
    """Maps a file; refuses it with a `fhirmap.errors.MappingError` only if nobody could read it."""

    def __call__(self, data: bytes, *, patient: str, source: str, until: date | None = None) -> Imported:
        """Return the resources of `data` about `patient` (a reference), as `source` (a reference) says.

        What a day after `until` dates is left out, and reported.
        """
        ...


FORMATS: Final[Mapping[str, Mapper]] = {"jahis": import_jahis}
