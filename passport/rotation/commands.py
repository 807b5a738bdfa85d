"""`passport keys`: publish a new signing key, and let it sign once everybody could learn of it.

https://openid.net/specs/openid-connect-core-1_0-final.html#RotateSigKeys
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from passport.installation.existing import existing
from passport.keys import KeyRing

KNOWN_AFTER: Final = timedelta(minutes=10)
"""Twice as long as anybody keeps the published keys, and as running processes need to read the file."""

of_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder.",
)


@click.group()
def keys() -> None:
    """Turn the signing keys over while the service runs."""


@keys.command()
@of_state
def publish(state: Path) -> None:
    """Add a key of each kind that signs nothing yet; it is published beside the one that signs."""
    ring = KeyRing.with_another_key(existing(state).key_file)
    click.echo(
        f"published: {ring.signing_keys[-1].kid}, and for ID tokens by RSA {ring.id_token_keys[-1].kid}"
    )


@keys.command()
@of_state
@click.option("--at-once", is_flag=True, help="Do not wait until everybody could learn of the key.")
def rotate(state: Path, at_once: bool) -> None:
    """Let the keys sign that were published last; the former ones sign no more, and are published on."""
    path = existing(state).key_file
    age = datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if age < KNOWN_AFTER and not at_once:
        minutes = int(KNOWN_AFTER.total_seconds() // 60)
        raise click.ClickException(f"the key was published {age.seconds} s ago, expected {minutes} minutes")
    ring = KeyRing.with_the_next_key(path)
    by_rsa = "".join(f", and ID tokens by RSA {key.kid}" for key in ring.id_token_keys[:1])
    click.echo(f"signs: {ring.signing_keys[0].kid}{by_rsa}")
