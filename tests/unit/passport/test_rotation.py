"""A new signing key is published, then signs; the former ones verify on, and no other secret is taken over."""

import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from passport.cli import main
from passport.installation import initialise
from passport.keys import KeyFileUnusable, KeyRing
from passport.rsa_signing import rsa_signer
from passport.signing import jwk_set, signer


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return initialise(tmp_path / "state", "production").state


def ring_of(state: Path) -> KeyRing:
    return KeyRing.load(state / "keys.json")


def carried(*words: str) -> str:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_published_key_signs_only_after_it_was_rotated(state: Path) -> None:
    old = signer(ring_of(state).signing_keys)
    new, by_rsa = re.findall(r"[\w-]{43}", carried("keys", "publish", "--state", str(state)))
    (former,) = {key.kid for key in ring_of(state).id_token_keys} - {by_rsa}
    assert rsa_signer(ring_of(state).id_token_keys).kid == former
    assert signer(ring_of(state).signing_keys) == old
    assert [key["kid"] for key in jwk_set(ring_of(state).signing_keys)["keys"]] == [old.kid, new]
    carried("keys", "rotate", "--state", str(state), "--at-once")
    assert signer(ring_of(state).signing_keys).kid == new
    assert [key["kid"] for key in jwk_set(ring_of(state).signing_keys)["keys"]] == [new, old.kid]
    assert [key.d is None for key in ring_of(state).signing_keys] == [False, True]
    assert [(key.kid, key.signs) for key in ring_of(state).id_token_keys] == [(by_rsa, True), (former, False)]
    assert (state / "keys.json").stat().st_mode & 0o077 == 0


def test_a_key_signs_only_after_everybody_could_learn_of_it(state: Path) -> None:
    carried("keys", "publish", "--state", str(state))
    refused = CliRunner().invoke(main, ["keys", "rotate", "--state", str(state)])
    assert refused.exit_code == 1
    path = state / "keys.json"
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 601))
    carried("keys", "rotate", "--state", str(state))


def test_one_key_waits_at_a_time_and_none_is_rotated_without_one(state: Path) -> None:
    with pytest.raises(KeyFileUnusable):
        KeyRing.with_the_next_key(state / "keys.json")
    KeyRing.with_another_key(state / "keys.json")
    with pytest.raises(KeyFileUnusable):
        KeyRing.with_another_key(state / "keys.json")
    for _ in range(3):
        KeyRing.with_the_next_key(state / "keys.json")
        KeyRing.with_another_key(state / "keys.json")
    assert len(ring_of(state).signing_keys) == 5


def test_a_copy_of_the_keys_has_every_key_of_the_device_ca(state: Path, tmp_path: Path) -> None:
    path, now = state / "keys.json", datetime.now(UTC)
    before = ring_of(state)
    KeyRing.with_another_authority(path, now)
    KeyRing.with_the_next_authority(path, now)
    KeyRing.with_another_authority(path, now)
    turned = ring_of(state)
    turned.save(tmp_path / "copy.json")
    assert KeyRing.load(tmp_path / "copy.json") == turned
    assert [key.certifies for key in turned.device_authorities] == [True, False, True]
    assert replace(turned, device_authorities=before.device_authorities) == before
    with pytest.raises(KeyFileUnusable):
        KeyRing.with_another_authority(path, now)


def test_rotation_keeps_every_other_secret(state: Path) -> None:
    before = ring_of(state)
    KeyRing.with_another_key(state / "keys.json")
    after = ring_of(state)
    turned = replace(after, signing_keys=before.signing_keys, id_token_keys=before.id_token_keys)
    assert turned == before
