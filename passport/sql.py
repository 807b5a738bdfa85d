"""Running statements: what `fhirstore.statements` offers, for the rest of the service."""

from fhirstore.statements import Connection, Kept, Prepared, Row, fetch, prepare, run, start, written

__all__ = ["Connection", "Kept", "Prepared", "Row", "fetch", "prepare", "run", "start", "written"]
