"""The key file is its owner's alone, and what it seals opens in its own place alone."""

from pathlib import Path

import orjson
import pytest

from passport.keys import KeyFileUnusable, KeyRing, Unsealable, open_sealed, seal


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.generate()


def test_a_saved_ring_is_read_back_whole(ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    ring.save(path)
    assert KeyRing.load(path) == ring
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_demo_ring_says_so(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyRing.generate(demo=True).save(path)
    assert KeyRing.load(path).demo


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_read_is_refused(ring: KeyRing, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    ring.save(path)
    path.chmod(mode)
    with pytest.raises(KeyFileUnusable, match=f"got mode {mode:04o}"):
        KeyRing.load(path)


def test_a_key_file_is_never_overwritten(ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    ring.save(path)
    with pytest.raises(KeyFileUnusable, match="there is one already"):
        KeyRing.generate().save(path)
    assert KeyRing.load(path) == ring


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        orjson.dumps(
            {"key_encryption_key": "AA==", "index_secret": "AA==", "cursor_secret": "AA==", "demo": False}
        ),
        orjson.dumps(
            {
                "key_encryption_key": "A" * 43 + "=",
                "index_secret": "A" * 43 + "=",
                "cursor_secret": "not base64",
                "demo": False,
            }
        ),
    ],
)
def test_what_is_no_key_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileUnusable):
        KeyRing.load(path)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnusable, match=r"no such file"):
        KeyRing.load(tmp_path / "keys.json")


def test_a_ring_does_not_show_its_secrets(ring: KeyRing) -> None:
    assert repr(ring) == "KeyRing(demo=False)"


def test_a_wrapped_key_opens_for_its_own_patient_alone(ring: KeyRing) -> None:
    wrapped = ring.new_wrapped_key(7)
    assert len(ring.unwrap(7, wrapped)) == 32
    for patient_key in (0, 8, 77):
        with pytest.raises(Unsealable):
            ring.unwrap(patient_key, wrapped)


def test_a_key_wrapped_by_another_installation_does_not_open(ring: KeyRing) -> None:
    with pytest.raises(Unsealable):
        KeyRing.generate().unwrap(7, ring.new_wrapped_key(7))


def test_two_patients_never_get_one_key(ring: KeyRing) -> None:
    assert ring.unwrap(1, ring.new_wrapped_key(1)) != ring.unwrap(2, ring.new_wrapped_key(2))


@pytest.mark.parametrize("at", [0, 12, -1])
def test_a_sealed_value_that_was_changed_does_not_open(at: int) -> None:
    sealed = bytearray(seal(bytes(32), b"a reason", b"place"))
    sealed[at] ^= 1
    with pytest.raises(Unsealable):
        open_sealed(bytes(32), bytes(sealed), b"place")


def test_a_sealed_value_does_not_open_elsewhere() -> None:
    sealed = seal(bytes(32), b"a reason", b"place")
    assert open_sealed(bytes(32), sealed, b"place") == b"a reason"
    with pytest.raises(Unsealable):
        open_sealed(bytes(32), sealed, b"another place")


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(27)])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unsealable):
        open_sealed(bytes(32), sealed, b"place")
