"""What the demo remembers between two starts: who became what on the server, and the devices' keys.

The file lies in the installation's folder, for its owner alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import orjson

FILE_NAME: Final = "demo.json"
COUNTERS_PER_START: Final = 1_000_000
"""Each start numbers its messages in a range of its own: what others sent meanwhile is not known here."""


@dataclass(slots=True)
class DeviceEntry:
    """An enrolled device: its reference and model, its private key, and the number of its next message."""

    reference: str
    model: str
    jwk: Mapping[str, Any]
    next_counter: int


@dataclass(slots=True)
class Books:
    """The references of all that was written, by the demo's keys; `devices` by `resident/kind`.

    `loaded` says that the town is complete; one that is not is never told from.
    """

    references: dict[str, str] = field(default_factory=dict)
    devices: dict[str, DeviceEntry] = field(default_factory=dict)
    pharmacy_jwk: dict[str, Any] = field(default_factory=dict)
    loaded: bool = False
    starts: int = 0

    @classmethod
    def read(cls, state: Path) -> Self:
        """The books of an installation; empty ones where there are none."""
        path = state / FILE_NAME
        if not path.exists():
            return cls()
        content = orjson.loads(path.read_bytes())
        content["devices"] = {key: DeviceEntry(**entry) for key, entry in content["devices"].items()}
        return cls(**content)

    def write(self, state: Path) -> None:
        """Write the books whole or not at all."""
        path = state / FILE_NAME
        scratch = path.with_suffix(".new")
        scratch.touch(mode=0o600)
        scratch.touch(mode=0o600)
        scratch.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))
        scratch.replace(path)

    def begin(self) -> None:
        """Count a start, and give every device a range of counters that none has used."""
        self.starts += 1
        if self.starts > 1:
            first = (self.starts - 1) * COUNTERS_PER_START + 1
            for entry in self.devices.values():
                entry.next_counter = max(first, entry.next_counter)
