"""Where somebody comes in who knows the address alone.

https://www.rfc-editor.org/rfc/rfc9110#name-307-temporary-redirect
"""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

router = APIRouter(include_in_schema=False)


# Relative, so that a proxy may serve everything below a path of its own.
@router.get("/")
async def entrance() -> RedirectResponse:
    """To the pages; `/docs` is for who writes programs."""
    return RedirectResponse("home")
