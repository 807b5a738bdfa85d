"""The key file is its owner's alone, and what it seals opens in its own place alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from passport.keys import KeyFileUnusable, KeyRing, Unsealable, open_sealed, seal
from passport.rsa_signing import rsa_signer
from passport.signing import SigningKey, signer


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


def _as_before_there_were_signing_keys(path: Path, ring: KeyRing) -> None:
    ring.save(path)
    content = orjson.loads(path.read_bytes())
    del content["signing_keys"]
    path.write_bytes(orjson.dumps(content))


def test_a_key_file_of_before_there_were_signing_keys_is_read_and_gets_one(
    ring: KeyRing, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    _as_before_there_were_signing_keys(path, ring)
    before = KeyRing.load(path)
    assert before.signing_keys == ()
    after = KeyRing.completed(path)
    assert signer(after.signing_keys).d is not None
    assert KeyRing.load(path) == after
    assert (after.key_encryption_key, after.index_secret, after.cursor_secret, after.demo) == (
        ring.key_encryption_key,
        ring.index_secret,
        ring.cursor_secret,
        ring.demo,
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["keys.json"]


def test_a_key_file_is_completed_once_however_many_start_together(ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    _as_before_there_were_signing_keys(path, ring)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: KeyRing.completed(path).signing_keys, range(8)))
    assert set(made) == {KeyRing.load(path).signing_keys}


def test_a_whole_key_file_is_not_touched(ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    ring.save(path)
    before = path.read_bytes()
    assert KeyRing.completed(path) == ring
    assert path.read_bytes() == before


def test_a_key_file_of_before_there_were_keys_of_id_tokens_gets_one_and_keeps_it(
    ring: KeyRing, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    replace(ring, id_token_keys=()).save(path)
    assert not KeyRing.load(path).complete
    completed = KeyRing.completed(path)
    assert rsa_signer(completed.id_token_keys).signs
    assert replace(completed, id_token_keys=()) == replace(ring, id_token_keys=())
    assert KeyRing.completed(path) == KeyRing.load(path) == completed


@pytest.mark.parametrize(
    "listed",
    [
        {},
        5,
        [None],
        [{}],
        [{"kty": "RSA"}],
        [SigningKey.generate().stored | {"x": "A" * 43}],
        [SigningKey.generate().stored | {"d": SigningKey.generate().stored["d"]}],
        [SigningKey.generate().stored | {"d": "short"}],
    ],
)
def test_what_is_no_signing_key_is_refused(listed: object, ring: KeyRing, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    ring.save(path)
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"signing_keys": listed}))
    with pytest.raises(KeyFileUnusable, match="expected signing keys"):
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


def test_a_key_file_of_before_there_was_a_device_authority_gets_one_and_keeps_it(
    ring: KeyRing, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    replace(ring, device_authorities=()).save(path)
    assert not KeyRing.load(path).complete
    completed = KeyRing.completed(path)
    assert completed.device_authority is not None
    assert completed.signing_keys == ring.signing_keys
    assert KeyRing.completed(path) == KeyRing.load(path) == completed


def test_the_device_authority_is_no_signing_key(ring: KeyRing) -> None:
    assert ring.device_authority is not None
    assert ring.device_authority.kid not in {key.kid for key in ring.signing_keys}
