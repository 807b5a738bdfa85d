"""Running statements: what `fhirstore.statements` and `fhirstore.exchange` offer, for the rest of the service."""

from fhirstore.exchange import Step, exchange, fetch
from fhirstore.statements import Connection, Kept, Prepared, Row, prepare, run

__all__ = ["Connection", "Kept", "Prepared", "Row", "Step", "exchange", "fetch", "prepare", "run"]
