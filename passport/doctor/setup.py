"""What the settings, the folder and the key file say by themselves.

https://owasp.org/www-project-application-security-verification-standard/
"""

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from passport.doctor.findings import Finding, note, unsafe
from passport.keys import KeyFileUnusable, KeyRing
from passport.settings import (
    ACCESS_TOKEN_SECONDS,
    FILE_NAME,
    PRODUCTION_SECOND_FACTOR,
    STEP_UP_MINUTES,
    Settings,
)

WIDE_NETWORK: Final = 256
"""A network of proxies with more addresses than this has others in it."""

RENEWAL: Final = timedelta(days=14)
"""A certificate that ends sooner is renewed by now."""

CA_RENEWAL: Final = timedelta(days=90)
"""The device CA goes on from key to key in a day, and every proxy has to be told."""


def findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    """All that can be told without the database."""
    yield from _mode(settings, now)
    yield from _addresses(settings)
    yield from _proxies(settings)
    yield from _tls(settings, now)
    yield from _files(settings)
    if settings.access_token_seconds > ACCESS_TOKEN_SECONDS:
        text = f"{settings.access_token_seconds} s, expected {ACCESS_TOKEN_SECONDS} s or less"
        yield note("access_token_seconds", text)
    yield from _factors(settings)
    if not settings.custodian.stated:
        yield note("custodian", "receipts do not say who keeps the passport")


def _factors(settings: Settings) -> Iterator[Finding]:
    if settings.mode != "production":
        return
    expected = frozenset(PRODUCTION_SECOND_FACTOR.split(","))
    if missing := expected - settings.second_factor_kinds:
        yield note("second_factor", f"one factor is enough for: {', '.join(sorted(missing))}")
    if settings.step_up > timedelta(minutes=STEP_UP_MINUTES):
        text = f"{settings.step_up}, expected {STEP_UP_MINUTES} minutes or less"
        yield note("step_up_minutes", text)


def _mode(settings: Settings, now: datetime) -> Iterator[Finding]:
    if settings.mode != "production":
        yield unsafe("mode", f"{settings.mode}: whoever holds the folder is handed tokens")
    try:
        ring = KeyRing.load(settings.key_file)
    except KeyFileUnusable as error:
        yield unsafe("PASSPORT_KEY_FILE", error.text)
        return
    if ring.demo:
        yield unsafe("PASSPORT_KEY_FILE", "keys that a demo made, expected those of `passport init`")
    if not any(key.d for key in ring.signing_keys):
        yield note("PASSPORT_KEY_FILE", "no key that signs; the service adds one when it starts")
    if not any(key.signs for key in ring.id_token_keys):
        yield note("PASSPORT_KEY_FILE", "no RSA key for ID tokens; the service adds one when it starts")
    yield from _device_ca(ring, now)


def _device_ca(ring: KeyRing, now: datetime) -> Iterator[Finding]:
    authority = ring.device_authority
    if authority is None:
        yield note("PASSPORT_KEY_FILE", "no key that certifies devices; the service adds one when it starts")
        return
    if authority.ends < now + CA_RENEWAL:
        level = unsafe if authority.ends <= now else note
        text = f"ends {authority.ends:%Y-%m-%d}: `passport device-ca publish`, and `rotate` a day later"
        yield level("device CA", text)
    elif authority.endless:
        text = "has no end, as those of before: `passport device-ca publish`, and `rotate` a day later"
        yield note("device CA", text)
    if ring.device_authorities[-1].certifies and ring.device_authorities[-1] != authority:
        since = ring.device_authorities[-1].made
        yield note(
            "device CA", f"a key waits since {since:%Y-%m-%d}: `passport device-ca rotate` lets it certify"
        )


def _addresses(settings: Settings) -> Iterator[Finding]:
    public = urlsplit(settings.base_url)
    if public.scheme != "https":
        text = f"{public.scheme}, expected the https address by which people reach the service"
        yield unsafe("PASSPORT_PUBLIC_URL", text)
    if not _is_loopback(settings.host) and settings.tls_certificate is None:
        text = f"listens on {settings.host} without TLS, expected 127.0.0.1 behind a proxy, or a certificate"
        yield unsafe("PASSPORT_HOST", text)
    if urlsplit(settings.broker_url).scheme in {"redis", "amqp"} and not _is_loopback(
        urlsplit(settings.broker_url).hostname or ""
    ):
        yield unsafe("PASSPORT_BROKER_URL", "is not encrypted, expected rediss or amqps")


def _proxies(settings: Settings) -> Iterator[Finding]:
    proxied = settings.tls_certificate is None and urlsplit(settings.base_url).scheme == "https"
    if proxied and not settings.trusted_proxies:
        text = "none, while something else speaks TLS: all callers count as one when sign-ins are limited"
        yield unsafe("PASSPORT_TRUSTED_PROXIES", text)
    for listed in filter(None, settings.trusted_proxies.split(",")):
        if ip_network(listed).num_addresses > WIDE_NETWORK:
            text = f"`{listed}` has more addresses than proxies: whoever is there says where they are"
            yield unsafe("PASSPORT_TRUSTED_PROXIES", text)


def _tls(settings: Settings, now: datetime) -> Iterator[Finding]:
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    try:
        ends = x509.load_pem_x509_certificate(settings.tls_certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        yield unsafe("PASSPORT_TLS_CERTIFICATE", f"expected a chain in PEM at `{settings.tls_certificate}`")
        return
    if ends < now + RENEWAL:
        level = unsafe if ends <= now else note
        yield level("PASSPORT_TLS_CERTIFICATE", f"ends {ends:%Y-%m-%d}")
    yield from _closed("PASSPORT_TLS_KEY", settings.tls_key)


def _files(settings: Settings) -> Iterator[Finding]:
    yield from _closed("--state", settings.state)
    yield from _closed(FILE_NAME, settings.state / FILE_NAME)
    if settings.key_file.resolve().is_relative_to(settings.state.resolve()) and not settings.database_url:
        text = f"lies in `{settings.state}` with the database: whoever copies the folder reads every record"
        yield unsafe("PASSPORT_KEY_FILE", text)
    if os.geteuid() == 0:
        yield note("user", "root, expected an account of the service's own")


def _closed(setting: str, path: Path) -> Iterator[Finding]:
    """Whether a file or folder is its owner's alone, and ours."""
    try:
        found = path.stat()
    except OSError:
        yield unsafe(setting, f"`{path}` cannot be read")
        return
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield unsafe(setting, f"`{path}` is open to others (mode {stat.S_IMODE(found.st_mode):04o})")
    if found.st_uid != os.geteuid():
        yield unsafe(setting, f"`{path}` belongs to another account")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
