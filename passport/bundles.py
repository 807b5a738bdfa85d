"""Bundles spliced from stored bytes: no resource is parsed on its way out.

http://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson


class Entry(NamedTuple):
    """One entry: `reference` is `Type/id`, `body` the resource's JSON, empty for a deletion in a history.

    `request` and `response` are the members that a history adds, as JSON; empty in a search.
    """

    reference: str
    body: bytes
    request: bytes = b""


@dataclass(frozen=True, slots=True)
class Links:
    """The absolute addresses of this page and of the next one, if there is one."""

    self_link: str
    next_link: str | None = None


def searchset(
    base_url: str,
    entries: Sequence[Entry],
    links: Links,
    total: int | None,
    included: Sequence[Entry] = (),
    notice: bytes = b"",
) -> bytes:
    """Return a Bundle of type searchset; `total` is left out where it was not asked for.

    `included` are what comes along with the matches, `notice` the OperationOutcome of what the caller should
    know of the answer, empty where there is nothing to say.
    """
    listed = _entries(base_url, entries, b',"search":{"mode":"match"}')
    listed += _entries(base_url, included, b',"search":{"mode":"include"}')
    if notice:
        listed.append(b'{"resource":%b,"search":{"mode":"outcome"}}' % notice)
    return _bundle(b"searchset", listed, links, total)


def history(base_url: str, entries: Sequence[Entry], links: Links, total: int | None) -> bytes:
    """Return a Bundle of type history, newest version first."""
    return _bundle(b"history", _entries(base_url, entries, b""), links, total)


def _bundle(kind: bytes, entries: Sequence[bytes], links: Links, total: int | None) -> bytes:
    parts = [b'{"resourceType":"Bundle","type":"', kind, b'"']
    if total is not None:
        parts.append(b',"total":%d' % total)
    parts += [b',"link":', _links(links)]
    if entries:
        parts += [b',"entry":[', b",".join(entries), b"]"]
    parts.append(b"}")
    return b"".join(parts)


def _links(links: Links) -> bytes:
    listed = [{"relation": "self", "url": links.self_link}]
    if links.next_link is not None:
        listed.append({"relation": "next", "url": links.next_link})
    return orjson.dumps(listed)


def _entries(base_url: str, entries: Sequence[Entry], search: bytes) -> list[bytes]:
    head = b'{"fullUrl":"%b/' % base_url.encode()
    return [_entry(head, entry, search) for entry in entries]


def _entry(head: bytes, entry: Entry, search: bytes) -> bytes:
    reference, body, request = entry
    if body:
        return b'%b%b","resource":%b%b%b}' % (head, reference.encode(), body, search, request)
    return b'%b%b"%b%b}' % (head, reference.encode(), search, request)
