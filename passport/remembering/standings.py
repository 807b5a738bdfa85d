"""Standings that this process read before, by whoever asked and what about; each is believed only if it still holds.

http://hl7.org/fhir/R4/consent.html

Of a record that was shown to nobody here nothing is remembered: whoever asks for what is denied, or is not there, is
answered in the same way, at the same cost, every time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from consent.model import Action
from passport.remembered import Remembered
from passport.standing import Standing
from passport.subjects import Bearer

Place = tuple[bytes, Action, str, tuple[int, ...]]
"""A token, what it asks to do, in which way (`read` or `write`), and the keys of the references in question."""

MOST_KNOWN: Final = 100_000
"""In patients: a standing holds each of whom it is about, some 350 bytes, and one of a page's records holds none.

Whoever looks for something in the passports of all who shared stands towards thousands of them.
"""

MOST_SHOWN: Final = 100
"""Of so many records of a page; who opens more of them one by one is met anew."""


@dataclass(slots=True)
class Known:
    """A standing that was read before, and what was made of it; one that was found to hold no more is `over`."""

    standing: Standing
    made: Any = None
    over: bool = False


class Standings:
    """The memory of one process."""

    def __init__(self) -> None:
        self._known: Remembered[Known] = Remembered(MOST_KNOWN)

    def recall(self, place: Place) -> Known | None:
        """What is known of a place, if anything is that was not found to be over."""
        known = self._known.get(place)
        if known is not None and known.over:
            self._known.forget(place)
            return None
        return known

    def remember(self, place: Place, known: Known) -> None:
        """Keep a standing that was read by the first statement of a transaction, if there is a way to ask for it."""
        standing = known.standing
        if standing.rests_on:
            patients = sum(map(len, standing.groups.values()))
            self._known.put(place, known, 1 + max(patients, len(standing.refs)))

    def remember_shown(self, place: Place, known: Known, record_keys: Iterable[int]) -> None:
        """Keep it for records of a page, all of whoever the page was about."""
        if known.standing.rests_on:
            for key in islice(record_keys, MOST_SHOWN):
                self._known.put((*place[:3], (key,)), known)


def place_of(caller: Bearer, action: Action, isolation: str, about_keys: Sequence[int]) -> Place:
    """Where the standing of a request is remembered."""
    return caller.token_hash, action, isolation, tuple(about_keys)
