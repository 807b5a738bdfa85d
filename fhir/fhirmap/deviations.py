"""What a file says otherwise than its specification, line by line.

https://www.jahis.jp/standard/
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deviation:
    """One finding: the line (from 1; 0 for the whole file), its record, and a text without any value."""

    line: int
    record: str
    text: str
