"""What the files beside the database say: can providers still be asked, and certificates be checked?

https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication
https://www.rfc-editor.org/rfc/rfc5280#section-6
"""

from collections.abc import Iterator
from datetime import datetime

import psycopg
from psycopg.rows import namedtuple_row

from passport.doctor.findings import Finding, note, unsafe
from passport.identity.federation import credentials, registry, store
from passport.identity.qualifications import chain
from passport.identity.qualifications.errors import NotQualified
from passport.settings import Settings


def findings(settings: Settings, url: str, now: datetime) -> Iterator[Finding]:
    """All that is wrong with them."""
    yield from _providers(settings, url)
    yield from _authorities(settings, now)


def _providers(settings: Settings, url: str) -> Iterator[Finding]:
    try:
        with psycopg.connect(url, row_factory=namedtuple_row) as connection:
            rows = connection.execute(store.PROVIDERS.text).fetchall()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        # That the database does not answer, or is not migrated, is found by whoever looks at it.
        return
    for provider in map(registry.stored, rows):
        if provider.state == "ended":
            continue
        try:
            credentials.public_part(settings, provider)
        except credentials.KeyFileUnfit as error:
            setting = f"{credentials.FOLDER}/{provider.key_file}"
            yield unsafe(setting, f"nobody signs in at `{provider.provider_id}`: {error.text}")


def _authorities(settings: Settings, now: datetime) -> Iterator[Finding]:
    folder = settings.state / chain.FOLDER
    if not folder.exists():
        return
    try:
        trusted = chain.Trusted.read(settings)
    except NotQualified:
        yield unsafe(chain.FOLDER, f"`{chain.ROOTS}` or `{chain.REVOKED}` cannot be read, or holds none")
        return
    if ended := sum(now >= root.not_valid_after_utc for root in trusted.roots):
        yield note(f"{chain.FOLDER}/{chain.ROOTS}", f"{ended} of {len(trusted.roots)} authorities have ended")
    if not trusted.lists:
        yield note(
            f"{chain.FOLDER}/{chain.REVOKED}", "no list: nobody looks whether a certificate was taken back"
        )
    if stale := sum(each.next_update_utc is None or now >= each.next_update_utc for each in trusted.lists):
        text = f"{stale} of {len(trusted.lists)} lists have ended: certificates of their issuers are refused"
        yield unsafe(f"{chain.FOLDER}/{chain.REVOKED}", text)
