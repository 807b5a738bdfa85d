"""Settings are read once: the folder, then the environment, then what the command says."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from passport.custodian import Custodian
from passport.environment import SettingsUnusable, handed_on
from passport.settings import Settings


def load(state: Path, environ: Any = None, **overrides: Any) -> Settings:
    return Settings.load(state, environ=environ or {}, **overrides)


def test_a_fresh_folder_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.zone == ZoneInfo("Asia/Tokyo")
    assert settings.key_file == tmp_path / "keys.json"
    assert settings.access_token_seconds == 300
    assert settings.mode == "production"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.token_url == "http://127.0.0.1:8000/auth/token"


def test_an_override_counts_more_than_the_environment_and_that_more_than_the_folder(tmp_path: Path) -> None:
    load(tmp_path, zone="Asia/Seoul", mode="demo").save()
    environ = {"PASSPORT_PORT": "9000", "PASSPORT_HOST": "::1"}
    settings = load(tmp_path, environ, port=9001, host=None)
    assert (settings.zone.key, settings.mode) == ("Asia/Seoul", "demo")
    assert (settings.host, settings.port) == ("::1", 9001)


def test_addresses_of_databases_and_keys_are_not_written_into_the_folder(tmp_path: Path) -> None:
    load(tmp_path, database_url="dbname=x password=y", key_file="/elsewhere/keys.json").save()
    again = load(tmp_path)
    assert (again.database_url, again.key_file) == ("", tmp_path / "keys.json")


def test_the_base_url_follows_the_port_until_it_is_set(tmp_path: Path) -> None:
    assert load(tmp_path).at(port=9000).base_url == "http://127.0.0.1:9000"
    public = load(tmp_path, base_url="https://passport.example/")
    assert public.at(port=9000).base_url == "https://passport.example"
    public.save()
    assert load(tmp_path).fhir_url == "https://passport.example/fhir"


@pytest.mark.parametrize(("mode", "expected"), [("production", False), ("demo", True), ("sandbox", True)])
def test_only_demo_and_sandbox_hand_out_tokens(tmp_path: Path, mode: str, expected: bool) -> None:
    assert load(tmp_path, mode=mode).hands_out_tokens is expected


@pytest.mark.parametrize(
    "override",
    [
        {"mode": "test"},
        {"zone": "Nowhere/Town"},
        {"zone": "../etc/passwd"},
        {"port": "eighty"},
        {"port": 70_000},
        {"access_token_seconds": 0},
        {"access_token_seconds": 86_400},
        {"trusted_proxies": "*"},
        {"trusted_proxies": "0.0.0.0/0"},
        {"trusted_proxies": "10.0.0.7,proxy.example"},
        {"shoe": "size"},
    ],
)
def test_a_setting_that_cannot_be_is_refused(tmp_path: Path, override: dict[str, object]) -> None:
    with pytest.raises(SettingsUnusable):
        load(tmp_path, **override)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PASSPORT_DATABASE_URL", "geheim"),
        ("PASSPORT_DATABASE_URL", "postgresql://x:geheim@[/y"),
        ("PASSPORT_MIGRATION_URL", "geheim"),
        ("PASSPORT_BROKER_URL", "geheim"),
        ("PASSPORT_BROKER_URL", "geheim://queue.example"),
        ("PASSPORT_PUBLIC_URL", "geheim"),
        ("PASSPORT_PUBLIC_URL", "passport.example/geheim"),
        ("PASSPORT_PUBLIC_URL", "ftp://geheim.example"),
        ("PASSPORT_PUBLIC_URL", "https://me:geheim@passport.example"),
        ("PASSPORT_PUBLIC_URL", "https://passport.example/?geheim"),
        ("PASSPORT_PUBLIC_URL", "https://passport.example:geheim"),
    ],
)
def test_an_address_that_is_none_is_refused_by_its_name_and_not_shown(
    tmp_path: Path, variable: str, value: str
) -> None:
    with pytest.raises(SettingsUnusable, match=variable) as refused:
        load(tmp_path, {variable: value})
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PASSPORT_DATABASE_URL", "host=/run/postgresql user=passport_service"),
        ("PASSPORT_DATABASE_URL", "postgresql://passport_service:x@db.example/passport?sslmode=verify-full"),
        ("PASSPORT_BROKER_URL", "rediss://:x@queue.example/0"),
        ("PASSPORT_BROKER_URL", "postgresql://passport_broker@db.example/passport"),
        ("PASSPORT_PUBLIC_URL", "https://city.example/passport/"),
        ("PASSPORT_PUBLIC_URL", "http://[::1]:8000"),
    ],
)
def test_an_address_that_is_one_is_taken(tmp_path: Path, variable: str, value: str) -> None:
    load(tmp_path, {variable: value})


def test_the_owners_address_alone_is_refused_and_nothing_made_of_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsUnusable, match="PASSPORT_DATABASE_URL"):
        load(tmp_path, {"PASSPORT_MIGRATION_URL": "postgresql://passport_owner@db.example/passport"})


@pytest.mark.parametrize("content", [b"", b"[]", b'"x"'])
def test_a_broken_settings_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.json").write_bytes(content)
    with pytest.raises(SettingsUnusable, match="settings file"):
        load(tmp_path)


def test_the_law_of_the_place_is_kept_with_the_installation(tmp_path: Path) -> None:
    fresh = load(tmp_path)
    assert (fresh.grants_linger, fresh.proxies_linger) == (timedelta(), timedelta())
    load(tmp_path, grants_after_death="49", proxies_after_death="stay").save()
    again = load(tmp_path)
    assert (again.grants_linger, again.proxies_linger) == (timedelta(days=49), None)


@pytest.mark.parametrize("law", ["", "never", "-1", "0", "1.5", "36501"])
def test_a_law_that_nobody_can_read_is_refused(tmp_path: Path, law: str) -> None:
    with pytest.raises(SettingsUnusable):
        load(tmp_path, grants_after_death=law)


def test_who_keeps_the_passport_is_read_from_the_folder_and_kept_there(tmp_path: Path) -> None:
    assert load(tmp_path).custodian == Custodian()
    load(tmp_path, custodian={"name": "架空市", "contact": "市民課（架空）"}).save()
    again = load(tmp_path)
    assert (again.custodian.name, again.custodian.jurisdiction) == ("架空市", "JP")
    again.save()
    assert load(tmp_path) == again


@pytest.mark.parametrize("custodian", ["架空市", [], {"city": "架空市"}, {"name": 5}, {"name": "a" * 501}])
def test_particulars_that_are_none_are_refused(tmp_path: Path, custodian: Any) -> None:
    with pytest.raises(SettingsUnusable, match="custodian"):
        load(tmp_path, custodian=custodian)


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("dbname=x password=y\n")
    environ = {"PASSPORT_DATABASE_URL_FILE": f"{secret}"}
    assert load(tmp_path, environ).database_url == "dbname=x password=y"
    with pytest.raises(SettingsUnusable, match="expected one of them"):
        load(tmp_path, {**environ, "PASSPORT_DATABASE_URL": "dbname=z"})
    given = {"PASSPORT_DATABASE_URL": "dbname=embedded"}
    assert load(tmp_path, handed_on(environ, given)).database_url == "dbname=embedded"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"one\ntwo\n", b"\xff"])
def test_a_secret_that_cannot_be_read_is_refused_and_not_shown(tmp_path: Path, content: bytes | None) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(SettingsUnusable, match="expected a readable file of one line") as refused:
        load(tmp_path, {"PASSPORT_BROKER_URL_FILE": f"{secret}"})
    assert "two" not in str(refused.value)


def test_tls_takes_a_certificate_and_its_key_and_shows_in_the_address(tmp_path: Path) -> None:
    both = {"PASSPORT_TLS_CERTIFICATE": "/tls/chain.pem", "PASSPORT_TLS_KEY": "/tls/key.pem"}
    assert load(tmp_path, both).base_url == "https://127.0.0.1:8000"
    assert load(tmp_path, {**both, "PASSPORT_PUBLIC_URL": "https://passport.example"}).base_url == (
        "https://passport.example"
    )
    for variable, path in both.items():
        with pytest.raises(SettingsUnusable, match="expected both or none"):
            load(tmp_path, {variable: path})
