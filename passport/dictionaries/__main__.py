"""`python -m passport.dictionaries FOLDER`: train the product's dictionaries anew, on synthetic records alone.

https://facebook.github.io/zstd/zstd_manual.html#Chapter17

Written into the folder `fhir/fhirstore/trained` they are what the product ships. A dictionary that was ever
released is not trained anew under its number: it gets the next one (`fhirstore.trained.TRAINED`).
"""

from pathlib import Path

import click

from fhirstore.trained import WRITTEN_WITH
from passport.dictionaries.training import trained_contents


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
def main(folder: Path) -> None:
    """Train and write a file for each dictionary."""
    contents = trained_contents()
    for each in WRITTEN_WITH.values():
        (folder / each.file_name).write_bytes(contents[each.kind])
        click.echo(f"{each.file_name}: {len(contents[each.kind])} bytes")


if __name__ == "__main__":
    main()
