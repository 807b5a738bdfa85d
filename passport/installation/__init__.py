"""One installation: its folder, its database, and the marks that keep a demo apart from production."""

from passport.installation.folder import (
    NotProduction,
    NotThisInstallation,
    initialise,
    opened,
    prepare,
    require_production,
)

__all__ = [
    "NotProduction",
    "NotThisInstallation",
    "initialise",
    "opened",
    "prepare",
    "require_production",
]
