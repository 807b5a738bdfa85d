"""Reading DER where no library knows the structure: definite lengths, nothing left over, never deeper than asked.

https://www.itu.int/rec/T-REC-X.690
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SEQUENCE: Final = 0x30
SET: Final = 0x31
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
_LONG: Final = 0x80
_LENGTH_BYTES_MAX: Final = 3


class NotDer(ValueError):
    """Bytes that are no DER, or not of the structure that was expected."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, and what is in it."""

    tag: int
    content: bytes

    def inside(self, tag: int) -> Iterator["Element"]:
        """The elements in this one, which has to bear that tag.

        Raises:
            NotDer: it bears another one, or what is in it are no elements.
        """
        if self.tag != tag:
            raise NotDer
        return elements(self.content)


def context(number: int) -> int:
    """The tag of a member that is tagged explicitly."""
    return 0xA0 | number


def one(data: bytes) -> Element:
    """The one element that these bytes are.

    Raises:
        NotDer: they are not one.
    """
    found = list(elements(data))
    if len(found) != 1:
        raise NotDer
    return found[0]


def elements(data: bytes) -> Iterator[Element]:
    """The elements that stand one after the other.

    Raises:
        NotDer: something is left over, or a length does not fit.
    """
    while data:
        tag, length, start = data[0], *_length(data)
        end = start + length
        if end > len(data):
            raise NotDer
        yield Element(tag, data[start:end])
        data = data[end:]


def dotted(content: bytes) -> str:
    """An object identifier as it is written.

    Raises:
        NotDer: it is none.
    """
    if not content or content[-1] & _LONG:
        raise NotDer
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & _LONG:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _length(data: bytes) -> tuple[int, int]:
    """How long the content is, and where it begins."""
    if len(data) < 2:
        raise NotDer
    if data[1] < _LONG:
        return data[1], 2
    count = data[1] - _LONG
    if not 0 < count <= _LENGTH_BYTES_MAX or len(data) < 2 + count:
        raise NotDer
    length = int.from_bytes(data[2 : 2 + count], "big")
    if length < _LONG or data[2] == 0:
        raise NotDer
    return length, 2 + count
