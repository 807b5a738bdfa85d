"""How processes end: with whoever started them, and when they hang.

https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
"""

import ctypes
import os
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


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End the process by an alarm if the block takes longer: no handler, so that nothing can hold it up."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
