"""`passport backup` and `passport restore`.

https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final
"""

from pathlib import Path

import click

from passport.addresses import DatabaseAddress
from passport.backup.running import back_up
from passport.backup.running import restore as put_back
from passport.installation.existing import existing
from passport.runtime import utc_now

_url = click.option(
    "--url",
    type=DatabaseAddress(),
    help="Address by which a superuser connects, where the database is a server of your own.",
)


@click.command()
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), required=True, help="The installation."
)
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder."
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where a copy of the key file goes; not into that folder.",
)
@_url
def backup(state: Path, folder: Path, keys: Path | None, url: str | None) -> None:
    """Back up the database and the settings into a new folder, and the keys elsewhere; safe beside the service.

    Without the keys nobody reads a record of it, nor do you.
    """
    manifest = back_up(existing(state), folder, keys, superuser_url=url, now=utc_now())
    click.echo(f"{folder}: the database and settings as of {manifest.made_at.isoformat(timespec='seconds')}")
    if keys is None:
        click.echo(f"Its keys ({manifest.keys}) were not copied: keep them elsewhere, with `--keys FILE`.")
    else:
        click.echo(f"{keys}: the keys ({manifest.keys}). Keep them apart from it.")


@click.command()
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder."
)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="What `passport backup` wrote.",
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="The copy of its key file.",
)
@_url
def restore(state: Path, folder: Path, keys: Path, url: str | None) -> None:
    """Make a new installation of a backup and its keys. Everybody has to sign in anew.

    What was withdrawn, ended or barred after the backup was made is in force again, and told of here.
    """
    made_at = put_back(state, folder, keys, superuser_url=url, now=utc_now())
    click.echo(f"{state}: the passport as of {made_at.isoformat(timespec='seconds')}; nobody is signed in.")
    click.echo(
        "What residents withdrew and operators ended after that is in force again: settle it before serving."
    )
