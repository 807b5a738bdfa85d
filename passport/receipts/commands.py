"""`passport consent verify`: whether a receipt is one that the passport signed; no network and no database.

https://www.rfc-editor.org/rfc/rfc7515
"""

import json
from pathlib import Path
from typing import Any, BinaryIO

import click

from fhirstore.errors import ParseError
from fhirstore.parse import Limits, Tree, parse, serialise
from passport.receipts.jws import MOST_BYTES, NoReceipt, verified


@click.command()
@click.argument("file", metavar="FILE", type=click.File("rb"))
@click.option(
    "--jwks",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="The keys, as `/.well-known/jwks.json` answered them.",
)
def verify(file: BinaryIO, jwks: Path) -> None:
    """Check the receipt in FILE (`-` is stdin) against the published keys; print what it says.

    FILE holds the receipt as it was handed out: a JWS, or the JSON that carries one. Exit code 1 and one line where
    it is none, another key signed it, or it was changed.
    """
    content = verified(_message(file.read(MOST_BYTES)), _published(jwks))
    click.echo(serialise(content, indented=True).decode())


def _message(text: bytes) -> bytes:
    """The JWS in a file, by itself or in the answer that carries it."""
    stripped = text.strip()
    if not stripped.startswith(b"{"):
        return stripped
    try:
        carried = _object(stripped).get("jws")
    except ParseError:
        carried = None
    if not isinstance(carried, str):
        raise NoReceipt("got JSON without `jws`, expected a receipt as it was handed out")
    return carried.encode()


def _object(text: bytes) -> Tree:
    return parse(text, Limits(size_bytes=MOST_BYTES))


def _published(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NoReceipt(f"got no JSON object in `{path}`, expected a JWK Set")
    return content
