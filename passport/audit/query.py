"""What a query looks like in the audit log: what was asked, without what would tell who a stranger is.

http://hl7.org/fhir/R4/http.html#search

Codes, dates, ids and references stay readable, since they are what an answer to "why did they look" needs.
Names, identifiers and whatever else a caller may write into an address stay out of the log: their place shows
that they were asked for.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from fhirstore.types import TYPES

MASK: Final = "***"

READABLE: Final = frozenset(
    {
        "_at", "_contained", "_count", "_elements", "_format", "_id", "_include", "_lastUpdated", "_revinclude",
        "_security", "_since", "_sort", "_summary", "_total", "_type",
        "agent", "category", "code", "date", "end", "format", "max", "outcome", "patient", "start", "status",
        "subject",
    }
)  # fmt: skip
"""Parameters whose values are codes, dates, ids or references."""

QUERY_MAX_CHARACTERS: Final = 1_000

_LINK: Final = "_has:"
# Of a parameter with its modifier, and the links that lead to it.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}(:[A-Za-z_][A-Za-z0-9_.-]{0,59}){0,12}")
# Of a code, a date, an id, a reference or a list of them; free text has spaces or letters beyond these.
_VALUE: Final = re.compile(r"[A-Za-z0-9|:/.,_+\-]{0,200}")
# Of types, ids, the names of operations, and every type of a compartment.
_PATH: Final = re.compile(r"[A-Za-z0-9/._$*\-]{0,200}")
# Of a literal reference, also at the end of an absolute one.
_REFERENCE: Final = re.compile(r"(?<![A-Za-z0-9])(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9.\-]+")
_OF_IDS: Final = frozenset({"_id", "patient", "subject"})
# Modifiers that turn a value into text.
_TEXTUAL: Final = frozenset({"text", "contains", "exact", "identifier", "of-type"})


def recorded(method: str, path: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """Return the audit log's text for a request.

    Args:
        method: the HTTP method.
        path: the path below the base, without the query, such as `Observation/1`.
        params: names and values as they were sent, decoded.
    """
    query = "&".join(_param(name, value) for name, value in params)
    text = f"{method} {_path(path)}{'?' if query else ''}{query}"
    return text if len(text) <= QUERY_MAX_CHARACTERS else text[: QUERY_MAX_CHARACTERS - 1] + "…"


def as_told(query: str, own: Collection[str]) -> str:
    """Return the text for one resident: a search may have named others beside them, whom it does not tell of.

    Args:
        query: what `recorded` made of a request.
        own: references of the resident and of their records that the row tells of.
    """
    asked, mark, rest = query.partition("?")
    return asked + mark + "&".join(_told(pair, own) for pair in rest.split("&"))


def _told(pair: str, own: Collection[str]) -> str:
    name, equals, value = pair.partition("=")
    if _asked(name).partition(":")[0] in _OF_IDS:
        ids = {reference.partition("/")[2] for reference in own}
        value = ",".join(one if one in ids or "/" in one else MASK for one in value.split(","))
    return name + equals + _REFERENCE.sub(lambda found: found[0] if _may_be_told(found, own) else MASK, value)


def _may_be_told(found: re.Match[str], own: Collection[str]) -> bool:
    type_ = TYPES.get(found["type"])
    return type_ is None or type_.directory or found[0] in own


def _path(path: str) -> str:
    return path if _PATH.fullmatch(path) else MASK


def _param(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        return MASK
    bare, _, modifier = _asked(name).partition(":")
    readable = bare in READABLE and modifier not in _TEXTUAL and _VALUE.fullmatch(value)
    return f"{name}={value if readable else MASK}"


def _asked(name: str) -> str:
    """The parameter that a value is of, behind the links that lead to it."""
    while True:
        if name.startswith(_LINK):
            name = name.split(":", 3)[-1]
            continue
        _, dot, rest = name.partition(".")
        if not dot:
            return name
        name = rest
