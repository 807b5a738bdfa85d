"""Bundles of requests at the base: batch and transaction.

http://hl7.org/fhir/R4/http.html#transaction

Reads of a transaction follow its writes and are part of it: they show what these leave, each is a disclosure of its
own, and where one fails nothing was written.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.facts import about
from fhirstore.parse import DEFAULT_LIMITS, Limits, serialise
from passport import admission
from passport.audit.query import recorded
from passport.interactions import JSON_PATCH
from passport.joining import joined
from passport.outcomes import Invalid, PassportError, operation_outcome, translated
from passport.pieces import Write, Written, version_of
from passport.records import written_instant
from passport.routes.direct import Direct
from passport.routes.messages import bearer, check_accept, fhir_body, fhir_response, runtime_of
from passport.routes.preferences import location, outcome_of_success, returned
from passport.routes.within import Answered, answered_within
from passport.runtime import Runtime
from passport.transactions import Asked, Known, asked_of, carry_out, entries_of, refers_to_any, write_group
from passport.transactions.entries import READING
from passport.transactions.reads import MOST_READS, FailedRead, TooManyReads
from passport.turns import in_pieces, parsed

router = APIRouter(prefix="/fhir", tags=["FHIR"], route_class=Direct)

BUNDLE_LIMIT_BYTES: Final = 33_554_432
BUNDLE_DEPTH: Final = DEFAULT_LIMITS.depth + 4  # a resource's own, and the Bundle's around it
_LIMITS: Final = Limits(size_bytes=BUNDLE_LIMIT_BYTES, depth=BUNDLE_DEPTH)
_ORDER: Final = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}


@router.post("")
@router.post("/", include_in_schema=False)
async def bundle(request: Request) -> Response:
    """Carry out a batch or a transaction."""
    check_accept(request)
    runtime = runtime_of(request)
    bearer(request)
    kind, entries = entries_of(await parsed(await fhir_body(request, BUNDLE_LIMIT_BYTES), _LIMITS))
    carried = _transaction if kind == "transaction" else _batch
    answers = await carried(request, runtime, entries)
    listed = b",".join(answers[at] for at in range(len(entries)))
    entry = b',"entry":[%b]' % listed if listed else b""
    return fhir_response(b'{"resourceType":"Bundle","type":"%b-response"%b}' % (kind.encode(), entry))


async def _transaction(request: Request, runtime: Runtime, entries: Sequence[Any]) -> dict[int, bytes]:
    settings = runtime.settings
    asked = [
        asked_of(entry, at, settings.fhir_url, sandbox=settings.sandbox)
        async for at, entry in in_pieces(list(enumerate(entries)))
    ]
    writing = [one for one in asked if one.method not in READING]
    reading = [one for one in asked if one.method in READING]
    if not writing:
        return await _read(request, reading)
    if len(reading) > MOST_READS:
        raise TooManyReads(len(reading))
    named = await _named(runtime, writing)
    answers: dict[int, bytes] = {}
    try:
        async with admission.admitted(runtime, bearer(request), _asking("transaction", named)) as desk:
            done = await carry_out(desk, writing, commit=not reading)
            with joined(desk.connection):
                answers = await _read(request, reading)
    except FailedRead as error:
        # What was undone with the rest is asked for once more, by itself: a denied look is on the patient's record.
        await _alone(request, error.entry)
        raise
    for one in writing:
        answers[one.at] = await _told(request, runtime, one, done[one.at])
    return answers


async def _read(request: Request, reading: Sequence[Asked]) -> dict[int, bytes]:
    """What the reads of a transaction show.

    Raises:
        FailedRead: one shows nothing.
    """
    answers = {}
    for one in reading:
        answer = await _alone(request, one)
        if answer.status >= 400:
            raise FailedRead(one, answer.status, answer.body)
        answers[one.at] = _shown(answer, reading=True)
    return answers


async def _batch(request: Request, runtime: Runtime, entries: Sequence[Any]) -> dict[int, bytes]:
    settings = runtime.settings
    answers: dict[int, bytes] = {}
    asked = []
    async for at, entry in in_pieces(list(enumerate(entries))):
        try:
            asked.append(asked_of(entry, at, settings.fhir_url, sandbox=settings.sandbox))
        except Invalid as error:
            answers[at] = _refused(error)
    refused = _leaning(asked, settings.fhir_url)
    answers |= {at: _refused(error) for at, error in refused.items()}
    asked = [one for one in asked if one.at not in refused]
    together = {one.at: (one, write) for one in asked if (write := _creation(one)) is not None}
    if len(together) > 1:
        group = {at: (next(iter(_about(runtime, one)), ""), write) for at, (one, write) in together.items()}
        named = await _named(runtime, [one for one, _ in together.values()])
        async with admission.admitted(runtime, bearer(request), _asking("batch", named)) as desk:
            written = await write_group(desk, group)
        for at, record in written.items():
            answers[at] = _written(request, runtime, record)
    for one in sorted(asked, key=lambda one: _ORDER[one.method]):
        if one.at not in answers:
            answers[one.at] = _shown(await _alone(request, one), reading=one.method in READING)
    return answers


def _leaning(asked: Sequence[Asked], fhir_url: str) -> dict[int, Invalid]:
    """What is to be said of entries of a batch that refer to what others of it create.

    Each is carried out alone, so such a reference would be stored and lead nowhere. An address of this service leads
    to what is there, whatever entry says it too.
    """
    names = {
        one.full_url
        for one in asked
        if one.method in ("POST", "PUT") and one.full_url and not one.full_url.startswith(f"{fhir_url}/")
    }
    text = "got a reference to another entry of the batch, expected a transaction for entries that refer to each other"
    return {
        one.at: Invalid(text, (f"{one.place}.resource",))
        for one in asked
        if names and one.method in ("POST", "PUT") and refers_to_any(one.tree, names)
    }


def _asking(verb: str, named: Sequence[str]) -> admission.Request:
    about, *beside = named or ["Bundle/"]
    return admission.Request(
        Action.COLLECT, verb, recorded("POST", ""), about=about, isolation="write", beside=tuple(beside)
    )


async def _named(runtime: Runtime, entries: Sequence[Asked]) -> list[str]:
    """Whose records are in question, each once."""
    return list(dict.fromkeys([name async for one in in_pieces(entries) for name in _about(runtime, one)]))


def _about(runtime: Runtime, one: Asked) -> Iterator[str]:
    """The record that an entry names, and whom its resource is about."""
    if one.type_ is None:
        return
    if one.id is not None:
        yield f"{one.type_.name}/{one.id}"
    if one.tree is not None and one.method in ("POST", "PUT"):
        yield from about(one.tree, one.type_, (runtime.settings.fhir_url,))


def _creation(one: Asked) -> Write | None:
    """The write of an entry that creates, whatever else is there; None of every other one."""
    plain = one.type_ is not None and one.type_.writable and not one.query and one.if_none_exist is None
    if one.method != "POST" or not plain or one.id is not None or one.type_ is None:
        return None
    # What writes no record but for its effects is asked for alone: a refusal of it is one of its own kind.
    return None if one.type_.name in ("Consent", "Patient") else Write("create", one.type_.name, one.tree)


async def _alone(request: Request, one: Asked) -> Answered:
    """The entry as a request of its own."""
    headers = {"accept": "application/fhir+json", **dict(one.conditions)}
    content = b""
    if one.tree is not None and one.method not in READING and one.method != "DELETE":
        kind, content = "application/fhir+json", serialise(one.tree)
        if one.method == "PATCH" and one.tree.get("resourceType") == "Binary":
            kind = str(one.tree.get("contentType", "")) or JSON_PATCH
            try:
                content = b64decode(str(one.tree.get("data", "")), validate=True)
            except (binascii.Error, ValueError):
                content = b""
        headers["content-type"] = (
            kind if kind.isascii() and kind.isprintable() else "application/octet-stream"
        )
    if one.method not in READING:
        headers["prefer"] = f"return={_wanted(request)}"
    if one.if_match is not None:
        headers["if-match"] = one.if_match
    if one.if_none_exist is not None:
        headers["if-none-exist"] = one.if_none_exist
    return await answered_within(request, one.method, one.path, one.query, headers, content)


def _wanted(request: Request) -> str:
    """In a Bundle the records come back only to whoever asks for them."""
    return returned(request) if "return=" in request.headers.get("prefer", "") else "minimal"


async def _told(request: Request, runtime: Runtime, one: Asked, done: Written | Known | None) -> bytes:
    if isinstance(done, Written):
        return _written(request, runtime, done, deleted=one.method == "DELETE")
    if done is None:
        return _entry(204, {})
    type_name, _, id_ = done.reference.partition("/")
    shown = await answered_within(request, "GET", f"{type_name}/{id_}", "", {})
    if shown.status >= 400:
        # It was found by the right to search, and is not shown; the transaction is carried out all the same.
        return _entry(200, {"location": f"{runtime.settings.fhir_url}/{done.reference}"})
    told = _response(shown)
    if "etag" in told:
        told = {"location": location(runtime, done.reference, version_of(told["etag"])), **told}
    return _entry(200, told, resource=shown.body if _wanted(request) == "representation" else b"")


def _written(request: Request, runtime: Runtime, record: Written, *, deleted: bool = False) -> bytes:
    told = {"etag": f'W/"{record.version}"', "lastModified": written_instant(record.last_updated)}
    if deleted:
        return _entry(204, told)
    told = {"location": location(runtime, record.reference, record.version), **told}
    wanted, status = _wanted(request), 201 if record.created else 200
    resource = record.body if wanted == "representation" else b""
    return _entry(status, told, resource, outcome_of_success() if wanted == "OperationOutcome" else b"")


def _shown(answer: Answered, *, reading: bool) -> bytes:
    """What a route answered, as an entry."""
    if answer.status >= 400:
        return _entry(answer.status, _response(answer), outcome=answer.body)
    is_outcome = not reading and b'"resourceType":"OperationOutcome"' in answer.body[:40]
    resource, outcome = (b"", answer.body) if is_outcome else (answer.body, b"")
    return _entry(answer.status, _response(answer), resource, outcome)


def _refused(error: PassportError) -> bytes:
    known = translated(error)
    return _entry(known.status, {}, outcome=operation_outcome(known))


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
