"""Cursors: where a page ended, sealed so that nobody reads or forges one, and all of one length.

http://hl7.org/fhir/R4/http.html#paging
https://www.rfc-editor.org/rfc/rfc5297

A cursor holds the sort values and the record key of the last entry. It is bound to the search and to the
caller (as associated data), so it opens for nobody else and for no other question. What the next page shows
is decided afresh. Sealed by AES-SIV, which needs no nonce: the same page gives the same cursor, whatever else
lies in the store.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from fhirstore import base64url
from fhirstore.errors import FhirStoreError

CURSOR: Final = "_cursor"
"""The parameter of a `next` link that holds it."""

PLAIN_BYTES: Final = 192
"""Room for the record key and the values of rows."""

SortValue = datetime | Decimal | str | None


class BadCursor(FhirStoreError):
    """The cursor is not one that this search gave to this caller."""

    def __init__(self) -> None:
        super().__init__(
            "got a page cursor that does not belong to this search, expected one from its `next` link"
        )
        self.parameter = CURSOR


def seal_cursor(
    secret: bytes, context: bytes, values: Sequence[SortValue], record_key: int, *, more_bytes: int = 0
) -> str:
    """Return the text of a cursor; `secret` is 32 bytes, `context` what it is bound to.

    All cursors of one question are of one length: `more_bytes` is the room that values of its order take
    beside `PLAIN_BYTES`.
    """
    plain = orjson.dumps([record_key, *map(_written, values)])
    sealed = AESSIV(secret).encrypt(plain.ljust(PLAIN_BYTES + more_bytes), [context])
    return base64url.encode(sealed)


def open_cursor(secret: bytes, context: bytes, text: str) -> tuple[list[SortValue], int]:
    """Return the sort values and the record key of a cursor.

    Raises:
        BadCursor: it was changed, or made for another search or another caller.
    """
    try:
        raw = base64url.decode(text)
        plain = AESSIV(secret).decrypt(raw, [context])
    except (InvalidTag, ValueError) as error:
        raise BadCursor from error
    record_key, *values = orjson.loads(plain)
    return [_read(value) for value in values], record_key


def _written(value: SortValue) -> object:
    if isinstance(value, datetime):
        return {"t": value.astimezone(UTC).isoformat()}
    return {"d": str(value)} if isinstance(value, Decimal) else value


def _read(value: object) -> SortValue:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"]) if "t" in value else Decimal(value["d"])
    return value if isinstance(value, str) else None
