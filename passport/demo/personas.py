"""The persona file: who is who in the started town, with a token for each.

https://www.rfc-editor.org/rfc/rfc8259
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import orjson

NAMES: Final = (
    "resident",
    "proxy",
    "physician",
    "physician_elsewhere",
    "telemedicine",
    "pharmacy",
    "device",
    "emergency_physician",
    "auditor",
    "operator",
    "second_operator",
    "clerk",
    "second_clerk",
    "approver",
)
SANDBOX: Final = "sandbox"


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to act as: the reference that consents name, the patient it is about, the token's purpose.

    `jwk` is the private key of those who sign, `next_counter` the number of a device's next message,
    `client_id` the name under which a service asks for tokens of its own.
    """

    token: str
    reference: str
    patient: str
    purpose: str
    jwk: Mapping[str, Any] | None = None
    next_counter: int | None = None
    client_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The members that this persona has."""
        members = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class PersonaFile:
    """Where the service is, and its personas by name."""

    base_url: str
    personas: Mapping[str, Persona]

    @property
    def fhir_url(self) -> str:
        """The base of FHIR addresses."""
        return f"{self.base_url}/fhir"

    def write(self, path: Path) -> None:
        """Write the file whole or not at all, for its owner alone: it holds tokens and keys."""
        content = {
            "base_url": self.base_url,
            "fhir_url": self.fhir_url,
            "personas": {name: persona.as_json() for name, persona in self.personas.items()},
        }
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.touch(mode=0o600)
        scratch.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        scratch.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file that `write` wrote."""
        content = orjson.loads(path.read_bytes())
        personas = {name: Persona(**members) for name, members in content["personas"].items()}
        return cls(content["base_url"], personas)
