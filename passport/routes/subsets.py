"""What part of a record a request asks for, beside the whole.

http://hl7.org/fhir/R4/http.html#read
"""

from collections.abc import Collection, Iterable
from typing import Final

from fastapi import Request

from fhirstore.search.test import SearchError
from fhirstore.subset import Subset, parse_subset, subset
from passport.outcomes import Invalid

_FORMS: Final = frozenset({"_summary", "_elements", "_format", "_pretty"})


def wanted_part(request: Request, *types: str, beside: Collection[str] = ()) -> Subset | None:
    """The part that a request for records of these types wants, None where it wants all of each.

    `beside` are parameters that the address has for other things.

    Raises:
        Invalid: a value that asks for no part, a parameter twice, or one that reading does not have.
    """
    if not request.query_params:
        return None
    known_parameters(request, _FORMS.union(beside))
    try:
        return parse_subset(single(request, "_summary"), single(request, "_elements"), types)
    except SearchError as error:
        raise Invalid(str(error), (error.parameter,)) from None


def known_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse a request whose address has other parameters than these: what is asked is answered whole.

    Raises:
        Invalid: it has one.
    """
    expect_names(request.query_params, known)


def expect_names(given: Iterable[str], known: Collection[str]) -> None:
    """Refuse parameters of other names than these.

    Raises:
        Invalid: there is one.
    """
    unknown = sorted(name[:64] for name in set(given) - set(known))
    if unknown:
        named = ", ".join(f"`{name}`" for name in unknown)
        raise Invalid(f"got parameter {named}, expected one of {', '.join(sorted(known))}", unknown)


def single(request: Request, name: str) -> str | None:
    """The value of a parameter that may stand in the address once.

    Raises:
        Invalid: it stands there more often.
    """
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise Invalid(f"got `{name}` {len(values)} times, expected it once", (name,))
    return values[0] if values else None


def cut(body: bytes, wanted: Subset | None) -> bytes:
    """The part of a record's JSON that is wanted; all of it costs nothing."""
    return body if wanted is None else subset(body, wanted)
