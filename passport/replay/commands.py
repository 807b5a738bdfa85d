"""`passport consent replay`: a row of the audit log decided again on the world of then.

http://hl7.org/fhir/R4/auditevent.html
"""

import asyncio
import sys
from pathlib import Path

import click
import orjson

from passport import installation
from passport.replay.report import Outcome
from passport.settings import Settings

DISAGREES: int = 1


@click.command()
@click.argument("audit_id", metavar="AUDIT_ID")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The installation's folder: settings, keys, and the database if it has its own.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def replay(audit_id: str, state: Path, as_json: bool) -> None:
    """Decide again what the AuditEvent AUDIT_ID tells of, and say whether it agrees.

    The reference is run on the consents, the directory and the records as they were then. References, consents and
    versions are printed, and nothing of what a record says. Exit code 1 if the reference disagrees. The look is
    written into the log of the person whom it is about.
    """
    from passport.replay.running import replay as run

    if not (state / installation.FILE_NAME).exists():
        raise click.ClickException(f"`{state}` is no installation")
    with installation.opened(Settings.load(state)) as ready:
        report = asyncio.run(run(ready, audit_id))
    told = orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode() if as_json else None
    click.echo("\n".join(report.lines()) if told is None else told)
    sys.exit(DISAGREES if report.outcome is Outcome.DISAGREES else 0)
