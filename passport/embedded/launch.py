"""Become the server process: give up root, end with the parent, execute. Run as a script, by its path.

https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html

A program of its own and not a `preexec_fn`, which is unsafe in a process that has threads.
"""

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def main(uid: int, gid: int, parent: int, command: list[str]) -> None:
    """Execute `command` as `uid`:`gid`, with a fast shutdown as soon as the process `parent` is gone."""
    # Python would only take note of a signal, and forget it with the execution.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user, which clears it.
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) refused")
    if os.getppid() != parent:
        raise SystemExit("the parent process ended before the server began")
    os.umask(0o077)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
