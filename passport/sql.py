"""Running statements: what `fhirstore.statements` offers, for the rest of the service."""

from fhirstore.statements import (
    Connection,
    Cursor,
    Kept,
    Prepared,
    Row,
    fetch,
    fetch_alone,
    prepare,
    run,
    start,
    written,
)

__all__ = [
    "Connection",
    "Cursor",
    "Kept",
    "Prepared",
    "Row",
    "fetch",
    "fetch_alone",
    "prepare",
    "run",
    "start",
    "written",
]
