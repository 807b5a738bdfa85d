"""A bounded memory of what was met last, for what is cheaper to recall than to make again.

https://docs.python.org/3/library/collections.html#collections.OrderedDict
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST: Final = 4_000
"""What one memory holds; what was not used for longest is forgotten first."""

_LARGEST_PART: Final = 10
"""What would take more than this part of a memory is not remembered: it would drive out everything else."""


class Remembered(Generic[T]):
    """Used by one event loop alone. What is remembered weighs 1 unless it is said otherwise; `most` is for all."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held = 0
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> T | None:
        """What is remembered under a key, if it is."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: T, weight: int = 1) -> None:
        """Remember a value under a key."""
        self.forget(key)
        if weight > 1 and weight * _LARGEST_PART > self._most:
            return
        self._kept[key] = value, weight
        self._held += weight
        while self._held > self._most:
            _, (_, given_up) = self._kept.popitem(last=False)
            self._held -= given_up

    def forget(self, key: Hashable) -> None:
        """Remember nothing under a key any more."""
        _, weight = self._kept.pop(key, (None, 0))
        self._held -= weight
