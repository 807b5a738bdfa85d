"""What every route does with a request and its answer: the token, the body within its limit, the headers.

http://hl7.org/fhir/R4/http.html
https://www.rfc-editor.org/rfc/rfc6750
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Final

from fastapi import Request, Response

from fhirstore.types import ResourceType, resource_type
from passport.identity.authorization.core import Proved
from passport.outcomes import (
    FHIR_JSON,
    PassportError,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
    not_taken,
    operation_outcome,
)
from passport.pieces import Versions, made_for
from passport.records import written_instant
from passport.routes.media import FHIR, FHIR_VERSION, UTF_8, media_of, takes_fhir
from passport.routes.needed import needed
from passport.routes.within import is_entry
from passport.runtime import Runtime
from passport.subjects import Bearer

PROVED: Final = "passport.proved"
"""Under which name the key of a request stands in its scope."""

BODY_LIMIT_BYTES: Final = 1_048_576
_JSON_TYPES: Final = frozenset({FHIR, "application/json"})
CHARSETS: Final = frozenset({UTF_8, "utf8", "us-ascii"})

NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Personal answers are never kept by anything on their way."""


class NotAcceptable(PassportError):
    """The caller reads no JSON, or that of another version of FHIR."""

    outcome = "invalid"

    def __init__(self) -> None:
        text = f"got another format in `Accept` or `_format`, expected JSON of FHIR {FHIR_VERSION}"
        super().__init__(406, "not-supported", text)


def runtime_of(request: Request) -> Runtime:
    """The running service."""
    runtime = request.app.state.runtime
    if not isinstance(runtime, Runtime):
        raise TypeError("the service has not started")
    return runtime


_NO_IDS: Final = {"_history": ("GET", "HEAD"), "_search": ("POST",)}
_NO_TYPES: Final = {"metadata": ("GET", "HEAD"), **_NO_IDS}
"""What stands where a type or an id does, and is none, with the methods that it takes."""


def held_type(request: Request, name: str) -> ResourceType:
    """The type at an address.

    Raises:
        NotAllowed: the address is of something else, which does not take this method.
        UnknownType: this installation holds none of this name.
    """
    last = request.url.path.rpartition("/")[2]
    allowed = _NO_TYPES.get(name) or _NO_IDS.get(last)
    if allowed is not None and request.method not in allowed:
        raise not_taken(request.method, allowed)
    return resource_type(name, sandbox=runtime_of(request).settings.sandbox)


def bearer(request: Request) -> Bearer:
    """The caller of a request.

    Raises:
        Unauthenticated: the request carries no bearer token.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = proved(request)
    # A token that is bound by DPoP comes with its proof, under that name; any other never does.
    named = "dpop" if key is not None and key.kind == "DPoP" else "bearer"
    if scheme.lower() != named or not token.strip():
        raise Unauthenticated
    confirmation = None if key is None else key.thumbprint
    return Bearer(sha256(token.strip().encode()).digest(), confirmation, needed(request))


def proved(request: Request) -> Proved | None:
    """The key that the caller proved to have, where they did: `passport.routes.proofs` has checked it."""
    key = request.scope.get(PROVED)
    return key if isinstance(key, Proved) else None


def check_accept(request: Request, pairs: Sequence[tuple[str, str]] | None = None) -> None:
    """Refuse a caller who reads no FHIR JSON of this version, before anything is decided.

    `pairs` are the request's parameters where they do not stand in the address alone.

    Raises:
        NotAcceptable: neither `_format` nor `Accept` allows it.
    """
    given = request.query_params.multi_items() if pairs is None else pairs
    # A plus sign arrives as a space where a client did not escape it. Of several formats no answer is all.
    named = [value.replace(" ", "+") for name, value in given if name == "_format" and value]
    accept = request.headers.getlist("accept")
    wanted = named or ([",".join(accept)] if accept else [])
    if not all(map(takes_fhir, wanted)):
        raise NotAcceptable


def is_lenient(request: Request) -> bool:
    """Whether the caller prefers that what a search does not know is left out (`Prefer: handling=lenient`)."""
    wishes = ",".join(request.headers.getlist("prefer")).replace(";", ",").split(",")
    return "handling=lenient" in (wish.strip().lower().replace('"', "") for wish in wishes)


def media_type(request: Request) -> str:
    """What the body is said to be, without parameters, in lower case."""
    return media_of(request.headers.get("content-type", "")).kind


def has_body(request: Request) -> bool:
    """Whether a request sends a body, however long.

    https://www.rfc-editor.org/rfc/rfc9112#section-6.3
    """
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


async def fhir_body(request: Request, limit: int = BODY_LIMIT_BYTES, *, expected: str = FHIR) -> bytes:
    """The body of a request that sends a resource, or other JSON; a refusal names the type `expected`.

    Raises:
        UnsupportedMedia: it is not JSON in UTF-8, or of another version of FHIR, or compressed.
        TooLarge: it is longer than `limit` bytes.
    """
    sent = media_of(request.headers.get("content-type", ""))
    if sent.kind not in _JSON_TYPES:
        raise UnsupportedMedia(expected, sent.kind)
    if sent.charset not in CHARSETS:
        raise UnsupportedMedia(f"{expected}; charset={UTF_8}", f"{sent.kind}; charset={sent.charset[:64]}")
    if not sent.is_r4:
        raise UnsupportedMedia(
            f"{expected}; fhirVersion={FHIR_VERSION}", f"{sent.kind}; fhirVersion={sent.version}"
        )
    return await raw_body(request, limit)


async def raw_body(request: Request, limit: int = BODY_LIMIT_BYTES) -> bytes:
    """The body of any request, never more of it in memory than `limit` bytes.

    Raises:
        UnsupportedMedia: it is compressed.
        TooLarge: it is longer.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMedia("identity", encoding, "Content-Encoding")
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced) > limit:
        raise TooLarge(limit)
    parts: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > limit:
            raise TooLarge(limit)
        parts.append(chunk)
    return b"".join(parts)


def fhir_response(body: bytes, headers: Mapping[str, str] | None = None, *, status: int = 200) -> Response:
    """An answer in FHIR JSON."""
    return Response(body, status, headers={**NO_STORE, **(headers or {})}, media_type=FHIR_JSON)


def refusal(error: PassportError) -> Response:
    """The answer to what is not carried out."""
    headers = {"Cache-Control": "no-store", **error.headers}
    return Response(operation_outcome(error), error.status, headers=headers, media_type=FHIR_JSON)


def versioned(request: Request, version: int, last_updated: datetime) -> dict[str, str]:
    """The headers that name a version: a weak ETag and the time of its writing, exact for an entry of a Bundle."""
    when = (
        written_instant(last_updated)
        if is_entry(request)
        else format_datetime(last_updated.astimezone(UTC), usegmt=True)
    )
    return {"ETag": f'W/"{version}"', "Last-Modified": when}


def not_modified(request: Request, version: int, last_updated: datetime) -> bool:
    """Whether the caller holds this version: by `If-None-Match`, or without it by `If-Modified-Since`."""
    tags = _listed(request, "if-none-match")
    if tags is not None:
        held = {tag.strip().removeprefix("W/").strip('"') for tag in tags.split(",")}
        return not held.isdisjoint({"*", str(version)})
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    known = since.replace(tzinfo=UTC) if since.tzinfo is None else since
    # The header knows seconds, and is given them without their fraction.
    return last_updated.replace(microsecond=0) <= known


def written_for(request: Request) -> Versions | None:
    """The versions that a write is made for, None where it does not say.

    Raises:
        Invalid: its headers name no version.
    """
    return made_for(_listed(request, "if-match"), _listed(request, "if-none-match"))


def _listed(request: Request, name: str) -> str | None:
    """The value of a header that is a list, and so may stand on several lines; None without it."""
    lines = request.headers.getlist(name)
    return ",".join(lines) if lines else None
