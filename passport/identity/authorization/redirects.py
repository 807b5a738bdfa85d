"""Where an answer may be sent: to an address that was registered, letter by letter.

https://www.rfc-editor.org/rfc/rfc9700#section-2.1
https://www.rfc-editor.org/rfc/rfc8252#section-7.3

A native app listens on a port of its machine that it does not choose, so the port of a loopback address is free;
nothing else of an address is.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from passport.outcomes import Invalid

ADDRESSES_MAX: Final = 8
CHARACTERS_MAX: Final = 512

_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# RFC 3986, without user, fragment, wildcard, backslash or percent-encoded separators.
_REST: Final = r"(?:/[A-Za-z0-9._~!$&'()+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()+,;=:@%/?-]*)?"
_SECURE: Final = re.compile(rf"https://{_HOST}(?::[1-9][0-9]{{0,4}})?{_REST}")
_LOOPBACK: Final = re.compile(rf"http://(?:127\.0\.0\.1|\[::1\])(?P<port>:[0-9]{{1,5}})?(?P<rest>{_REST})")
_DISGUISED: Final = re.compile(r"%(?:2e|2f|5c|00|0d|0a|23)|/\.{1,2}(?:/|$|\?)", re.IGNORECASE)


def registered(listed: object, *, loopback: bool) -> tuple[str, ...]:
    """Read the addresses of a registration, each once.

    Args:
        listed: a list of texts.
        loopback: whether an address of the client's own machine is taken, by plain HTTP.

    Raises:
        Invalid: one of them is no `https` address without fragment, nor a loopback one; or there are too many.
    """
    if not isinstance(listed, list) or len(listed) > ADDRESSES_MAX:
        raise Invalid(
            f"got no list of up to {ADDRESSES_MAX} addresses in `redirect_uris`", ("redirect_uris",)
        )
    for address in listed:
        if not isinstance(address, str) or not _is_fit(address, loopback=loopback):
            # In the words that OAuth lets an error be described by: ASCII alone.
            other = " or http://127.0.0.1/back" if loopback else ""
            text = (
                f"got an unfit address in `redirect_uris`, expected such as https://app.example/back{other}"
            )
            raise Invalid(text, ("redirect_uris",))
    return tuple(dict.fromkeys(listed))


def matches(asked: str, listed: Iterable[str]) -> bool:
    """Whether an answer may be sent to `asked`: one of the registered addresses, but for a loopback's port."""
    if len(asked) > CHARACTERS_MAX:
        return False
    native = _LOOPBACK.fullmatch(asked)
    return any(asked == known or (native is not None and _same_machine(native, known)) for known in listed)


def origin(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _is_fit(address: str, *, loopback: bool) -> bool:
    fit = _SECURE.fullmatch(address) or (loopback and _LOOPBACK.fullmatch(address))
    return len(address) <= CHARACTERS_MAX and bool(fit) and not _DISGUISED.search(address)


def _same_machine(asked: re.Match[str], known: str) -> bool:
    other = _LOOPBACK.fullmatch(known)
    return other is not None and _without_port(asked) == _without_port(other)


def _without_port(match: re.Match[str]) -> tuple[str, str]:
    # The port is all digits behind the last colon of the host.
    host = match.string[: match.start("rest")].removesuffix(match["port"] or "")
    return host, match["rest"]
