"""What a backup says of itself: when it was made, under which keys, and the digest of each of its files.

https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final

It is written last: a folder without it is no backup, however much is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final, Self

import orjson

from passport.backup.errors import BackupUnusable

FILE_NAME: Final = "manifest.json"
DUMP: Final = "database.dump"
SETTINGS: Final = "settings.json"
FILES: Final = "files.sealed"

_FORMAT: Final = 2
_NAMES: Final = (DUMP, SETTINGS, FILES)


@dataclass(frozen=True, slots=True)
class Manifest:
    """`keys` is the fingerprint of the keys that open the records, `digests` the SHA-256 of each file, in hex."""

    made_at: datetime
    software: str
    keys: str
    digests: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, *, made_at: datetime, software: str, keys: str) -> Self:
        """Describe what lies in a folder."""
        return cls(made_at, software, keys, {name: _digest(folder / name) for name in _NAMES})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what a folder says of itself, and see that its files are those that it tells of.

        Raises:
            BackupUnusable: there is no backup, it was changed, or another release made it.
        """
        try:
            content = orjson.loads((folder / FILE_NAME).read_bytes())
            known = content["format"] == _FORMAT
            found = cls(
                datetime.fromisoformat(content["made_at"]), *_texts(content), dict(content["digests"])
            )
        except FileNotFoundError:
            raise BackupUnusable(f"`{folder}` is no backup: it has no `{FILE_NAME}`") from None
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise BackupUnusable(f"`{folder / FILE_NAME}` is unreadable") from None
        if not known:
            raise BackupUnusable(f"`{folder}` was made by a release that writes another form of backup")
        for name in _NAMES:
            if not (folder / name).is_file() or _digest(folder / name) != found.digests.get(name):
                raise BackupUnusable(f"`{folder / name}` is missing, or is not what was backed up")
        return found

    def write(self, folder: Path) -> None:
        """Write it into the folder that it describes."""
        content = {
            "format": _FORMAT,
            "made_at": self.made_at.isoformat(),
            "software": self.software,
            "keys": self.keys,
            "digests": dict(self.digests),
        }
        path = folder / FILE_NAME
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _texts(content: Mapping[str, Any]) -> tuple[str, str]:
    return str(content["software"]), str(content["keys"])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
