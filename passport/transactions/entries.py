"""The entries of a Bundle of requests, read one by one.

http://hl7.org/fhir/R4/bundle.html#bundle-unique
http://hl7.org/fhir/R4/http.html#transaction
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from fhirstore.parse import Tree
from fhirstore.types import ResourceType, types_of
from passport.outcomes import Invalid, PassportError
from passport.pieces import Versions, made_for
from passport.query_strings import pairs_of

Kind = Literal["batch", "transaction"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

MOST_ENTRIES: Final = 5_000

READING: Final = frozenset({"GET", "HEAD"})
_METHODS: Final = frozenset(get_args(Method))
# Below the base, with no step out of it; the star stands for all types of a compartment.
_PATH: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.-]*(?:/[A-Za-z0-9_$.-]+)*(?:/\*)?")
_RECORD: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]*)(?:/(?P<id>[A-Za-z0-9.-]{1,64}))?")


class TooManyEntries(PassportError):
    """The Bundle has more entries than one request may have."""

    outcome = "invalid"

    def __init__(self, got: int) -> None:
        super().__init__(413, "too-costly", f"got {got} entries, expected at most {MOST_ENTRIES}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one entry asks for; `type_` and `id` are None where its address is none of a record or a type."""

    at: int
    method: Method
    path: str
    query: str
    type_: ResourceType | None
    id: str | None
    tree: Tree | None
    full_url: str | None
    if_match: str | None = None
    if_none_exist: str | None = None
    conditions: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> str:
        """Where it stands in the Bundle."""
        return f"Bundle.entry[{self.at}]"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of its address.

        Raises:
            Invalid: they are not UTF-8.
        """
        return pairs_of(self.query)

    @property
    def versions(self) -> Versions | None:
        """The versions that it is made for, None where it does not say.

        Raises:
            Invalid: it names no version.
        """
        return made_for(self.if_match, dict(self.conditions).get("If-None-Match"), f"{self.place}.request")


def entries_of(tree: Tree) -> tuple[Kind, Sequence[Any]]:
    """The kind and the entries of a Bundle, as they stand in it.

    Raises:
        Invalid: it is no Bundle of requests.
        TooManyEntries: there are too many.
    """
    if tree.get("resourceType") != "Bundle":
        raise Invalid("got another resource at the base, expected a Bundle", ("resourceType",))
    kind = tree.get("type")
    if kind not in get_args(Kind):
        raise Invalid("got another type of Bundle, expected `batch` or `transaction`", ("Bundle.type",))
    entries = tree.get("entry", [])
    if not isinstance(entries, list):
        raise Invalid("got an `entry` that is no list, expected one", ("Bundle.entry",))
    if len(entries) > MOST_ENTRIES:
        raise TooManyEntries(len(entries))
    return cast(Kind, kind), entries


def asked_of(entry: Any, at: int, fhir_url: str, *, sandbox: bool = False) -> Asked:
    """Read one entry; `sandbox` tells which types are held.

    Raises:
        Invalid: it says in no readable way what is to be done.
    """
    place = f"Bundle.entry[{at}]"
    request = entry.get("request") if isinstance(entry, Mapping) else None
    if not isinstance(request, Mapping):
        raise Invalid("got an entry without request, expected one", (f"{place}.request",))
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in _METHODS:
        raise Invalid("got an unknown method, expected one of HTTP's", (f"{place}.request.method",))
    path, _, query = _below(url, fhir_url).partition("?")
    # The base itself is searched for all types.
    searched = not path and bool(query) and method in READING
    if not (searched or _PATH.fullmatch(path)) or ".." in path.split("/"):
        got = "an address that is not below the base" if url else "no address"
        text = f"got {got}, expected such as `Observation/1`"
        raise Invalid(text, (f"{place}.request.url",))
    named = _RECORD.fullmatch(path)
    tree, full_url = entry.get("resource"), entry.get("fullUrl")
    if not isinstance(tree, dict | None) or not isinstance(full_url, str | None):
        raise Invalid("got an unreadable entry, expected a resource and its fullUrl", (place,))
    if method in ("POST", "PUT", "PATCH") and tree is None:
        raise Invalid(f"got `{method}` without a resource, expected one", (f"{place}.resource",))
    return Asked(
        at=at,
        method=cast(Method, method),
        path=path,
        query=query,
        type_=types_of(sandbox=sandbox).get(named["type"]) if named else None,
        id=named["id"] if named else None,
        tree=tree,
        full_url=full_url,
        if_match=_stated(request, "ifMatch", place),
        if_none_exist=_stated(request, "ifNoneExist", place),
        conditions=tuple(
            (header, value)
            for name, header in (("ifNoneMatch", "If-None-Match"), ("ifModifiedSince", "If-Modified-Since"))
            if (value := _stated(request, name, place)) is not None
        ),
    )


def _below(url: Any, fhir_url: str) -> str:
    if not isinstance(url, str):
        return ""
    return url.removeprefix(fhir_url) if url.startswith(f"{fhir_url}?") else url.removeprefix(f"{fhir_url}/")


def _stated(request: Mapping[str, Any], name: str, place: str) -> str | None:
    value = request.get(name)
    if value is None:
        return None
    # It travels as a header where the entry is carried out by itself.
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise Invalid(f"got an unreadable `{name}`, expected a text", (f"{place}.request.{name}",))
    return value
