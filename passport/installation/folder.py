"""An installation's folder and database: made once, opened by every command, never mistaken for another.

The key file, the settings file and the database each carry a mark. They must agree: a production service
never runs on a demo's keys or data, and no service runs on another installation's keys.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

import psycopg

from fhirstore.tables import NOBODY
from passport.database import bootstrap, migrate
from passport.embedded import EmbeddedPostgres
from passport.installation import store
from passport.keys import KeyRing
from passport.labelling import store as labelling
from passport.outcomes import PassportError
from passport.rsa_signing import rsa_signer
from passport.settings import FILE_NAME, Mode, Settings
from passport.signing import signer

DATABASE: Final = "passport"
FINGERPRINT_BYTES: Final = 8

_MODE, _KEYS, _SIGNS, _CERTIFIES, _IDENTIFIES = "mode", "keys", "signs", "certifies", "identifies"


class NotProduction(PassportError):
    """A production command met keys, a folder or a database that a demo made."""

    def __init__(self, part: str) -> None:
        super().__init__(
            500, "exception", f"{part} made by `passport demo`, expected those of `passport init`"
        )


class NotThisInstallation(PassportError):
    """Folder, keys and database do not belong together."""

    def __init__(self, text: str) -> None:
        super().__init__(500, "exception", text)


def initialise(state: Path, mode: Mode) -> Settings:
    """Make the folder an installation of `mode`, or read the one that it is.

    A folder that is made here is its owner's alone; one that was there keeps its mode. A demo may become a sandbox
    and stays one; nothing else changes its mode.

    Raises:
        NotThisInstallation: the folder is an installation of another mode.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = Settings.load(state)
    if not (state / FILE_NAME).exists():
        # The settings file comes last: a folder that has one has its keys, and lost keys are never replaced.
        settings = settings.at(mode=mode)
        if not settings.key_file.exists():
            KeyRing.generate(demo=mode != "production").save(settings.key_file)
        settings.save()
    elif (settings.mode, mode) == ("demo", "sandbox"):
        settings = settings.at(mode=mode)
        settings.save()
    if (settings.mode == "production") != (mode == "production"):
        raise NotThisInstallation(f"`{state}` is a {settings.mode} installation, expected {mode}")
    return settings


@contextmanager
def opened(settings: Settings) -> Iterator[Settings]:
    """Settings with the addresses of a running database: the one given, or the folder's own.

    The folder's own server runs at least while the block does, and while any other command uses it.

    Raises:
        EmbeddedPostgresError: the folder's own server cannot be started.
    """
    if settings.database_url:
        yield settings
        return
    with EmbeddedPostgres.start(settings.state) as server:
        owner, service = bootstrap(server.superuser_dsn(), DATABASE)
        yield settings.at(migration_url=owner, database_url=service)


def prepare(settings: Settings, now: datetime) -> None:
    """Migrate the database where its owner's address is known, and mark it as this installation's.

    Raises:
        NotThisInstallation: the database is another installation's, or was never migrated.
    """
    if settings.migration_url:
        migrate(settings.migration_url)
    ring = KeyRing.load(settings.key_file)
    with psycopg.connect(settings.database_url) as connection:
        found = _marks(connection)
        if found.get(_KEYS, fingerprint(ring)) != fingerprint(ring):
            raise NotThisInstallation(
                f"the database was filled under other keys than those of `{settings.key_file}`"
            )
        if (found.get(_MODE, settings.mode) == "production") != (settings.mode == "production"):
            raise NotThisInstallation(
                f"the database is of a {found[_MODE]} installation, not {settings.mode}"
            )
        ring = _completed(settings, ring, found)
        store.mark(connection, _SIGNS, signer(ring.signing_keys).kid)
        store.mark(connection, _IDENTIFIES, rsa_signer(ring.id_token_keys).kid)
        if ring.device_authority is not None:
            store.mark(connection, _CERTIFIES, ring.device_authority.kid)
        store.mark(connection, _KEYS, fingerprint(ring))
        store.mark(connection, _MODE, settings.mode)
        if store.make_nobody(connection, ring.new_wrapped_key(NOBODY), now):
            # Whatever is stored here will have been labelled with this table.
            store.mark(connection, labelling.MARK, labelling.DONE.text)


def labels_wait(settings: Settings) -> bool:
    """Whether records may be stored that the table of this release did not label; two look-ups, whatever there is."""
    with psycopg.connect(settings.database_url) as connection:
        return labelling.waits(_marks(connection).get(labelling.MARK), anybody=store.anybody(connection))


def require_production(settings: Settings) -> None:
    """Refuse what a demo made; the database is looked at by `prepare`.

    Raises:
        NotProduction: the folder or its keys are a demo's.
    """
    if settings.mode != "production":
        raise NotProduction(f"settings of `{settings.state}` were")
    if KeyRing.load(settings.key_file).demo:
        raise NotProduction(f"keys of `{settings.key_file}` were")


def _completed(settings: Settings, ring: KeyRing, found: Mapping[str, str]) -> KeyRing:
    """The keys with one that signs and one that certifies.

    A file of before there was one gets it once, and no other copy of it another.

    Raises:
        NotThisInstallation: a key that is used here is in another copy of the file.
    """
    signing = {key.kid for key in ring.signing_keys}
    certifying = {key.kid for key in ring.device_authorities}
    for mark, kids, what in (
        (_SIGNS, signing, "signing key"),
        (_IDENTIFIES, {key.kid for key in ring.id_token_keys}, "key of ID tokens"),
        (_CERTIFIES, certifying, "key of the device CA"),
    ):
        if mark in found and found[mark] not in kids:
            text = f"`{settings.key_file}` lacks the {what} `{found[mark]}`, expected the copy that has it"
            raise NotThisInstallation(text)
    return KeyRing.completed(settings.key_file)


def _marks(connection: store.Database) -> dict[str, str]:
    try:
        return store.marks(connection)
    except psycopg.errors.UndefinedTable:
        text = "the database is not migrated: name its owner's address in PASSPORT_MIGRATION_URL"
        raise NotThisInstallation(text) from None


def fingerprint(ring: KeyRing) -> str:
    """What tells keys from others, and nothing of them."""
    digest = blake2b(ring.key_encryption_key, digest_size=FINGERPRINT_BYTES, person=b"fingerprint")
    return digest.hexdigest()
