"""One database cluster below a state folder: where its parts lie, how it is made, how it is set.

https://www.postgresql.org/docs/current/creating-cluster.html

The server names its data folder `/proc/self/cwd`, the folder it is started in. So it needs no way in from
above: the state folder may lie where its account may not go, as below root's home, and stays in one piece.
"""

import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO, Final

from passport.embedded.account import Account, account_for
from passport.embedded.binaries import Major, programs_for
from passport.embedded.errors import EmbeddedPostgresError, NotOurs, StartFailed, WrongMajor
from passport.embedded.processes import evict, leader_of

SUPERUSER: Final = "postgres"
SOCKET_NAME: Final = ".s.PGSQL.5432"
SOCKET_PATH_MAX_BYTES: Final = 107  # sun_path of unix(7), without its closing zero
LOG_MAX_BYTES: Final = 10_000_000
STATUS_LINE: Final = 7  # LOCK_FILE_LINE_PM_STATUS of PostgreSQL's miscadmin.h, counted from 0

SETTINGS: Final = {
    "cluster_name": "healthcare-passport",
    "listen_addresses": "",
    "unix_socket_directories": "../run",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # Health data must not reach the log: a failed statement's text, its values and the DETAIL of a violated
    # constraint would carry it, so errors of statements are left to the client that caused them.
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_autovacuum_min_duration": "-1",
    "log_checkpoints": "off",
    "log_lock_waits": "off",
}
"""Given on the command line, where they win over everything that the data folder says."""

UNSAFE_FAST_SETTINGS: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For tests that never look at what a crash leaves."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of one major version below `home`, which only its starter may write."""

    home: Path
    major: Major
    account: Account
    programs: Path
    unsafe_fast: bool = False

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder, the account's and closed to all others."""
        return self.home / "data"

    @property
    def run(self) -> Path:
        """The folder of the socket. Whoever may enter it is trusted."""
        return self.home / "run"

    @property
    def log(self) -> Path:
        """What the server says of itself."""
        return self.home / "server.log"

    def prepare(self) -> None:
        """Make the cluster if it is not there, and clear away what a killed run left. Needs the keeper's lock.

        Raises:
            StartFailed: initdb refused.
            StillRunning: a server of an earlier run does not end.
        """
        if not self.data.exists():
            self._initialize()
        self.clear()
        if self.log.exists() and self.log.stat().st_size > LOG_MAX_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def clear(self) -> None:
        """End a killed server's orphans and remove its lock files, which would pass for a live server's."""
        evict(self.data)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(self.run, ignore_errors=True)
        self.run.mkdir(mode=0o700)
        self.account.own(self.run)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server; it ends with the calling thread."""
        settings = SETTINGS | (UNSAFE_FAST_SETTINGS if self.unsafe_fast else {})
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            return self.account.popen(
                [str(self.programs / "postgres"), "-D", "/proc/self/cwd", *options], cwd=self.data, output=log
            )

    def is_ready(self) -> bool:
        """Whether the server accepts connections, by the status line that it keeps for pg_ctl."""
        try:
            lines = (self.data / "postmaster.pid").read_text("ascii").splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) > STATUS_LINE
            and lines[STATUS_LINE].strip() == "ready"
            and leader_of(self.data) is not None
        )

    def lock(self) -> IO[str] | None:
        """Take the keeper's lock, held until the file is closed; None if another holds it."""
        file = self._open("lock")
        if try_lock(file, fcntl.LOCK_EX):
            return file
        file.close()
        return None

    def lock_when_free(self) -> IO[str]:
        """Take the keeper's lock as soon as nobody holds it."""
        file = self._open("lock")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def users_file(self) -> IO[str]:
        """The file whose lock all users of the server share."""
        return self._open("users")

    def keeper(self) -> int | None:
        """The pid of the keeper, as far as it can be seen from here: not in another container."""
        try:
            pid = int((self.home / "lock").read_text("ascii"))
            return pid if Path(f"/proc/{pid}/cwd").samefile(self.home) else None
        except (OSError, ValueError):
            return None

    def _open(self, name: str) -> IO[str]:
        file = (self.home / name).open("a")
        # A forked child would hold the lock beyond the death of this process.
        os.register_at_fork(after_in_child=file.close)
        return file

    def socket_folder(self) -> Path:
        """The folder that a client names as host: `run`, or a short way to it where that path is too long."""
        if len(os.fsencode(self.run / SOCKET_NAME)) <= SOCKET_PATH_MAX_BYTES:
            return self.run
        way = self._short_way()
        ways = way.parent
        ways.mkdir(mode=0o700, exist_ok=True)
        found = ways.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise EmbeddedPostgresError(f"`{ways}` is open to others, expected a folder of this user alone")
        try:
            way.symlink_to(self.run)
        except FileExistsError:
            if way.readlink() != self.run:
                raise
        return way

    def forget_short_way(self) -> None:
        """Remove what `socket_folder` put into the folder for temporary files."""
        self._short_way().unlink(missing_ok=True)

    def last_words(self) -> str:
        """The last line of the server's log."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return lines[-1] if lines else "the server said nothing"

    def _short_way(self) -> Path:
        name = blake2b(os.fsencode(self.run), digest_size=8).hexdigest()
        return Path(tempfile.gettempdir()) / f"healthcare-passport-{os.geteuid()}" / name

    def _initialize(self) -> None:
        """Make the cluster beside its place and move it there whole; a killed initdb's is made anew."""
        unfinished = self.home / "data.unfinished"
        if unfinished.exists():
            evict(unfinished)
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self.account.own(unfinished)
        code, said = self.account.run(
            [
                str(self.programs / "initdb"),
                *("-D", "/proc/self/cwd", "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"),
                *("--data-checksums", "--no-instructions"),
            ],
            cwd=unfinished,
        )
        if code != 0:
            raise StartFailed(f"initdb ended with {code}: {said.splitlines()[-1] if said else 'no message'}")
        unfinished.rename(self.data)


def try_lock(file: IO[str], operation: int) -> bool:
    """Take a lock, or change the one that is held to it, if that can be had at once; one that was held is let go."""
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def cluster_at(state_dir: Path, major: Major, *, unsafe_fast: bool = False) -> Cluster:
    """The cluster of the state folder, which is made if it is missing.

    Raises:
        NotOurs: the folder belongs to another user.
        WrongMajor: it holds a cluster of another version.
        NoBinaries: the server's programs cannot be run.
    """
    try:
        home = _home(state_dir)
        written = home / "data" / "PG_VERSION"
        found = written.read_text("ascii").strip() if written.exists() else str(major)
    except PermissionError as error:
        raise NotOurs(f"`{error.filename}` belongs to another user") from error
    if found != str(major):
        raise WrongMajor(f"`{state_dir}` holds PostgreSQL {found}, expected {major}")
    account = account_for(home / "data")
    return Cluster(home, major, account, programs_for(account, major), unsafe_fast)


def _home(state_dir: Path) -> Path:
    home = state_dir.resolve() / "postgres"
    home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not home.exists():
        # The account walks through to data and run, and may change nothing else here.
        home.mkdir(mode=0o711, exist_ok=True)
        home.chmod(0o711)
    return home
