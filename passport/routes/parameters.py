"""Which parameters the address of each route takes, beside those below the FHIR base; any other is refused by name.

https://www.rfc-editor.org/rfc/rfc6749#section-3.1

A parameter that is passed over changes the question: `?patient=` that nobody reads would be answered with everything.
"""

from collections.abc import Mapping
from typing import Final

from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import Scope

from passport.outcomes import Invalid
from passport.query_strings import pairs_of
from passport.routes.operations import OPERATIONS

_FHIR: Final = "/fhir"

FREE: Final = frozenset(
    {
        # RFC 6749, sections 3.1 and 3.2, RFC 8628, section 3.1: what is not recognized has to be passed over.
        ("GET", "/auth/authorize"),
        ("POST", "/auth/authorize"),
        ("POST", "/auth/token"),
        ("POST", "/auth/par"),
        ("POST", "/auth/device"),
        # The same of what a provider answers with: RFC 6749, section 4.1.2.
        ("GET", "/auth/federation/{provider_id}/back"),
        # These name what they do not know themselves, and what they would.
        ("GET", "/audit/accesses"),
    }
)
"""The routes of whose address every parameter is let through, by method and template."""

_NAME_CHARACTERS: Final = 64
"""Characters of a name that a refusal repeats."""


def taken(route: Route) -> Mapping[str, frozenset[str]]:
    """By method, the parameters that a route takes; a method that is not named takes all.

    The description of the interface has no word of the pages and the files that they load: their documents are the
    same for everybody, and what their addresses say is read by their script.
    """
    if route.path.startswith(_FHIR):
        return {}
    read = {field.alias for field in route.dependant.query_params} if isinstance(route, APIRoute) else set()
    return {
        method: frozenset({*read, *(operation.parameters or ())})
        for method in route.methods or ()
        if (operation := OPERATIONS.get((route.path, method.lower()))) is not None
        and (method, route.path) not in FREE
    }


def check(scope: Scope, known: Mapping[str, frozenset[str]]) -> None:
    """Refuse a request whose address has a parameter that its route does not take.

    Raises:
        Invalid: it has one.
    """
    query: bytes = scope["query_string"]
    expected = known.get(scope["method"])
    if not query or expected is None:
        return
    unknown = sorted(
        {name[:_NAME_CHARACTERS] for name, _ in pairs_of(query.decode()) if name not in expected}
    )
    if unknown:
        named = ", ".join(f"`{name}`" for name in unknown)
        wanted = f"one of {', '.join(sorted(expected))}" if expected else "none"
        raise Invalid(f"got parameter {named}, expected {wanted}", unknown)
