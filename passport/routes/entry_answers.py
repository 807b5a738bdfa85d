"""What the entries of a Bundle are answered with.

http://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response
"""

from collections.abc import Collection, Mapping
from http import HTTPStatus

import orjson
from fastapi import Request
from psycopg import Error

from passport import disclosure
from passport.audit.query import recorded
from passport.disclosure import Shown
from passport.outcomes import PassportError, operation_outcome, translated
from passport.pieces import Written
from passport.records import written_instant
from passport.routes.messages import bearer
from passport.routes.preferences import location, outcome_of_success, returned
from passport.routes.within import Answered
from passport.runtime import Runtime
from passport.transactions import Asked, Known


def wanted_of(request: Request) -> str:
    """In a Bundle the records come back only to whoever asks for them."""
    return returned(request) if "return=" in request.headers.get("prefer", "") else "minimal"


async def known_versions(
    request: Request, runtime: Runtime, done: Collection[Written | Known | None]
) -> Mapping[str, Shown]:
    """What was there already, as far as the session reads it; the transaction was carried out."""
    known = sorted({one.reference for one in done if isinstance(one, Known)})
    if not known:
        return {}
    content, query = wanted_of(request) == "representation", recorded("POST", "")
    try:
        return await disclosure.versions_of(runtime, bearer(request), known, query, content=content)
    except (PassportError, Error):
        return {}


def told(
    request: Request,
    runtime: Runtime,
    one: Asked,
    done: Written | Known | None,
    versions: Mapping[str, Shown],
) -> bytes:
    """The answer to a writing entry of a transaction; `versions` is what `known_versions` found."""
    if isinstance(done, Written):
        return written(request, runtime, done, deleted=one.method == "DELETE")
    if done is None:
        return _entry(204, {})
    if done.reference not in versions:
        # It was found by the right to search, and is not read.
        return _entry(200, {"location": f"{runtime.settings.fhir_url}/{done.reference}"})
    known = versions[done.reference]
    return _entry(200, _version(runtime, known), known.body)


def written(request: Request, runtime: Runtime, record: Written, *, deleted: bool = False) -> bytes:
    """The answer to an entry that wrote a version."""
    said = _version(runtime, record)
    if deleted:
        del said["location"]
        return _entry(204, said)
    wanted, status = wanted_of(request), 201 if record.created else 200
    resource = record.body if wanted == "representation" else b""
    return _entry(status, said, resource, outcome_of_success() if wanted == "OperationOutcome" else b"")


def shown(answer: Answered, *, reading: bool) -> bytes:
    """What a route answered, as an entry."""
    if answer.status >= 400:
        return _entry(answer.status, _response(answer), outcome=answer.body)
    is_outcome = not reading and b'"resourceType":"OperationOutcome"' in answer.body[:40]
    resource, outcome = (b"", answer.body) if is_outcome else (answer.body, b"")
    return _entry(answer.status, _response(answer), resource, outcome)


def refused(error: PassportError) -> bytes:
    """The answer to an entry that was not carried out."""
    known = translated(error)
    return _entry(known.status, {}, outcome=operation_outcome(known))


def _version(runtime: Runtime, record: Written | Shown) -> dict[str, str]:
    return {
        "location": location(runtime, record.reference, record.version),
        "etag": f'W/"{record.version}"',
        "lastModified": written_instant(record.last_updated),
    }


def _response(answer: Answered) -> dict[str, str]:
    told = {name: answer.headers[name] for name in ("location", "etag") if name in answer.headers}
    if "last-modified" in answer.headers:
        told["lastModified"] = answer.headers["last-modified"]
    return told


def _entry(status: int, told: Mapping[str, str], resource: bytes = b"", outcome: bytes = b"") -> bytes:
    response = orjson.dumps({"status": f"{status} {HTTPStatus(status).phrase}", **told})
    if outcome:
        response = response[:-1] + b',"outcome":%b}' % outcome
    shown = b'"resource":%b,' % resource if resource else b""
    return b'{%b"response":%b}' % (shown, response)
