"""Where the browser of the tests is, and how it comes to be there: `python -m tests.browser.chromium` installs it.

https://playwright.dev/python/docs/browsers

A Chromium of the machine is used as it is; Debian's packages are asked where there is none and who runs this may
install, else Playwright's own download.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

VARIABLE: Final = "CHROMIUM"
"""The environment's variable for a browser in another place."""

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES: Final = ("chromium", "fonts-ipaexfont")
MISSING: Final = (
    "no Chromium is there for the browser tests; install one: `apt-get install chromium fonts-ipaexfont` (Debian), "
    "or `.venv/bin/python -m playwright install --with-deps chromium`, or name one in the variable CHROMIUM"
)


def of_machine() -> str | None:
    """A Chromium that is installed, None where there is none."""
    found = (shutil.which(name) for name in (os.environ.get(VARIABLE, ""), *NAMES) if name)
    return next((path for path in found if path), None)


def downloaded() -> str | None:
    """Playwright's own Chromium, None where it was never downloaded."""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> str | None:
    """Install a Chromium by whichever way works here; where it is, None where none does."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", *command], env=environment, stdout=sys.stderr, check=False)
    if of_machine() is None:
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, stdout=sys.stderr, check=False)
    return of_machine() or downloaded()


if __name__ == "__main__":
    # The tests themselves say what is missing: they fail, and are never left out.
    print(of_machine() or downloaded() or install() or MISSING)
