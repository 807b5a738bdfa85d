"""Asking a provider: within a time, up to a size, without a redirection, and over TLS.

https://www.rfc-editor.org/rfc/rfc9700#section-4.11
https://www.python-httpx.org/advanced/timeouts/
"""

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from anyio import fail_after
from httpx import AsyncClient, BasicAuth, HTTPError, Response

from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from passport.identity.federation.errors import ProviderSilent

WITHIN_SECONDS: Final = 5.0
LIMITS: Final = Limits(size_bytes=131_072, depth=8)

_JSON_TYPES: Final = frozenset({"application/json", "application/jwk-set+json"})
_ASKING: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


async def fetched(address: str, *, token: str | None = None) -> dict[str, Any]:
    """What stands at an address, an object in JSON; with an access token where it is about a person.

    Raises:
        ProviderSilent: there is none within the time and size.
    """
    proof = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await _asked("GET", address, headers={**_ASKING, **proof})


async def posted(
    address: str, fields: Mapping[str, str], *, basic: tuple[str, str] | None = None
) -> dict[str, Any]:
    """What an address answers to a form.

    Raises:
        ProviderSilent: it answers none within the time and size, or refuses.
    """
    auth = None if basic is None else BasicAuth(*basic)
    return await _asked("POST", address, headers=_ASKING, data=dict(fields), auth=auth)


async def _asked(method: str, address: str, **request: Any) -> dict[str, Any]:
    secure = address.startswith("https://")
    try:
        with fail_after(WITHIN_SECONDS):
            async with (
                AsyncClient(
                    verify=_trusted() if secure else False,
                    follow_redirects=False,
                    timeout=WITHIN_SECONDS,
                    trust_env=secure,
                ) as http,
                http.stream(method, address, **request) as answer,
            ):
                return parse(await _body(answer), LIMITS)
    except (HTTPError, TimeoutError, ParseError, ValueError):
        # Neither the address nor the text: both are the provider's.
        raise ProviderSilent from None


async def _body(answer: Response) -> bytes:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    compressed = answer.headers.get("content-encoding", "identity").lower() != "identity"
    if answer.status_code != 200 or kind not in _JSON_TYPES or compressed:
        raise ProviderSilent
    parts: list[bytes] = []
    length = 0
    async for part in answer.aiter_raw():
        length += len(part)
        if length > LIMITS.size_bytes:
            raise ProviderSilent
        parts.append(part)
    return b"".join(parts)


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts, read once since that takes long."""
    return ssl.create_default_context()
