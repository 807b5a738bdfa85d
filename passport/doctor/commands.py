"""`passport doctor`: what is unsafe in how an installation is set up.

https://12factor.net/admin-processes
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click
import orjson

from passport import installation
from passport.doctor import database, files, setup
from passport.installation.existing import existing
from passport.runtime import utc_now

UNSAFE: Final = 1


@click.command()
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), required=True, help="The installation."
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of what was found.")
def doctor(state: Path, as_json: bool) -> None:
    """Name each setting that is unsafe, with what is expected; it changes nothing.

    `unsafe` is not to be served like that, and the exit code is then 1; a `note` may be meant.
    """
    settings, now = existing(state), utc_now()
    found = list(setup.findings(settings, now))
    with installation.opened(settings) as ready:
        found += database.findings(ready.database_url, now)
        found += files.findings(settings, ready.database_url, now)
    found.sort(key=lambda one: (one.level != "unsafe", one.setting))
    if as_json:
        click.echo(orjson.dumps([asdict(one) for one in found], option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo("\n".join(one.line for one in found) or "Nothing unsafe was found.")
    sys.exit(UNSAFE if any(one.level == "unsafe" for one in found) else 0)
