"""Media types as a caller names them: which are taken for an answer, and of which a body is.

https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
http://hl7.org/fhir/R4/http.html#mime-type
http://hl7.org/fhir/R4/http.html#version-parameter
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

FHIR: Final = "application/fhir+json"
"""What every answer is, by whatever name it was asked for."""

FHIR_VERSION: Final = "4.0"
UTF_8: Final = "utf-8"
"""In which JSON of FHIR is written, whatever is said of it."""

_VERSIONS: Final = frozenset({None, FHIR_VERSION, "4.0.1"})
_OTHER_NAMES: Final = ("application/json", "text/json", "json")
# The nearer one decides.
_WILDCARDS: Final = ("application/*", "*/*", "*")

_QUOTED: Final = r'"(?:[^"\\]++|\\.)*+"'
_RANGE: Final = re.compile(rf'(?:[^,"]++|{_QUOTED}|")++')
_PARAMETER: Final = re.compile(rf';\s*+([^\s;="]++)\s*+=\s*+({_QUOTED}|[^\s;"]++)')

_HEADERS_KEPT: Final = 256
"""Clients repeat theirs: each is read once."""


@dataclass(frozen=True, slots=True)
class Media:
    """A media type, in lower case, with the parameters that count here; what is unreadable weighs nothing."""

    kind: str
    version: str | None
    weight: float
    charset: str = UTF_8

    @property
    def is_r4(self) -> bool:
        """Whether it is of the version that is held, as what names none is."""
        return self.version in _VERSIONS


@lru_cache(maxsize=_HEADERS_KEPT)
def media_of(header: str) -> Media:
    """Return the media type that a header names; its `kind` is empty where there is none."""
    kind = header.partition(";")[0]
    given = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(header, len(kind))}
    return Media(
        kind.strip().lower(),
        given.get("fhirversion"),
        _weight(given.get("q", "1")),
        given.get("charset", UTF_8).lower(),
    )


@lru_cache(maxsize=_HEADERS_KEPT)
def takes_fhir(accept: str) -> bool:
    """Return whether an `Accept` lets an answer be FHIR JSON of this version.

    What it says of that very type decides; of another of its names only that it is taken, and then wildcards.
    """
    weights: dict[str, float] = {}
    for found in map(media_of, _RANGE.findall(accept)):
        if found.is_r4:
            weights[found.kind] = max(found.weight, weights.get(found.kind, 0.0))
    if FHIR in weights:
        return weights[FHIR] > 0
    if any(weights.get(name, 0.0) > 0 for name in _OTHER_NAMES):
        return True
    return next((weights[name] > 0 for name in _WILDCARDS if name in weights), False)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
