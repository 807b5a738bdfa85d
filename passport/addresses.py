"""Addresses among the settings: read before anything is done with them, and never shown, since they hold passwords.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import click
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from passport.environment import SettingsUnusable

EXPECTED_DATABASE: Final = "an address such as `postgresql://passport_service@db.example/passport`"
EXPECTED_BROKER: Final = "an address such as `amqps://queue.example` or `rediss://queue.example`"
EXPECTED_PUBLIC: Final = "an address such as `https://passport.example`"

_POSTGRESQL: Final = frozenset({"postgresql", "postgres"})


def _is_database(text: str) -> bool:
    try:
        return bool(conninfo_to_dict(text))
    except ProgrammingError:
        return False


def _is_broker(text: str) -> bool:
    scheme, separator, _ = text.partition("://")
    if not separator or scheme in _POSTGRESQL:
        return _is_database(text)
    # Asked only where there is one: it takes its time to load.
    from kombu.transport import TRANSPORT_ALIASES

    return scheme in TRANSPORT_ALIASES


def _is_public(text: str) -> bool:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    rest = parts.query or parts.fragment or parts.username or parts.password
    return whole and not rest and not any(character.isspace() for character in text)


_KINDS: Final[Mapping[str, tuple[str, Callable[[str], bool], str]]] = {
    "database_url": ("PASSPORT_DATABASE_URL", _is_database, EXPECTED_DATABASE),
    "migration_url": ("PASSPORT_MIGRATION_URL", _is_database, EXPECTED_DATABASE),
    "broker_url": ("PASSPORT_BROKER_URL", _is_broker, EXPECTED_BROKER),
    "base_url": ("PASSPORT_PUBLIC_URL", _is_public, EXPECTED_PUBLIC),
}
"""By setting: the variable that says it, whether a text is one, and what one looks like."""

ADDRESSES: Final = frozenset(_KINDS)


def address(name: str, text: str) -> str:
    """The setting `name`, one of `ADDRESSES`; an empty one stands for none.

    Raises:
        SettingsUnusable: it is no address of its kind.
    """
    variable, is_one, expected = _KINDS[name]
    if text and not is_one(text):
        raise SettingsUnusable(f"`{variable}` (`{name}`) is no address that can be used, expected {expected}")
    return text.rstrip("/") if name == "base_url" else text


class DatabaseAddress(click.ParamType[str]):
    """The address of a database, as libpq reads it."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take the address as it is, if it is one."""
        text = str(value)
        if not _is_database(text):
            self.fail(
                "not an address of a database, expected such as `postgresql://postgres@db.example`",
                param,
                ctx,
            )
        return text
