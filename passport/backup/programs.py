"""PostgreSQL's own programs that write and read a dump; they come with the embedded server.

https://www.postgresql.org/docs/current/app-pgdump.html
https://www.postgresql.org/docs/current/app-pgrestore.html

The newest that are here dump servers of their own release and of older ones.
"""

import subprocess
from pathlib import Path
from typing import Final

from passport.backup.errors import BackupUnusable
from passport.embedded.binaries import client_program

_WORDS_MAX: Final = 300


def dump(superuser_url: str, path: Path) -> None:
    """Write one snapshot of a database, while it is in use, into a file.

    Raises:
        BackupUnusable: it cannot be written.
    """
    path.touch(mode=0o600)
    # Bodies are encrypted: only keys and indexes become smaller, and soon enough.
    _run("pg_dump", "--format=custom", "--compress=gzip:1", f"--file={path}", f"--dbname={superuser_url}")


def put_back(superuser_url: str, path: Path) -> None:
    """Write a dump into an empty database: all of it, or nothing.

    Raises:
        BackupUnusable: the database is not empty, or the dump is none.
    """
    _run("pg_restore", "--single-transaction", "--exit-on-error", f"--dbname={superuser_url}", str(path))


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(client_program(program)), "--no-password", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        # Its first complaint alone: further ones quote rows.
        complaint = done.stderr.strip().partition("\n")[0]
        raise BackupUnusable(f"{program} failed: {complaint[:_WORDS_MAX]}")
