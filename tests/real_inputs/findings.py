"""One line of the table: a file or a part of it, what it must become, and what it became."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was expected of an input and what came of it; `note` is shown beside and compares with nothing."""

    source: str
    expected: str
    got: str
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the input became what it must become."""
        return self.expected == self.got
