"""Each setting with which nobody should serve is named, and a sound one is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from passport.certifying import LASTS, CertifyingKey
from passport.custodian import Custodian
from passport.doctor.setup import CA_RENEWAL, findings
from passport.keys import KeyRing
from passport.settings import Settings
from tests.unit.passport.test_serving_tls import certificate

NOW = datetime.now(UTC)

Change = Callable[[Settings], Settings]


@pytest.fixture
def sound(tmp_path: Path) -> Settings:
    """An installation behind a proxy of its city, with its keys elsewhere."""
    state, vault = tmp_path / "state", tmp_path / "vault.json"
    state.mkdir(mode=0o700)
    KeyRing.generate().save(vault)
    settings = Settings.load(
        state,
        environ={
            "PASSPORT_PUBLIC_URL": "https://passport.example",
            "PASSPORT_KEY_FILE": f"{vault}",
            "PASSPORT_TRUSTED_PROXIES": "10.0.0.7",
        },
        custodian=Custodian.read({"name": "架空市"}),
    )
    settings.save()
    return settings


def found(settings: Settings) -> set[tuple[str, str]]:
    """Which settings were named, but for who runs the tests."""
    return {(one.level, one.setting) for one in findings(settings, NOW) if one.setting != "user"}


def test_nothing_is_said_of_a_sound_installation(sound: Settings) -> None:
    assert found(sound) == set()


@pytest.mark.parametrize(
    ("change", "level", "setting"),
    [
        (lambda s: s.at(mode="demo"), "unsafe", "mode"),
        (lambda s: s.at(base_url="http://passport.example"), "unsafe", "PASSPORT_PUBLIC_URL"),
        (lambda s: s.at(host="203.0.113.1"), "unsafe", "PASSPORT_HOST"),
        (lambda s: s.at(trusted_proxies=""), "unsafe", "PASSPORT_TRUSTED_PROXIES"),
        (lambda s: s.at(trusted_proxies="10.0.0.0/16"), "unsafe", "PASSPORT_TRUSTED_PROXIES"),
        (lambda s: s.at(broker_url="redis://queue.example"), "unsafe", "PASSPORT_BROKER_URL"),
        (lambda s: s.at(key_file=s.state.parent / "missing.json"), "unsafe", "PASSPORT_KEY_FILE"),
        (lambda s: s.at(access_token_seconds=600), "note", "access_token_seconds"),
        (lambda s: s.at(second_factor="none"), "note", "second_factor"),
        (lambda s: s.at(second_factor="operator,auditor,patient"), "note", "second_factor"),
        (lambda s: s.at(step_up_minutes=30), "note", "step_up_minutes"),
        (lambda s: s.at(custodian=Custodian.read({})), "note", "custodian"),
    ],
)
def test_each_unsafe_setting_is_named(sound: Settings, change: Change, level: str, setting: str) -> None:
    assert found(change(sound)) == {(level, setting)}


def test_a_broker_on_this_machine_or_with_tls_is_sound(sound: Settings) -> None:
    for url in ("redis://127.0.0.1:6379", "rediss://queue.example", "amqps://queue.example"):
        assert found(sound.at(broker_url=url)) == set()


def test_files_that_others_can_read_are_named(sound: Settings) -> None:
    sound.key_file.chmod(0o640)
    sound.state.chmod(0o755)
    (sound.state / "settings.json").chmod(0o644)
    assert found(sound) == {
        ("unsafe", "PASSPORT_KEY_FILE"),
        ("unsafe", "--state"),
        ("unsafe", "settings.json"),
    }


def test_keys_of_a_demo_and_keys_beside_the_database_are_named(sound: Settings) -> None:
    beside = sound.state / "keys.json"
    KeyRing.generate().save(beside)
    assert found(sound.at(key_file=beside)) == {("unsafe", "PASSPORT_KEY_FILE")}
    elsewhere = sound.at(key_file=beside, database_url="host=db.example")
    assert found(elsewhere) == set()
    demo = sound.state.parent / "demo.json"
    KeyRing.generate(demo=True).save(demo)
    assert found(sound.at(key_file=demo)) == {("unsafe", "PASSPORT_KEY_FILE")}


def test_a_key_file_without_a_key_to_certify_devices_by_is_noted(sound: Settings) -> None:
    replace(KeyRing.load(sound.key_file), device_authorities=()).replace(sound.key_file)
    assert found(sound) == {("note", "PASSPORT_KEY_FILE")}


def test_a_device_ca_that_ends_or_waits_is_named(sound: Settings) -> None:
    ring, now = KeyRing.load(sound.key_file), datetime.now(UTC)
    for age, level in (
        (LASTS - CA_RENEWAL - timedelta(days=1), None),
        (LASTS - CA_RENEWAL + timedelta(days=1), "note"),
        (LASTS + timedelta(days=1), "unsafe"),
    ):
        replace(ring, device_authorities=(CertifyingKey.generate(now - age),)).replace(sound.key_file)
        assert found(sound) == ({(level, "device CA")} if level else set())
    ring.replace(sound.key_file)
    KeyRing.with_another_authority(sound.key_file, now)
    assert found(sound) == {("note", "device CA")}
    KeyRing.with_the_next_authority(sound.key_file, now)
    assert found(sound) == set()


def test_a_device_ca_of_before_that_never_ends_is_noted(sound: Settings) -> None:
    content = orjson.loads(sound.key_file.read_bytes())
    (kept,) = content.pop("device_authorities")
    content["device_authority"] = {name: value for name, value in kept.items() if name != "x5c"}
    sound.key_file.write_bytes(orjson.dumps(content))
    assert found(sound) == {("note", "device CA")}


def test_a_certificate_that_ends_or_is_none_is_named(sound: Settings) -> None:
    chain, private = certificate(sound.state.parent)
    private.chmod(0o600)
    serving = sound.at(tls_certificate=chain, tls_key=private, trusted_proxies="", host="203.0.113.1")
    assert found(serving) == {("note", "PASSPORT_TLS_CERTIFICATE")}
    private.chmod(0o644)
    chain.write_text("no chain")
    assert found(serving) == {("unsafe", "PASSPORT_TLS_CERTIFICATE")}
