"""`python -m tests.real_inputs DATA`: a table of every published file, what it must become and what it became.

Exits with 1 if any of them became something else. What no interface takes yet is listed, never left out.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from passport.demo.telling import new_console
from tests.real_inputs import bluetooth, handbooks, published
from tests.real_inputs.findings import Finding
from tests.real_inputs.service import Service, running_service

FORMATS: Final[dict[str, Callable[[Service, Path, str], Iterator[Finding]]]] = {
    "gatt": bluetooth.findings,
    "jahis": handbooks.findings,
    # The one before the other: a patient of its own is registered under the id that further files refer to.
    "eprescription": published.findings,
    "jp-clins": published.findings,
}
"""Which folder of the data holds which format."""


def main(data: Path) -> bool:
    """Run every file of `data` and print the table; whether all became what they must become."""
    console = new_console()
    missing = [name for name in FORMATS if not (data / name).is_dir()]
    if missing:
        console.print(f"`{data}` has no folder {' and no folder '.join(missing)}", style="bold red")
        return False
    with running_service(console) as service:
        found = [
            finding
            for folder, run in FORMATS.items()
            for file in sorted((data / folder).iterdir())
            for finding in run(service, file, f"{folder}/{file.name}")
        ]
    console.print(_table(found))
    _tell_the_rest(data, console)
    held = sum(finding.holds for finding in found)
    console.print(
        f"{held} of {len(found)} as expected", style="bold green" if held == len(found) else "bold red"
    )
    return held == len(found) > 0


def _table(found: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("input", "expected", "got", "note"):
        table.add_column(title, overflow="fold")
    for each in found:
        style = "green" if each.holds else "bold red"
        table.add_row(
            Text(each.source), Text(each.expected), Text(each.got, style=style), Text(each.note, style="dim")
        )
    return table


def _tell_the_rest(data: Path, console: Console) -> None:
    for path in sorted(data.iterdir()):
        if path.is_dir() and path.name not in FORMATS:
            count = sum(each.is_file() for each in path.rglob("*"))
            console.print(f"{path.name}: {count} files that no interface takes yet", style="dim")


if __name__ == "__main__":
    sys.exit(0 if main(Path(sys.argv[1])) else 1)
