"""Values as PostgreSQL reads them from text; their types are what the statement says.

https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from datetime import date, timedelta
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from fhirstore.errors import FhirStoreError


class UnwritableParameter(FhirStoreError):
    """A parameter is of a kind that no statement takes."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"got a parameter of type `{kind}`, expected text, a number, bytes, a time or a list"
        )


def literal(value: object) -> bytes | None:
    """The text of a parameter, None for NULL.

    Raises:
        UnwritableParameter: it is of another kind than those that statements take.
    """
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return f"{{{','.join(map(_element, value))}}}".encode()
    return _text(value).encode()


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    text = _text(value)
    if isinstance(value, str | bytes | timedelta | Jsonb):
        text = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    return text


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "t" if value else "f"
        case int() | UUID():
            return str(value)
        case date():
            return value.isoformat()
        case timedelta():
            return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"
        case bytes():
            return f"\\x{value.hex()}"
        case Jsonb():
            return orjson.dumps(value.obj).decode()
        case _:
            raise UnwritableParameter(type(value).__name__)
