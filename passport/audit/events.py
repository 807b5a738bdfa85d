"""AuditEvent over HTTP: the one type of the FHIR surface that is rendered from the audit log, not stored.

http://hl7.org/fhir/R4/http.html
"""

from collections.abc import Sequence

from fastapi import Request, Response

from passport.audit.reading import read_audit_event, search_audit_events
from passport.routes.messages import bearer, fhir_response, runtime_of


async def read(request: Request, id_: str) -> Response:
    """Read one AuditEvent."""
    return fhir_response(await read_audit_event(runtime_of(request), bearer(request), id_))


async def search(request: Request, pairs: Sequence[tuple[str, str]]) -> Response:
    """Search the audit log."""
    return fhir_response(await search_audit_events(runtime_of(request), bearer(request), pairs))
