"""Runs the workers' supervisor as a child: the service knows of the workers only that they can be started.

https://docs.celeryq.dev/en/stable/userguide/workers.html
"""

import os
import subprocess
import sys

from passport.environment import handed_on
from passport.settings import Settings


def work(settings: Settings, *, processes: int) -> int:
    """Run the relay and `processes` workers until SIGTERM or SIGINT; returns the supervisor's exit code.

    `settings` holds the address of a running database.
    """
    command = [sys.executable, "-m", "workers", "supervise", "--state", str(settings.state)]
    given = {"PASSPORT_DATABASE_URL": settings.database_url, "PASSPORT_KEY_FILE": str(settings.key_file)}
    environment = handed_on(os.environ, given)
    options = ["--processes", str(processes), "--follow", str(os.getpid())]
    with subprocess.Popen([*command, *options], env=environment) as supervisor:
        try:
            return supervisor.wait()
        except BaseException:
            supervisor.terminate()
            raise
