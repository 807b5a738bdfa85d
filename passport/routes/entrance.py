"""Where somebody comes in who knows the address alone.

https://www.rfc-editor.org/rfc/rfc9110#name-307-temporary-redirect
"""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from passport.outcomes import Invalid

router = APIRouter(include_in_schema=False)


# Relative, so that a proxy may serve everything below a path of its own.
@router.get("/")
async def entrance() -> RedirectResponse:
    """To the description."""
    return RedirectResponse("docs")


@router.get("/fhir")
async def fhir_entrance(request: Request) -> RedirectResponse:
    """To what the FHIR server can do.

    Raises:
        Invalid: something is asked of all types at once.
    """
    _refuse_search(request)
    return RedirectResponse("fhir/metadata")


@router.get("/fhir/")
async def fhir_base(request: Request) -> RedirectResponse:
    """The same for clients that write the base with its slash.

    Raises:
        Invalid: something is asked of all types at once.
    """
    _refuse_search(request)
    return RedirectResponse("metadata")


def _refuse_search(request: Request) -> None:
    if request.query_params:
        asked = min(request.query_params)[:64]
        raise Invalid(
            f"got `{asked}` without a type, expected a search of one type", (asked,), code="not-supported"
        )
