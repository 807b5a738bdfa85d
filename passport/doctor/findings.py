"""What was found of one setting."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["unsafe", "note"]
"""Not to be served like this; or to be known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One setting, by the name of what sets it, with what is wrong and what is expected."""

    level: Level
    setting: str
    text: str

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{self.level:<6}  {self.setting}: {self.text}"


def unsafe(setting: str, text: str) -> Finding:
    """Something with which nobody should serve."""
    return Finding("unsafe", setting, text)


def note(setting: str, text: str) -> Finding:
    """Something that may be meant."""
    return Finding("note", setting, text)
