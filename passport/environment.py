"""What the environment says of settings: a value, or the name of a file that holds it, as secrets are handed out.

https://12factor.net/config
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from passport.outcomes import PassportError

ENVIRONMENT: Final[Mapping[str, str]] = {
    "PASSPORT_DATABASE_URL": "database_url",
    "PASSPORT_MIGRATION_URL": "migration_url",
    "PASSPORT_BROKER_URL": "broker_url",
    "PASSPORT_KEY_FILE": "key_file",
    "PASSPORT_PUBLIC_URL": "base_url",
    "PASSPORT_HOST": "host",
    "PASSPORT_PORT": "port",
    "PASSPORT_TRUSTED_PROXIES": "trusted_proxies",
    "PASSPORT_TLS_CERTIFICATE": "tls_certificate",
    "PASSPORT_TLS_KEY": "tls_key",
}
"""Which variable gives which setting; with `_FILE` behind its name, a variable names a file that holds it."""

IN_A_FILE: Final = "_FILE"


class SettingsUnusable(PassportError):
    """A setting is unknown or has a value that it cannot have."""

    def __init__(self, text: str) -> None:
        super().__init__(500, "exception", text)


def of_environment(variables: Mapping[str, str]) -> dict[str, object]:
    """What the environment says, by itself or by naming files that say it.

    Raises:
        SettingsUnusable: a variable says both, or a file is unreadable or says more than one line.
    """
    found: dict[str, object] = {}
    for variable, name in ENVIRONMENT.items():
        said, path = variables.get(variable), variables.get(f"{variable}{IN_A_FILE}")
        if said and path:
            raise SettingsUnusable(f"got `{variable}` and `{variable}{IN_A_FILE}`, expected one of them")
        if path:
            said = _secret(variable, Path(path))
        if said:
            found[name] = said
    return found


def handed_on(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process that is told `given`: files that say the same do not count there."""
    kept = {name: value for name, value in environ.items() if name.removesuffix(IN_A_FILE) not in given}
    return {**kept, **given}


def _secret(variable: str, path: Path) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text or "\n" in text:
        raise SettingsUnusable(f"`{variable}{IN_A_FILE}`: expected a readable file of one line at `{path}`")
    return text
