"""The page on which the interface is tried out, from files of the passport's own.

https://swagger.io/docs/open-source-tools/swagger-ui/usage/installation/
"""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from passport.web.policy import of_page

router = APIRouter(include_in_schema=False)

FILES: Final = "/static-offline-docs"
_INLINE: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@router.get("/docs")
async def tried_out(request: Request) -> HTMLResponse:
    """Swagger UI over the description; its one inline script is named by its hash."""
    root = request.scope.get("root_path", "")
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title=request.app.title,
        oauth2_redirect_url=None,
        swagger_js_url=f"{root}{FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{FILES}/swagger-ui.css",
        swagger_favicon_url=f"{root}{FILES}/favicon.png",
    )
    page.headers.update(of_page(scripts=" ".join(_hashes(bytes(page.body))), styles="'unsafe-inline'"))
    return page


def _hashes(page: bytes) -> list[str]:
    scripts = _INLINE.findall(page)
    return [f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in scripts]
