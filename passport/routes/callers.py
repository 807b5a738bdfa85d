"""Whose request it is where nobody is signed in: a browser that is known for a login, or a network address.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
https://www.rfc-editor.org/rfc/rfc6265#section-4.1
"""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from fastapi import Request, Response

from passport.identity.login import browsers, cookies, known, sessions
from passport.routes.messages import runtime_of

COOKIE: Final = "known"

NETWORK_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin with these (RFC 6177)."""


def network_of(request: Request) -> str:
    """The network address that a request came from, as callers are told apart by it."""
    text = request.client.host if request.client else ""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if not isinstance(address, IPv6Address):
        return text
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), NETWORK_BITS), strict=False))


def caller_of(request: Request, login: str | None = None) -> str:
    """Under which name an attempt to sign in is counted, by `login` where it names one."""
    runtime = runtime_of(request)
    text = cookies.cookie(request, runtime.settings, COOKIE)
    return known.caller_of(runtime, text, login, now=runtime.clock()) or network_of(request)


async def begun(request: Request, response: Response, cookie: str) -> None:
    """Hand the cookie of a session that began to its browser, which is known from now on; the one of before ends."""
    runtime = runtime_of(request)
    settings, now = runtime.settings, runtime.clock()
    text, remembered = cookies.cookie(request, settings, COOKIE), None
    async with runtime.pool.connection() as connection, connection.transaction():
        await sessions.end(connection, cookies.cookie(request, settings), now=now)
        person = await sessions.signed_in(connection, cookie, now=now)
        if person is not None:
            kind = browsers.kind_of(request.headers.get("user-agent", ""))
            await sessions.name_browser(connection, person.login_id, kind)
            remembered = await known.remembered(runtime, connection, text, person.login, now=now)
    cookies.give(response, settings, cookie)
    if remembered is not None:
        cookies.give(response, settings, remembered, COOKIE, lasts=known.LASTS)
