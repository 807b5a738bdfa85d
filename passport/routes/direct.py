"""Routes that read their request themselves: the framework only finds them and describes them.

https://fastapi.tiangolo.com/how-to/custom-request-and-route/

The parameters of such a route are the request and the parts of its path, all text. So there is nothing to solve or
to convert per request, which is half of what the framework costs.

A part that begins with a dollar sign is no parameter: it names an operation, and leads to that or nowhere.
http://hl7.org/fhir/R4/operations.html
"""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor

_ANY_PART: Final = StringConvertor.regex
_NO_OPERATION: Final = r"[^/$][^/]*"


class Direct(APIRoute):
    """Calls its function with the request and the parts of the path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.path_regex = re.compile(self.path_regex.pattern.replace(_ANY_PART, _NO_OPERATION))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function that answers a request."""
        answer = self.endpoint

        async def handle(request: Request) -> Response:
            response: Response = await answer(request, **request.path_params)
            return response

        return handle
