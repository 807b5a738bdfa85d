"""The payload of a device message: one counter and a batch of readings.

https://www.rfc-editor.org/rfc/rfc8259

Whatever is wrong with a single reading is a matter of quarantine, not of the message: a device whose cuff
slipped once must still deliver the rest.
"""

from dataclasses import dataclass
from typing import Final

from fhirstore.errors import ParseError
from fhirstore.parse import Limits, Tree, parse
from passport.devices.jws import MESSAGE_MAX_BYTES
from passport.members import check_members
from passport.outcomes import Invalid

COUNTER_MAX: Final = 2**53  # the largest integer that every JSON reader holds exactly, RFC 8259, section 6
READINGS_MAX: Final = 1_000
DEPTH_MAX: Final = 8
"""The message, its list, a reading, and what a vendor may nest in it."""

EXPECTED: Final = 'an object such as `{"counter": 1, "readings": [{…}]}`'

_MEMBERS: Final = frozenset({"counter", "readings"})


@dataclass(frozen=True, slots=True)
class Message:
    """A batch as the device numbered it; each reading a JSON object, numbers as they were written."""

    counter: int
    readings: tuple[Tree, ...]


def read(payload: bytes) -> Message:
    """Read the payload of a message whose signature held.

    Raises:
        Invalid: not `{"counter": 1…2^53, "readings": [1…1000 objects]}`.
    """
    try:
        tree = parse(payload, Limits(size_bytes=MESSAGE_MAX_BYTES, depth=DEPTH_MAX), EXPECTED)
    except ParseError as error:
        raise Invalid(error.problems) from None
    check_members(tree, (), _MEMBERS)
    counter, readings = tree["counter"], tree["readings"]
    if type(counter) is not int or not 1 <= counter <= COUNTER_MAX:
        raise Invalid(f"got no integer from 1 to {COUNTER_MAX} in `counter`", ("counter",))
    if not isinstance(readings, list) or not 1 <= len(readings) <= READINGS_MAX:
        raise Invalid(f"got no list of 1 to {READINGS_MAX} readings", ("readings",))
    for number, reading in enumerate(readings):
        if not isinstance(reading, dict):
            raise Invalid("got a reading that is no JSON object", (f"readings[{number}]",))
    return Message(counter, tuple(readings))
