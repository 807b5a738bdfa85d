"""Who plays whom: what the resident of the persona file shares, and the files themselves.

The story has a resident of its own, so that it leaves the personas' grants as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from passport.demo import consents, town
from passport.demo.books import Books
from passport.demo.client import Caller, TokenSource
from passport.demo.directory import PHARMACY_CLIENT
from passport.demo.personas import SANDBOX, Persona, PersonaFile

RESIDENT: Final = "hanako"
STORY_RESIDENT: Final = "taro"

PURPOSES: Final[Mapping[str, str]] = {
    "resident": "PATRQT",
    "proxy": "FAMRQT",
    "physician": "TREAT",
    "physician_elsewhere": "TREAT",
    "telemedicine": "TREAT",
    "pharmacy": "TREAT",
    "device": "PATRQT",
    "emergency_physician": "ETREAT",
    "auditor": "HOPERAT",
    "operator": "HOPERAT",
    "second_operator": "HOPERAT",
    "clerk": "HOPERAT",
    "second_clerk": "HOPERAT",
    "approver": "HOPERAT",
}
"""The purpose of use in each persona's token."""

_CITY: Final = {
    "auditor": "auditor",
    "operator": "operator",
    "second_operator": "operator/second",
    "clerk": "clerk/ichikawa",
    "second_clerk": "clerk/niwa",
    "approver": "approver",
}
"""Whoever acts for the city, as their subjects are called: what needs two needs two of them."""


def share(resident: Caller, books: Books, now: datetime) -> None:
    """The grants that the personas begin with: physician, telemedicine service and proxy hold theirs."""
    references = books.references
    patient = references[RESIDENT]
    last_day = (now + timedelta(days=consents.GRANTED_DAYS)).date()
    references["proxy"] = resident.create(town.related_person(patient))
    physician = references["physician"]
    granted = consents.blood_pressure_and_medicines(patient, physician, last_day, status="active")
    shared = consents.blood_pressure_alone(patient, references["telemedicine"])
    for tree in (granted, shared, *consents.everything_for(patient, references["proxy"])):
        resident.create(tree)


@dataclass(frozen=True, slots=True)
class Casting:
    """Fills persona files with fresh tokens."""

    base_url: str
    tokens: TokenSource
    books: Books

    def personas(self, *, sandbox: bool) -> PersonaFile:
        """The file that others read."""
        file = self._file(RESIDENT, PURPOSES)
        if not sandbox:
            return file
        reference, purpose = self.books.references[SANDBOX], "TREAT"
        (token,) = self.tokens([(reference, purpose)])
        patient = self.books.references[f"{SANDBOX}-patient"]
        return PersonaFile(
            self.base_url, {**file.personas, SANDBOX: Persona(token, reference, patient, purpose)}
        )

    def story(self) -> PersonaFile:
        """The same people around the resident of the story, who has no proxy."""
        return self._file(STORY_RESIDENT, {name: PURPOSES[name] for name in PURPOSES if name != "proxy"})

    def _file(self, resident: str, purposes: Mapping[str, str]) -> PersonaFile:
        references = {name: self._reference(name, resident) for name in purposes}
        tokens = self.tokens([(references[name], purpose) for name, purpose in purposes.items()])
        cuff = self.books.devices[f"{resident}/cuff"]
        patient = self.books.references[resident]
        personas = {
            name: Persona(token, references[name], patient, purposes[name])
            for name, token in zip(purposes, tokens, strict=True)
        }
        personas["device"] = replace(personas["device"], jwk=cuff.jwk, next_counter=cuff.next_counter)
        pharmacy = replace(personas["pharmacy"], jwk=self.books.pharmacy_jwk, client_id=PHARMACY_CLIENT)
        return PersonaFile(self.base_url, {**personas, "pharmacy": pharmacy})

    def _reference(self, name: str, resident: str) -> str:
        if name in _CITY:
            return _CITY[name]
        if name == "device":
            return self.books.devices[f"{resident}/cuff"].reference
        return self.books.references[resident if name == "resident" else name]
