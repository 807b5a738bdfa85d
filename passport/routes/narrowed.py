"""Finding a route by the shape of the address, before the framework tries one route after the other.

https://www.starlette.io/routing/#custom-route-classes

The framework compares an address with each route's pattern in turn, so the cost of a request would grow with every
route that the passport gets. Here only those of the same method, first part and number of parts are compared. What
fits none of them is left to the framework, which knows whether it is the address or the method that is wrong.
"""

from collections.abc import Iterable, Mapping

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from passport.routes import parameters

_Shape = tuple[str, str, int]
Taken = Mapping[str, frozenset[str]]


class Narrowed(BaseRoute):
    """Stands before `routes` and answers as the first of them that matches.

    The parts of their paths are single: no parameter of theirs holds a slash.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._by_shape: dict[_Shape, list[tuple[Route, Taken]]] = {}
        for route in routes:
            if isinstance(route, Route):
                taken = parameters.taken(route)
                for method in route.methods or ():
                    self._by_shape.setdefault(_shape(method, route.path_format), []).append((route, taken))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The match of the first route that takes this method at this address."""
        if scope["type"] == "http":
            for route, taken in self._by_shape.get(_shape(scope["method"], scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, "narrowed": (route, taken)}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that matched answer, if it takes every parameter of the address.

        Raises:
            Invalid: it does not.
        """
        route, taken = scope["narrowed"]
        parameters.check(scope, taken)
        await route.handle(scope, receive, send)


def _shape(method: str, path: str) -> _Shape:
    return method, path[1:].partition("/")[0], path.count("/")
