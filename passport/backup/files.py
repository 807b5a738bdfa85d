"""The files beside the database: the passport's keys at providers, and the authorities whose certificates it trusts.

https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final

They go into the backup's folder, sealed by the key that wraps patients' keys: whoever finds the folder alone is nobody
at a provider, and whoever changes it adds no authority.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import orjson

from passport.backup.errors import BackupUnusable
from passport.identity.federation import credentials
from passport.identity.qualifications import chain
from passport.keys import KeyRing, Unsealable, open_sealed, seal

FOLDERS: Final = (credentials.FOLDER, chain.FOLDER)
FILE_MAX_BYTES: Final = 67_108_864
"""Lists of what was taken back are the longest, some megabytes each."""

_PLACE: Final = b"files of a backup"


def sealed(state: Path, ring: KeyRing) -> bytes:
    """What lies in the folders of an installation, each file whole.

    Raises:
        BackupUnusable: a file cannot be read, or is too long to be one of these.
    """
    content = {name: b64encode(data).decode() for name, data in _files(state)}
    return seal(ring.key_encryption_key, orjson.dumps(content), _PLACE)


def _files(state: Path) -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        for path in sorted((state / folder).glob("*")):
            # What leads elsewhere is not the installation's.
            if path.is_symlink() or not path.is_file():
                continue
            try:
                if path.stat().st_size > FILE_MAX_BYTES:
                    raise BackupUnusable(f"`{path}` is longer than any file of its folder")
                yield f"{folder}/{path.name}", path.read_bytes()
            except OSError as error:
                reason = (error.strerror or "cannot be read").lower()
                raise BackupUnusable(f"`{path}`: {reason}") from None


def put_back(state: Path, content: bytes, ring: KeyRing) -> None:
    """Write the files into a new installation, for its owner alone.

    Raises:
        BackupUnusable: they are not those that these keys sealed, or others are there already.
    """
    files = _opened(content, ring)
    for name, data in files.items():
        path = state / name
        if path.exists() and path.read_bytes() != data:
            raise BackupUnusable(f"there is another `{path}` already, expected that of the backup or none")
    for name, data in files.items():
        path = state / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(data)


def _opened(content: bytes, ring: KeyRing) -> Mapping[str, bytes]:
    try:
        tree = orjson.loads(open_sealed(ring.key_encryption_key, content, _PLACE))
    except Unsealable:
        raise BackupUnusable("the files of the backup were changed, or sealed by other keys") from None
    return {name: b64decode(data) for name, data in tree.items()}
