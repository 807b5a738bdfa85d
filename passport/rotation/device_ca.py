"""`passport device-ca`: publish a new key of the device CA, and let it certify once every proxy could learn of it.

https://www.rfc-editor.org/rfc/rfc5280#section-6.1
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click
from cryptography.hazmat.primitives.serialization import Encoding

from passport.certifying import CertifyingKey
from passport.devices.authority import KEPT, LIFE, published
from passport.installation.existing import existing
from passport.keys import KeyRing
from passport.rotation.commands import KNOWN_AFTER, of_state

CA_KNOWN_AFTER: Final = KEPT + KNOWN_AFTER
"""As long as anybody may keep what is published of the CA, and as running processes need to read the file."""


@click.group(name="device-ca")
def device_ca() -> None:
    """Turn the key of the device CA over while the service runs."""


@device_ca.command()
@of_state
def publish(state: Path) -> None:
    """Add a key that certifies no device yet; its certificate stands in device-ca.pem beside the one of now."""
    ring = KeyRing.with_another_authority(existing(state).key_file, datetime.now(UTC))
    click.echo(f"published: {_told(ring.device_authorities[-1])}")
    click.echo(
        "next: give device-ca.pem to every proxy that asks devices for their certificates, then rotate"
    )


@device_ca.command()
@of_state
@click.option("--at-once", is_flag=True, help="Do not wait until every proxy could learn of the key.")
def rotate(state: Path, at_once: bool) -> None:
    """Let the key certify that was published last; what the former one certified is good until it ends."""
    path, now = existing(state).key_file, datetime.now(UTC)
    authorities = KeyRing.load(path).device_authorities
    if authorities and not at_once and (age := now - authorities[-1].made) < CA_KNOWN_AFTER:
        hours = CA_KNOWN_AFTER / timedelta(hours=1)
        text = f"the key was published {age / timedelta(hours=1):.1f} h ago, expected {hours:.1f} h"
        raise click.ClickException(text)
    ring = KeyRing.with_the_next_authority(path, now)
    click.echo(f"certifies: {_told(ring.device_authorities[0])}")
    click.echo(f"the former one stays in device-ca.pem until {now + LIFE:%Y-%m-%d}")


@device_ca.command()
@of_state
def show(state: Path) -> None:
    """Print device-ca.pem: the certificates by which a proxy knows devices now."""
    ring = KeyRing.load(existing(state).key_file)
    for key in published(ring.device_authorities, datetime.now(UTC)):
        click.echo(key.certificate.public_bytes(Encoding.PEM).decode(), nl=False)


def _told(key: CertifyingKey) -> str:
    return f"{key.kid}, until {key.ends:%Y-%m-%d}"
