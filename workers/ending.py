"""How processes end: with whoever started them, when they hang, and before they take the machine's memory.

https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
https://man7.org/linux/man-pages/man2/getrlimit.2.html
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def follow(parent_pid: int, signum: signal.Signals) -> None:
    """Have the kernel send `signum` to this process when its parent ends, however it ends.

    Exits at once if the parent has ended already. Elsewhere than on Linux nothing is asked of the kernel.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signum))
    if os.getppid() != parent_pid:
        raise SystemExit(0)


def limit_memory(most_bytes: int) -> None:
    """Let this process have so much data: what asks for more gets a `MemoryError`, and the machine goes on.

    Elsewhere than on Linux nothing is asked of the kernel.
    """
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End the process by an alarm if the block takes longer: no handler, so that nothing can hold it up."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
