"""What the build of `app/` left: files named by their content, and which of them a page loads.

https://vite.dev/guide/backend-integration
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson

FOLDER: Final = Path(__file__).parent / "built"
MANIFEST: Final = "manifest.json"
ENTRY: Final = "src/main.tsx"
ASSETS: Final = "/assets"

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    media_type: str
    body: bytes
    zipped: bytes


@dataclass(frozen=True, slots=True)
class Built:
    """The built pages: the names of their script and styles, and every file by its name.

    Where nothing was built all of it is empty, and the pages without script are what there is.
    """

    script: str = ""
    styles: tuple[str, ...] = ()
    assets: Mapping[str, Asset] = field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Whether there are pages with script."""
        return bool(self.script)


def built(folder: Path = FOLDER) -> Built:
    """Read what was built; nothing of it is read again while the service runs."""
    if not (folder / MANIFEST).is_file():
        return Built()
    manifest: dict[str, dict[str, Any]] = orjson.loads((folder / MANIFEST).read_bytes())
    entry = manifest[ENTRY]
    names = {name for chunk in manifest.values() for name in (chunk["file"], *chunk.get("css", ()))}
    assets = {name: _asset(folder / name) for name in sorted(names)}
    return Built(entry["file"], tuple(entry.get("css", ())), MappingProxyType(assets))


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(_TYPES[path.suffix], body, gzip.compress(body, mtime=0))
