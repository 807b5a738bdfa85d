"""The settings of an installation that has to be there already, for commands that make none.

https://click.palletsprojects.com/
"""

from pathlib import Path

from passport.installation.folder import NotThisInstallation
from passport.settings import FILE_NAME, Settings


def existing(state: Path, *, port: int | None = None, host: str | None = None) -> Settings:
    """The settings of the installation in `state`.

    Raises:
        NotThisInstallation: there is none; the message says how one is made.
        SettingsUnusable: a setting has a value that it cannot have.
    """
    if not (state / FILE_NAME).exists():
        raise NotThisInstallation(
            f"`{state}` is no installation, make one with `passport init --state {state}`"
        )
    return Settings.load(state, port=port, host=host)
