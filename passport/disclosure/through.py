"""Records as they are seen through one of a person's registrations.

http://hl7.org/fhir/R4/patient.html#merge

Who asks about one registration is shown the records of all of them, and finds the one that was asked about as their
patient. What is stored stays as it is, and so is a record that is read by its own address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirstore.parse import Limits, Tree, parse, serialise
from passport.admission import Desk

STORED_TYPES: Final = frozenset({"Patient", "Person", "Provenance", "Bundle"})
"""What says who is who, tells of one version of a record, or is a document that somebody composed."""

_ANY_DEPTH: Final = 1_024  # what is stored was measured on its way in


@dataclass(frozen=True, slots=True)
class Through:
    """How references to a person's registrations are written for who asked about one: all of them as that one."""

    written: Mapping[str, str]

    def seen(self, type_name: str, body: bytes) -> bytes:
        """A record's JSON as it is shown; only one that names another registration is looked into."""
        if not self.written or type_name in STORED_TYPES:
            return body
        if not any(f'"{reference}"'.encode() in body for reference in self.written):
            return body
        return serialise(self.rewritten(parse(body, Limits(size_bytes=len(body), depth=_ANY_DEPTH))))

    def rewritten(self, tree: Tree) -> Tree:
        """The same of a tree, whatever its type."""
        return {name: self._rewritten(value) for name, value in tree.items()}

    def _rewritten(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._rewritten(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self.written.get(one, one)
            if name == "reference" and isinstance(one, str)
            else self._rewritten(one)
            for name, one in value.items()
        }


AS_STORED: Final = Through({})
"""How everybody is seen who was registered once."""


def kin_of(desk: Desk) -> Mapping[int, str]:
    """All registrations of the Patient whom a request is about, by patient_key; nothing where there is one."""
    asked, about = desk.standing.asked, desk.request.about
    if asked is None or about is None:
        return {}
    kin = desk.standing.seen_with(asked)
    return kin if len(kin) > 1 and kin.get(asked) == about else {}


def through(desk: Desk) -> Through:
    """How records are seen by who names Patients; for all other requests as they are stored.

    Of a person who is named by one registration the others are written as that one; who is named by several of them
    finds each as it is.
    """
    names, base = desk.request.names, desk.runtime.settings.fhir_url
    near: dict[str, str] = {}
    for name in names:
        others = desk.standing.registrations_of(name).difference(names, near)
        near |= dict.fromkeys(sorted(others), name)
    return Through(near | {f"{base}/{one}": f"{base}/{other}" for one, other in near.items()})
