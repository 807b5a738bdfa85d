"""Which addresses are asked at all: those of the issuer's own host, and of hosts that two operators named.

https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html

A provider's document says where its keys are and where tokens are made. Nobody is sent to, and nothing is fetched
from, another host because a document says so; neither is an address by number, nor a redirection followed.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from passport.outcomes import Invalid

ADDRESS_MAX_CHARACTERS: Final = 512
HOSTS_MAX: Final = 8

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST: Final = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
"""A name with a dot in it that does not end in a number: no address by number, no machine of one's own."""

_PATH: Final = r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*"
_SECURE: Final = re.compile(rf"https://(?P<host>{HOST.pattern})(?::[1-9][0-9]{{0,4}})?{_PATH}")
_LOOPBACK: Final = re.compile(rf"http://127\.0\.0\.1:[1-9][0-9]{{0,4}}{_PATH}")
_WELL_KNOWN: Final = "/.well-known/openid-configuration"


def is_fit(address: object, hosts: Iterable[str], *, loopback: bool) -> bool:
    """Whether an address may be asked.

    Args:
        address: what somebody says is one.
        hosts: the hosts that may be asked.
        loopback: whether one of this machine may, by plain HTTP, where `hosts` has it with its port.
    """
    if not isinstance(address, str) or len(address) > ADDRESS_MAX_CHARACTERS:
        return False
    if secure := _SECURE.fullmatch(address):
        return secure["host"] in set(hosts)
    return loopback and _LOOPBACK.fullmatch(address) is not None and host_of(address) in set(hosts)


def host_of(address: str) -> str:
    """The host of an address; of one of this machine with its port, since another port is another server.

    What is no address has none.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts.hostname or "" if parts.scheme == "https" else parts.netloc


def issuer_of(value: object, *, loopback: bool) -> str:
    """Read the name of an issuer, which is an address.

    Raises:
        Invalid: it is none that may be asked.
    """
    if not isinstance(value, str) or not is_fit(value, [host_of(value)], loopback=loopback):
        raise Invalid("got an unfit address in `issuer`, expected `https://…` of a named host", ("issuer",))
    return value


def hosts_of(listed: object) -> tuple[str, ...]:
    """Read the further hosts at which a provider may have its addresses.

    Raises:
        Invalid: one of them is no name of a host, or there are too many.
    """
    if (
        not isinstance(listed, list)
        or len(listed) > HOSTS_MAX
        or not all(isinstance(each, str) and HOST.fullmatch(each) for each in listed)
    ):
        text = f"got no list of up to {HOSTS_MAX} names such as `keys.example.jp` in `hosts`"
        raise Invalid(text, ("hosts",))
    return tuple(dict.fromkeys(listed))


def document_address(issuer: str) -> str:
    """Where an issuer publishes what it is (OpenID Connect Discovery, section 4)."""
    return f"{issuer.rstrip('/')}{_WELL_KNOWN}"
