"""How much of one お薬手帳 file is mapped: more than any notebook holds, little enough for one worker.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, chapter 2. A note of an RP or of a visit becomes a part of
each of its medicines, and the specification limits neither: n notes of n medicines would be n² texts. So what one
owner shares is limited, with a deviation by line beyond; and a file that still becomes too much is refused.
"""

from collections.abc import Iterable
from typing import Final

from fhirmap.deviations import Deviation
from fhirmap.errors import TooMuch
from fhirmap.jsonformat import Json, dumps

MAX_LINES: Final = (
    50_000  # a medicine with its usage takes a hundred bytes, so a file of 1 MiB has 20,000 lines
)

MAX_DRUGS_OF_RP: Final = 200  # an RP is what is taken together

MAX_SHARED: Final = 100
"""Texts of one kind of one owner: supplements, notes, pharmacists, ingredients."""

MAX_RECORDS: Final = 10_000  # ten years of ten medicines a fortnight are 2,600, with their requests 5,200

MAX_OUTPUT_BYTES: Final = 33_554_432  # a medicine with its request takes 3 kB

MAX_DEVIATIONS: Final = 1_000
"""As many are listed, by line; the others are counted."""


class Findings:
    """Deviations as they are found, in any order of lines; never more than twice those that are listed."""

    def __init__(self) -> None:
        self._kept: list[Deviation] = []
        self._further = 0

    def add(self, *found: Deviation) -> None:
        """Take further ones."""
        self._kept += found
        if len(self._kept) > 2 * MAX_DEVIATIONS:
            self._cut()

    def listed(self) -> tuple[Deviation, ...]:
        """The first ones by line, after the number of those that are left out."""
        self._cut()
        if not self._further:
            return tuple(self._kept)
        return (Deviation(0, "", f"{self._further} further deviations are not listed"), *self._kept)

    def _cut(self) -> None:
        self._kept.sort(key=lambda each: each.line)
        self._further += len(self._kept[MAX_DEVIATIONS:])
        del self._kept[MAX_DEVIATIONS:]


def limited(records: Iterable[Json | Deviation], findings: Findings) -> tuple[Json, ...]:
    """Gather the records of a file as they are made, their deviations in `findings`, and stop at too many.

    What one record takes is linear in the file, so the work is bounded by `MAX_OUTPUT_BYTES` and one record more.

    Raises:
        TooMuch: there are more records, or more bytes of them, than a file may become.
    """
    made: list[Json] = []
    size_bytes = 0
    for each in records:
        if isinstance(each, Deviation):
            findings.add(each)
            continue
        made.append(each)
        size_bytes += len(dumps(each))
        if len(made) > MAX_RECORDS:
            raise TooMuch(f"got more than {MAX_RECORDS} records, expected at most so many in a file")
        if size_bytes > MAX_OUTPUT_BYTES:
            raise TooMuch(f"got records of more than {MAX_OUTPUT_BYTES} bytes, expected at most so many")
    return tuple(made)
