"""The files beside the database: sealed whole, put back as they were, and by no other keys."""

from pathlib import Path
from typing import Final

import pytest

from passport.backup.errors import BackupUnusable
from passport.backup.files import put_back, sealed
from passport.keys import KeyRing

RING: Final = KeyRing.generate()
CONTENT: Final = {"federation/city.pem": b"a key", "hpki/roots.pem": b"\x00\xff", "hpki/revoked.pem": b""}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def lying(state: Path) -> dict[str, bytes]:
    return {str(path.relative_to(state)): path.read_bytes() for path in state.rglob("*") if not path.is_dir()}


def test_they_come_back_as_they_were_for_their_owner_alone(state: Path, tmp_path: Path) -> None:
    (state / "federation/elsewhere").symlink_to("/etc/hostname")
    there = tmp_path / "there"
    there.mkdir()
    for _ in range(2):
        put_back(there, sealed(state, RING), RING)
        assert lying(there) == CONTENT
    assert {path.stat().st_mode & 0o777 for path in there.rglob("*.pem")} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in there.iterdir()} == {0o700}


def test_an_installation_without_any_has_none_afterwards(tmp_path: Path) -> None:
    put_back(tmp_path, sealed(tmp_path / "nothing", RING), RING)
    assert lying(tmp_path) == {}


def test_what_was_changed_or_sealed_by_other_keys_is_not_put_back(state: Path, tmp_path: Path) -> None:
    there, content = tmp_path / "there", sealed(state, RING)
    there.mkdir()
    for changed, ring in ((content[:-1], RING), (content, KeyRing.generate()), (b"", RING)):
        with pytest.raises(BackupUnusable, match="changed, or sealed by other keys"):
            put_back(there, changed, ring)
    assert lying(there) == {}


def test_what_is_there_already_is_not_overwritten(state: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / "hpki").mkdir(parents=True)
    (there / "hpki/roots.pem").write_bytes(b"another")
    with pytest.raises(BackupUnusable, match="another"):
        put_back(there, sealed(state, RING), RING)
    assert lying(there) == {"hpki/roots.pem": b"another"}
