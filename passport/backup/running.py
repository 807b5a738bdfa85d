"""Making a backup, and putting one back.

https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final

The database and the keys go to two places: whoever finds one of them reads nothing. Only a superuser sees every row,
so only a superuser can dump them: the service's own roles are bound by row-level security.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from passport import installation
from passport.audit.actions import BACKUP, RESTORE
from passport.backup import files, programs, store
from passport.backup.errors import BackupUnusable
from passport.backup.manifest import DUMP, FILES, SETTINGS, Manifest
from passport.database import bootstrap
from passport.embedded import EmbeddedPostgres
from passport.installation.commands import record_command
from passport.installation.parts import open_runtime
from passport.keys import KeyRing
from passport.settings import FILE_NAME, Settings

_DISTRIBUTION: Final = "healthcare-passport"


def back_up(
    settings: Settings, folder: Path, keys: Path | None, *, superuser_url: str | None, now: datetime
) -> Manifest:
    """Write a backup into a new folder, beside a running service, and copy the keys to another place.

    Raises:
        BackupUnusable: there is something in the folder, the keys would lie with it or take other keys' place, or
            the database cannot be dumped.
    """
    _refuse_unneeded(settings, superuser_url)
    if folder.exists() and any(folder.iterdir()):
        raise BackupUnusable(f"there is something in `{folder}`, expected a new folder")
    ring = KeyRing.load(settings.key_file)
    if keys is not None:
        _keep_keys(settings.key_file, keys, folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _reached(settings, superuser_url) as (ready, superuser):
        # Its row stands in the dump as well.
        asyncio.run(_record(ready, BACKUP, f"passport backup --to {folder.name}", now))
        programs.dump(superuser, folder / DUMP)
    shutil.copyfile(settings.state / FILE_NAME, folder / SETTINGS)
    (folder / SETTINGS).chmod(0o600)
    (folder / FILES).touch(mode=0o600)
    (folder / FILES).write_bytes(files.sealed(settings.state, ring))
    software = version(_DISTRIBUTION)
    manifest = Manifest.of(folder, made_at=now, software=software, keys=installation.fingerprint(ring))
    manifest.write(folder)
    return manifest


def restore(state: Path, folder: Path, keys: Path, *, superuser_url: str | None, now: datetime) -> datetime:
    """Make a new installation of a backup and its keys, and say of when it is; nobody is signed in to it.

    The settings come last: a folder that has none is no installation, so one that was broken off is begun anew.

    Raises:
        BackupUnusable: the backup is not whole, the keys are not its own, or there is an installation already.
    """
    manifest, ring = Manifest.read(folder), KeyRing.load(keys)
    if manifest.keys != installation.fingerprint(ring):
        raise BackupUnusable(f"`{keys}` does not open `{folder}`, expected the keys that it was made under")
    if (state / FILE_NAME).exists():
        raise BackupUnusable(f"`{state}` is an installation, expected a new folder")
    _refuse_unneeded(Settings.load(state), superuser_url)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = _with_settings_of(folder, state)
    if not settings.key_file.exists():
        ring.save(settings.key_file)
    elif installation.fingerprint(KeyRing.load(settings.key_file)) != manifest.keys:
        raise BackupUnusable(f"`{settings.key_file}` holds other keys, expected those of the backup or none")
    files.put_back(state, (folder / FILES).read_bytes(), ring)
    with _made(settings, superuser_url) as superuser:
        if store.is_filled(superuser):
            raise BackupUnusable("there is something in the database, expected an empty one")
        programs.put_back(superuser, folder / DUMP)
        with installation.opened(settings) as ready:
            installation.prepare(ready, now)
            # Who signed out since, or was signed out, must not be in again.
            store.end_sessions(superuser, now)
            asyncio.run(_record(ready, RESTORE, f"passport restore --from {folder.name}", now))
    settings.save()
    return manifest.made_at


def _with_settings_of(folder: Path, state: Path) -> Settings:
    """The settings of a backup, with the place of its database and keys as this machine has them."""
    backed_up, here = Settings.load(folder, environ={}), Settings.load(state)
    return replace(
        backed_up,
        state=state,
        key_file=here.key_file,
        database_url=here.database_url,
        migration_url=here.migration_url,
        broker_url=here.broker_url,
    )


def _keep_keys(source: Path, target: Path, folder: Path) -> None:
    """Copy the keys to where the backup is not; a copy that is there already may only lack what was added since."""
    if target.resolve().is_relative_to(folder.resolve()):
        raise BackupUnusable(f"`{target}` lies with the backup, expected the keys in another place")
    if target.resolve() == source.resolve():
        raise BackupUnusable(
            f"`{target}` is the installation's own key file, expected a copy in another place"
        )
    ring = KeyRing.load(source)
    if target.exists():
        if installation.fingerprint(KeyRing.load(target)) != installation.fingerprint(ring):
            raise BackupUnusable(f"`{target}` holds other keys, which are kept")
        ring.replace(target)
    else:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ring.save(target)


@contextmanager
def _reached(settings: Settings, superuser_url: str | None) -> Iterator[tuple[Settings, str]]:
    """An installation's database as its service reaches it, and as a superuser does."""
    if settings.database_url:
        yield settings, _superuser(settings, superuser_url)
        return
    with EmbeddedPostgres.start(settings.state) as server, installation.opened(settings) as ready:
        yield ready, server.superuser_dsn(installation.DATABASE)


@contextmanager
def _made(settings: Settings, superuser_url: str | None) -> Iterator[str]:
    """A database with its roles, as a superuser reaches it."""
    if settings.database_url:
        address = _superuser(settings, superuser_url)
        bootstrap(address, _name(settings))
        yield address
        return
    with EmbeddedPostgres.start(settings.state) as server:
        bootstrap(server.superuser_dsn(), installation.DATABASE)
        yield server.superuser_dsn(installation.DATABASE)


def _refuse_unneeded(settings: Settings, url: str | None) -> None:
    """An address that nothing would be done with: whoever gives one believes the data elsewhere."""
    if url is not None and not settings.database_url:
        text = "got `--url`, but the database is the folder's own, expected its address in PASSPORT_DATABASE_URL too"
        raise BackupUnusable(text)


def _superuser(settings: Settings, url: str | None) -> str:
    if url is None:
        raise BackupUnusable("the database has an address of its own, expected a superuser's in `--url`")
    return make_conninfo(url, dbname=_name(settings))


def _name(settings: Settings) -> str:
    return str(conninfo_to_dict(settings.database_url).get("dbname") or installation.DATABASE)


async def _record(settings: Settings, action: str, command: str, now: datetime) -> None:
    """The row of the log that says that all of it left, or came back."""
    async with open_runtime(settings) as runtime, runtime.pool.connection() as connection:
        await record_command(runtime, connection, action, command, now)
