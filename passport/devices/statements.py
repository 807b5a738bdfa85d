"""What a device states about itself, signed: for whom the statement is, when it was made, and what it says.

https://www.rfc-editor.org/rfc/rfc7515
https://www.rfc-editor.org/rfc/rfc7519#section-4.1

A statement counts at one address and for a few minutes, so that one that was overheard is good for nothing elsewhere.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from fhirstore.errors import ParseError
from fhirstore.parse import Limits, Tree, parse
from passport.members import check_members
from passport.outcomes import Invalid

STATEMENT_MAX_BYTES: Final = 16_384
FRESH: Final = timedelta(minutes=5)

_LIMITS: Final = Limits(size_bytes=STATEMENT_MAX_BYTES, depth=3)
_ENVELOPE: Final = frozenset({"aud", "iat"})
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999, beyond which no datetime is


def read_statement(payload: bytes, names: Collection[str], *, audience: str, now: datetime) -> Tree:
    """The members of a statement.

    Args:
        payload: what was signed.
        names: the members that it has, beside `aud` and `iat`.
        audience: the address that it was sent to, as the passport calls it.
        now: the instant.

    Raises:
        Invalid: it has other members, is for another address, or was made at another time.
    """
    try:
        tree = parse(payload, _LIMITS)
    except ParseError as error:
        raise Invalid(error.problems) from None
    check_members(tree, (), {*names, *_ENVELOPE})
    if tree["aud"] != audience:
        raise Invalid("got a statement for another address, expected this one in `aud`", ("aud",))
    made = tree["iat"]
    if type(made) is not int or not 0 <= made <= _LAST_SECOND:
        raise Invalid("got no number of seconds since 1970 in `iat`", ("iat",))
    if abs(now - datetime.fromtimestamp(made, UTC)) > FRESH:
        raise Invalid("got a statement of another time, expected one of the last minutes in `iat`", ("iat",))
    return tree
