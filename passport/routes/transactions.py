"""Bundles of requests at the base: batch and transaction.

http://hl7.org/fhir/R4/http.html#transaction

Reads of a transaction follow its writes and are part of it: they show what these leave, each is a disclosure of its
own, and where one fails nothing was written.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.facts import about
from fhirstore.parse import DEFAULT_LIMITS, Limits, serialise
from passport import admission
from passport.audit.query import recorded
from passport.interactions import JSON_PATCH
from passport.joining import joined
from passport.outcomes import Invalid
from passport.pieces import Write
from passport.routes import entry_answers
from passport.routes.direct import Direct
from passport.routes.messages import bearer, check_accept, fhir_body, fhir_response, runtime_of
from passport.routes.within import Answered, answered_within
from passport.runtime import Runtime
from passport.transactions import Asked, asked_of, carry_out, entries_of, refers_to_any, write_group
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
    versions = await entry_answers.known_versions(request, runtime, done.values())
    for one in writing:
        answers[one.at] = entry_answers.told(request, runtime, one, done[one.at], versions)
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
        answers[one.at] = entry_answers.shown(answer, reading=True)
    return answers


async def _batch(request: Request, runtime: Runtime, entries: Sequence[Any]) -> dict[int, bytes]:
    settings = runtime.settings
    answers: dict[int, bytes] = {}
    asked = []
    async for at, entry in in_pieces(list(enumerate(entries))):
        try:
            asked.append(asked_of(entry, at, settings.fhir_url, sandbox=settings.sandbox))
        except Invalid as error:
            answers[at] = entry_answers.refused(error)
    refused = _leaning(asked, settings.fhir_url)
    answers |= {at: entry_answers.refused(error) for at, error in refused.items()}
    asked = [one for one in asked if one.at not in refused]
    together = {one.at: (one, write) for one in asked if (write := _creation(one)) is not None}
    if len(together) > 1:
        group = {at: (next(iter(_about(runtime, one)), ""), write) for at, (one, write) in together.items()}
        named = await _named(runtime, [one for one, _ in together.values()])
        async with admission.admitted(runtime, bearer(request), _asking("batch", named)) as desk:
            written = await write_group(desk, group)
        for at, record in written.items():
            answers[at] = entry_answers.written(request, runtime, record)
    for one in sorted(asked, key=lambda one: _ORDER[one.method]):
        if one.at not in answers:
            answers[one.at] = entry_answers.shown(await _alone(request, one), reading=one.method in READING)
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
        headers["prefer"] = f"return={entry_answers.wanted_of(request)}"
    if one.if_match is not None:
        headers["if-match"] = one.if_match
    if one.if_none_exist is not None:
        headers["if-none-exist"] = one.if_none_exist
    return await answered_within(request, one.method, one.path, one.query, headers, content)
