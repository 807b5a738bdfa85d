"""Node, and the packages that a `package-lock.json` names, installed once per lock.

https://github.com/npm/cli
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from hatch_build import Toolchain

INSTALLED_SECONDS: Final = 180


def installed(source: Path, tools: Toolchain, scratch: Path) -> Path:
    """A copy of the folder `source` with what its lock names beside it.

    It lies in the environment of this Python, under the hash of what it was made from, so that it is made
    once; in `scratch` where that environment belongs to somebody else.
    """
    files = sorted(path for path in source.iterdir() if path.is_file())
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]
    root = Path(sys.prefix) if os.access(sys.prefix, os.W_OK) else scratch
    place = root / f"{source.name}-{digest}"
    if not place.exists():
        _publish(_made(files, tools, root), place)
    return place


def _made(files: list[Path], tools: Toolchain, root: Path) -> Path:
    fresh = Path(mkdtemp(prefix=".node-", dir=root))
    for file in files:
        shutil.copy(file, fresh)
    # A cache of its own: the home of who runs the tests may not be theirs to write to.
    command = [*tools.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", f"--cache={fresh / '.npm'}"]
    done = subprocess.run(
        command, cwd=fresh, capture_output=True, text=True, timeout=INSTALLED_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(fresh / ".npm")
    return fresh


def _publish(fresh: Path, place: Path) -> None:
    # Test processes install at the same time; the first one's is everybody's.
    try:
        fresh.rename(place)
    except OSError:
        if not place.exists():
            raise
        shutil.rmtree(fresh)
