"""The pages that people open, and the files that they load.

https://www.rfc-editor.org/rfc/rfc8246

The documents are the same for everybody: what is personal is asked for by the pages themselves, as JSON.
"""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from passport.outcomes import NotFound, Unavailable
from passport.routes import identity_pages as plain
from passport.web.built import ASSETS, Built
from passport.web.policy import FOREVER

router = APIRouter(include_in_schema=False)

ADDRESSES: Final = (
    "/sign-in",
    "/recover",
    "/home",
    "/home/sessions",
    "/home/devices",
    "/home/passkeys",
    "/home/token",
    "/device",
)


def built_of(request: Request) -> Built:
    """The pages as they were built for the running service."""
    found: Built = request.app.state.built
    return found


async def page(request: Request) -> HTMLResponse:
    """One document for all of them; the script shows the page of the address."""
    if not built_of(request).is_there:
        raise Unavailable("the pages were not built; `/auth/login` works without them")
    return plain.shell(
        request, without_script="/auth/device" if request.url.path == "/device" else "/auth/login"
    )


for address in ADDRESSES:
    router.add_api_route(address, page, methods=["GET"])


@router.get(ASSETS + "/{name}")
async def asset(request: Request, name: str) -> Response:
    """A file that is named by its content."""
    found = built_of(request).assets.get(name)
    if found is None:
        raise NotFound("no such address")
    headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.body, headers=headers, media_type=found.media_type)
    headers["Content-Encoding"] = "gzip"
    return Response(found.zipped, headers=headers, media_type=found.media_type)
