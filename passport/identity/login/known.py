"""Browsers at which somebody signed in before: each has a counter of its own, whatever others at its address fail.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies

A browser gets a token for a login after a sign-in by it, and for nobody else's login is it worth anything. The token
carries its own end under a code that this service alone makes, so nothing is kept of it. It signs nobody in: it says
whose failures an attempt counts with. Each token is drawn anew, so none tells that two of them are of one person.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import compare_digest, digest
from typing import Final

from fhirstore import base64url
from passport.identity.pace.limits import Limit, within
from passport.runtime import Runtime
from passport.sql import Connection

LASTS: Final = timedelta(days=90)
KEPT_MAX: Final = 8
"""For how many logins one browser is known; the one who signed in first gives way."""

BROWSERS_MAX: Final = 5
"""How many browsers become known for one login within the window: who signs in ever anew has no ever new counters."""

WINDOW: Final = timedelta(days=1)

_LIMIT: Final = Limit("known browser", BROWSERS_MAX, WINDOW)

_RANDOM_BYTES: Final = 16
_END_BYTES: Final = 8
_MARK_BYTES: Final = 16
_CODE_BYTES: Final = 16
_BODY_BYTES: Final = _RANDOM_BYTES + _END_BYTES + _MARK_BYTES
_TOKEN_CHARACTERS: Final = (_BODY_BYTES + _CODE_BYTES) * 4 // 3 + 1
_BETWEEN: Final = "."


@dataclass(frozen=True, slots=True)
class Known:
    """One token that a browser brought: until when it is good, and the mark of the login that it is for."""

    text: str = field(repr=False)
    random: bytes = field(repr=False)
    mark: bytes = field(repr=False)
    until: datetime

    @property
    def caller(self) -> str:
        """Under which name the failures of this browser with this login are counted."""
        return f"browser {self.random.hex()}"


def caller_of(runtime: Runtime, cookie: str, login: str | None, *, now: datetime) -> str | None:
    """Under which name a browser's failures count that is known, None for any other.

    An attempt for a `login` counts with the token for that login alone; one that names none, with the latest.
    """
    return next((one.caller for one in _known(runtime, cookie, login, now)), None)


async def remembered(
    runtime: Runtime, connection: Connection, cookie: str, login: str, *, now: datetime
) -> str | None:
    """The cookie of a browser at which somebody signed in by `login`, None where it keeps the one that it has."""
    if any(one.until > now + LASTS / 2 for one in _known(runtime, cookie, login, now)):
        return None
    if not await within(runtime, connection, _LIMIT, login, now=now):
        return None
    others = [one.text for one in _known(runtime, cookie, None, now) if not _is_for(runtime, one, login)]
    return _BETWEEN.join((_made(runtime, login, now), *others[: KEPT_MAX - 1]))


def _known(runtime: Runtime, cookie: str, login: str | None, now: datetime) -> Iterator[Known]:
    """What a cookie holds that this service made and that is good still; for one login, where that is named."""
    for text in cookie.split(_BETWEEN)[:KEPT_MAX]:
        one = _read(runtime, text)
        if one is not None and one.until > now and (login is None or _is_for(runtime, one, login)):
            yield one


def _read(runtime: Runtime, text: str) -> Known | None:
    if len(text) != _TOKEN_CHARACTERS or not text.isascii():
        return None
    try:
        token = base64url.decode(text)
    except ValueError:
        return None
    body, code = token[:_BODY_BYTES], token[_BODY_BYTES:]
    if not compare_digest(code, _code(runtime, body)):
        return None
    random, end = body[:_RANDOM_BYTES], body[_RANDOM_BYTES:-_MARK_BYTES]
    return Known(text, random, body[-_MARK_BYTES:], datetime.fromtimestamp(int.from_bytes(end, "big"), UTC))


def _made(runtime: Runtime, login: str, now: datetime) -> str:
    random = runtime.ring.random(_RANDOM_BYTES)
    end = int((now + LASTS).timestamp()).to_bytes(_END_BYTES, "big")
    body = random + end + _mark(runtime, random, login)
    return base64url.encode(body + _code(runtime, body))


def _is_for(runtime: Runtime, one: Known, login: str) -> bool:
    return compare_digest(one.mark, _mark(runtime, one.random, login))


def _mark(runtime: Runtime, random: bytes, login: str) -> bytes:
    made = b"known browser, login\n" + random + login.encode(errors="replace")
    return digest(runtime.ring.index_secret, made, "sha256")[:_MARK_BYTES]


def _code(runtime: Runtime, body: bytes) -> bytes:
    return digest(runtime.ring.index_secret, b"known browser\n" + body, "sha256")[:_CODE_BYTES]
