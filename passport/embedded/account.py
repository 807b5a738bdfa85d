"""Whom the server runs as: PostgreSQL refuses root, so root lends it an account of its own.

https://www.postgresql.org/docs/current/postgres-user.html
"""

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from passport.embedded.errors import EmbeddedPostgresError

ACCOUNTS: Final = ("postgres", "nobody")
"""Tried in this order when root starts the server for the first time."""

_LAUNCH: Final = Path(__file__).with_name("launch.py")
_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC"}
"""Nothing of the caller's environment, whose PG* variables would redirect the server."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user and a group by number."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Make `path` this account's, which only root has to do."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def popen(self, command: Sequence[str], *, cwd: Path, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Start `command` as this account, ending with the calling thread; `output` gets all it says."""
        identity = (str(self.uid), str(self.gid), str(os.getpid()))
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCH), *identity, *command],
            cwd=cwd,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, command: Sequence[str], *, cwd: Path) -> tuple[int, str]:
        """Run `command` as this account to its end; its exit code and what it said."""
        with self.popen(command, cwd=cwd, output=subprocess.PIPE) as process:
            said, _ = process.communicate()
        return process.returncode, said.decode("utf-8", "replace").strip()


def account_for(data: Path) -> Account:
    """The account that owns `data`, or would own it: the caller's own, for root one without its rights."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(f"no account to run PostgreSQL as, expected one of {', '.join(ACCOUNTS)}")
