"""One address for the pages: who asks for one by another name of this machine is led to the public address.

https://www.rfc-editor.org/rfc/rfc9110#name-307-temporary-redirect

A browser keeps the cookies of `localhost` and of `127.0.0.1` apart, and a form says where it was sent from: what
began at one does not go on at the other. This leads between names of one machine alone, so that behind a proxy, which
may call the service by such a name, nothing is led anywhere; and it leads to the public address, whatever was asked.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_OF_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_FHIR: Final = "/fhir"


class PublicAddress:
    """Wraps an application that is reached at `base_url`; programs, which do not ask for pages, are let through."""

    def __init__(self, app: ASGIApp, *, base_url: str) -> None:
        self._app, self._base_url = app, base_url
        public = urlsplit(base_url)
        self._names = _OF_THIS_MACHINE - {public.hostname}
        self._port = public.port
        self._leads = public.scheme == "http" and public.hostname in _OF_THIS_MACHINE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if self._leads and scope["type"] == "http" and scope["method"] == "GET" and self._is_page(scope):
            query = scope["query_string"].decode("latin-1")
            answer = RedirectResponse(f"{self._base_url}{scope['path']}{'?' if query else ''}{query}", 307)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_page(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if scope["path"].startswith(_FHIR) or "text/html" not in headers.get("accept", ""):
            return False
        try:
            asked = urlsplit(f"//{headers.get('host', '')}")
            return asked.hostname in self._names and asked.port == self._port
        except ValueError:
            return False
