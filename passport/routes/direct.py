"""Routes that read their request themselves: the framework only finds them and describes them.

https://fastapi.tiangolo.com/how-to/custom-request-and-route/

The parameters of such a route are the request and the parts of its path, all text. So there is nothing to solve or
to convert per request, which is half of what the framework costs.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


class Direct(APIRoute):
    """Calls its function with the request and the parts of the path."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function that answers a request."""
        answer = self.endpoint

        async def handle(request: Request) -> Response:
            response: Response = await answer(request, **request.path_params)
            return response

        return handle
