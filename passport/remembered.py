"""A bounded memory of what was met last, for what is cheaper to recall than to make again.

https://docs.python.org/3/library/collections.html#collections.OrderedDict
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST: Final = 4_000
"""What one memory holds; what was not used for longest is forgotten first."""


class Remembered(Generic[T]):
    """Used by one event loop alone."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """What is remembered under a key, if it is."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, value: T) -> None:
        """Remember a value under a key."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
