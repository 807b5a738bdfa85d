"""Processes end with their parent, when they hang, and before they take the machine's memory."""

import os
import select
import signal
import subprocess
import sys

from tests.unit.house.source import ROOT

SECONDS = 10

PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=sys.stdout)
child.wait()
"""
CHILD = """
import signal, sys, threading
from workers.ending import follow
follow(int(sys.argv[1]), signal.SIGKILL)
print("following", flush=True)
threading.Event().wait()
"""
HANGING = """
from workers.ending import within
print("hanging", flush=True)
with within(0.1):
    while True:
        pass
"""
GREEDY = """
from workers.ending import limit_memory
limit_memory(100_000_000)
held = bytearray(10_000_000)
try:
    bytearray(100_000_000)
except MemoryError:
    print("goes on")
"""
ORPHAN = """
import signal
from workers.ending import follow
follow(1, signal.SIGKILL)
print("not reached")
"""


def test_a_child_ends_when_its_parent_is_killed() -> None:
    read, write = os.pipe()
    with subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=write, cwd=ROOT) as parent:
        os.close(write)
        with os.fdopen(read, "rb") as output:
            assert output.readline() == b"following\n"
            parent.kill()
            # The pipe ends when the last process that holds it has ended: the child.
            assert select.select([output], [], [], SECONDS)[0]
            assert output.read() == b""


def test_a_child_whose_parent_is_gone_does_not_begin() -> None:
    done = subprocess.run([sys.executable, "-c", ORPHAN], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_process_that_hangs_is_ended_by_the_alarm() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING], cwd=ROOT, capture_output=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, b"hanging\n")


def test_a_process_that_asks_for_too_much_memory_gets_an_error_and_goes_on() -> None:
    done = subprocess.run([sys.executable, "-c", GREEDY], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"goes on\n")
