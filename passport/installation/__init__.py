"""One installation: its folder, its database, and the marks that keep a demo apart from production."""

from passport.installation.folder import (
    DATABASE,
    NotProduction,
    NotThisInstallation,
    fingerprint,
    initialise,
    labels_wait,
    opened,
    prepare,
    require_production,
)
from passport.settings import FILE_NAME

__all__ = [
    "DATABASE",
    "FILE_NAME",
    "NotProduction",
    "NotThisInstallation",
    "fingerprint",
    "initialise",
    "labels_wait",
    "opened",
    "prepare",
    "require_production",
]
